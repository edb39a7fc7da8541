import { equalBytes } from "@latchkey/codec";
import { passphraseLength } from "../api/limits.ts";
import { ClientError } from "../errors.ts";
import { markErased, openSpace, otherSlot } from "../platform/web-side.ts";
import type { Side } from "../platform/web-side.ts";
import { openHeldSide, openRecords, removeOther, sideWitness, slotOf } from "../platform/web-store.ts";
import { webRandom } from "../platform/web-random.ts";
import type { Store } from "../store/store.ts";
import { openWithPasskey, openWithPassphrase, passphraseCost, wrapForPasskey, wrapForPassphrase } from "./lock-keys.ts";
import type { Opener } from "./lock-keys.ts";
import { decodeLock, encodeLock, maxPasskeys, passkeyName } from "./lock-record.ts";
import type { LockRecord, LockSettings } from "./lock-record.ts";
import { waitBeforeTry } from "./tries.ts";
import type { Tries } from "./tries.ts";

export type { Opener } from "./lock-keys.ts";
export type { LockSettings } from "./lock-record.ts";

/*
 * The lock of a profile (spec O-8). Where one is on, the key of the records is nowhere but in its slots, sealed for a passphrase or a passkey.
 *
 * Turning it on gives the records another key, which never was on the disk by itself: all of them are copied into the second database under it,
 * and one transaction then changes which database counts, stores the slots and forgets the old key. Whatever ends this between two writes, the
 * profile opens the old way before that transaction and the new way after it; what does not count is removed with the next opening.
 * Each other change is one transaction over the slots alone.
 */

/** What may be known of a lock by whoever cannot open it. */
export interface LockView {
  readonly hasPassphrase: boolean;
  readonly passkeys: readonly LockPasskey[];
  readonly settings: LockSettings;
  /** So long no passphrase may be tried, in milliseconds. */
  readonly waitMs: number;
  /** So many wrong ones there may be before all is erased; `undefined` where nothing is. */
  readonly triesLeft: number | undefined;
}

/** A passkey that opens. */
export interface LockPasskey {
  readonly id: Uint8Array;
  /** What its function is asked about. */
  readonly salt: Uint8Array;
  readonly name: string;
  readonly addedMs: number;
}

/** Something that is to open from now on. */
export type NewOpener =
  | { readonly kind: "passphrase"; readonly passphrase: string }
  /** `secret`: the 32 bytes of its function over `salt`. */
  | {
      readonly kind: "passkey";
      readonly id: Uint8Array;
      readonly salt: Uint8Array;
      readonly secret: Uint8Array;
      readonly name: string;
    };

/** What is to be different. */
export type LockChange =
  /** Another passphrase, in place of the one before where there is one; or one more passkey. */
  | { readonly kind: "add"; readonly opener: NewOpener }
  | { readonly kind: "remove_passphrase" }
  | { readonly kind: "remove_passkey"; readonly id: Uint8Array }
  | { readonly kind: "settings"; readonly settings: LockSettings }
  /** No lock any more. */
  | { readonly kind: "off" };

/** What came of trying to open it. */
export type Opened<T> =
  | { readonly kind: "opened"; readonly value: T }
  | { readonly kind: "wrong"; readonly view: LockView }
  /** Too soon after wrong ones: nothing was tried. */
  | { readonly kind: "waits"; readonly view: LockView }
  /** It was wrong once too often: nothing here opens any more, and the next opening begins anew. */
  | { readonly kind: "erased" };

/** What all of it needs. The profile's Web Lock is held. */
export interface WebLockParams {
  readonly profile: string;
  readonly nowMs: number;
}

/** The lock that is on; `undefined` without one. @throws ClientError `storage_newer` */
export async function viewLock(params: WebLockParams): Promise<LockView | undefined> {
  return await withSide(params.profile, async (side) => {
    const record = await recordOf(side);
    return record && viewOf(record, await triesOf(side), params.nowMs);
  });
}

/** Opens a profile that is locked: the value is the key for `openWebStore`, which cannot be exported. */
export async function unlock(params: WebLockParams, opener: Opener): Promise<Opened<CryptoKey>> {
  return await withSide(params.profile, (side) => withDatabaseKey(side, params.nowMs, opener, importKey));
}

/**
 * Turns a lock on, in a profile that nobody has open and that has none.
 * @param onProgress called with how many records were copied so far
 * @throws ClientError `storage_denied` where there is no room for both copies: everything is as it was
 */
export async function turnLockOn(
  profile: string,
  first: NewOpener,
  settings: LockSettings,
  onProgress: (records: number) => void = () => undefined,
): Promise<void> {
  const databaseKey = webRandom(32);
  const record = await withOpener({ format: 1, passphrase: undefined, passkeys: [], settings }, databaseKey, first);
  await withSide(profile, async (side) => {
    const before = await side.get("keys", "device");
    if (before === undefined || (await side.count("lock")) > 0) throw new TypeError("there is a lock already");
    const slot = await slotOf(side);
    await side.put("numbers", 1, "beside");
    await openSpace(profile);
    const generation = await copyRecords({ profile, side, slot, before, after: await importKey(databaseKey), onProgress });
    databaseKey.fill(0);
    const transaction = side.transaction(["keys", "numbers", "lock"], "readwrite", { durability: "strict" });
    const numbers = transaction.objectStore("numbers");
    await Promise.all([
      transaction.objectStore("keys").clear(),
      transaction.objectStore("lock").put(encodeLock(record), "lock"),
      numbers.put(otherSlot(slot), "records"),
      numbers.put(generation, "generation"),
      numbers.delete("tries"),
      transaction.done,
    ]);
    await removeOther(profile, side);
    // Once more: what was merged goes from the disk with the next merging.
    await side.put("numbers", 1, "beside");
    await openSpace(profile);
    await removeOther(profile, side);
  });
}

/** Changes the lock that is on, for whoever opens it now. The records and their key stay, and may be open. */
export async function changeLock(params: WebLockParams, present: Opener, change: LockChange): Promise<Opened<LockView | undefined>> {
  return await withSide(params.profile, (side) =>
    withDatabaseKey(side, params.nowMs, present, async (databaseKey, record) => {
      if (change.kind === "off") {
        await turnOff(side, await importKey(databaseKey));
        return undefined;
      }
      const next = await changed(record, databaseKey, change);
      await putRecord(side, next);
      return viewOf(next, { count: 0, lastMs: 0 }, params.nowMs);
    }),
  );
}

async function changed(record: LockRecord, databaseKey: Uint8Array, change: Exclude<LockChange, { kind: "off" }>): Promise<LockRecord> {
  switch (change.kind) {
    case "add":
      return await withOpener(record, databaseKey, change.opener);
    case "remove_passphrase":
      return checkOpens({ ...record, passphrase: undefined });
    case "remove_passkey":
      return checkOpens({ ...record, passkeys: record.passkeys.filter(({ id }) => !equalBytes(id, change.id)) });
    case "settings":
      return { ...record, settings: change.settings };
  }
}

async function withOpener(record: LockRecord, databaseKey: Uint8Array, opener: NewOpener): Promise<LockRecord> {
  if (opener.kind === "passphrase") {
    const { length } = [...opener.passphrase];
    if (length < passphraseLength.least || length > passphraseLength.most) throw new RangeError("no passphrase");
    const params = { salt: webRandom(16), ...passphraseCost };
    return { ...record, passphrase: await wrapForPassphrase(databaseKey, opener.passphrase, params) };
  }
  const { id, salt, secret, name } = opener;
  // The same one again answers to another salt from now on.
  const others = record.passkeys.filter((one) => !equalBytes(one.id, id));
  if (others.length >= maxPasskeys) throw new RangeError("no more passkeys");
  const slot = await wrapForPasskey(databaseKey, secret, { id, salt, name: passkeyName(name), addedMs: Date.now() });
  return { ...record, passkeys: [...others, slot] };
}

/** The last thing that opens a profile is not taken away: that is turning the lock off. */
function checkOpens(record: LockRecord): LockRecord {
  if (record.passphrase === undefined && record.passkeys.length === 0) throw new RangeError("nothing would open it");
  return record;
}

/** Runs `use` with the database key that `opener` opens. A wrong passphrase is counted on the disk before anybody hears of it. */
async function withDatabaseKey<T>(
  side: Side,
  nowMs: number,
  opener: Opener,
  use: (databaseKey: Uint8Array<ArrayBuffer>, record: LockRecord) => Promise<T>,
): Promise<Opened<T>> {
  const record = await recordOf(side);
  if (record === undefined) throw new TypeError("there is no lock");
  const isTry = opener.kind === "passphrase";
  const tries = await triesOf(side);
  if (isTry) {
    const view = viewOf(record, tries, nowMs);
    // The last try that there was ended without an answer.
    if (view.triesLeft === 0) return await erased(side);
    if (view.waitMs > 0) return { kind: "waits", view };
    await putTries(side, { count: tries.count + 1, lastMs: nowMs });
  }
  const databaseKey = await openSlot(record, opener).catch(async (error: unknown) => {
    // No memory, or a part of the app that could not be had: nothing was answered, and nobody is erased for it.
    if (isTry) await putTries(side, tries);
    throw error;
  });
  if (databaseKey === undefined) {
    const view = viewOf(record, await triesOf(side), nowMs);
    return isTry && view.triesLeft === 0 ? await erased(side) : { kind: "wrong", view };
  }
  try {
    await putTries(side, { count: 0, lastMs: 0 });
    return { kind: "opened", value: await use(databaseKey, record) };
  } finally {
    databaseKey.fill(0);
  }
}

async function openSlot(record: LockRecord, opener: Opener): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (opener.kind === "passphrase") return record.passphrase && (await openWithPassphrase(record.passphrase, opener.passphrase));
  const slot = record.passkeys.find(({ id }) => equalBytes(id, opener.id));
  return slot && (await openWithPasskey(slot, opener.secret));
}

async function erased(side: Side): Promise<{ readonly kind: "erased" }> {
  await markErased(side);
  return { kind: "erased" };
}

function viewOf({ passphrase, passkeys, settings }: LockRecord, tries: Tries, nowMs: number): LockView {
  return {
    hasPassphrase: passphrase !== undefined,
    passkeys: passkeys.map(({ id, salt, name, addedMs }) => ({ id, salt, name, addedMs })),
    settings,
    waitMs: waitBeforeTry(tries, nowMs),
    triesLeft: settings.wipeAfter === undefined ? undefined : Math.max(0, settings.wipeAfter - tries.count),
  };
}

async function turnOff(side: Side, key: CryptoKey): Promise<void> {
  const transaction = side.transaction(["keys", "lock"], "readwrite", { durability: "strict" });
  await Promise.all([transaction.objectStore("keys").put(key, "device"), transaction.objectStore("lock").clear(), transaction.done]);
}

/** Copies all records into the other database under another key. Returns the count of the copy that tells an old one. */
async function copyRecords(params: {
  profile: string;
  side: Side;
  slot: number;
  before: CryptoKey;
  after: CryptoKey;
  onProgress: (records: number) => void;
}): Promise<number> {
  const { profile, side, slot, before, after, onProgress } = params;
  let generation = 0;
  const witness = { read: async () => undefined, write: async (next: number) => void (generation = next) };
  const from = await openRecords({ profile, slot, key: before, witness: sideWitness(side) });
  try {
    const to = await openRecords({ profile, slot: otherSlot(slot), key: after, witness });
    try {
      await copyAll(from, to, onProgress);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
  return generation;
}

/** Records that are copied at once, and bytes of them, but for the last: one may be large. */
const [batchRecords, batchBytes] = [250, 1_048_576];

async function copyAll(from: Store, to: Store, onProgress: (records: number) => void): Promise<void> {
  let copied = 0;
  for (let after: string | undefined; ;) {
    const range = { prefix: "", limit: batchRecords, maxBytes: batchBytes, ...(after === undefined ? {} : { after }) };
    const batch = await from.transact("read", (tx) => tx.scan(range));
    const last = batch.at(-1);
    if (last === undefined) return;
    await to.transact("write", (tx) => {
      for (const [key, value] of batch) tx.put(key, value);
    });
    [after] = last;
    copied += batch.length;
    onProgress(copied);
  }
}

async function importKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function recordOf(side: Side): Promise<LockRecord | undefined> {
  const stored = await side.get("lock", "lock");
  try {
    return stored && decodeLock(stored);
  } catch (cause) {
    throw new ClientError("storage_denied", "The lock of this profile is damaged.", { cause });
  }
}

async function putRecord(side: Side, record: LockRecord): Promise<void> {
  const transaction = side.transaction("lock", "readwrite", { durability: "strict" });
  await Promise.all([transaction.store.put(encodeLock(record), "lock"), transaction.done]);
}

async function triesOf(side: Side): Promise<Tries> {
  return { count: (await side.get("numbers", "tries")) ?? 0, lastMs: (await side.get("numbers", "triedMs")) ?? 0 };
}

async function putTries(side: Side, { count, lastMs }: Tries): Promise<void> {
  const transaction = side.transaction("numbers", "readwrite", { durability: "strict" });
  await Promise.all([transaction.store.put(count, "tries"), transaction.store.put(lastMs, "triedMs"), transaction.done]);
}

/** The database beside the records, for as long as `use` takes. */
async function withSide<T>(profile: string, use: (side: Side) => Promise<T>): Promise<T> {
  const side = await openHeldSide(profile);
  try {
    return await use(side);
  } finally {
    side.close();
  }
}
