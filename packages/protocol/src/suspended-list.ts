import { CodecError, concatBytes, encode, opaque, opaqueV, struct, uint32, utf8Bytes, vector, mapped } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "./addresses.ts";
import { formatOne } from "./format.ts";
import { extCodec, id32 } from "./frames/common.ts";
import type { Sha256 } from "./log-chain.ts";

/** How many entries a list has, fillers included: of how many accounts they are, nobody sees more closely (spec F-12). */
export const suspendedListSizes: readonly number[] = [256, 1024, 4096, 16_384, 65_536];
const entryBytes = 16;

/** The suspended accounts of a host, for everybody to check whom they know (spec F-12): its hash stands under the operator label `suspended`. */
export interface SuspendedList {
  readonly format: 1;
  readonly host: string;
  /** Day on which it was made, since 1970. */
  readonly day: number;
  /** Another one for each list: entries of two lists have nothing in common. */
  readonly salt: Uint8Array;
  /** `suspendedEntryOf` accounts, and random ones between them: rising, each once, as many as one of `suspendedListSizes`. */
  readonly entries: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

/** As it is fetched. */
export const suspendedListCodec: Codec<SuspendedList> = struct<SuspendedList>({
  format: formatOne,
  host: hostCodec,
  day: uint32,
  salt: id32,
  entries: mapped(
    vector(opaque(entryBytes), { maxBytes: entryBytes * 65_536 }),
    (entries: readonly Uint8Array[]) => [...requireRising(entries)],
    (entries) => requireRising(entries),
  ),
  ext: extCodec,
});

/** Its longest encoding, in bytes. */
export const maxSuspendedListBytes: number = entryBytes * 65_536 + 8192;

/** What stands under the label `suspended`. */
export interface SuspendedLabel {
  readonly format: 1;
  readonly listHash: Uint8Array;
  readonly day: number;
  readonly ext: Uint8Array;
}

/** As it is published. */
export const suspendedLabelCodec: Codec<SuspendedLabel> = struct<SuspendedLabel>({
  format: formatOne,
  listHash: id32,
  day: uint32,
  ext: opaqueV(4096),
});

const label = utf8Bytes("latchkey/suspended/1");

/** An account's entry: the first 16 bytes of H("latchkey/suspended/1" || salt || account_id) (spec F-12). */
export function suspendedEntryOf(sha256: Sha256, salt: Uint8Array, accountId: Uint8Array): Uint8Array {
  return sha256(concatBytes(label, salt, accountId)).slice(0, entryBytes);
}

/**
 * A list of these accounts, filled up with random entries to the next of `suspendedListSizes`; of more than the largest the first are in it.
 * @param random answers so many random bytes
 */
export function makeSuspendedList(params: {
  readonly host: string;
  readonly day: number;
  readonly accountIds: readonly Uint8Array[];
  readonly sha256: Sha256;
  random(length: number): Uint8Array;
}): SuspendedList {
  const { host, day, accountIds, sha256, random } = params;
  const salt = random(32);
  const most = suspendedListSizes.at(-1) ?? 0;
  const entries = new Map<string, Uint8Array>();
  const add = (entry: Uint8Array): void => void entries.set(entry.join(), entry);
  for (const accountId of accountIds.slice(0, most)) add(suspendedEntryOf(sha256, salt, accountId));
  const size = suspendedListSizes.find((one) => one >= entries.size) ?? most;
  while (entries.size < size) add(random(entryBytes));
  return { format: 1, host, day, salt, entries: [...entries.values()].toSorted(compare), ext: new Uint8Array(0) };
}

/** Whether an account stands in a list. */
export function isInSuspendedList(sha256: Sha256, { salt, entries }: SuspendedList, accountId: Uint8Array): boolean {
  const wanted = suspendedEntryOf(sha256, salt, accountId);
  let [from, until] = [0, entries.length];
  while (from < until) {
    const middle = (from + until) >> 1;
    const order = compare(entries[middle] ?? wanted, wanted);
    if (order === 0) return true;
    if (order < 0) from = middle + 1;
    else until = middle;
  }
  return false;
}

/** H of a list as it is fetched. */
export function suspendedListHash(sha256: Sha256, list: SuspendedList): Uint8Array {
  return sha256(encode(suspendedListCodec, list));
}

function requireRising(entries: readonly Uint8Array[]): readonly Uint8Array[] {
  if (!suspendedListSizes.includes(entries.length)) throw new CodecError("invalid", "a list of no size that lists have");
  if (entries.some((entry, at) => at > 0 && compare(entries[at - 1] ?? entry, entry) >= 0))
    throw new CodecError("invalid", "entries that do not rise");
  return entries;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, place) => byte !== b[place]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
