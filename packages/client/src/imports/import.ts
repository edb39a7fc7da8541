import type { AsideLine, ImportCalls, ImportedConversation, ImportedFileCounts, ImportedLine, ImportSource } from "../api/imports.ts";
import { readDirectory, unpack, ZipError } from "../zip/read-zip.ts";
import type { ZipFile } from "../zip/read-zip.ts";
import { isUnreadable } from "../files/unreadable.ts";
import { ArchiveFiles } from "./archive-files.ts";
import type { FilesTarget } from "./archive-files.ts";
import { isDeleted } from "./deleted.ts";
import { ImportError, lengthOf } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import { isSignal, parseSignal } from "./signal.ts";
import { isTelegram, parseTelegram } from "./telegram.ts";
import { isWhatsApp, parseWhatsApp } from "./whatsapp.ts";
import type { Reopened } from "./whatsapp.ts";

export { ImportError } from "./parsed.ts";

/** A file that is imported, and how. */
export interface ImportOptions {
  /** What the person chose: a text, a JSON text, or a ZIP with one of them in it. */
  readonly file: Blob;
  readonly fileName: string;
  /** How its owner is called in it: WhatsApp's files do not say who that is. */
  readonly ownName?: string | undefined;
  /** Told how far it is. */
  readonly came?: ((progress: ImportProgress) => void) | undefined;
  /** Waited for between pieces of about 16 KiB, so that whatever else there is to do is done; may throw to undo it. */
  readonly breathe?: (() => Promise<void>) | undefined;
  /** Stops it: while lines are read, nothing stays; while files are taken over, all lines and those files that are there. */
  readonly signal?: AbortSignal | undefined;
}

/** How far an import is: first the lines are read, then the files are taken over that they name and the archive has. */
export interface ImportProgress {
  readonly step: "lines" | "files";
  /** Of this step. */
  readonly readBytes: number;
  readonly ofBytes: number;
  readonly lines: number;
  readonly files: number;
  readonly ofFiles: number;
}

/** Where it goes: a client. */
export type ImportTarget = FilesTarget & Pick<ImportCalls, "beginImport" | "addToImport" | "finishImport" | "deleteImport">;

const beginningBytes = 65_536;
const pieceBytes = 16_384;
/** Lines, and UTF-16 units of text, that go into the profile at once; units that wait in all conversations together. */
const [batchLines, batchLength, mostWaiting] = [400, 100_000, 4_000_000];
/** Conversations in one file. */
const mostConversations = 1000;
/** The file that is meant, of those in an archive. */
const names = /(?:^|[/\\])(?:_chat\.txt|whatsapp[^/]*\.txt|result\.json|main\.jsonl)$/iu;

/**
 * Reads a file of another program into conversations of its own on this device. Nothing of it is in memory but a piece and the lines that wait to be stored; what
 * cannot be read as a message is counted and kept aside. Where the file cannot be read to its end, what was imported of it is erased again. A conversation of it
 * that is deleted meanwhile is passed over.
 * @throws ImportError, ClientError of the profile, and what `breathe` throws
 */
export async function importFile(target: ImportTarget, options: ImportOptions): Promise<readonly ImportedConversation[]> {
  try {
    return await readInto(target, options);
  } catch (error) {
    if (isUnreadable(error)) throw new ImportError("unreadable_file", "The file was changed, moved or taken away while it was read.");
    throw error instanceof ZipError ? new ImportError(error.code, error.message) : error;
  }
}

async function readInto(target: ImportTarget, options: ImportOptions): Promise<readonly ImportedConversation[]> {
  const found = await fileIn(options);
  const source = sourceOf(new TextDecoder().decode(await firstBytes(found.open())));
  const writer = new Writer(target, source, found.files);
  const breathe = async (): Promise<void> => await options.breathe?.();
  let readBytes = 0;
  const open: Reopened = async function* () {
    readBytes = 0;
    for await (const piece of found.open())
      for (let at = 0; at < piece.length; at += pieceBytes) {
        const part = piece.subarray(at, at + pieceBytes);
        readBytes += part.length;
        yield part;
      }
  };
  try {
    for await (const parsed of parsedOf(source, open, { ...options, title: titleOf(options.fileName, found.name) })) {
      for (const one of parsed) await writer.take(one);
      options.came?.({ step: "lines", readBytes, ofBytes: found.sizeBytes, lines: writer.lines, files: 0, ofFiles: 0 });
      await breathe();
      options.signal?.throwIfAborted();
    }
    await writer.storeAll();
    const ended = await found.files?.keep(target, {
      signal: options.signal,
      breathe,
      came: (progress) => options.came?.({ step: "files", lines: writer.lines, ...progress }),
    });
    return await writer.finish(ended);
  } catch (error) {
    await writer.undo();
    throw error;
  }
}

interface Found {
  readonly name: string;
  readonly sizeBytes: number;
  readonly open: Reopened;
  /** What lies beside it, in an archive. */
  readonly files?: ArchiveFiles;
}

async function fileIn({ file, fileName }: ImportOptions): Promise<Found> {
  const head = new DataView(await file.slice(0, 4).arrayBuffer());
  const isArchive = head.byteLength === 4 && head.getUint32(0, true) === 0x0403_4b50;
  if (!isArchive) return { name: fileName, sizeBytes: file.size, open: () => piecesOf(file) };
  const all = await readDirectory(file);
  const chosen = textAmong(all);
  return {
    name: chosen.name.split(/[/\\]/u).at(-1) ?? "",
    sizeBytes: chosen.sizeBytes,
    open: () => unpack(file, chosen),
    files: new ArchiveFiles(file, all, chosen),
  };
}

function textAmong(files: readonly ZipFile[]): ZipFile {
  const texts = files.filter(({ name }) => !name.includes("/") && /\.txt$/iu.test(name));
  const chosen = files.find(({ name }) => names.test(name)) ?? (texts.length === 1 ? texts[0] : undefined);
  if (chosen === undefined) throw unknownFormat();
  return chosen;
}

async function* piecesOf(file: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = file.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function firstBytes(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const first = new Uint8Array(beginningBytes);
  let length = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(0, beginningBytes - length);
    first.set(part, length);
    length += part.length;
    if (length === beginningBytes) break;
  }
  return first.subarray(0, length);
}

function sourceOf(beginning: string): ImportSource {
  if (isSignal(beginning)) return "signal";
  if (isTelegram(beginning)) return "telegram";
  if (isWhatsApp(beginning)) return "whatsapp";
  throw unknownFormat();
}

function unknownFormat(): ImportError {
  return new ImportError("unknown_format", "This is no file that WhatsApp, Telegram or Signal exported.");
}

function parsedOf(
  source: ImportSource,
  open: Reopened,
  options: ImportOptions & { readonly title: string },
): AsyncGenerator<Parsed[], void, undefined> {
  if (source === "whatsapp") return parseWhatsApp(open, options);
  return source === "telegram" ? parseTelegram(open(), options.title) : parseSignal(open());
}

/** The conversation's name, by the names of the file and of the archive: `WhatsApp Chat with Ben.txt`. */
function titleOf(fileName: string, inner: string): string {
  const name = /^(?:_chat\.txt|result\.json|main\.jsonl)$/iu.test(inner) ? fileName : inner;
  return name.replace(/\.(?:txt|zip|json|jsonl)$/iu, "").replace(/^WhatsApp[ -]Chat (?:with|-) /iu, "");
}

interface Begun {
  readonly id: string;
  readonly lines: ImportedLine[];
  readonly aside: AsideLine[];
  /** Lines so far. */
  count: number;
  /** UTF-16 units of the texts that wait. */
  length: number;
}

/** Puts what is parsed into the profile, some lines at a time. */
class Writer {
  readonly #target: ImportTarget;
  readonly #source: ImportSource;
  readonly #files: ArchiveFiles | undefined;
  readonly #begun = new Map<string, Begun>();
  /** Of no conversation in particular: it goes with the first. */
  readonly #unplaced: AsideLine[] = [];
  /** By whoever has the profile, while this goes on. */
  readonly #deleted = new Set<string>();
  #waiting = 0;
  lines = 0;

  constructor(target: ImportTarget, source: ImportSource, files: ArchiveFiles | undefined) {
    this.#target = target;
    this.#source = source;
    this.#files = files;
  }

  async take(parsed: Parsed): Promise<void> {
    if (parsed.kind === "conversation") {
      if (this.#begun.has(parsed.key)) return;
      if (this.#begun.size >= mostConversations)
        throw new ImportError("unknown_format", "There are more conversations in this file than are kept.");
      const id = await this.#target.beginImport({ title: parsed.title, source: this.#source });
      this.#begun.set(parsed.key, { id, lines: [], aside: [], count: 0, length: 0 });
      return;
    }
    const begun = parsed.key === undefined ? undefined : this.#begun.get(parsed.key);
    if (parsed.kind === "aside") (begun?.aside ?? this.#unplaced).push({ why: parsed.why, text: parsed.text });
    else if (begun !== undefined) {
      begun.lines.push(parsed.line);
      this.#files?.name(begun.id, begun.count++, parsed.line, parsed.files);
      this.lines++;
    }
    if (this.#unplaced.length >= batchLines) await this.#place();
    if (begun === undefined) return;
    const length = parsed.kind === "line" ? lengthOf(parsed.line) : parsed.text.length;
    begun.length += length;
    this.#waiting += length;
    if (begun.lines.length + begun.aside.length >= batchLines || begun.length >= batchLength) await this.#store(begun);
    // A file may have very many conversations that are told in turns.
    if (this.#waiting >= mostWaiting) for (const one of this.#begun.values()) await this.#store(one);
  }

  /** What belongs to nobody goes with whoever is there. */
  async #place(): Promise<void> {
    const [first] = this.#begun.values();
    if (first === undefined) throw new ImportError("unknown_format", "Nothing in this file can be read as a message.");
    first.aside.push(...this.#unplaced.splice(0));
    await this.#store(first);
  }

  async #store(begun: Begun): Promise<void> {
    const [lines, aside] = [begun.lines.splice(0), begun.aside.splice(0)];
    if (lines.length + aside.length === 0) return;
    this.#waiting -= begun.length;
    begun.length = 0;
    await this.#unlessDeleted(begun.id, () => this.#target.addToImport(begun.id, { lines, aside, asideCount: aside.length }));
  }

  async #unlessDeleted<T>(importId: string, run: () => Promise<T>): Promise<T | undefined> {
    if (this.#deleted.has(importId)) return undefined;
    try {
      return await run();
    } catch (error) {
      if (!(await isDeleted(this.#target, importId))) throw error;
      this.#deleted.add(importId);
      return undefined;
    }
  }

  /** All lines came. */
  async storeAll(): Promise<void> {
    if (this.lines === 0) throw new ImportError("unknown_format", "Nothing in this file can be read as a message.");
    if (this.#unplaced.length > 0) await this.#place();
    for (const begun of this.#begun.values()) await this.#store(begun);
  }

  /** @param ended by import, why not all files were taken over */
  async finish(ended?: ReadonlyMap<string, ImportedFileCounts["ended"]>): Promise<readonly ImportedConversation[]> {
    const done: ImportedConversation[] = [];
    for (const { id } of this.#begun.values()) {
      const finished = await this.#unlessDeleted(id, () => this.#target.finishImport(id, ended?.get(id)));
      if (finished !== undefined) done.push(finished);
    }
    if (done.length === 0) throw new ImportError("deleted", "All that was imported was deleted meanwhile.");
    return done;
  }

  async undo(): Promise<void> {
    for (const { id } of this.#begun.values()) await this.#target.deleteImport(id).catch(() => undefined);
  }
}
