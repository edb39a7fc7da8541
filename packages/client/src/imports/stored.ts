import { bool, decode, encode, enumeration, optional, safeUint64, struct, text, toBase64Url, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { FilePart } from "@latchkey/protocol";
import type { AsideLine, AsideReason, ImportedConversation, ImportedFileCounts, ImportedLine, ImportSource } from "../api/imports.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { filePartCodec } from "../timeline/files-codec.ts";
import { goingPrefix } from "./going.ts";
import { lengthOf } from "./parsed.ts";

/*
 * What the profile has of conversations of other programs. Lines lie in chunks, by the place of their first; the last chunk grows until it is full.
 */

/** Lines in a chunk, and UTF-16 units of them, unless it is a single one. */
const [chunkLines, chunkLength] = [200, 65_536];
/** Chunks, and bytes of them but for the last, that are read at once where many are looked through. */
const [readAtOnce, bytesAtOnce] = [10, 1_048_576];
/** UTF-16 units of a text, of a name, and of what is kept aside. */
export const maxTextLength = 65_536;
export const maxNameLength = 256;
export const maxAsideLength = 1000;
/** Names of files with one line. */
export const maxFileNames = 30;
/** Lines that were kept aside and can be read. */
export const maxAside = 1000;

/** What is stored of one besides its lines. */
export type StoredImport = Omit<ImportedConversation, "id">;

/** A file of a line, by which of its names it is. */
export interface StoredFileOfLine {
  readonly at: number;
  readonly file: FilePart;
}

const sources = enumeration<ImportSource>(uint8, { whatsapp: 1, telegram: 2, signal: 3 });
const importCodec: Codec<StoredImport> = struct<StoredImport>({
  title: text(4 * maxNameLength),
  source: sources,
  importedAtMs: safeUint64,
  lineCount: uint32,
  asideCount: uint32,
  fromMs: optional(safeUint64),
  toMs: optional(safeUint64),
  isWhole: bool,
  files: struct<ImportedFileCounts>({
    named: uint32,
    kept: uint32,
    sizeBytes: safeUint64,
    ended: optional(enumeration<"full" | "stopped">(uint8, { full: 1, stopped: 2 })),
  }),
});

const lineCodec: Codec<ImportedLine> = struct<ImportedLine>({
  sentAtMs: optional(safeUint64),
  author: text(4 * maxNameLength),
  isOwn: bool,
  kind: enumeration<ImportedLine["kind"]>(uint8, { text: 0, event: 1, deleted: 2, left_out: 3 }),
  text: text(4 * maxTextLength),
  fileNames: vector(text(4 * maxNameLength), { maxBytes: 65_536, maxItems: maxFileNames }),
});
const chunkCodec = vector(lineCodec, { maxBytes: 0x3fff_ffff, maxItems: chunkLines });

const asideCodec = vector<AsideLine>(
  struct<AsideLine>({
    why: enumeration<AsideReason>(uint8, { no_message: 1, bad_date: 2, too_long: 3 }),
    text: text(4 * maxAsideLength),
  }),
  { maxBytes: 0x3fff_ffff, maxItems: maxAside },
);

const filesCodec = vector<StoredFileOfLine>(struct<StoredFileOfLine>({ at: uint8, file: filePartCodec }), {
  maxBytes: 1 << 20,
  maxItems: maxFileNames,
});

const [heads, lines, asides, files] = ["import/", "import-lines/", "import-aside/", "import-files/"];

/** All imports, by their ids. */
export async function loadImports(tx: StoreTransaction): Promise<readonly (readonly [id: string, StoredImport])[]> {
  return (await tx.scan({ prefix: heads })).map(([key, value]) => [key.slice(heads.length), decode(importCodec, value)]);
}

export async function loadImport(tx: StoreTransaction, id: string): Promise<StoredImport | undefined> {
  const value = await tx.get(heads + id);
  return value === undefined ? undefined : decode(importCodec, value);
}

export function putImport(tx: StoreTransaction, id: string, stored: StoredImport): void {
  tx.put(heads + id, encode(importCodec, stored));
}

/** Lines that follow each other, and the place of the first. */
export interface Chunk {
  readonly first: number;
  readonly lines: readonly ImportedLine[];
}

/** The chunks that have the lines from `start` up to, not including, `end`. */
export async function loadChunks(tx: StoreTransaction, id: string, start: number, end: number): Promise<Chunk[]> {
  const prefix = `${lines}${id}/`;
  const head = await tx.scan({ prefix, before: prefix + orderSegment(start + 1), reverse: true, limit: 1 });
  const more = await tx.scan({ prefix, after: prefix + orderSegment(start), before: prefix + orderSegment(end) });
  return [...head, ...more].map((entry) => chunkOf(prefix, entry));
}

/** Some chunks, the last first, of those before the one that begins at `before`, or of all. In a transaction that reads. */
export async function loadSomeChunks(tx: StoreTransaction, id: string, before: number | undefined): Promise<Chunk[]> {
  const prefix = `${lines}${id}/`;
  const range = { prefix, reverse: true, limit: readAtOnce, maxBytes: bytesAtOnce };
  const found = await tx.scan(before === undefined ? range : { ...range, before: prefix + orderSegment(before) });
  return found.map((entry) => chunkOf(prefix, entry));
}

/** Puts lines behind the `lineCount` that there are. */
export async function appendLines(tx: StoreTransaction, id: string, lineCount: number, added: readonly ImportedLine[]): Promise<void> {
  const [last] = lineCount === 0 ? [] : await loadChunks(tx, id, lineCount - 1, lineCount);
  let first = last?.first ?? 0;
  let chunk = [...(last?.lines ?? [])];
  let length = chunk.reduce((sum, line) => sum + lengthOf(line), 0);
  const put = (): void => tx.put(`${lines}${id}/${orderSegment(first)}`, encode(chunkCodec, chunk));
  for (const line of added) {
    const more = lengthOf(line);
    if (chunk.length === chunkLines || (chunk.length > 0 && length + more > chunkLength)) {
      put();
      first += chunk.length;
      [chunk, length] = [[], 0];
    }
    chunk.push(line);
    length += more;
  }
  if (chunk.length > 0) put();
}

function chunkOf(prefix: string, [key, value]: readonly [string, Uint8Array]): Chunk {
  return { first: parseOrderSegment(key.slice(prefix.length)), lines: decode(chunkCodec, value) };
}

export async function loadAside(tx: StoreTransaction, id: string): Promise<AsideLine[]> {
  const value = await tx.get(asides + id);
  return value === undefined ? [] : decode(asideCodec, value);
}

export function putAside(tx: StoreTransaction, id: string, aside: readonly AsideLine[]): void {
  tx.put(asides + id, encode(asideCodec, [...aside]));
}

/** The files of the line at this place. */
export async function loadLineFiles(tx: StoreTransaction, id: string, order: number): Promise<StoredFileOfLine[]> {
  const value = await tx.get(`${files}${id}/${orderSegment(order)}`);
  return value === undefined ? [] : decode(filesCodec, value);
}

export function putLineFiles(tx: StoreTransaction, id: string, order: number, ofLine: readonly StoredFileOfLine[]): void {
  tx.put(`${files}${id}/${orderSegment(order)}`, encode(filesCodec, [...ofLine]));
}

/** The files of the lines from `start` up to, not including, `end`, by their places. */
export async function loadFilesBetween(
  tx: StoreTransaction,
  id: string,
  start: number,
  end: number,
): Promise<ReadonlyMap<number, StoredFileOfLine[]>> {
  const prefix = `${files}${id}/`;
  const range = { ...(start > 0 ? { after: prefix + orderSegment(start - 1) } : {}), before: prefix + orderSegment(end) };
  const found = await tx.scan({ prefix, ...range });
  return new Map(found.map(([key, value]) => [parseOrderSegment(key.slice(prefix.length)), decode(filesCodec, value)]));
}

/** The ids of all files that imported lines have: nobody else has them. */
export async function loadImportedFileIds(tx: StoreTransaction): Promise<Set<string>> {
  const found = await tx.scan({ prefix: files });
  return new Set(found.flatMap(([, value]) => idsIn(value)));
}

/** The files of some lines of one, in their order; `last` is where to go on behind. */
export async function loadSomeFileIds(
  tx: StoreTransaction,
  id: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<{ readonly fileIds: readonly string[]; readonly last: string | undefined }> {
  const found = await tx.scan({ prefix: `${files}${id}/`, limit, ...(after === undefined ? {} : { after }) });
  return { fileIds: found.flatMap(([, value]) => idsIn(value)), last: found.at(-1)?.[0] };
}

/**
 * Writes down that one goes, where that is not yet; else erases up to so many chunks and lines with files of it, and the rest with the last of them. The files
 * that are gone, and whether it all is.
 */
export async function eraseSome(
  tx: StoreTransaction,
  id: string,
  most: number,
): Promise<{ readonly fileIds: readonly string[]; readonly isGone: boolean }> {
  if ((await tx.get(heads + id)) !== undefined) {
    tx.delete(heads + id);
    tx.put(goingPrefix + id, new Uint8Array(1));
    return { fileIds: [], isGone: false };
  }
  const [chunks, named] = [
    await tx.scan({ prefix: `${lines}${id}/`, limit: most }),
    await tx.scan({ prefix: `${files}${id}/`, limit: most }),
  ];
  for (const [key] of [...chunks, ...named]) tx.delete(key);
  const fileIds = named.flatMap(([, value]) => idsIn(value));
  if (chunks.length === most || named.length === most) return { fileIds, isGone: false };
  tx.delete(asides + id);
  tx.delete(goingPrefix + id);
  tx.eraseTraces();
  return { fileIds, isGone: true };
}

function idsIn(value: Uint8Array): string[] {
  return decode(filesCodec, value).map(({ file }) => toBase64Url(file.blobId));
}
