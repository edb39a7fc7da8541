import { buckets } from "../limits.ts";

/*
 * A file lies at its host as one STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): chunks of 64 KiB under AES-256-GCM with a
 * fresh key (spec X-23). Here is what of it is arithmetic; the cipher is its caller's.
 */

/** Bytes of plaintext in every chunk of a file but the last, which may have fewer. */
export const fileChunkBytes = 65_536;
/** Bytes that AES-256-GCM puts behind each chunk. */
export const fileTagBytes = 16;
/** Random bytes that every nonce of a file begins with. */
export const filePrefixBytes = 7;
/** Bytes of a file's key. */
export const fileKeyBytes = 32;
/** Largest file, in bytes. */
export const maxFileBytes = 2_147_483_648;

const sealedChunkBytes = fileChunkBytes + fileTagBytes;

/**
 * How many bytes a file of `sizeBytes` is padded to with zeros before it is encrypted: so many that the ciphertext fills a bucket, above
 * the largest bucket by Padmé (Nikitin et al. 2019), which tells less than the size's binary logarithm and adds at most 3.1 %.
 */
export function paddedFileBytes(sizeBytes: number): number {
  const bucket = buckets.find((size) => capacityOf(size) >= sizeBytes);
  return bucket === undefined ? padme(sizeBytes) : capacityOf(bucket);
}

/** How many bytes of ciphertext so many padded bytes make. */
export function sealedFileBytes(paddedBytes: number): number {
  return paddedBytes + fileChunkCount(paddedBytes) * fileTagBytes;
}

/** How many chunks so many padded bytes make: at least one. */
export function fileChunkCount(paddedBytes: number): number {
  return Math.ceil(paddedBytes / fileChunkBytes);
}

/** Where a chunk stands, in bytes from the beginning: of the padded plaintext, and of the ciphertext with its tag. */
export interface FileChunk {
  readonly index: number;
  readonly isLast: boolean;
  readonly from: number;
  readonly to: number;
  readonly sealedFrom: number;
  readonly sealedTo: number;
}

/** The chunk `index` of a file of so many padded bytes. */
export function fileChunkAt(paddedBytes: number, index: number): FileChunk {
  const from = index * fileChunkBytes;
  const to = Math.min(from + fileChunkBytes, paddedBytes);
  const sealedFrom = index * sealedChunkBytes;
  return { index, isLast: to === paddedBytes, from, to, sealedFrom, sealedTo: sealedFrom + (to - from) + fileTagBytes };
}

/** The first and the last chunk that hold the bytes from `from` up to, not including, `to`, of which there is at least one. */
export function fileChunksOf(from: number, to: number): { readonly first: number; readonly last: number } {
  return { first: Math.floor(from / fileChunkBytes), last: Math.floor((to - 1) / fileChunkBytes) };
}

/** The nonce of a chunk, 12 bytes: `prefix`, the number of the chunk (uint32), and 1 for the last chunk, else 0. */
export function fileNonce(prefix: Uint8Array, index: number, isLast: boolean): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(filePrefixBytes + 5);
  nonce.set(prefix);
  new DataView(nonce.buffer).setUint32(filePrefixBytes, index);
  nonce[filePrefixBytes + 4] = isLast ? 1 : 0;
  return nonce;
}

/** How much plaintext makes a ciphertext of so many bytes. */
function capacityOf(sealedBytes: number): number {
  return sealedBytes - Math.ceil(sealedBytes / sealedChunkBytes) * fileTagBytes;
}

/** Rounded up to a number whose last bits are zeros: as many as its length in bits is longer than the length of that. */
function padme(length: number): number {
  const exponent = Math.floor(Math.log2(length));
  const step = 2 ** (exponent - Math.floor(Math.log2(exponent)) - 1);
  return Math.ceil(length / step) * step;
}
