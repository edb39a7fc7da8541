import { CodecError, decode, equalBytes } from "@latchkey/codec";
import { decodeKeyPackage, MlsError, verifyKeyPackage } from "@latchkey/mls";
import type { Credential, KeyPackage } from "@latchkey/mls";
import { isUsername, leafIdentityCodec } from "@latchkey/protocol";
import type { AccountRecord, Address, LeafIdentity } from "@latchkey/protocol";
import {
  accountIdOf,
  accountStateCodec,
  deviceOf,
  signedCodec,
  TransparencyError,
  usernameBindingCodec,
  verifyDeviceCard,
} from "@latchkey/transparency";
import type { AccountState, DeviceCard, DeviceEntry } from "@latchkey/transparency";
import type { UsernameStatus } from "../api.ts";
import { createTokens } from "../tokens/tokens.ts";
import type { Tokens } from "../tokens/types.ts";
import { createDirectoryLog } from "../directory/log.ts";
import type { DirectoryLog } from "../directory/log.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { AnswerOf, RoleConnection } from "../transport/connection.ts";
import type { Proven } from "../directory/proven.ts";
import { changedHands, forkOf, isProven, loadContact, loadContactByName, saveContact, verifyRecord } from "./contacts.ts";
import type { Contact, NameLookUp } from "./contacts.ts";
import { defaultSuite } from "./key-packages.ts";
import { loadOwnAccount } from "./own-account.ts";
import { decodeProofs, encodeProofs, recordsAbout } from "./proofs.ts";
import { isInboxKey } from "../group/inbox-seal.ts";

/** A device of a contact, ready to be added to a group. */
export interface TakenPackage {
  readonly deviceId: Uint8Array;
  readonly card: DeviceCard;
  readonly keyPackage: KeyPackage;
  /** The MLSMessage(KeyPackage) as the server gave it. */
  readonly message: Uint8Array;
  readonly lastResort: boolean;
}

/** An account whose newest state was published just now. */
export interface PublishedAccount {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly username: string;
  /** All its states and bindings; of its `proof` nothing is read. */
  readonly record: AccountRecord;
  /** DirectoryProof that the server answered with. */
  readonly proof: Uint8Array;
}

/** People's accounts: found, proven, remembered. */
export interface Directory {
  /** What was verified of the hosts' public records. */
  readonly log: DirectoryLog;
  /** Tokens of the host whose record it looks up. */
  readonly tokens: Tokens;
  /** Calls `listener` with every account of others that was verified anew, once it is stored; returns how to stop. */
  onMet(listener: (contact: Contact) => void): () => void;
  /** Calls `listener` when two histories of an account were seen, each signed by its devices: two SignedAccountStates of one version. */
  onForked(listener: (fork: { readonly accountId: Uint8Array; readonly states: readonly Uint8Array[] }) => void): void;
  /**
   * One's own account as its host's record has it now: proven, and not taken into the contacts (spec A-2).
   * @throws ClientError `account_changed` where the signed record commits to a history that the account's keys did not sign, or to its
   *   deletion; else as `resolve`: an answer that nothing proves is the host's word
   */
  lookUpOwn(own: { host: string; accountId: Uint8Array }): Promise<Contact>;
  /**
   * Whoever has this address: as it was looked up in the last seven days, else asked (spec A-3, D-5). That the account was met inside a
   * group says nothing of whose the name was.
   * @throws ClientError `unknown_user` where the record proves that nobody has it, `name_changed_hands`, `directory_unproven`,
   *   `directory_stale`, `directory_fork`, `server_lied`, `offline`
   */
  resolve(address: Address): Promise<Contact>;
  /** Whoever has this address now, though it may have belonged to another account: the person said so (spec A-3). @throws ClientError as `resolve` */
  acceptName(address: Address): Promise<Contact>;
  /**
   * The account with this id: from the cache once it is proven, else from its host.
   * @throws ClientError as `resolve`; `unknown_user` where the record proves that it was deleted. No record proves that an account never
   *   was: a host that says so is not believed (spec E-3), which is `directory_unproven`
   */
  account(host: string, accountId: Uint8Array): Promise<Contact>;
  /**
   * The account as its host has it now.
   * @throws ClientError as `resolve`; `server_lied` only where the signed record commits to what was shown: anything else is the host's
   *   word, and asked again (spec E-57)
   */
  refresh(host: string, accountId: Uint8Array): Promise<Contact>;
  /** What the cache has, inside a transaction of the caller's. */
  cached(tx: StoreTransaction, accountId: Uint8Array): Promise<Contact | undefined>;
  /**
   * Verifies and remembers the accounts of a `directory_proofs` field; what does not hold is left out (spec D-5). Asks nobody about them. Of other accounts than `accounts`
   * nothing is looked at, and of each a bounded amount (spec E-62).
   */
  learn(proofs: Uint8Array, accounts: Iterable<Uint8Array>): Promise<Contact[]>;
  /** One's own record with the proof, once `loadOwnRecord` was called; the one given while the proof is of an older state. */
  ownRecord(own: AccountRecord): AccountRecord;
  loadOwnRecord(): Promise<void>;
  /** A `directory_proofs` field for these accounts, as far as they are known here, one's own included. */
  proofsOf(tx: StoreTransaction, accountIds: readonly Uint8Array[]): Promise<Uint8Array>;
  /**
   * Verifies that what this account published stands in the record, and keeps the proof for others (spec A-2).
   * @throws ClientError as `resolve`: then it does not count as published
   */
  confirmPublished(account: PublishedAccount): Promise<void>;
  /**
   * Takes one key package of each device of a contact, all verified (spec A-5).
   * @throws ClientError `unreachable_device`, `invalid_key_package`, `server_lied`, `offline`
   */
  takeKeyPackages(contact: Contact): Promise<TakenPackage[]>;
  /** Where a device of a contact is written to (spec A-5). @throws ClientError as `takeKeyPackages` */
  card(contact: Pick<Contact, "host" | "accountId" | "account">, deviceId: Uint8Array): Promise<DeviceCard>;
  /** Whether a name could be had; `unknown` when the server cannot be asked now. */
  checkUsername(username: string, host: string): Promise<UsernameStatus>;
}

/** What a leaf of a ratchet tree claims. */
export interface ClaimedLeaf {
  readonly credential: Credential;
  readonly signaturePublicKey: Uint8Array;
}

/** A contact is asked about again after this time (spec D-5). */
export const freshMs: number = 7 * 86_400_000;
const availability: readonly UsernameStatus[] = ["available", "taken", "invalid", "reserved"];
/** What others need to verify one's own account, as the record last proved it. */
const ownRecordKey = "account/record";
/** An account's history has at most 1 MB (spec A-6): more pieces than this are no answer. */
const maxPieces = 64;

/** Whose account is asked for. */
type Asked = { readonly accountId: Uint8Array } | { readonly username: string };
/** Called with each piece of the host's answer, and the size of the log that it was told is known. */
type OnAnswer = (record: AccountRecord, knownSize: number) => void;

const noBytes = new Uint8Array(0);

/** What `record` has beyond `known`, which it continues. */
function after(record: AccountRecord, known: AccountRecord): AccountRecord {
  const pops = record.pops.filter((pop) => !known.pops.some((other) => equalBytes(pop, other)));
  return { ...record, states: record.states.slice(known.states.length), pops };
}

/** Looks accounts up on connections of their own (spec C-5), proves them by the hosts' records, and keeps them in `store`. */
export function createDirectory(params: { store: Store; platform: Platform; connections: Connections }): Directory {
  const { store, platform, connections } = params;
  const { signatures } = platform;
  const listeners = new Set<(contact: Contact) => void>();
  const forkListeners: Parameters<Directory["onForked"]>[0][] = [];
  let ownProven: AccountRecord | undefined;
  const log = createDirectoryLog({
    store,
    platform,
    httpUrl: (host) => connections.httpUrl(host),
    heardAtMs: (host) => connections.heardAtMs(host),
  });

  const tokens = createTokens({ store, platform, connections, log });

  /**
   * Verified by its signatures and by the record of its host.
   * @throws ClientError `unknown_user` where the record proves that there is none, or that it was deleted, and only there
   */
  async function lookup(host: string, asked: Asked, known?: Contact, onAnswer?: OnAnswer): Promise<Contact> {
    const knownSize = await log.knownSize(host);
    const found = await connections.once("lookup", host, async (connection) => {
      let verified = known;
      for (let piece = 0; piece < maxPieces; piece++) {
        const from = { fromVersion: verified === undefined ? 0 : verified.account.state.version + 1, knownSize };
        const answer = await ask(connection, asked, from);
        if (answer.kind === "absent") return answer;
        // No proof came along: the host's word (spec E-3).
        if (answer.kind === "error" && answer.code === "not_found") throw notShown();
        const record = expectAnswer(answer, "account");
        onAnswer?.(record, knownSize);
        if (isErased(record, from.fromVersion)) return { kind: "erased" as const, record };
        verified = await verifyRecord({ record, known: verified, checkedAtMs: 0, signatures });
        // A long chain comes in pieces; only the last has the proof.
        if (record.proof.length > 0 || record.states.length === 0) return verified;
      }
      throw new ClientError("server_lied", "The server's answer has no end.");
    });
    if ("kind" in found && found.kind === "absent") {
      if (!("username" in asked)) throw new ClientError("server_lied", "The server did not answer what it was asked.");
      const { bindings, proof } = found;
      await log.proveAbsence({ host, username: asked.username, bindings, proof, askedSize: knownSize });
      throw noSuchUser();
    }
    const named = "kind" in found ? stateOf(found.record.states[0] ?? noBytes) : found;
    const isAsked = "username" in asked ? named.username === asked.username : equalBytes(named.accountId, asked.accountId);
    if (!isAsked) throw new ClientError("server_lied", "The server showed another account.");
    if ("kind" in found) {
      // Everything before was erased: who asks for the first time cannot follow its signatures.
      const { accountId, username } = named;
      await log.proveAccount({ host, accountId, username, record: found.record, known: undefined, source: "host", askedSize: knownSize });
      throw deleted();
    }
    if (found.host !== host) throw new ClientError("server_lied", "The server showed an account of another server.");
    return await prove(found, known, "host", knownSize);
  }

  /** The contact with what the record says of it. */
  async function prove(contact: Contact, known: Contact | undefined, source: "host" | "member", askedSize = 0): Promise<Contact> {
    const { host, accountId, username, record } = contact;
    const proven = await log.proveAccount({ host, accountId, username, record, known: known?.proven, source, askedSize });
    return { ...contact, proven, checkedAtMs: proven.checkedAtMs };
  }

  async function keep(contact: Contact, name?: NameLookUp): Promise<Contact> {
    const known = await store.transact("read", (tx) => loadContact(tx, contact.accountId));
    const isNew = isProven(contact) && (known === undefined || !isProven(known));
    if (isNew && (await log.isInDoubt(contact.host))) throw inDoubt();
    const states = known === undefined ? undefined : forkOf(known, contact);
    if (states !== undefined) for (const listener of forkListeners) listener({ accountId: contact.accountId, states });
    const kept = await store.transact("write", (tx) => saveContact(tx, contact, name));
    for (const listener of listeners) listener(kept);
    if (kept.account.state.status === "deleted") throw deleted();
    return kept;
  }

  /** What a member shows of an account: only what is not known yet is verified. */
  async function hear(record: AccountRecord): Promise<Contact | undefined> {
    const [genesis] = record.states;
    if (genesis === undefined) return undefined;
    const accountId = accountIdOf(decode(signedCodec, genesis).body);
    const known = await store.transact("read", (tx) => loadContact(tx, accountId));
    const isContinued = known?.record.states.every((state, version) => equalBytes(state, record.states[version] ?? noBytes)) === true;
    const news = isContinued ? after(record, known.record) : record;
    const continued = isContinued ? known : undefined;
    const heard = await verifyRecord({ record: news, known: continued, checkedAtMs: 0, signatures });
    try {
      return await keep(await prove(heard, known, "member"));
    } catch (error) {
      // Proven later, when the record can be had again.
      if (!(error instanceof ClientError) || !error.canRetry) throw error;
      return await keep(heard);
    }
  }

  async function refresh(host: string, accountId: Uint8Array): Promise<Contact> {
    const cached = await store.transact("read", (tx) => loadContact(tx, accountId));
    // What was only heard of is no beginning: the host may have another history to show.
    const known = cached === undefined || !isProven(cached) ? undefined : cached;
    const { found, wasCommitted } = await lookUpShown(host, accountId, known);
    if (found instanceof ClientError) throw found.code === "server_lied" && !(await wasCommitted()) ? notHolding(found) : found;
    return await keep(found);
  }

  /** A lookup, and whether the host's signed record commits to what was shown, whatever its own signatures are worth. */
  async function lookUpShown(
    host: string,
    accountId: Uint8Array,
    known?: Contact,
  ): Promise<{ found: Contact | ClientError; wasCommitted: () => Promise<boolean> }> {
    let record: AccountRecord | undefined;
    let askedSize = 0;
    const found = await lookup(host, { accountId }, known, (piece, knownSize) => {
      askedSize = knownSize;
      record = { ...piece, states: [...(record?.states ?? known?.record.states ?? []), ...piece.states] };
    }).catch((error: unknown) => {
      if (error instanceof ClientError) return error;
      throw error;
    });
    return { found, wasCommitted: () => isCommitted({ host, accountId, record, askedSize, known: known?.proven }) };
  }

  /** One's own account: from the answer of its publication, or, where its name had other owners, from a lookup with their bindings. */
  async function proveOwn(account: Omit<PublishedAccount, "proof">): Promise<AccountRecord> {
    const { host, accountId, username, record } = account;
    const newest = record.states.at(-1);
    if (newest === undefined) throw new ClientError("server_lied", "The server did not take the account.");
    try {
      await log.proveAccount({ host, accountId, username, record, known: undefined, source: "host" });
      return record;
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== "directory_unproven" || error.canRetry) throw error;
      const found = await lookup(host, { accountId });
      const shown = found.record.states.at(-1);
      if (shown === undefined || !equalBytes(shown, newest)) throw error;
      return found.record;
    }
  }

  /** Whether the host's signed record commits to these states of the account, whatever their own signatures are worth. */
  async function isCommitted(shown: {
    host: string;
    accountId: Uint8Array;
    record: AccountRecord | undefined;
    askedSize: number;
    known: Proven | undefined;
  }): Promise<boolean> {
    const { host, accountId, record, askedSize, known } = shown;
    const newest = record?.states.at(-1);
    if (record === undefined || newest === undefined) return false;
    try {
      const { username } = stateOf(newest);
      await log.proveAccount({ host, accountId, username, record, known, source: "host", askedSize });
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return false;
    }
  }

  /** Keeps one's own record as it was proven: what others are shown. */
  async function keepOwn(record: AccountRecord): Promise<void> {
    await store.transact("write", (tx) => tx.put(ownRecordKey, encodeProofs([record])));
    ownProven = record;
  }

  function ownRecord(own: AccountRecord): AccountRecord {
    return ownProven !== undefined && ownProven.states.length >= own.states.length ? ownProven : own;
  }

  /** Whoever has a name now, from genesis: a name that changed hands must not be judged by the account that had it. */
  const lookUpName = ({ host, username }: Address): Promise<Contact> => lookup(host, { username });

  /** A device's card, to whose inbox key something can be sealed (spec E-18). @throws TransparencyError, ClientError */
  async function cardOf({ account }: Pick<Contact, "account">, deviceId: Uint8Array, signedCard: Uint8Array): Promise<DeviceCard> {
    const card = await verifyDeviceCard({ account, signedCard, nowMs: platform.nowMs(), signatures });
    if (!equalBytes(card.deviceId, deviceId) || !(await isInboxKey(platform, card.inboxKey))) throw invalid();
    return card;
  }

  async function takeOne(connection: RoleConnection<"lookup">, contact: Contact, device: DeviceEntry): Promise<TakenPackage> {
    const { deviceId } = device;
    const { host, accountId } = contact;
    const response = await tokens.spend({ host, operation: "key_package", target: deviceId }, (token) =>
      connection.request({ kind: "take_key_package", accountId, deviceId, token }),
    );
    if (response.kind === "error" && (response.code === "no_key_package" || response.code === "not_found")) {
      throw new ClientError("unreachable_device", "A device of this person has no keys on the server now. Try again later.");
    }
    const answer = expectAnswer(response, "key_package");
    try {
      const card = await cardOf(contact, deviceId, answer.card);
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
    log,
    tokens,
    onMet(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onForked(listener) {
      forkListeners.push(listener);
    },
    async lookUpOwn({ host, accountId }) {
      const { found, wasCommitted } = await lookUpShown(host, accountId);
      if (found instanceof ClientError) {
        // An erased history was proven to be the record's.
        const isProvenChange = found.code === "unknown_user" || (found.code === "server_lied" && (await wasCommitted()));
        throw isProvenChange ? accountChanged(found) : found;
      }
      await keepOwn(found.record);
      return found;
    },
    async resolve(address) {
      const known = await store.transact("read", (tx) => loadContactByName(tx, address));
      const ageMs = known === undefined ? Number.POSITIVE_INFINITY : platform.nowMs() - known.nameLookedUpAtMs;
      if (known !== undefined && ageMs >= 0 && ageMs < freshMs) return known;
      const contact = await lookUpName(address);
      // Of a name that was never looked up its earlier owners count, however well the account itself is known.
      if (known === undefined) requireNoEarlierOwner(contact);
      return await keep(contact, { atMs: platform.nowMs(), isAccepted: false });
    },
    acceptName: async (address) => keep(await lookUpName(address), { atMs: platform.nowMs(), isAccepted: true }),
    async account(host, accountId) {
      const known = await store.transact("read", (tx) => loadContact(tx, accountId));
      if (known === undefined) return await refresh(host, accountId);
      if (isProven(known)) return known;
      if (known.record.proof.length === 0) return await refresh(host, accountId);
      try {
        // Heard of inside a group when its host's record could not be had.
        return await keep(await prove(known, known, "member"));
      } catch (error) {
        if (!(error instanceof ClientError) || error.canRetry) throw error;
        return await refresh(host, accountId);
      }
    },
    refresh,
    cached: loadContact,
    async learn(proofs, accounts) {
      const learned: Contact[] = [];
      for (const record of recordsAbout(proofs, accounts).records) {
        try {
          const contact = await hear(record);
          if (contact !== undefined) learned.push(contact);
        } catch (error) {
          // One that does not hold is as if it had not come along.
          if (!(error instanceof ClientError)) throw error;
        }
      }
      return learned;
    },
    ownRecord,
    async loadOwnRecord() {
      const stored = await store.transact("read", (tx) => tx.get(ownRecordKey));
      [ownProven] = stored === undefined ? [] : decodeProofs(stored);
    },
    async proofsOf(tx, accountIds) {
      const own = await loadOwnAccount(tx);
      const records: AccountRecord[] = [];
      for (const accountId of accountIds) {
        const isOwn = own !== undefined && equalBytes(own.accountId, accountId);
        const record = isOwn ? ownRecord(own.record) : (await loadContact(tx, accountId))?.record;
        if (record !== undefined) records.push(record);
      }
      return encodeProofs(records);
    },
    async confirmPublished(account) {
      const { proof, ...published } = account;
      const proven = await proveOwn({ ...published, record: { ...published.record, proof } });
      await keepOwn(proven);
    },
    async card(contact, deviceId) {
      return await connections.once("lookup", contact.host, async (connection) => {
        const { accountId } = contact;
        const answer = expectAnswer(await connection.request({ kind: "lookup_card", accountId, deviceId }), "card");
        try {
          return await cardOf(contact, deviceId, answer.card);
        } catch (cause) {
          if (cause instanceof TransparencyError) throw invalid(cause);
          throw cause;
        }
      });
    },
    async takeKeyPackages(contact) {
      const fresh = platform.nowMs() - contact.checkedAtMs < freshMs ? contact : await refresh(contact.host, contact.accountId);
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

/**
 * A name that was another account's is for the person to decide, whatever the record has of its being given up (spec A-3): who deletes an
 * account takes the keys along that signed that, and an old word could be shown again.
 */
function requireNoEarlierOwner({ accountId, record }: Contact): void {
  const bindings = record.bindings.map((signed) => decode(usernameBindingCodec, decode(signedCodec, signed).body));
  const last = bindings.findLast((binding) => !equalBytes(binding.accountId, accountId));
  if (last !== undefined) throw changedHands(last.timeMs);
}

/** @throws ClientError `server_lied` when it does not decode */
function stateOf(signedState: Uint8Array): AccountState {
  try {
    return decode(accountStateCodec, decode(signedCodec, signedState).body);
  } catch (cause) {
    if (cause instanceof CodecError) throw new ClientError("server_lied", "The server showed an account that cannot be read.", { cause });
    throw cause;
  }
}

/** Whether only the last state of a deleted account is left, and does not continue what was asked for. */
function isErased({ states, proof }: AccountRecord, fromVersion: number): boolean {
  const [only] = states;
  if (only === undefined || states.length > 1 || proof.length === 0) return false;
  const { status, version } = stateOf(only);
  return status === "deleted" && version > fromVersion;
}

async function ask(
  connection: RoleConnection<"lookup">,
  asked: Asked,
  from: { fromVersion: number; knownSize: number },
): Promise<AnswerOf<"lookup">> {
  if ("username" in asked) return await connection.request({ kind: "lookup_username", username: asked.username, ...from });
  // All values are proven anew: the proof travels on to others (spec D-5).
  return await connection.request({ kind: "lookup_account", accountId: asked.accountId, ...from, accountValues: 0, nameValues: 0 });
}

/** The host says that it does not have the account, and proves nothing. */
function notShown(): ClientError {
  return new ClientError("directory_unproven", "The server says that it does not know this account, and does not prove it.");
}

/** Whoever is met now may be shown to this device alone. */
function notHolding(cause: ClientError): ClientError {
  const message = "What the server shows of this account now cannot be verified. It is asked again.";
  return new ClientError("directory_unproven", message, { canRetry: true, cause });
}

function inDoubt(): ClientError {
  const message = "The server has not joined its public record to what it signed for others. Nobody new is trusted until it does.";
  return new ClientError("directory_unproven", message, { canRetry: true });
}

function deleted(): ClientError {
  return new ClientError("unknown_user", "This account was deleted.");
}

function accountChanged(cause: unknown): ClientError {
  return new ClientError("account_changed", "The public record has a change of this account that none of its devices signed.", { cause });
}

function noSuchUser(): ClientError {
  return new ClientError("unknown_user", "There is no such account on that server.");
}

function invalid(cause?: unknown): ClientError {
  return new ClientError("invalid_key_package", "The keys of a device of this person do not hold.", { cause });
}
