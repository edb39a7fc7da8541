import { decode, encode, struct, opaque, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { BlobReference } from "../group/envelope.ts";
import { buckets } from "../limits.ts";

/** Ciphertext of a picture at most: a bucket (spec C-4). */
export const maxPictureBlobBytes = 65_536;
/** How wide and high one that is shown may be at most. */
export const maxShownPicturePx = 1024;

const referenceBytes = 100;
const id32 = opaque(32);
const referenceCodec: Codec<BlobReference> = struct<BlobReference>({ blobId: id32, key: id32, hash: id32, sizeBytes: uint32 });

/** What leads to a picture: the id of its blob, the key, the hash of the ciphertext and its size (spec X-21), 100 bytes. */
export function encodePicture(reference: BlobReference): Uint8Array {
  return encode(referenceCodec, reference);
}

/** What leads to a picture, of what a member said; `undefined` where it leads to none. What later versions put behind it is passed over. */
export function parsePicture(bytes: Uint8Array): BlobReference | undefined {
  if (bytes.length < referenceBytes) return undefined;
  const { blobId, key, hash, sizeBytes } = decode(referenceCodec, bytes.subarray(0, referenceBytes));
  if (!buckets.includes(sizeBytes) || sizeBytes > maxPictureBlobBytes) return undefined;
  return { blobId: blobId.slice(), key: key.slice(), hash: hash.slice(), sizeBytes };
}
