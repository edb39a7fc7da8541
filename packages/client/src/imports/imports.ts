import { toBase64Url } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import type { AsideLine, FoundLine, ImportCalls, ImportedConversation, ImportedLine, PlacedLine } from "../api/imports.ts";
import { ClientError } from "../errors.ts";
import { cleanLine, cleanName } from "../names/clean.ts";
import { fold } from "../search/fold.ts";
import { parseQuery } from "../search/query.ts";
import { snippetOf } from "../search/snippet.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import {
  chunkLines,
  eraseSome,
  loadAside,
  loadChunk,
  loadImport,
  loadImports,
  maxAside,
  maxAsideLength,
  maxFileNames,
  maxNameLength,
  maxTextLength,
  putAside,
  putChunk,
  putImport,
} from "./stored.ts";
import type { StoredImport } from "./stored.ts";

const mostImports = 1000;
const mostLines = 5_000_000;
const mostAtOnce = 1000;
const mostRead = 500;
const mostFound = 200;
/** Chunks that are looked through in one transaction. */
const searchedAtOnce = 10;
/** Chunks that are erased in one transaction. */
const erasedAtOnce = 50;
/** Times beyond the year 9999 are none. */
const latestMs = 253_402_300_799_999;

/** Conversations of other programs in a profile. Nothing of them goes anywhere. */
export function createImports(params: { readonly store: Store; readonly random: RandomBytes; readonly nowMs: () => number }): ImportCalls {
  const { store, random, nowMs } = params;

  return {
    async imports() {
      const found = await store.transact("read", (tx) => loadImports(tx));
      return found.map(([id, stored]) => ({ id, ...stored })).toSorted((a, b) => b.importedAtMs - a.importedAtMs);
    },
    async beginImport({ title, source }) {
      const id = toBase64Url(random(16));
      await store.transact("write", async (tx) => {
        if ((await loadImports(tx)).length >= mostImports) throw full("There are too many imported conversations.");
        const [importedAtMs, none] = [nowMs(), undefined];
        const name = cleanName(title) || "Imported";
        putImport(tx, id, { title: name, source, importedAtMs, lineCount: 0, asideCount: 0, fromMs: none, toMs: none, isWhole: false });
      });
      return id;
    },
    async addToImport(importId, { lines, aside, asideCount }) {
      await store.transact("write", async (tx) => {
        const stored = await required(tx, importId);
        if (stored.isWhole) throw new ClientError("not_permitted", "This was imported to its end.");
        if (stored.lineCount + lines.length > mostLines) throw full("No more lines are kept of one conversation.");
        const added = lines.slice(0, mostAtOnce).map(bounded);
        await append(tx, importId, stored.lineCount, added);
        if (aside.length > 0 && stored.asideCount < maxAside) {
          const before = await loadAside(tx, importId);
          putAside(
            tx,
            importId,
            [...before, ...aside.map(({ why, text }) => ({ why, text: cut(text, maxAsideLength) }))].slice(0, maxAside),
          );
        }
        putImport(tx, importId, withAdded(stored, added, asideCount));
      });
    },
    finishImport: (importId) =>
      store.transact("write", async (tx): Promise<ImportedConversation> => {
        const stored = { ...(await required(tx, importId)), isWhole: true };
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
      for (const { id, lineCount } of await this.imports()) {
        if (importId !== undefined && importId !== id) continue;
        for (let last = lastChunk(lineCount); last >= 0 && found.length < most; last -= searchedAtOnce * chunkLines) {
          // Some by themselves: whoever waits for the store waits for no more than that.
          const firsts = Array.from({ length: searchedAtOnce }, (_, back) => last - back * chunkLines).filter((first) => first >= 0);
          const chunks = await store.transact("read", (tx) => Promise.all(firsts.map((first) => loadChunk(tx, id, first))));
          for (const [at, chunk] of chunks.entries()) found.push(...foundIn(id, firsts[at] ?? 0, chunk, terms));
        }
      }
      return found.slice(0, most);
    },
    async deleteImport(importId) {
      while (!(await store.transact("write", (tx) => eraseSome(tx, importId, erasedAtOnce))));
    },
  };
}

function full(message: string): ClientError {
  return new ClientError("not_permitted", message);
}

async function required(tx: StoreTransaction, id: string): Promise<StoredImport> {
  const stored = /^[\w-]{1,64}$/.test(id) ? await loadImport(tx, id) : undefined;
  if (stored === undefined) throw new ClientError("unknown_conversation", "There is no such imported conversation.");
  return stored;
}

function place(order: number, lineCount: number): number {
  return Number.isFinite(order) ? Math.max(0, Math.min(lineCount, Math.floor(order))) : lineCount;
}

const lastChunk = (lineCount: number): number => Math.floor(Math.max(0, lineCount - 1) / chunkLines) * chunkLines;

async function append(tx: StoreTransaction, id: string, lineCount: number, added: readonly ImportedLine[]): Promise<void> {
  for (let at = 0; at < added.length;) {
    const first = Math.floor((lineCount + at) / chunkLines) * chunkLines;
    const before = await loadChunk(tx, id, first);
    const more = added.slice(at, at + chunkLines - before.length);
    putChunk(tx, id, first, [...before, ...more]);
    at += more.length;
  }
}

async function linesBetween(tx: StoreTransaction, id: string, start: number, end: number): Promise<PlacedLine[]> {
  const found: PlacedLine[] = [];
  for (let first = Math.floor(start / chunkLines) * chunkLines; first < end; first += chunkLines)
    for (const [at, line] of (await loadChunk(tx, id, first)).entries())
      if (first + at >= start && first + at < end) found.push({ ...line, order: first + at });
  return found;
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
    asideCount: Math.min(0xffff_ffff, stored.asideCount + more),
    fromMs: stored.fromMs ?? times[0],
    toMs: times.at(-1) ?? stored.toMs,
  };
}

/** The last of them first. @param first the place of the first line of the chunk */
function foundIn(importId: string, first: number, chunk: readonly ImportedLine[], terms: readonly string[]): FoundLine[] {
  const placed = chunk.map((line, at): PlacedLine => ({ ...line, order: first + at }));
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
