import { decode, encode, safeUint64, struct, text, uint16, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne } from "@latchkey/protocol";

/** Some bytes of an upload that lie in a bucket. */
export interface UploadPiece {
  /** What no other piece of the upload has or had, from 1 on. */
  readonly number: number;
  readonly sizeBytes: number;
  /** What the bucket calls the part of the blob that it is; "" for an object of its own, which is to become one with others. */
  readonly tag: string;
}

/** The last number: S3 has no further parts. */
export const lastNumber = 10_000;

const maxBytes = 4_194_304;
const pieceCodec: Codec<UploadPiece> = struct<UploadPiece>({ number: uint16, sizeBytes: safeUint64, tag: text(128) });
const piecesCodec = struct<{ readonly format: 1; readonly pieces: readonly UploadPiece[] }>({
  format: formatOne,
  pieces: vector(pieceCodec, { maxBytes }),
});

/** The pieces of an upload in the order of its bytes: parts first, then objects of their own. */
export function encodePieces(pieces: readonly UploadPiece[]): Uint8Array {
  return encode(piecesCodec, { format: 1, pieces });
}

/** Reads them; nothing is none. @throws CodecError */
export function decodePieces(bytes: Uint8Array): readonly UploadPiece[] {
  return bytes.length === 0 ? [] : decode(piecesCodec, bytes).pieces;
}

/** What all objects of uploads begin with. */
export const uploadsFolder = "uploads/";

/** The name of the upload of which something with this key is, in base64url; `undefined` where it is of none. */
export function uploadOf(key: string): string | undefined {
  return /^uploads\/([\w-]{43})\/(?:whole|\d{1,5})$/.exec(key)?.[1];
}
