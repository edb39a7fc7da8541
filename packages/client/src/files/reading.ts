import {
  fileChunkAt,
  fileChunkBytes,
  fileChunkCount,
  fileChunksOf,
  fileNonce,
  fileTagBytes,
  paddedFileBytes,
  sealedFileBytes,
} from "@latchkey/protocol";
import type { FileChunk } from "@latchkey/protocol";

/*
 * Reading a file that lies encrypted somewhere, from any byte on (spec X-23): for the client, and for the web app's worker that answers what a
 * page shows. It keeps two pieces of ciphertext at most, whatever the file's size.
 */

/** Ciphertext is fetched and kept in pieces of so many bytes; the last one has fewer. */
export const filePieceBytes = 1_048_576;

/** What the names of locks begin with by which a worker says that it reads a file; its id follows. */
export const readingLock = "latchkey-reading/";

/** What opens a file. */
export interface FileKeys {
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 7 bytes. */
  readonly prefix: Uint8Array;
  /** Of the file itself. */
  readonly sizeBytes: number;
}

/** The ciphertext's piece of that number: as much of it from its beginning as is there, which is `through` bytes or more. All of it is never wrong. */
export type PieceSource = (index: number, through: number) => Promise<Uint8Array>;

/** A chunk of a file is not what its author encrypted there. */
export class FileBroken extends Error {
  override readonly name = "FileBroken";
}

/** How many bytes of ciphertext a file of so many bytes has. */
export function sealedBytesOf(sizeBytes: number): number {
  return sealedFileBytes(paddedFileBytes(sizeBytes));
}

/** Where a piece of so many bytes of ciphertext stands: from the first up to, not including, the second. */
export function filePieceAt(totalBytes: number, index: number): { readonly from: number; readonly to: number } {
  return { from: index * filePieceBytes, to: Math.min(totalBytes, (index + 1) * filePieceBytes) };
}

/**
 * The bytes of a file from `from` up to, not including, `to`, each authenticated before it is given: a chunk at a time, which the caller owns, as soon as
 * it is here. The next piece is asked for once what the one before brought is read.
 * @throws FileBroken where a chunk does not open; whatever `pieceOf` throws
 */
export async function* readSealedFile(
  { key, prefix, sizeBytes }: FileKeys,
  pieceOf: PieceSource,
  { from = 0, to = sizeBytes }: { readonly from?: number | undefined; readonly to?: number | undefined } = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const end = Math.min(to, sizeBytes);
  if (from >= end) return;
  const paddedBytes = paddedFileBytes(sizeBytes);
  const opened = await crypto.subtle.importKey("raw", new Uint8Array(key), "AES-GCM", false, ["decrypt"]);
  const sealed = sealedWindow(pieceOf, sealedFileBytes(paddedBytes));
  const open = async (chunk: FileChunk, coming: Promise<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> => {
    const body = await coming;
    const params = { name: "AES-GCM", iv: fileNonce(prefix, chunk.index, chunk.isLast), tagLength: fileTagBytes * 8 };
    const plain = await crypto.subtle.decrypt(params, opened, body).catch((cause: unknown) => {
      throw new FileBroken("a chunk does not open", { cause });
    });
    return new Uint8Array(plain).subarray(Math.max(0, from - chunk.from), end - chunk.from);
  };
  const { first, last } = fileChunksOf(from, end);
  const opening: Promise<Uint8Array<ArrayBuffer>>[] = [];
  let next = first;
  for (let index = first; index <= last; index++) {
    // All that one piece brings is decrypted at once, on other threads, while what comes first of it is given out.
    for (const through = Math.min(last, lastBeforeNextPiece(paddedBytes, index)); next <= through; next++) {
      const chunk = fileChunkAt(paddedBytes, next);
      const plain = open(chunk, sealed(chunk.sealedFrom, chunk.sealedTo));
      // Whoever stops reading hears of none behind.
      plain.catch(() => undefined);
      opening.push(plain);
    }
    const plain = await opening.shift();
    if (plain !== undefined) yield plain;
  }
}

/** The last chunk that ends in the piece in which this one ends: no piece is fetched for what is not asked for yet. */
function lastBeforeNextPiece(paddedBytes: number, index: number): number {
  const piece = Math.floor((fileChunkAt(paddedBytes, index).sealedTo - 1) / filePieceBytes);
  const whole = Math.floor(((piece + 1) * filePieceBytes) / (fileChunkBytes + fileTagBytes)) - 1;
  return Math.min(fileChunkCount(paddedBytes) - 1, Math.max(index, whole));
}

/** Ciphertext by its places, which only grow, in the order in which it is asked for. What lies in one piece is a view of it. */
function sealedWindow(pieceOf: PieceSource, totalBytes: number): (from: number, to: number) => Promise<Uint8Array<ArrayBuffer>> {
  const kept = new Map<number, Uint8Array>();
  /** As much of a piece as that, or more. */
  const pieceAt = async (index: number, through: number): Promise<Uint8Array> => {
    const before = kept.get(index);
    if (before !== undefined && before.length >= through) return before;
    const piece = await pieceOf(index, through);
    kept.set(index, piece);
    for (const old of kept.keys()) if (old < index) kept.delete(old);
    return piece;
  };
  const read = async (from: number, to: number): Promise<Uint8Array<ArrayBuffer>> => {
    const index = Math.floor(from / filePieceBytes);
    const piece = filePieceAt(totalBytes, index);
    const body = (await pieceAt(index, Math.min(to, piece.to) - piece.from)).subarray(from - piece.from, to - piece.from);
    // It came from the network or a store: never of memory that is shared.
    if (to <= piece.to) return body as Uint8Array<ArrayBuffer>;
    const bytes = new Uint8Array(to - from);
    bytes.set(body.subarray(0, piece.to - from));
    bytes.set((await pieceAt(index + 1, to - piece.to)).subarray(0, to - piece.to), piece.to - from);
    return bytes;
  };
  let turn: Promise<unknown> = Promise.resolve();
  return (from, to) => {
    // What fails is asked for no more: neither is what is behind it.
    const reading = turn.then(() => read(from, to));
    reading.catch(() => undefined);
    turn = reading;
    return reading;
  };
}
