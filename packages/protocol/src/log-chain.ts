import { CodecError, concatBytes, encode, enumeration, safeUint64, uint8, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** SHA-256. Passed in, so that each side uses its fastest. Keeps nothing of what it is given. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/** What an entry of a log is (spec section 10). */
export type EntryKind = "message" | "commit" | "complaint";

/** The number of each kind on the wire and in `leaf_s`. */
export const entryKindNumbers: Readonly<Record<EntryKind, number>> = { message: 1, commit: 2, complaint: 3 };

export const entryKindCodec: Codec<EntryKind> = enumeration<EntryKind>(uint8, entryKindNumbers);

/** A kind of a later version, by its number: it has its place in the chain, and is read over (spec E-75). */
export type LaterEntryKind = `later ${number}`;

/** A kind as it may stand in a frame. */
export type WireEntryKind = EntryKind | LaterEntryKind;

/** Whether this version knows no such kind. */
export function isLaterEntryKind(kind: WireEntryKind): kind is LaterEntryKind {
  return !(kind in entryKindNumbers);
}

function numberOf(kind: WireEntryKind): number {
  return isLaterEntryKind(kind) ? Number(kind.slice("later ".length)) : entryKindNumbers[kind];
}

const namesByNumber = new Map<number, EntryKind>([
  [entryKindNumbers.message, "message"],
  [entryKindNumbers.commit, "commit"],
  [entryKindNumbers.complaint, "complaint"],
]);

/** Any kind: 1 to 255. @throws CodecError */
export const wireEntryKindCodec: Codec<WireEntryKind> = {
  write(w, kind) {
    const number = numberOf(kind);
    if (isLaterEntryKind(kind) && (!Number.isInteger(number) || number < 1 || namesByNumber.has(number))) {
      throw new CodecError("invalid", "no kind of a later version");
    }
    uint8.write(w, number);
  },
  read(r) {
    const number = uint8.read(r);
    if (number === 0) throw new CodecError("invalid", "unknown entry kind");
    return namesByNumber.get(number) ?? `later ${number}`;
  },
};

/** 32 zero bytes: "no access hash here". */
export const zeroHash: Uint8Array = new Uint8Array(32);

const entryLabel = utf8Bytes("latchkey entry/1");
const logLabel = utf8Bytes("latchkey log/1");

/** One entry as it enters the head chain. Hashes and ids are 32 bytes. */
export interface ChainEntry {
  readonly seq: number;
  readonly epochId: number;
  readonly kind: WireEntryKind;
  readonly blob: Uint8Array;
  /** H(access key of the child epoch) for a commit, else 32 zeros. */
  readonly nextAccessHash: Uint8Array;
}

/** `leaf_s` of spec section 10. */
export function entryLeaf(sha256: Sha256, logId: Uint8Array, entry: ChainEntry): Uint8Array {
  return entryLeafOf(sha256, logId, { ...entry, blobHash: sha256(entry.blob) });
}

/** `leaf_s` of spec section 10 where H(blob) is known already. */
export function entryLeafOf(
  sha256: Sha256,
  logId: Uint8Array,
  entry: Omit<ChainEntry, "blob"> & { readonly blobHash: Uint8Array },
): Uint8Array {
  let at = entryLabel.length;
  leafInput.set(logId, at);
  at += 32;
  setSafeUint64(leafView, at, entry.seq);
  setSafeUint64(leafView, at + 8, entry.epochId);
  leafInput[at + 16] = numberOf(entry.kind);
  leafInput.set(entry.blobHash, at + 17);
  leafInput.set(entry.nextAccessHash, at + 49);
  return sha256(leafInput);
}

/** A server does this for every message: one buffer for all of them, written from end to end behind the label, and no codec. */
const leafInput = new Uint8Array(entryLabel.length + 32 + 8 + 8 + 1 + 32 + 32);
leafInput.set(entryLabel);
const leafView = new DataView(leafInput.buffer);

function setSafeUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value % 0x1_0000_0000);
}

/** `head_0` of a log. */
export function firstHead(sha256: Sha256, logId: Uint8Array): Uint8Array {
  return sha256(concatBytes(logLabel, logId));
}

/** `head_s` from `head_{s-1}` and `leaf_s`. */
export function nextHead(sha256: Sha256, head: Uint8Array, leaf: Uint8Array): Uint8Array {
  return sha256(concatBytes(head, leaf));
}

/** The name of an entry: the same bytes get the same answer (spec L-6). */
export function entryId(sha256: Sha256, entry: Omit<ChainEntry, "seq">): Uint8Array {
  return sha256(concatBytes(encode(safeUint64, entry.epochId), encode(wireEntryKindCodec, entry.kind), entry.nextAccessHash, entry.blob));
}
