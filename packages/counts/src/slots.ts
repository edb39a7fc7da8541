import { concatBytes, encode, opaqueV, uint16, utf8Bytes } from "@latchkey/codec";
import { leafHash, nodeHash, verifyInclusion } from "@latchkey/transparency";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { countRecordCodec, maxRecordBytes } from "./records.ts";
import type { CountRecord } from "./records.ts";

/** What every record fills, whatever it says. */
export const paddedRecordBytes = 256;
/** Bytes of a slot's salt, and of a period's seed. */
export const saltBytes = 32;
/** Bytes of a country's salt. */
export const countrySaltBytes = 16;

const slotContext = utf8Bytes("latchkey/count-slot/1");
const countryContext = utf8Bytes("latchkey/count-country/1");
const record = opaqueV(maxRecordBytes, 1);

/** The hash of a slot: H("latchkey/count-slot/1" || salt || record padded to 256 bytes). @param bytes an encoded record */
export function slotHash(salt: Uint8Array, bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedRecordBytes);
  padded.set(encode(record, bytes));
  return sha256(concatBytes(slotContext, salt, padded));
}

/** The bytes of a record, as `slotHash` takes them. @throws CodecError for one that is too long */
export function encodeRecord(value: CountRecord): Uint8Array {
  const bytes = encode(countRecordCodec, value);
  encode(record, bytes);
  return bytes;
}

/** The salt of a dummy or of the trail: HMAC(seed of the period, batch || slot). Who erases the seed erases them all. */
export function derivedSalt(seed: Uint8Array, batch: number, slot: number): Uint8Array {
  return hmac(sha256, seed, concatBytes(encode(uint16, batch), encode(uint16, slot)));
}

/** What a record says of a country. @param code two capital letters */
export function countryHash(salt: Uint8Array, code: string): Uint8Array {
  return sha256(concatBytes(countryContext, salt, utf8Bytes(code)));
}

/** The root of a batch: RFC 6962 over the hashes of its slots. Their number is a power of two. */
export function batchRoot(slots: readonly Uint8Array[]): Uint8Array {
  let level = slots.map(leafHash);
  while (level.length > 1) level = pairs(level);
  const [root] = level;
  if (root === undefined) throw new Error("a batch has slots");
  return root;
}

/** The path from a slot to the root of its batch, lowest sibling first. */
export function slotPath(slots: readonly Uint8Array[], slot: number): readonly Uint8Array[] {
  const path: Uint8Array[] = [];
  let at = slot;
  for (let level = slots.map(leafHash); level.length > 1; level = pairs(level), at >>= 1) {
    const sibling = level[at ^ 1];
    if (sibling === undefined) throw new Error("a batch has a power of two of slots");
    path.push(sibling);
  }
  return path;
}

/** Verifies that a slot stands in a batch. @throws TransparencyError */
export function verifySlot(params: {
  readonly slot: number;
  readonly slots: number;
  readonly hash: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}): void {
  const { slot, slots, hash, path, root } = params;
  verifyInclusion({ index: slot, size: slots, leafHash: leafHash(hash), proof: path, root });
}

function pairs(level: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at], level[at + 1]];
    if (left === undefined || right === undefined) throw new Error("a batch has a power of two of slots");
    parents.push(nodeHash(left, right));
  }
  return parents;
}
