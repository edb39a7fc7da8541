import { equalBytes, Reader, toBase64Url, Writer } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { blobPath, bucketFor, buckets, maxBlobBytes } from "@latchkey/protocol";
import type { BlobReference, Sha256 } from "@latchkey/protocol";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { ownCode } from "../transport/between.ts";
import { apart, damaged, orOffline, refused } from "../transport/blob-answers.ts";
import { fetchWhileItComes, fetchWithin, readBody } from "../transport/fetch-within.ts";

/*
 * A blob is a STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) of chunks of 64 KiB under XChaCha20-Poly1305. The key is
 * fresh for every blob, so that the nonce is only 19 zeros, the chunk's number (uint32) and 1 for the last chunk, else 0:
 * chunks cannot be left out, repeated, reordered or cut off. The plaintext is its own length (uint64), itself, and zeros
 * up to the bucket. H(ciphertext) stands in the reference.
 */
const chunkBytes = 65_536;
const tagBytes = 16;
const lengthBytes = 8;
/** An upload may take this long, and longer by its size: how much of it has gone cannot be seen, and a slow network is no fault. */
const uploadMs = 60_000;
const uploadBytesPerMs = 4;

/** An encrypted blob and what its readers need of it. */
export interface EncryptedBlob {
  readonly reference: BlobReference;
  readonly ciphertext: Uint8Array;
}

/** The id of a blob and the key of what it holds: of one plaintext alone. */
export type BlobSecret = Pick<BlobReference, "blobId" | "key">;

/** Encrypts under a fresh key, padded to a bucket; above the largest, to a multiple of it. @throws ClientError `message_too_large` */
export function encryptBlob(params: { plaintext: Uint8Array; random: RandomBytes; sha256: Sha256 }): EncryptedBlob {
  const key = params.random(32);
  return encryptBlobUnder({ blobId: params.random(32), key }, params);
}

/** As `encryptBlob`, under a key that is used for this plaintext and no other: the same again is the same bytes. @throws ClientError `message_too_large` */
export function encryptBlobUnder(
  { blobId, key }: BlobSecret,
  { plaintext, sha256 }: { readonly plaintext: Uint8Array; readonly sha256: Sha256 },
): EncryptedBlob {
  const sizeBytes = paddedSize(plaintext.length);
  const chunks = chunkCount(sizeBytes);
  const padded = new Uint8Array(sizeBytes - chunks * tagBytes);
  const length = new Writer();
  length.uint64(BigInt(plaintext.length));
  padded.set(length.finish());
  padded.set(plaintext, lengthBytes);
  const ciphertext = new Uint8Array(sizeBytes);
  for (let index = 0; index < chunks; index++) {
    const chunk = padded.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    ciphertext.set(xchacha20poly1305(key, nonceOf(index, index === chunks - 1)).encrypt(chunk), index * (chunkBytes + tagBytes));
  }
  return { reference: { blobId, key, hash: sha256(ciphertext), sizeBytes }, ciphertext };
}

/**
 * The plaintext of a blob; `undefined` where the bytes are those that the reference names and do not open: whoever stored them put
 * something else there, for everybody alike.
 * @throws ClientError `server_lied` when the bytes are not those that the reference names
 */
export function decryptBlob(params: { reference: BlobReference; ciphertext: Uint8Array; sha256: Sha256 }): Uint8Array | undefined {
  const { reference, ciphertext, sha256 } = params;
  if (ciphertext.length !== reference.sizeBytes || !equalBytes(sha256(ciphertext), reference.hash)) throw damaged();
  const chunks = chunkCount(ciphertext.length);
  const paddedBytes = ciphertext.length - chunks * tagBytes;
  if (paddedBytes < lengthBytes) return undefined;
  const padded = new Uint8Array(paddedBytes);
  for (let index = 0; index < chunks; index++) {
    const chunk = opened(reference.key, { ciphertext, index, chunks });
    if (chunk === undefined) return undefined;
    padded.set(chunk, index * chunkBytes);
  }
  const size = new Reader(padded).uint64();
  return size > BigInt(paddedBytes - lengthBytes) ? undefined : padded.slice(lengthBytes, lengthBytes + Number(size));
}

function opened(
  key: Uint8Array,
  { ciphertext, index, chunks }: { readonly ciphertext: Uint8Array; readonly index: number; readonly chunks: number },
): Uint8Array | undefined {
  const chunk = ciphertext.subarray(index * (chunkBytes + tagBytes), (index + 1) * (chunkBytes + tagBytes));
  if (chunk.length < tagBytes) return undefined;
  try {
    return xchacha20poly1305(key, nonceOf(index, index === chunks - 1)).decrypt(chunk);
  } catch (error) {
    // No memory is this device's fault, and nobody else's.
    if (error instanceof RangeError) throw error;
    return undefined;
  }
}

/** Where blobs are: the host's HTTP address and the way there. */
export interface BlobHost {
  readonly platform: Pick<Platform, "fetch" | "sha256" | "setTimer">;
  /** Such as `https://chat.example`, without a slash at its end. */
  readonly baseUrl: string;
}

/** Uploads a ciphertext; the same bytes again are a retry, and `signal` ends it. @throws ClientError `offline`, `message_too_large`, `server_full`, `server_down`, `way_blocked`, `server_refused` */
export async function putBlob(host: BlobHost, blobId: Uint8Array, ciphertext: Uint8Array, signal?: AbortSignal): Promise<void> {
  const init: RequestInit = {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    // A copy over a plain ArrayBuffer, which is what a body may be.
    body: new Uint8Array(ciphertext),
    ...(signal === undefined ? {} : { signal }),
  };
  await orOffline(() =>
    fetchWithin(
      host.platform,
      urlOf(host, blobId),
      { ...init, ...apart },
      async (response) => {
        if (!response.ok) throw refused(response.status, await ownCode(response), "put");
        await response.body?.cancel();
      },
      uploadMs + ciphertext.length / uploadBytesPerMs,
    ),
  );
}

/**
 * Downloads and decrypts.
 * @throws ClientError `offline`, `server_down`, `way_blocked`, `server_lied` when it is damaged, whoever did it, `server_refused`: without `canRetry` when the server does not have it
 */
export async function getBlob(host: BlobHost, reference: BlobReference): Promise<Uint8Array> {
  const plaintext = await readBlob(host, reference);
  if (plaintext === undefined) throw damaged();
  return plaintext;
}

/** As `getBlob`; `undefined` as `decryptBlob` gives it. @throws ClientError as `getBlob`, but for what its author damaged */
export async function readBlob(host: BlobHost, reference: BlobReference): Promise<Uint8Array | undefined> {
  const ciphertext = await getCiphertext(host, reference);
  return decryptBlob({ reference, ciphertext, sha256: host.platform.sha256 });
}

/** What the host has under the id of a blob, at most as many bytes as the reference says: `decryptBlob` verifies it. @throws ClientError as `getBlob` */
export async function getCiphertext(host: BlobHost, { blobId, sizeBytes }: BlobReference): Promise<Uint8Array> {
  if (sizeBytes > maxBlobBytes) throw damaged();
  return await orOffline(() =>
    fetchWhileItComes(host.platform, urlOf(host, blobId), { method: "GET", ...apart }, (response, came) =>
      bytesOf(response, sizeBytes, came),
    ),
  );
}

/** The body of an answer, at most `sizeBytes` of it. */
async function bytesOf(response: Response, sizeBytes: number, came: (bytes: number) => void): Promise<Uint8Array> {
  if (!response.ok) throw refused(response.status, await ownCode(response), "get");
  const bytes = await readBody(response, sizeBytes, came);
  // More than the reference says is never stored.
  if (bytes === undefined) throw damaged();
  return bytes;
}

function urlOf({ baseUrl }: BlobHost, blobId: Uint8Array): string {
  return `${baseUrl}${blobPath(toBase64Url(blobId))}`;
}

function chunkCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / (chunkBytes + tagBytes));
}

function paddedSize(plaintextBytes: number): number {
  const largest = buckets.at(-1) ?? chunkBytes;
  const withTags = (sizeBytes: number): number => sizeBytes - chunkCount(sizeBytes) * tagBytes - lengthBytes;
  let size = bucketFor(plaintextBytes + lengthBytes + tagBytes) ?? largest;
  while (withTags(size) < plaintextBytes) size = size < largest ? (bucketFor(size + 1) ?? largest) : size + largest;
  if (size > maxBlobBytes) throw new ClientError("message_too_large", "This is larger than a message can be.");
  return size;
}

function nonceOf(index: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(24);
  new DataView(nonce.buffer).setUint32(19, index);
  nonce[23] = last ? 1 : 0;
  return nonce;
}
