import { decode, encode, opaque, struct, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { FileKind, FilePart } from "@latchkey/protocol";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { fileKindCodec } from "../timeline/files-codec.ts";

/*
 * Which lines have files, and which: written with the lines. By it files are found without looking through all that was said, and it is known
 * of what is kept of files whether any line names it.
 */
const allFilesPrefix = "files/";
const filesPrefix = (conversationId: string): string => `${allFilesPrefix}${conversationId}/`;
const ownerKey = (id: string): string => `file-of/${id}`;
const keyOf = (conversationId: string, order: number): string => filesPrefix(conversationId) + orderSegment(order);

interface Indexed {
  readonly kind: FileKind;
  readonly blobId: Uint8Array;
}

const codec: Codec<readonly Indexed[]> = vector(
  struct<Indexed>({
    kind: fileKindCodec,
    blobId: opaque(32),
  }),
  { maxBytes: 4096 },
);

/** A file of a line. */
export interface FilePlaceInLine {
  readonly conversationId: string;
  readonly order: number;
  readonly fileId: string;
  readonly kind: FileKind;
}

/** Writes down which files the line at this place has; each blob is that line's which named it first here. */
export async function putFiles(tx: StoreTransaction, conversationId: string, order: number, files: readonly FilePart[]): Promise<void> {
  const indexed = files.map(({ kind, blobId }) => ({ kind, blobId }));
  const key = keyOf(conversationId, order);
  tx.put(key, encode(codec, indexed));
  for (const { blobId } of files) {
    const id = toBase64Url(blobId);
    if ((await tx.get(ownerKey(id))) === undefined) tx.put(ownerKey(id), new TextEncoder().encode(key));
  }
}

/** The line at this place has none any more; those that were its own, by their ids. */
export async function forgetFiles(tx: StoreTransaction, conversationId: string, order: number): Promise<readonly string[]> {
  const key = keyOf(conversationId, order);
  const stored = await tx.get(key);
  if (stored === undefined) return [];
  tx.delete(key);
  const gone: string[] = [];
  for (const { blobId } of decode(codec, stored)) {
    const id = toBase64Url(blobId);
    if (!(await isOwnFile(tx, conversationId, order, id))) continue;
    tx.delete(ownerKey(id));
    gone.push(id);
  }
  return gone;
}

/** Whether a blob is this line's: what is kept of it is for nobody else who names it, and goes with that line alone. */
export async function isOwnFile(tx: StoreTransaction, conversationId: string, order: number, id: string): Promise<boolean> {
  const owner = await tx.get(ownerKey(id));
  return owner === undefined || new TextDecoder().decode(owner) === keyOf(conversationId, order);
}

/** The files of a conversation before a place, the newest first: those of at most so many lines. */
export async function loadFiles(
  tx: StoreTransaction,
  conversationId: string,
  { beforeOrder, limit }: { readonly beforeOrder?: number | undefined; readonly limit: number },
): Promise<readonly FilePlaceInLine[]> {
  const prefix = filesPrefix(conversationId);
  const before = beforeOrder === undefined ? {} : { before: keyOf(conversationId, beforeOrder) };
  const found = await tx.scan({ prefix, ...before, limit, reverse: true });
  return found.flatMap(([key, value]) => placesIn(conversationId, key.slice(prefix.length), value));
}

/** All files that lines name. */
export async function loadAllFiles(tx: StoreTransaction): Promise<readonly FilePlaceInLine[]> {
  const found = await tx.scan({ prefix: allFilesPrefix });
  return found.flatMap(([key, value]) => {
    const [conversationId = "", segment = ""] = key.slice(allFilesPrefix.length).split("/");
    return placesIn(conversationId, segment, value);
  });
}

function placesIn(conversationId: string, segment: string, value: Uint8Array): readonly FilePlaceInLine[] {
  const order = parseOrderSegment(segment);
  return decode(codec, value).map(({ kind, blobId }) => ({ conversationId, order, fileId: toBase64Url(blobId), kind }));
}
