import { toBase64Url } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import type {
  ArchivedFile,
  ArchivedFileFate,
  AsideLine,
  FoundLine,
  ImportCalls,
  ImportedConversation,
  ImportedFile,
  ImportedLine,
  PlacedLine,
} from "../api/imports.ts";
import { shownFile } from "../engine/shown-message.ts";
import { ClientError } from "../errors.ts";
import { safeFileName } from "../files/file-name.ts";
import type { Files } from "../files/files.ts";
import { cleanLine, cleanName } from "../names/clean.ts";
import { fold } from "../search/fold.ts";
import { parseQuery } from "../search/query.ts";
import { snippetOf } from "../search/snippet.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { unpack, ZipError } from "../zip/read-zip.ts";
import { eraseImport } from "./erasing.ts";
import {
  appendLines,
  loadAside,
  loadChunks,
  loadFilesBetween,
  loadImport,
  loadImports,
  loadLineFiles,
  loadSomeChunks,
  maxAside,
  maxAsideLength,
  maxFileNames,
  maxNameLength,
  maxTextLength,
  putAside,
  putImport,
  putLineFiles,
} from "./stored.ts";
import type { Chunk, StoredFileOfLine, StoredImport } from "./stored.ts";

const mostImports = 1000;
const mostLines = 5_000_000;
const mostAtOnce = 1000;
const mostRead = 500;
const mostFound = 200;
/** Lines with a file in one import, lines that name one file, and bytes of all files of one import. */
const [mostFiles, mostPlaces, mostFilesBytes] = [50_000, 1000, 68_719_476_736];
/** Times beyond the year 9999 are none. */
const latestMs = 253_402_300_799_999;
/** As 32 bits hold. */
const mostCounted = 0xffff_ffff;

/** What imports need of their surroundings. */
export interface ImportsAccess {
  readonly store: Store;
  readonly random: RandomBytes;
  readonly nowMs: () => number;
  /** The part that keeps files. @throws ClientError where none are kept here */
  readonly files: () => Promise<Pick<Files, "keep" | "readKept" | "forgetKept">>;
}

/** Conversations of other programs in a profile. Nothing of them goes anywhere. */
export function createImports({ store, random, nowMs, files }: ImportsAccess): ImportCalls {
  /** What is taken out of archives just now, by import. */
  const keeping = new Map<string, AbortController>();

  return {
    async imports() {
      const found = await store.transact("read", (tx) => loadImports(tx));
      return found.map(([id, stored]) => ({ id, ...stored })).toSorted((a, b) => b.importedAtMs - a.importedAtMs);
    },
    async beginImport({ title, source }) {
      const id = toBase64Url(random(16));
      await store.transact("write", async (tx) => {
        if ((await loadImports(tx)).length >= mostImports) throw full("There are too many imported conversations.");
        putImport(tx, id, { ...empty, title: cleanName(title) || "Imported", source, importedAtMs: nowMs() });
      });
      return id;
    },
    async addToImport(importId, { lines, aside, asideCount }) {
      await store.transact("write", async (tx) => {
        const stored = await unfinished(tx, importId);
        if (stored.lineCount + lines.length > mostLines) throw full("No more lines are kept of one conversation.");
        const given = lines.slice(0, mostAtOnce);
        const added = given.map(bounded);
        await appendLines(tx, importId, stored.lineCount, added);
        if (aside.length > 0 && stored.asideCount < maxAside) {
          const before = await loadAside(tx, importId);
          putAside(
            tx,
            importId,
            [...before, ...aside.map(({ why, text }) => ({ why, text: cut(text, maxAsideLength) }))].slice(0, maxAside),
          );
        }
        const named = given.reduce((sum, { fileNames }) => sum + fileNames.length, stored.files.named);
        putImport(tx, importId, {
          ...withAdded(stored, added, asideCount),
          files: { ...stored.files, named: Math.min(mostCounted, named) },
        });
      });
    },
    async keepImportedFile(importId, file) {
      const { sizeBytes } = file.entry;
      const count = file.places.length;
      const { files: before } = await store.transact("read", (tx) => unfinished(tx, importId));
      if (count === 0 || count > mostPlaces) return "unreadable";
      if (before.kept + count > mostFiles || before.sizeBytes + sizeBytes > mostFilesBytes) return "full";
      const end = new AbortController();
      keeping.set(importId, end);
      try {
        const { name, kind, mediaType, archive, entry } = file;
        const content = unpack(archive, entry);
        const kept = await (await files()).keep({ name, kind, mediaType, sizeBytes, content }, end.signal);
        let isWritten = false;
        try {
          isWritten = await store.transact("write", (tx) => putFile(tx, importId, file, kept.file));
        } finally {
          await kept.written(isWritten);
        }
        return isWritten ? "kept" : "unnamed";
      } catch (error) {
        return fateOf(error, end.signal);
      } finally {
        if (keeping.get(importId) === end) keeping.delete(importId);
      }
    },
    async stopImportedFiles(importId) {
      keeping.get(importId)?.abort();
    },
    finishImport: (importId, ended) =>
      store.transact("write", async (tx): Promise<ImportedConversation> => {
        const known = await required(tx, importId);
        const stored = { ...known, isWhole: true, files: { ...known.files, ended } };
        putImport(tx, importId, stored);
        return { id: importId, ...stored };
      }),
    importedLines: (importId, { beforeOrder, afterOrder, limit }) =>
      store.transact("read", async (tx) => {
        const { lineCount } = await required(tx, importId);
        const many = Math.max(0, Math.min(mostRead, Math.floor(limit)));
        const end =
          afterOrder === undefined
            ? place(beforeOrder ?? lineCount, lineCount)
            : Math.min(lineCount, place(afterOrder + 1, lineCount) + many);
        const start = afterOrder === undefined ? Math.max(0, end - many) : place(afterOrder + 1, lineCount);
        return await linesBetween(tx, importId, start, end);
      }),
    importedFile: (importId, order, fileId) =>
      store.transact("read", async (tx) => {
        await required(tx, importId);
        const ofLine = await loadLineFiles(tx, importId, place(order, mostLines));
        const found = ofLine.find(({ file }) => toBase64Url(file.blobId) === fileId)?.file;
        if (found === undefined) throw new ClientError("unknown_message", "There is no such file in this import.");
        const { key, prefix, sizeBytes, mediaType, name } = found;
        return { id: fileId, url: undefined, key, prefix, sizeBytes, mediaType, name: safeFileName(name), isKept: false };
      }),
    async *readImportedFile(importId, order, fileId) {
      const access = await this.importedFile(importId, order, fileId);
      yield* (await files()).readKept(access);
    },
    importAside: (importId) =>
      store.transact("read", async (tx): Promise<readonly AsideLine[]> => {
        await required(tx, importId);
        return await loadAside(tx, importId);
      }),
    async searchImports(query, { importId, limit = mostFound } = {}) {
      const { terms } = parseQuery(query, Date.UTC);
      const found: FoundLine[] = [];
      if (terms.length === 0) return found;
      const most = Math.max(0, Math.min(mostFound, limit));
      for (const { id } of await this.imports()) {
        if (importId !== undefined && importId !== id) continue;
        for (let before: number | undefined; found.length < most;) {
          // Some by themselves: whoever waits for the store waits for no more than that.
          const chunks = await store.transact("read", (tx) => loadSomeChunks(tx, id, before));
          before = chunks.at(-1)?.first;
          if (before === undefined) break;
          for (const chunk of chunks) found.push(...foundIn(id, chunk, terms));
        }
      }
      return found.slice(0, most);
    },
    async deleteImport(importId) {
      keeping.get(importId)?.abort();
      await eraseImport({ store, files }, importId);
    },
  };
}

const empty = {
  lineCount: 0,
  asideCount: 0,
  fromMs: undefined,
  toMs: undefined,
  isWhole: false,
  files: { named: 0, kept: 0, sizeBytes: 0, ended: undefined },
} satisfies Partial<StoredImport>;

function full(message: string): ClientError {
  return new ClientError("not_permitted", message);
}

async function required(tx: StoreTransaction, id: string): Promise<StoredImport> {
  const stored = /^[\w-]{1,64}$/.test(id) ? await loadImport(tx, id) : undefined;
  if (stored === undefined) throw new ClientError("unknown_conversation", "There is no such imported conversation.");
  return stored;
}

async function unfinished(tx: StoreTransaction, id: string): Promise<StoredImport> {
  const stored = await required(tx, id);
  if (stored.isWhole) throw new ClientError("not_permitted", "This was imported to its end.");
  return stored;
}

/** The file is of these lines from now on. @returns whether any of them has a name that is without a file */
async function putFile(tx: StoreTransaction, id: string, { places }: ArchivedFile, file: StoredFileOfLine["file"]): Promise<boolean> {
  // It may have been deleted while the file came.
  const stored = await unfinished(tx, id);
  let kept = 0;
  for (const { order, at } of places) {
    if (!(order < stored.lineCount && at < maxFileNames)) continue;
    const ofLine = await loadLineFiles(tx, id, order);
    if (ofLine.some((one) => one.at === at)) continue;
    putLineFiles(tx, id, order, [...ofLine, { at, file }]);
    kept++;
  }
  if (kept === 0) return false;
  const { files } = stored;
  putImport(tx, id, { ...stored, files: { ...files, kept: files.kept + kept, sizeBytes: files.sizeBytes + file.sizeBytes } });
  return true;
}

/** What is wrong with the file itself ends nothing. */
function fateOf(error: unknown, signal: AbortSignal): ArchivedFileFate {
  if (signal.aborted) return "stopped";
  if (error instanceof ZipError) return "unreadable";
  if (!(error instanceof ClientError)) throw error;
  if (error.code === "message_too_large" || error.code === "file_changed") return "unreadable";
  if (error.code === "storage_full" || error.code === "storage_denied") return "full";
  throw error;
}

function place(order: number, lineCount: number): number {
  return Number.isFinite(order) ? Math.max(0, Math.min(lineCount, Math.floor(order))) : lineCount;
}

async function linesBetween(tx: StoreTransaction, id: string, start: number, end: number): Promise<PlacedLine[]> {
  const found: PlacedLine[] = [];
  const files = await loadFilesBetween(tx, id, start, end);
  for (const { first, lines } of start < end ? await loadChunks(tx, id, start, end) : [])
    for (const [at, line] of lines.entries())
      if (first + at >= start && first + at < end) found.push({ ...line, order: first + at, files: shownFiles(files.get(first + at)) });
  return found;
}

function shownFiles(files: readonly StoredFileOfLine[] = []): readonly ImportedFile[] {
  return files.map(({ at, file }) => ({ ...shownFile(file), at })).toSorted((a, b) => a.at - b.at);
}

/** A line as it is kept: what is longer is cut, names are shown as everybody's are (spec E-63), a time that cannot be is none. */
function bounded({ sentAtMs, author, isOwn, kind, text, fileNames }: ImportedLine): ImportedLine {
  const isTime = sentAtMs !== undefined && Number.isSafeInteger(sentAtMs) && sentAtMs >= 0 && sentAtMs <= latestMs;
  return {
    sentAtMs: isTime ? sentAtMs : undefined,
    author: cleanName(author),
    isOwn,
    kind,
    text: cut(text, maxTextLength),
    fileNames: fileNames.slice(0, maxFileNames).map((name) => cleanLine(name, maxNameLength) || "file"),
  };
}

function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}

function withAdded(stored: StoredImport, added: readonly ImportedLine[], asideCount: number): StoredImport {
  const times = added.flatMap(({ sentAtMs }) => sentAtMs ?? []);
  const more = Number.isSafeInteger(asideCount) && asideCount > 0 ? asideCount : 0;
  return {
    ...stored,
    lineCount: stored.lineCount + added.length,
    asideCount: Math.min(mostCounted, stored.asideCount + more),
    fromMs: stored.fromMs ?? times[0],
    toMs: times.at(-1) ?? stored.toMs,
  };
}

/** The last of them first. */
function foundIn(importId: string, { first, lines }: Chunk, terms: readonly string[]): FoundLine[] {
  const placed = lines.map((line, at): PlacedLine => ({ ...line, order: first + at, files: [] }));
  return placed
    .filter((line) => has(line, terms))
    .toReversed()
    .map((line) => foundLine(importId, line, terms));
}

function has({ text, author, fileNames }: ImportedLine, terms: readonly string[]): boolean {
  const folded = fold(`${text}\n${author}\n${fileNames.join("\n")}`);
  return terms.every((term) => folded.includes(term));
}

function foundLine(importId: string, line: PlacedLine, terms: readonly string[]): FoundLine {
  const shown = line.text === "" ? line.fileNames.join(", ") : line.text;
  const { text: snippet, hits } = snippetOf(shown, terms);
  return { importId, line: { ...line, text: cut(line.text, 1000) }, snippet, hits };
}
