import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, rm, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { ServerContext } from "../config.ts";
import { Refusal, StoreError } from "../errors.ts";
import { errorCode } from "../files.ts";
import { keyOf } from "../keys.ts";
import { storedBlobIds } from "./orphans.ts";
import type { BlobIndex } from "../store/store.ts";
import { BlobRoom } from "./blob-room.ts";
import type { BlobDisk, TakenRoom } from "./blob-room.ts";
import { exactlyDated, writeAnew } from "./blob-times.ts";
import { dayMs, dayOf } from "../days.ts";

/** What became of a PUT: stored, already there with the same bytes, or there with others (blobs never change). */
export type PutOutcome = "created" | "same" | "different";

/** A blob to be read; the reader closes it. */
export interface OpenBlob {
  readonly file: FileHandle;
  readonly sizeBytes: number;
}

/**
 * Encrypted files: opaque bytes under a random name that the uploader chose. Each lies in a file of its own whose times
 * are set to the day, and whose inode is another one the day after; the store's index says how long it is kept (spec C-4).
 */
export class BlobService {
  readonly #directory: string;
  readonly #index: BlobIndex;
  readonly #context: ServerContext;
  readonly #room: BlobRoom;
  /** The day on which `forgetTimes` last went through all of them. */
  #forgottenDay = 0;
  readonly #onDiskFailure: () => void;
  /** Uploads that are being given their names, by blob. */
  readonly #placing = new Map<string, Promise<unknown>>();

  /** `onDiskFailure` is told when a file could not be written or read for another reason than that the disk is full. */
  constructor(params: { directory: string; index: BlobIndex; context: ServerContext; disk: BlobDisk; onDiskFailure?: () => void }) {
    this.#onDiskFailure = params.onDiskFailure ?? ((): void => undefined);
    this.#directory = params.directory;
    this.#index = params.index;
    this.#context = params.context;
    this.#room = new BlobRoom(params);
  }

  /**
   * Stores a blob. It is on disk, file and index, when this resolves.
   * @throws Refusal `too_large` or `storage_full`; whatever the stream throws when the upload breaks off.
   */
  async put(blobId: Uint8Array, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<PutOutcome> {
    const temporary = join(this.#uploads(), randomBytes(16).toString("hex"));
    let room: TakenRoom | undefined;
    try {
      const taken = await this.#room.open();
      room = taken;
      const { sha256, sizeBytes } = await this.#receive(temporary, content, (bytes) => taken.take(bytes));
      const outcome = await this.#alone(blobId, async () => {
        const known = await this.#index.findBlob({ blobId });
        if (known === undefined) await this.#place(temporary, blobId);
        const expiresDay = dayOf(this.#context.nowMs()) + this.#context.limits.unusedBlobDays;
        const { kind } = await this.#index.addBlob({ blobId, sha256, sizeBytes, expiresDay });
        return kind === "added" ? "created" : kind;
      });
      taken.settle(outcome === "created" ? "kept" : "known");
      room = undefined;
      return outcome;
    } catch (error) {
      room?.settle("dropped");
      if (isDiskBroken(error)) this.#onDiskFailure();
      throw isDiskFull(error) || (error instanceof StoreError && error.code === "full") ? new Refusal("storage_full") : error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Opens a blob to read, `undefined` when there is none. */
  async open(blobId: Uint8Array): Promise<OpenBlob | undefined> {
    const known = await this.#index.findBlob({ blobId });
    if (known === undefined) return undefined;
    try {
      return { file: await open(this.#path(blobId), "r"), sizeBytes: known.sizeBytes };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /** Removes blobs that nobody refers to and whose days are over. Answers how many. */
  async expire(): Promise<number> {
    let removed = 0;
    const { limits, dayBefore } = this.#context;
    const day = dayBefore(limits.unusedBlobDays) + limits.unusedBlobDays;
    for (;;) {
      const blobIds = await this.#index.expireBlobs({ day, maxItems: 100 });
      for (const blobId of blobIds) {
        await this.#alone(blobId, async () => {
          // Unless it was uploaded again meanwhile.
          if ((await this.#index.findBlob({ blobId })) === undefined) await rm(this.#path(blobId), { force: true });
        });
      }
      removed += blobIds.length;
      if (blobIds.length < 100) return removed;
    }
  }

  /**
   * Writes the blobs of earlier days anew, once each: when exactly one came, and after which other one, stands in the file system no
   * more. Goes through them once a day, as far as there is room. Answers how many.
   */
  async forgetTimes(): Promise<number> {
    const today = dayOf(this.#context.nowMs());
    if (today === this.#forgottenDay) return 0;
    let count = 0;
    for await (const { name, path } of exactlyDated(this.#directory, today)) {
      const temporary = join(this.#uploads(), randomBytes(16).toString("hex"));
      try {
        await this.#room.check();
        const blobId = fromBase64Url(name);
        await this.#alone(blobId, async () => {
          // Unless it has expired meanwhile.
          if ((await this.#index.findBlob({ blobId })) !== undefined) await writeAnew(path, temporary);
        });
        count += 1;
      } catch (error) {
        if (error instanceof Refusal || isDiskFull(error)) return count;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
    }
    this.#forgottenDay = today;
    return count;
  }

  /**
   * Removes files that no row knows: a crash between file and index left them, and nobody was told of them. One after the other, in
   * between other work. Answers how many. @throws StoreError when the store closes meanwhile
   */
  async removeOrphans(): Promise<number> {
    let removed = 0;
    for await (const blobId of storedBlobIds(this.#directory)) {
      if ((await this.#index.findBlob({ blobId })) !== undefined) continue;
      await this.#alone(blobId, async () => {
        // An upload of it may have ended just now.
        if ((await this.#index.findBlob({ blobId })) !== undefined) return;
        await rm(this.#path(blobId), { force: true });
        removed += 1;
      });
    }
    return removed;
  }

  async #receive(
    path: string,
    content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    count: (bytes: number) => void,
  ): Promise<{ sha256: Uint8Array; sizeBytes: number }> {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    const file = await open(path, "wx", 0o600);
    try {
      for await (const chunk of content) {
        sizeBytes += chunk.length;
        if (sizeBytes > this.#context.limits.maxBlobBytes) throw new Refusal("too_large");
        count(chunk.length);
        hash.update(chunk);
        await file.write(chunk);
      }
      const day = new Date(dayOf(this.#context.nowMs()) * dayMs);
      await file.utimes(day, day);
      await file.sync();
    } finally {
      await file.close();
    }
    return { sha256: hash.digest(), sizeBytes };
  }

  /** Gives the finished file its name: never over another one. */
  async #place(temporary: string, blobId: Uint8Array): Promise<void> {
    const path = this.#path(blobId);
    const directory = this.#shard(blobId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      await link(temporary, path);
    } catch (error) {
      if (!isPresent(error)) throw error;
      // Left behind by a crash between file and index: nobody was told of it.
      await unlink(path);
      await link(temporary, path);
    }
    const handle = await open(directory, "r");
    try {
      const day = new Date(dayOf(this.#context.nowMs()) * dayMs);
      await handle.utimes(day, day);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Runs after what was begun for this blob before: file and index of one upload, never of two. */
  async #alone<T>(blobId: Uint8Array, run: () => Promise<T>): Promise<T> {
    const key = keyOf(blobId);
    const before = this.#placing.get(key) ?? Promise.resolve();
    const now = before.then(run, run);
    this.#placing.set(key, now);
    try {
      return await now;
    } finally {
      if (this.#placing.get(key) === now) this.#placing.delete(key);
    }
  }

  #uploads(): string {
    return uploadsOf(this.#directory);
  }

  #shard(blobId: Uint8Array): string {
    return join(this.#directory, (blobId[0] ?? 0).toString(16).padStart(2, "0"));
  }

  #path(blobId: Uint8Array): string {
    return join(this.#shard(blobId), toBase64Url(blobId));
  }
}

/** Makes the directories of the blobs and removes what an interrupted upload left. */
export async function prepareBlobDirectory(directory: string): Promise<void> {
  const uploads = uploadsOf(directory);
  await mkdir(uploads, { recursive: true, mode: 0o700 });
  for (const name of await readdir(uploads)) await rm(join(uploads, name), { force: true });
}

function uploadsOf(directory: string): string {
  return join(directory, "uploads");
}

function isDiskFull(error: unknown): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}

function isDiskBroken(error: unknown): boolean {
  return errorCode(error) === "EIO" || errorCode(error) === "EROFS";
}

function isAbsent(error: unknown): boolean {
  return errorCode(error) === "ENOENT";
}

function isPresent(error: unknown): boolean {
  return errorCode(error) === "EEXIST";
}
