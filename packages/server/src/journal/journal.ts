import { decode } from "@latchkey/codec";
import { readFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, makePrivateFolder, namesIn, syncFolder } from "../files.ts";
import { ServerError } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { journalRecordCodec } from "./record.ts";
import type { JournalRecord } from "./record.ts";
import { encodeFrame, encodeHeader, readSegment } from "./segments.ts";

/** Bytes beyond which a segment is followed by another. */
const maxSegmentBytes = 67_108_864;
const namePattern = /^record-(\d{15})\.journal$/;

/** A segment that lies in the folder: the size with its first record. */
interface Placed {
  readonly first: number;
  readonly path: string;
}

/** The segment that is written: where it ends, and what the next record's hash covers. */
interface Current {
  readonly path: string;
  file: FileHandle | undefined;
  end: number;
  hash: Uint8Array;
}

/** Where a journal stands: the newest record, if any. */
export interface JournalEnd {
  readonly size: number;
  readonly entry: Uint8Array;
}

/**
 * The second place of the public record: a folder of segments that are only added to. One record is written at a time, and is on disk when
 * its promise resolves. After a failure nothing is believed of what was not synced: the next one begins where the last one that holds ended.
 */
export class Journal {
  readonly #folder: string;
  readonly #origin: string;
  #segments: readonly Placed[];
  #current: Current | undefined;
  #end: JournalEnd | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(parts: {
    folder: string;
    origin: string;
    segments: readonly Placed[];
    current: Current | undefined;
    end: JournalEnd | undefined;
  }) {
    this.#folder = parts.folder;
    this.#origin = parts.origin;
    this.#segments = parts.segments;
    this.#current = parts.current;
    this.#end = parts.end;
  }

  /** Opens the journal of a public record. @throws ServerError `journal_unusable` when it is damaged, of another record, or cannot be read */
  static async open(folder: string, origin: string): Promise<Journal> {
    let segments: readonly Placed[];
    try {
      await makePrivateFolder(folder);
      segments = await placedIn(folder);
    } catch (cause) {
      throw unusable(folder, cause);
    }
    let end: JournalEnd | undefined;
    let current: Current | undefined;
    // The newest one may have no record yet.
    for (const placed of segments.toReversed()) {
      const segment = readPlaced(placed.path);
      if (segment === "unfinished") continue;
      if (segment.origin !== origin)
        throw new ServerError("journal_unusable", `The journal in ${folder} is another server's: name another folder with --journal.`);
      current ??= { path: placed.path, file: undefined, end: segment.end, hash: segment.lastHash };
      const last = segment.records.at(-1);
      if (last === undefined) continue;
      const { size, entry } = decodeRecord(last, placed.path);
      end = { size, entry };
      break;
    }
    return new Journal({ folder, origin, segments, current, end });
  }

  /** The newest record; `undefined` in an empty journal. */
  get end(): JournalEnd | undefined {
    return this.#end;
  }

  /** Writes the next record; one that it has is passed over. On disk when it resolves. @throws Error of the system */
  append(bytes: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#append(bytes));
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const { size, entry } = decode(journalRecordCodec, bytes);
    if (this.#end !== undefined && size <= this.#end.size) return;
    const isNext = this.#end !== undefined && size === this.#end.size + 1;
    if (!isNext || this.#current === undefined || this.#current.end > maxSegmentBytes) await this.#begin(size);
    const current = this.#current;
    if (current === undefined) throw new Error("a segment was begun");
    const frame = encodeFrame(current.hash, bytes);
    try {
      current.file ??= await open(current.path, "r+");
      // What an attempt before left there was never told to anybody.
      await current.file.truncate(current.end);
      await current.file.write(frame.bytes, 0, frame.bytes.length, current.end);
      await current.file.datasync();
    } catch (error) {
      // Nobody knows what of it is on disk, nor will this descriptor say so again.
      const { file } = current;
      current.file = undefined;
      await file?.close().catch(() => undefined);
      throw error;
    }
    current.end += frame.bytes.length;
    current.hash = frame.hash;
    this.#end = { size, entry };
  }

  /** Removes the segments of which a copy of the record with so many entries needs none; what comes next begins another. */
  prune(copiedSize: number): Promise<void> {
    return this.#inTurn(() => this.#prune(copiedSize));
  }

  async #prune(copiedSize: number): Promise<void> {
    const needed = this.#segments.findLastIndex(({ first }) => first <= copiedSize + 1);
    for (const { path } of this.#segments.slice(0, Math.max(0, needed))) await rm(path, { force: true });
    this.#segments = this.#segments.slice(Math.max(0, needed));
    const last = this.#segments.at(-1);
    if (last !== undefined && this.#end !== undefined && this.#end.size >= last.first) await this.#leave();
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#leave());
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #leave(): Promise<void> {
    const file = this.#current?.file;
    this.#current = undefined;
    await file?.close();
  }

  async #begin(first: number): Promise<void> {
    await this.#leave();
    const path = join(this.#folder, nameOf(first));
    const header = encodeHeader(this.#origin, first);
    // One of this name is a header without a record.
    const file = await open(path, "w", 0o600);
    try {
      await file.write(header);
      await file.sync();
      await syncFolder(this.#folder);
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
    this.#segments = [...this.#segments.filter((placed) => placed.path !== path), { first, path }];
    this.#current = { path, file, end: header.length, hash: sha256(header) };
  }
}

/** All records of a journal from this size on, in order and without a gap. @throws ServerError `journal_unusable` when it is damaged */
export async function readJournal(folder: string, origin: string, fromSize: number): Promise<JournalRecord[]> {
  let segments: readonly Placed[];
  try {
    segments = await placedIn(folder);
  } catch (cause) {
    throw unusable(folder, cause);
  }
  if (segments.length === 0)
    throw new ServerError("journal_unusable", `There is no journal in ${folder}: name the folder that the server had as --journal.`);
  const records: JournalRecord[] = [];
  for (const [at, { path }] of segments.entries()) {
    const next = segments[at + 1];
    if (next !== undefined && next.first <= fromSize) continue;
    const segment = readPlaced(path);
    if (segment === "unfinished") continue;
    if (segment.origin !== origin) throw new ServerError("journal_unusable", `The journal in ${folder} is another server's: name its own.`);
    for (const bytes of segment.records) {
      const record = decodeRecord(bytes, path);
      if (record.size < fromSize) continue;
      const expected = (records.at(-1)?.size ?? fromSize - 1) + 1;
      if (record.size !== expected) {
        const message = `The journal in ${folder} lacks entry ${String(expected)} of the public record: it was not written then. Use a backup that is newer.`;
        throw new ServerError("journal_unusable", message);
      }
      records.push(record);
    }
  }
  return records;
}

async function placedIn(folder: string): Promise<Placed[]> {
  const placed: Placed[] = [];
  for (const name of await namesIn(folder)) {
    const [, first] = namePattern.exec(name) ?? [];
    if (first !== undefined) placed.push({ first: Number(first), path: join(folder, name) });
  }
  return placed.toSorted((a, b) => a.first - b.first);
}

function nameOf(first: number): string {
  return `record-${String(first).padStart(15, "0")}.journal`;
}

function readPlaced(path: string): Exclude<ReturnType<typeof readSegment>, undefined> {
  let segment: ReturnType<typeof readSegment>;
  try {
    segment = readSegment(new Uint8Array(readFileSync(path)));
  } catch (cause) {
    throw unusable(path, cause);
  }
  if (segment === undefined) throw damaged(path);
  return segment;
}

function decodeRecord(bytes: Uint8Array, path: string): JournalRecord {
  try {
    return decode(journalRecordCodec, bytes);
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function damaged(path: string, cause?: unknown): ServerError {
  const message = `${path} is damaged, or of a later version: keep it, make a backup, and name a new folder with --journal.`;
  return new ServerError("journal_unusable", message, { cause });
}

function unusable(path: string, cause: unknown): ServerError {
  const code = errorCode(cause);
  const reason = code === undefined ? "" : ` (${code})`;
  return new ServerError(
    "journal_unusable",
    `The journal in ${path} cannot be read or written${reason}: check the path, its permissions and the disk.`,
    { cause },
  );
}
