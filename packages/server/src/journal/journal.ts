import { decode, equalBytes, toBase64Url } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import { open, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { makePrivateFolder, syncFolder } from "../files.ts";
import { sha256 } from "../hash.ts";
import { damaged, decodeRecord, placedIn, readPlaced, segmentName, unusable } from "./journal-files.ts";
import type { PlacedSegment } from "./journal-files.ts";
import { journalRecordCodec } from "./record.ts";
import { encodeFrame, encodeHeader, readHeader, readSegment } from "./segments.ts";

/** Bytes beyond which a segment is followed by another. */
const maxSegmentBytes = 67_108_864;

/** The newest segment: where it ends, and what the next record's hash covers. */
interface Newest extends PlacedSegment {
  file: FileHandle | undefined;
  end: number;
  hash: Uint8Array;
  /** The next record begins another. */
  isComplete: boolean;
}

/** Where a journal stands: the newest record, if any. */
export interface JournalEnd {
  readonly size: number;
  readonly entry: Uint8Array;
}

/** The journal is not where it was: its folder was removed or changed, or its disk is another one or none. Nothing was written. */
export class JournalGone extends Error {
  override readonly name: string = "JournalGone";
  readonly code: string = "JOURNAL_GONE";
}

/**
 * The second place of the public record: a folder of segments that are only added to. One record is written at a time, and is on disk when
 * its promise resolves, in the file that has those before it, under its name. After a failure nothing is believed of what was not synced:
 * the next one begins where the last one that holds ended.
 */
export class Journal {
  readonly #folder: string;
  readonly #origin: string;
  readonly #id: string;
  #segments: readonly PlacedSegment[];
  #newest: Newest | undefined;
  #end: JournalEnd | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(parts: {
    folder: string;
    origin: string;
    id: string | undefined;
    segments: readonly PlacedSegment[];
    newest: Newest | undefined;
    end: JournalEnd | undefined;
  }) {
    this.#folder = parts.folder;
    this.#origin = parts.origin;
    this.#id = parts.id ?? toBase64Url(new Uint8Array(randomBytes(16)));
    this.#segments = parts.segments;
    this.#newest = parts.newest;
    this.#end = parts.end;
  }

  /** Opens the journal of a public record, or begins one. @throws ServerError `journal_unusable` when it is damaged, of another record, or cannot be read */
  static async open(folder: string, origin: string): Promise<Journal> {
    await makePrivateFolder(folder).catch((cause: unknown) => {
      throw unusable(folder, cause);
    });
    const segments = await placedIn(folder);
    let [newest, end, id]: [Newest | undefined, JournalEnd | undefined, string | undefined] = [undefined, undefined, undefined];
    // The newest one may have no record yet.
    for (const placed of segments.toReversed()) {
      const read = readPlaced(placed, origin);
      if (read === "unfinished") continue;
      const { header, segment } = read;
      if (segment.rest === "damaged" || (id ?? header.journal) !== header.journal) throw damaged(placed.path);
      id = header.journal;
      newest ??= { ...placed, file: undefined, end: segment.end, hash: segment.lastHash, isComplete: false };
      const last = segment.records.at(-1);
      if (last === undefined) continue;
      const { size, entry } = decodeRecord(last, placed.path);
      end = { size, entry };
      break;
    }
    return new Journal({ folder, origin, id, segments, newest, end });
  }

  /** By what it is known, wherever it lies. */
  get id(): string {
    return this.#id;
  }

  /** The size that the public record has with the oldest record; `undefined` in an empty journal. */
  get first(): number | undefined {
    return this.#end === undefined ? undefined : this.#segments[0]?.first;
  }

  /** The newest record; `undefined` in an empty journal. */
  get end(): JournalEnd | undefined {
    return this.#end;
  }

  /** Writes the next record; one that it has is passed over. On disk when it resolves. @throws JournalGone, Error of the system */
  append(bytes: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#append(bytes));
  }

  /** Looks whether it is still where it was. @throws JournalGone, Error of the system */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#newest !== undefined) await this.#reach(this.#newest);
    });
  }

  async #append(bytes: Uint8Array): Promise<void> {
    const { size, entry } = decode(journalRecordCodec, bytes);
    if (this.#end !== undefined && size <= this.#end.size) return;
    if (this.#end !== undefined && size !== this.#end.size + 1) throw new Error("a journal has no gaps");
    if (this.#newest !== undefined) await this.#reach(this.#newest);
    if (this.#newest === undefined || this.#newest.isComplete || this.#newest.end > maxSegmentBytes) await this.#begin(size);
    const newest = this.#newest;
    if (newest?.file === undefined) throw new Error("a segment was begun");
    const frame = encodeFrame(newest.hash, bytes);
    try {
      await newest.file.write(frame.bytes, 0, frame.bytes.length, newest.end);
      await newest.file.datasync();
    } catch (error) {
      // Nobody knows what of it is on disk, nor will this descriptor say so again.
      await this.#leave();
      throw error;
    }
    newest.end += frame.bytes.length;
    newest.hash = frame.hash;
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
    if (this.#newest !== undefined && this.#end !== undefined && this.#end.size >= this.#newest.first) this.#newest.isComplete = true;
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
    if (this.#newest === undefined) return;
    const { file } = this.#newest;
    this.#newest.file = undefined;
    await file?.close().catch(() => undefined);
  }

  /**
   * Opens the newest segment, unless it is open, and makes sure that what has its name is what was written, all of it: a descriptor goes on
   * quietly when the folder was removed or the disk taken away, and an empty folder takes whatever one writes into it.
   */
  async #reach(newest: Newest): Promise<void> {
    try {
      if (newest.file === undefined) await this.#reopen(newest);
      else {
        const [held, there] = [await newest.file.stat(), await stat(newest.path)];
        if (held.dev !== there.dev || held.ino !== there.ino || there.size !== newest.end) throw new JournalGone();
      }
    } catch (error) {
      await this.#leave();
      throw isAbsence(error) ? new JournalGone("the journal is not where it was", { cause: error }) : error;
    }
  }

  async #reopen(newest: Newest): Promise<void> {
    newest.file = await open(newest.path, "r+");
    const bytes = new Uint8Array(await newest.file.readFile()).subarray(0, newest.end);
    const header = readHeader(bytes);
    if (typeof header !== "object" || header.journal !== this.#id) throw new JournalGone();
    const { end, lastHash } = readSegment(bytes, header);
    if (end !== newest.end || !equalBytes(lastHash, newest.hash)) throw new JournalGone();
    // What an attempt before left there was never told to anybody.
    await newest.file.truncate(newest.end);
  }

  async #begin(first: number): Promise<void> {
    await this.#leave();
    const path = join(this.#folder, segmentName(first));
    const header = encodeHeader({ origin: this.#origin, journal: this.#id, first });
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
    this.#newest = { first, path, file, end: header.length, hash: sha256(header), isComplete: false };
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
