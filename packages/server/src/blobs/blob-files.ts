import { equalBytes, toBase64Url } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import { access, link, mkdir, open, rm, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../files.ts";
import { keyOf } from "../keys.ts";
import type { BlobIndex } from "../store/store.ts";

/** What became of an upload: stored, already there with the same bytes, or there with others (blobs never change). */
export type PutOutcome = "created" | "same" | "different";

/** A file that holds all of a blob, and is on disk. */
export interface WholeFile {
  readonly path: string;
  readonly sha256: Uint8Array;
  readonly sizeBytes: number;
}

/** Where the files of blobs lie, and the one way by which a whole file becomes a blob, however its bytes came. */
export class BlobFiles {
  /** The folder of all of them. */
  readonly directory: string;
  /** The folder of what is no blob yet. */
  readonly uploads: string;
  readonly #index: BlobIndex;
  /** Times are set to the day of this, in milliseconds. */
  readonly #dayTime: () => Date;
  /** Folders of which it is on disk that they are there. */
  readonly #listed = new Set<string>();
  /** What is done to a blob now, by its id. */
  readonly #under = new Map<string, Promise<unknown>>();

  constructor(params: { directory: string; index: BlobIndex; dayTime: () => Date }) {
    this.directory = params.directory;
    this.uploads = uploadsOf(params.directory);
    this.#index = params.index;
    this.#dayTime = params.dayTime;
  }

  /** A free path beside the uploads: what lies there goes with the next start. */
  temporary(): string {
    return join(this.uploads, randomBytes(temporaryBytes).toString("hex"));
  }

  pathOf(blobId: Uint8Array): string {
    return join(this.#shard(blobId), toBase64Url(blobId));
  }

  /**
   * Makes a blob of a whole file: it has its name and its row when this resolves, unless there is one already. The file keeps its path as
   * well, and is the caller's to remove. @throws StoreError, the system's error
   */
  async keep(blobId: Uint8Array, file: WholeFile, expiresDay: number): Promise<PutOutcome> {
    const { sha256, sizeBytes, path } = file;
    return await this.alone(blobId, async () => {
      const known = await this.#index.findBlob({ blobId });
      // One whose file was lost is whole again with the same bytes: whoever has them may bring them back.
      const isLost = known !== undefined && equalBytes(known.sha256, sha256) && !(await this.#isStored(blobId));
      if (known === undefined || isLost) await this.#place(path, blobId);
      const { kind } = await this.#index.addBlob({ blobId, sha256, sizeBytes, expiresDay });
      return kind === "added" ? "created" : kind;
    });
  }

  /** Removes the file of a blob that the index does not know, or knows no more. Answers whether it did. */
  async removeUnknown(blobId: Uint8Array): Promise<boolean> {
    return await this.alone(blobId, async () => {
      // Unless it was uploaded, or uploaded again, meanwhile.
      if ((await this.#index.findBlob({ blobId })) !== undefined) return false;
      await rm(this.pathOf(blobId), { force: true });
      return true;
    });
  }

  /** Runs after what was begun for this blob before: file and index of one upload, never of two. */
  async alone<T>(blobId: Uint8Array, run: () => Promise<T>): Promise<T> {
    const key = keyOf(blobId);
    const before = this.#under.get(key) ?? Promise.resolve();
    const now = before.then(run, run);
    this.#under.set(key, now);
    try {
      return await now;
    } finally {
      if (this.#under.get(key) === now) this.#under.delete(key);
    }
  }

  /** Sets the times of a file or folder to the day, and puts it on disk. */
  async settle(file: FileHandle): Promise<void> {
    const day = this.#dayTime();
    await file.utimes(day, day);
    await file.sync();
  }

  /** Puts on disk what a folder lists. */
  async settleFolder(path: string): Promise<void> {
    await withFile(path, "r", (folder) => this.settle(folder));
  }

  async #isStored(blobId: Uint8Array): Promise<boolean> {
    try {
      await access(this.pathOf(blobId));
      return true;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** Gives the whole file the name of its blob: never over another one. */
  async #place(from: string, blobId: Uint8Array): Promise<void> {
    const path = this.pathOf(blobId);
    const folder = this.#shard(blobId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await link(from, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      // Left behind by a crash between file and index: nobody was told of it.
      await unlink(path);
      await link(from, path);
    }
    await this.settleFolder(folder);
    if (this.#listed.has(folder)) return;
    // An earlier process may have made it, and ended before this was on disk.
    await this.settleFolder(this.directory);
    this.#listed.add(folder);
  }

  #shard(blobId: Uint8Array): string {
    return join(this.directory, (blobId[0] ?? 0).toString(16).padStart(2, "0"));
  }
}

const temporaryBytes = 16;

/** The folder of what is no blob yet, in a folder of blobs. */
export function uploadsOf(directory: string): string {
  return join(directory, "uploads");
}

/** Opens a file, readable by its owner alone where it is new, and closes it once it was used. @throws the system's error */
export async function withFile(path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/** Writes all of some bytes at a place in a file: a disk that fills up takes a part of them first. @throws the system's error */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error("a write that takes nothing");
    written += bytesWritten;
  }
}

/** Writes all of several pieces, one behind the other. @throws the system's error */
export async function writeAllAt(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let { bytesWritten } = await file.writev(pieces, position);
  let at = position;
  for (const piece of pieces) {
    if (bytesWritten < piece.length) await writeAt(file, piece.subarray(bytesWritten), at + bytesWritten);
    bytesWritten = Math.max(0, bytesWritten - piece.length);
    at += piece.length;
  }
}

/** Whether an error says that a disk has no room, or a quota is used up. */
export function isDiskFull(error: unknown): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}

/** Whether an error says that a disk fails. */
export function isDiskBroken(error: unknown): boolean {
  return errorCode(error) === "EIO" || errorCode(error) === "EROFS";
}
