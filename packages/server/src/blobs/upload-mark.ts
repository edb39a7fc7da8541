import { decode, encode, opaque, safeUint64, struct, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne, id32 } from "@latchkey/protocol";
import { createHash } from "node:crypto";

/** How far an upload is on disk: so many bytes, and the SHA-256 of them. A point without the bytes of its hash does not count. */
export interface UploadPoint {
  readonly offset: number;
  readonly sha256: Uint8Array;
}

/**
 * What lies beside the bytes of an upload. Of the two points the later one is written over the earlier one, at the same time as the bytes
 * go to the disk: whatever a crash leaves, the bytes are those of one of the two.
 */
export interface UploadMark {
  readonly format: 1;
  readonly blobId: Uint8Array;
  /** Of the whole, as it was announced. */
  readonly sizeBytes: number;
  /** On which it was begun, in days since 1970. */
  readonly day: number;
  readonly first: UploadPoint;
  readonly second: UploadPoint;
}

const pointCodec: Codec<UploadPoint> = struct<UploadPoint>({ offset: safeUint64, sha256: opaque(32) });
const markCodec: Codec<UploadMark> = struct<UploadMark>({
  format: formatOne,
  blobId: id32,
  sizeBytes: safeUint64,
  day: uint32,
  first: pointCodec,
  second: pointCodec,
});

/** Of a mark, in bytes: less than what a disk writes at once. */
export const markBytes = 126;
const pointBytes = 40;

/** Where every upload begins. */
export const noPoint: UploadPoint = { offset: 0, sha256: new Uint8Array(createHash("sha256").digest()) };

/** The bytes of a mark. */
export function encodeMark(mark: UploadMark): Uint8Array {
  return encode(markCodec, mark);
}

/** Reads a mark; `undefined` for bytes that are none, or of an upload that goes beyond its end. */
export function decodeMark(bytes: Uint8Array): UploadMark | undefined {
  try {
    const mark = decode(markCodec, bytes);
    return Math.max(mark.first.offset, mark.second.offset) <= mark.sizeBytes ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** The bytes of a point, and where in a mark they stand as its first or second. */
export function encodePoint(point: UploadPoint, place: "first" | "second"): { readonly bytes: Uint8Array; readonly position: number } {
  return { bytes: encode(pointCodec, point), position: markBytes - (place === "first" ? 2 : 1) * pointBytes };
}
