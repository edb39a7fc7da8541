import { decode, encode, equalBytes, oneOf, opaque, opaqueV, struct, text, uint16, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxDirectoryProofBytes } from "@latchkey/protocol";
import type { AccountRecord } from "@latchkey/protocol";
import { accountStateCodec, deviceOf, signedCodec, TransparencyError, verifyAccountChain } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import type { Directory } from "../account/directory.ts";
import { markPrefix } from "../engine/account-news.ts";
import { appendSecretPrefix, appendToldPrefix } from "../engine/append-secrets.ts";
import { standingPrefix } from "../engine/standings.ts";
import { ownPrefix } from "../own/own-things.ts";
import { newestOf } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { ClientError } from "../errors.ts";
import { putSeen, seenKey } from "../history-backup/stored.ts";
import type { Platform } from "../platform/platform.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { NewDevice } from "./new-device.ts";
import { ignoreMalformed } from "./shared-records.ts";

/** A record of the store that a new device inherits. */
interface InheritedRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A name of one of the account's devices. */
export interface DeviceName {
  readonly deviceId: Uint8Array;
  readonly name: string;
}

/** What a new device of an account gets from the existing one (spec A-7): nothing that only the existing one may know. */
export interface LinkedAccount {
  readonly format: 1;
  readonly displayName: string;
  readonly states: readonly Uint8Array[];
  readonly pops: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
  readonly proof: Uint8Array;
  readonly names: readonly DeviceName[];
  /** What was verified of other accounts and of the public log. */
  readonly records: readonly InheritedRecord[];
  /** Conversations that it will be added to. */
  readonly conversations: readonly Uint8Array[];
}

const large = 64 * 1024 * 1024;
const signedList: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536), { maxBytes: 2_097_152 });
const deviceName: Codec<DeviceName> = struct<DeviceName>({ deviceId: opaque(16), name: text(256) });

export const linkedAccountCodec: Codec<LinkedAccount> = struct<LinkedAccount>({
  format: oneOf(uint16, [1]),
  displayName: text(256),
  states: signedList,
  pops: signedList,
  bindings: signedList,
  proof: opaqueV(maxDirectoryProofBytes),
  names: vector(deviceName, { maxBytes: 65_536, maxItems: 64 }),
  records: vector(struct<InheritedRecord>({ key: text(512), value: opaqueV(4_194_304) }), { maxBytes: large }),
  conversations: vector(opaque(32), { maxBytes: 4_194_304 }),
});

/** Prefixes of the store's records that a new device inherits. */
const inheritedPrefixes: readonly string[] = [
  "contact/",
  "display-name/",
  "directory/",
  "account-told/",
  markPrefix,
  standingPrefix,
  appendSecretPrefix,
  appendToldPrefix,
  ownPrefix,
];
const namePrefix = "device-name/";

/** The name that one of the account's devices gave itself. */
export async function loadDeviceNames(tx: StoreTransaction): Promise<ReadonlyMap<string, string>> {
  const found = await tx.scan({ prefix: namePrefix });
  return new Map(found.map(([key, value]) => [key.slice(namePrefix.length), decode(nameCodec, value).name]));
}

const nameCodec: Codec<{ name: string }> = struct<{ name: string }>({ name: text(256) });

/** @param deviceId base64url */
export function putDeviceName(tx: StoreTransaction, deviceId: string, name: string): void {
  tx.put(namePrefix + deviceId, encode(nameCodec, { name }));
}

/** Everything that a new device inherits, out of the store. */
export async function inheritedRecords(tx: StoreTransaction): Promise<InheritedRecord[]> {
  const found: InheritedRecord[] = [];
  for (const prefix of inheritedPrefixes) for (const [key, value] of await tx.scan({ prefix })) found.push({ key, value });
  const seen = await tx.get(seenKey);
  if (seen !== undefined) found.push({ key: seenKey, value: seen });
  return found;
}

/** Takes what the existing device sent; any other record is left alone. */
export async function putInherited(tx: StoreTransaction, records: readonly InheritedRecord[]): Promise<void> {
  for (const { key, value } of records) {
    if (key === seenKey) await putSeen(tx, value).catch(ignoreMalformed);
    if (inheritedPrefixes.some((prefix) => key.startsWith(prefix))) tx.put(key, value.slice());
  }
}

/**
 * The new device's account out of what the existing one sent: its chain is verified from the beginning, has this device in its
 * newest state, and stands in the public log.
 * @throws ClientError `server_lied`, `link_refused` where it was taken out of the account since, and what `lookUpOwn` throws
 */
export async function verifyLinked(params: {
  linked: LinkedAccount;
  device: NewDevice;
  host: string;
  accountId: Uint8Array;
  platform: Platform;
  directory: Pick<Directory, "lookUpOwn">;
}): Promise<OwnAccount> {
  const { linked, device, host, accountId, platform, directory } = params;
  const { states, pops, bindings, proof } = linked;
  const sent: AccountRecord = { states, pops, bindings, proof };
  let account: VerifiedAccount;
  try {
    account = await verifyAccountChain({ previous: undefined, signedStates: states, pops, signatures: platform.signatures });
  } catch (cause) {
    if (!(cause instanceof TransparencyError)) throw cause;
    throw new ClientError("server_lied", "The other device sent an account whose signatures do not hold.", { cause });
  }
  const { state } = account;
  const entry = deviceOf(account, device.deviceId);
  const [genesis] = states;
  if (state.host !== host || entry === undefined || genesis === undefined || !equalBytes(account.accountId, accountId)) {
    throw new ClientError("server_lied", "The other device sent another account than it said.");
  }
  // What counts is the public log: it has this device in the account, or the account has no such device.
  const { record, account: newest } = await directory.lookUpOwn({ host, accountId });
  const isPublished = sent.states.every((signed, at) => record.states[at] !== undefined && equalBytes(signed, record.states[at]));
  if (!isPublished) throw new ClientError("server_lied", "The server does not show the account as the other device does.");
  // Another device may have changed it since, or this one have undone an earlier linking.
  if (deviceOf(newest, device.deviceId) === undefined)
    throw new ClientError("link_refused", "This device was taken out of the account again.");
  return {
    status: "registered",
    host,
    username: newest.state.username,
    displayName: linked.displayName,
    deviceId: device.deviceId,
    deviceName: device.name,
    signatureKeyPair: device.signatureKeyPair,
    inboxId: device.inboxId,
    inboxKeyPair: device.inboxKeyPair,
    createdAtMs: decode(accountStateCodec, decode(signedCodec, genesis).body).timeMs,
    recoveryEntropy: new Uint8Array(0),
    ...newestOf(account.accountId, record),
  };
}
