import { CodecError, decode, equalBytes } from "@latchkey/codec";
import { decodeKeyPackage, MlsError, verifyKeyPackage } from "@latchkey/mls";
import type { Credential, KeyPackage } from "@latchkey/mls";
import { isUsername, leafIdentityCodec } from "@latchkey/protocol";
import type { AccountRecord, Address, LeafIdentity } from "@latchkey/protocol";
import { deviceOf, TransparencyError, verifyDeviceCard } from "@latchkey/transparency";
import type { DeviceCard, DeviceEntry } from "@latchkey/transparency";
import type { UsernameStatus } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { loadContact, loadContactByName, saveContact, verifyRecord } from "./contacts.ts";
import type { Contact } from "./contacts.ts";
import { defaultSuite } from "./key-packages.ts";
import { loadOwnAccount } from "./own-account.ts";
import { decodeProofs, encodeProofs } from "./proofs.ts";

/** A device of a contact, ready to be added to a group. */
export interface TakenPackage {
  readonly deviceId: Uint8Array;
  readonly card: DeviceCard;
  readonly keyPackage: KeyPackage;
  /** The MLSMessage(KeyPackage) as the server gave it. */
  readonly message: Uint8Array;
  readonly lastResort: boolean;
}

/** Other people's accounts: found, verified, remembered. */
export interface Directory {
  /** Whoever has this address: from the cache for seven days, then asked again (spec D-5). @throws ClientError `unknown_user`, `server_lied`, `offline` */
  resolve(address: Address): Promise<Contact>;
  /** The account with this id: from the cache, else from its host. @throws ClientError as `resolve` */
  account(host: string, accountId: Uint8Array): Promise<Contact>;
  /** What the cache has, inside a transaction of the caller's. */
  cached(tx: StoreTransaction, accountId: Uint8Array): Promise<Contact | undefined>;
  /** Verifies and remembers the accounts of a `directory_proofs` field; what does not hold is left out (spec D-5). */
  learn(tx: StoreTransaction, proofs: Uint8Array): Promise<Contact[]>;
  /** A `directory_proofs` field for these accounts, as far as they are known here, one's own included. */
  proofsOf(tx: StoreTransaction, accountIds: readonly Uint8Array[]): Promise<Uint8Array>;
  /**
   * Takes one key package of each device of a contact, all verified (spec A-5).
   * @throws ClientError `unreachable_device`, `invalid_key_package`, `server_lied`, `offline`
   */
  takeKeyPackages(contact: Contact): Promise<TakenPackage[]>;
  /** Whether a name could be had; `unknown` when the server cannot be asked now. */
  checkUsername(username: string, host: string): Promise<UsernameStatus>;
}

/** What a leaf of a ratchet tree claims. */
export interface ClaimedLeaf {
  readonly credential: Credential;
  readonly signaturePublicKey: Uint8Array;
}

/** The server answers with at most about 120 KB of states. */
const longAnswerBytes = 49_152;
const freshMs = 7 * 86_400_000;
const availability: readonly UsernameStatus[] = ["available", "taken", "invalid", "reserved"];

/** Looks accounts up on connections of their own (spec C-5) and keeps them in `store`. */
export function createDirectory(params: { store: Store; platform: Platform; connections: Connections }): Directory {
  const { store, platform, connections } = params;
  const { signatures } = platform;

  async function lookup(
    host: string,
    known: Contact | undefined,
    ask: (connection: RoleConnection<"lookup">, fromVersion: number) => ReturnType<RoleConnection<"lookup">["request"]>,
  ): Promise<Contact> {
    const contact = await connections.once("lookup", host, async (connection) => {
      let verified = known;
      for (;;) {
        const fromVersion = verified === undefined ? 0 : verified.account.state.version + 1;
        const record = expectAnswer(await ask(connection, fromVersion), "account");
        verified = await verifyRecord({ record, known: verified, checkedAtMs: platform.nowMs(), signatures });
        // A long chain comes in pieces; a short answer is the last.
        const sizeBytes = record.states.reduce((sum, state) => sum + state.length, 0);
        if (sizeBytes < longAnswerBytes) return verified;
      }
    });
    if (contact.host !== host) throw new ClientError("server_lied", "The server showed an account of another server.");
    return contact;
  }

  async function refresh(host: string, accountId: Uint8Array, known: Contact | undefined): Promise<Contact> {
    const contact = await lookup(host, known, (connection, fromVersion) =>
      connection.request({ kind: "lookup_account", accountId, fromVersion, accountValues: fromVersion, nameValues: 0, knownSize: 0 }),
    );
    if (!equalBytes(contact.accountId, accountId)) throw new ClientError("server_lied", "The server showed another account.");
    return store.transact("write", (tx) => saveContact(tx, contact));
  }

  async function takeOne(connection: RoleConnection<"lookup">, contact: Contact, device: DeviceEntry): Promise<TakenPackage> {
    const { deviceId } = device;
    const request = { kind: "take_key_package" as const, accountId: contact.accountId, deviceId, token: new Uint8Array(0) };
    const response = await connection.request(request);
    if (response.kind === "error" && (response.code === "no_key_package" || response.code === "not_found")) {
      throw new ClientError("unreachable_device", "A device of this person has no keys on the server now. Try again later.");
    }
    const answer = expectAnswer(response, "key_package");
    try {
      const card = await verifyDeviceCard({ account: contact.account, signedCard: answer.card, nowMs: platform.nowMs(), signatures });
      if (!equalBytes(card.deviceId, deviceId)) throw invalid();
      const keyPackage = decodeKeyPackage(answer.keyPackage);
      if (keyPackage.cipherSuite !== defaultSuite) throw invalid();
      await verifyKeyPackage(platform.crypto.suite(defaultSuite), keyPackage, { nowSeconds: BigInt(Math.floor(platform.nowMs() / 1000)) });
      const { credential, signatureKey } = keyPackage.leafNode;
      const identity = checkLeaf(contact, { credential, signaturePublicKey: signatureKey });
      if (identity === undefined || !equalBytes(identity.deviceId, deviceId)) throw invalid();
      return { deviceId, card, keyPackage, message: answer.keyPackage, lastResort: answer.lastResort };
    } catch (cause) {
      if (cause instanceof TransparencyError && cause.code === "expired") {
        throw new ClientError("unreachable_device", "A device of this person was not online for a month.", { cause });
      }
      if (cause instanceof MlsError || cause instanceof TransparencyError) throw invalid(cause);
      throw cause;
    }
  }

  return {
    async resolve(address) {
      const known = await store.transact("read", (tx) => loadContactByName(tx, address));
      const ageMs = known === undefined ? Number.POSITIVE_INFINITY : platform.nowMs() - known.checkedAtMs;
      if (known !== undefined && ageMs >= 0 && ageMs < freshMs) return known;
      // From genesis: a name that changed hands must not be judged by the account that had it.
      const contact = await lookup(address.host, undefined, (connection, fromVersion) =>
        connection.request({ kind: "lookup_username", username: address.username, fromVersion, knownSize: 0 }),
      );
      if (contact.username !== address.username) throw new ClientError("server_lied", "The server showed another account.");
      return store.transact("write", (tx) => saveContact(tx, contact));
    },
    async account(host, accountId) {
      const known = await store.transact("read", (tx) => loadContact(tx, accountId));
      return known ?? refresh(host, accountId, undefined);
    },
    cached: loadContact,
    async learn(tx, proofs) {
      const learned: Contact[] = [];
      for (const record of decodeProofs(proofs)) {
        try {
          // Heard of, not looked up: its host has not confirmed it.
          const contact = await verifyRecord({ record, known: undefined, checkedAtMs: 0, signatures });
          learned.push(await saveContact(tx, contact));
        } catch (error) {
          if (!(error instanceof ClientError)) throw error;
        }
      }
      return learned;
    },
    async proofsOf(tx, accountIds) {
      const own = await loadOwnAccount(tx);
      const records: AccountRecord[] = [];
      for (const accountId of accountIds) {
        const isOwn = own !== undefined && equalBytes(own.accountId, accountId);
        const record = isOwn ? own.record : (await loadContact(tx, accountId))?.record;
        if (record !== undefined) records.push(record);
      }
      return encodeProofs(records);
    },
    async takeKeyPackages(contact) {
      const fresh = platform.nowMs() - contact.checkedAtMs < freshMs ? contact : await refresh(contact.host, contact.accountId, contact);
      return connections.once("lookup", fresh.host, async (connection) => {
        const taken: TakenPackage[] = [];
        for (const device of fresh.account.state.devices) taken.push(await takeOne(connection, fresh, device));
        return taken;
      });
    },
    async checkUsername(username, host) {
      if (!isUsername(username)) return "invalid";
      try {
        return await connections.once("lookup", host, async (connection) => {
          const answer = expectAnswer(await connection.request({ kind: "check_username", username }), "availability");
          return availability[answer.reason] ?? "unknown";
        });
      } catch (error) {
        if (error instanceof ClientError && error.canRetry) return "unknown";
        throw error;
      }
    },
  };
}

/** Who a leaf is, if the contact's verified account vouches for its key; else `undefined` (spec A-5). */
export function checkLeaf(contact: Pick<Contact, "host" | "account">, leaf: ClaimedLeaf): LeafIdentity | undefined {
  if (leaf.credential.kind !== "basic") return undefined;
  let identity: LeafIdentity;
  try {
    identity = decode(leafIdentityCodec, leaf.credential.identity);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
  if (identity.host !== contact.host || !equalBytes(identity.accountId, contact.account.accountId)) return undefined;
  const device = deviceOf(contact.account, identity.deviceId);
  return device !== undefined && equalBytes(device.signatureKey, leaf.signaturePublicKey) ? identity : undefined;
}

function invalid(cause?: unknown): ClientError {
  return new ClientError("invalid_key_package", "The keys of a device of this person do not hold.", { cause });
}
