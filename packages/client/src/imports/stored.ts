import { bool, decode, encode, enumeration, optional, safeUint64, struct, text, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { AsideLine, AsideReason, ImportedConversation, ImportedLine, ImportSource } from "../api/imports.ts";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/*
 * What the profile has of conversations of other programs. Lines lie in chunks, by the place of their first; the last chunk grows until it is full.
 */

/** Lines in a chunk. */
export const chunkLines = 200;
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

const [heads, lines, asides] = ["import/", "import-lines/", "import-aside/"];

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

/** The chunk whose first line has this place; empty where there is none. */
export async function loadChunk(tx: StoreTransaction, id: string, first: number): Promise<ImportedLine[]> {
  const value = await tx.get(`${lines}${id}/${orderSegment(first)}`);
  return value === undefined ? [] : decode(chunkCodec, value);
}

export function putChunk(tx: StoreTransaction, id: string, first: number, chunk: readonly ImportedLine[]): void {
  tx.put(`${lines}${id}/${orderSegment(first)}`, encode(chunkCodec, [...chunk]));
}

export async function loadAside(tx: StoreTransaction, id: string): Promise<AsideLine[]> {
  const value = await tx.get(asides + id);
  return value === undefined ? [] : decode(asideCodec, value);
}

export function putAside(tx: StoreTransaction, id: string, aside: readonly AsideLine[]): void {
  tx.put(asides + id, encode(asideCodec, [...aside]));
}

/** Erases up to so many chunks of one, and the rest with the last of them; whether it is gone. */
export async function eraseSome(tx: StoreTransaction, id: string, most: number): Promise<boolean> {
  const found = await tx.scan({ prefix: `${lines}${id}/`, limit: most });
  for (const [key] of found) tx.delete(key);
  if (found.length === most) return false;
  tx.delete(heads + id);
  tx.delete(asides + id);
  return true;
}
