import { equalBytes } from "@latchkey/codec";
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { withFile, writeAllAt, writeAt } from "./disk-writes.ts";
import type { BlobFiles, WholeFile } from "./blob-files.ts";
import type { TakenRoom } from "./blob-room.ts";
import { decodeMark, encodeMark, encodePoint, markBytes, noPoint } from "./upload-mark.ts";
import type { UploadPoint } from "./upload-mark.ts";

/** What a mark's file is called: the upload's own name, and this. */
export const markEnding = ".mark";
/** So many bytes of one request are not yet safe from a power cut at most. */
const unsafeBytes = 8_388_608;
const readBytes = 1_048_576;

/** The bytes of an upload that have come, in a file whose end is known to be on disk. Does one thing at a time: its caller sees to that. */
export class HalfUpload {
  readonly blobId: Uint8Array;
  readonly sizeBytes: number;
  readonly day: number;
  readonly #files: BlobFiles;
  readonly #path: string;
  /** On disk; the later one is that of `#place`. */
  readonly #points: { first: UploadPoint; second: UploadPoint };
  #place: "first" | "second" = "first";
  #offset = 0;
  /** Of the bytes up to the offset; absent until they were read since the start of the process. */
  #hash: Hash | undefined;

  private constructor(params: {
    files: BlobFiles;
    name: string;
    blobId: Uint8Array;
    sizeBytes: number;
    day: number;
    first: UploadPoint;
    second: UploadPoint;
  }) {
    const { files, name, blobId, sizeBytes, day, first, second } = params;
    this.blobId = blobId;
    this.sizeBytes = sizeBytes;
    this.day = day;
    this.#files = files;
    this.#path = join(files.uploads, name);
    this.#points = { first, second };
    if (second.offset > first.offset) this.#place = "second";
  }

  /** Makes the files of a new one: they are on disk when this resolves. @throws the system's error */
  static async create(files: BlobFiles, name: string, params: { blobId: Uint8Array; sizeBytes: number; day: number }): Promise<HalfUpload> {
    const mark = { ...params, first: noPoint, second: noPoint };
    const upload = new HalfUpload({ files, name, ...mark });
    upload.#hash = createHash("sha256");
    try {
      for (const [path, content] of [
        [upload.#path, new Uint8Array()],
        [upload.#path + markEnding, encodeMark({ format: 1, ...mark })],
      ] as const) {
        await withFile(path, "wx", async (file) => {
          await writeAt(file, content, 0);
          await files.settle(file);
        });
      }
      await files.settleFolder(files.uploads);
      return upload;
    } catch (error) {
      await upload.remove();
      throw error;
    }
  }

  /**
   * One that another process left; `undefined` where there is none that can be read. Its bytes are looked at by `prepare`. One of a day to
   * come, by a clock that was ahead, is of today.
   */
  static async find(files: BlobFiles, name: string, today: number): Promise<HalfUpload | undefined> {
    const bytes = await readFile(join(files.uploads, name + markEnding)).catch(() => undefined);
    const mark = bytes?.length === markBytes ? decodeMark(new Uint8Array(bytes)) : undefined;
    return mark === undefined ? undefined : new HalfUpload({ files, name, ...mark, day: Math.min(mark.day, today) });
  }

  /** How many bytes are on disk, in the right order. Once `prepare` has resolved. */
  get offset(): number {
    return this.#offset;
  }

  /** How many bytes it takes of the disk; `undefined` where its file is gone. @throws the system's error */
  async storedBytes(): Promise<number | undefined> {
    return (await stat(this.#path).catch(() => undefined))?.size;
  }

  /** All of it was there, and is a blob now. */
  becameBlob(): void {
    this.#offset = this.sizeBytes;
  }

  /** The latest of its points, which is not looked at yet. */
  get latest(): UploadPoint {
    return this.#points[this.#place];
  }

  /** Reads what an earlier process left, up to the last point whose bytes are there: what lies behind it goes. @throws the system's error */
  async prepare(): Promise<void> {
    if (this.#hash !== undefined) return;
    await withFile(this.#path, "r+", async (file) => {
      const found = await readPoints(file, Object.values(this.#points));
      await file.truncate(found.point.offset);
      this.#hash = found.hash;
      this.#offset = found.point.offset;
      if (found.point === this.latest) return;
      // The next point is written over the one whose bytes are not there.
      this.#place = other(this.#place);
      this.#points[this.#place] = found.point;
    });
  }

  /**
   * Takes in what comes, in portions. The offset goes on by what is on disk when this settles, also where it throws: Refusal `too_large` for more than
   * was announced, `storage_full`, whatever the stream throws, or the system's error.
   */
  async append(content: AsyncIterable<readonly Uint8Array[]>, room: TakenRoom): Promise<void> {
    await withFile(this.#path, "r+", async (file) => {
      let position = this.#offset;
      try {
        for await (const portion of content) {
          const bytes = portion.reduce((sum, { length }) => sum + length, 0);
          if (position + bytes > this.sizeBytes) throw new Refusal("too_large");
          room.take(bytes);
          await writeAllAt(file, portion, position).catch((error: unknown) => {
            room.giveBack(bytes);
            throw error;
          });
          for (const chunk of portion) this.#hash?.update(chunk);
          position += bytes;
          if (position - this.#offset >= unsafeBytes) await this.#mark(file, position);
        }
      } finally {
        if (position > this.#offset) await this.#mark(file, position);
      }
    });
  }

  /** The whole file, once the offset is its size. */
  whole(): WholeFile {
    return { path: this.#path, sizeBytes: this.sizeBytes, sha256: this.latest.sha256 };
  }

  /** Removes its bytes: they are a blob's now. The mark stays, and says so. */
  async removeBytes(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
    await rm(this.#path + markEnding, { force: true });
  }

  /** Puts on disk what came, and how far that is, in any order: only where both are there the point counts. */
  async #mark(file: FileHandle, offset: number): Promise<void> {
    const hash = this.#hash;
    if (hash === undefined) throw new Error("an upload that was not prepared");
    const place = other(this.#place);
    const point = { offset, sha256: new Uint8Array(hash.copy().digest()) };
    const { bytes, position } = encodePoint(point, place);
    const marking = withFile(this.#path + markEnding, "r+", async (mark) => {
      await writeAt(mark, bytes, position);
      await this.#files.settle(mark);
    });
    const outcomes = await Promise.allSettled([this.#files.settle(file), marking]);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) {
      // What is there is looked at anew.
      this.#hash = undefined;
      throw failed.reason;
    }
    this.#points[place] = point;
    this.#place = place;
    this.#offset = offset;
  }
}

function other(place: "first" | "second"): "first" | "second" {
  return place === "first" ? "second" : "first";
}

/** The last of these points whose bytes the file has, and the hash of them to go on with. */
async function readPoints(file: FileHandle, points: readonly UploadPoint[]): Promise<{ readonly point: UploadPoint; readonly hash: Hash }> {
  const hash = createHash("sha256");
  let found = { point: noPoint, hash: hash.copy() };
  let offset = 0;
  const piece = new Uint8Array(readBytes);
  for (const point of points.toSorted((a, b) => a.offset - b.offset)) {
    while (offset < point.offset) {
      const { bytesRead } = await file.read(piece, 0, Math.min(piece.length, point.offset - offset), offset);
      if (bytesRead === 0) return found;
      hash.update(piece.subarray(0, bytesRead));
      offset += bytesRead;
    }
    if (equalBytes(hash.copy().digest(), point.sha256)) found = { point, hash: hash.copy() };
  }
  return found;
}
