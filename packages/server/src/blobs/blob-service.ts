import { fromBase64Url } from "@latchkey/codec";
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal, StoreError } from "../errors.ts";
import { errorCode } from "../files.ts";
import type { BlobIndex } from "../store/store.ts";
import { isDiskBroken, isDiskFull, writeAt } from "./blob-files.ts";
import type { BlobFiles, PutOutcome } from "./blob-files.ts";
import type { BlobRoom, TakenRoom } from "./blob-room.ts";
import { exactlyDated, writeAnew } from "./blob-times.ts";
import { storedBlobIds } from "./orphans.ts";

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
  readonly #files: BlobFiles;
  readonly #index: BlobIndex;
  readonly #context: ServerContext;
  readonly #room: BlobRoom;
  /** The day on which `forgetTimes` last went through all of them. */
  #forgottenDay = 0;
  #forgetting: Promise<number> | undefined;
  readonly #closing = new AbortController();
  readonly #onDiskFailure: () => void;

  /** `onDiskFailure` is told when a file could not be written or read for another reason than that the disk is full. */
  constructor(params: { files: BlobFiles; index: BlobIndex; context: ServerContext; room: BlobRoom; onDiskFailure?: () => void }) {
    this.#onDiskFailure = params.onDiskFailure ?? ((): void => undefined);
    this.#files = params.files;
    this.#index = params.index;
    this.#context = params.context;
    this.#room = params.room;
  }

  /**
   * Stores a blob. It is on disk, file and index, when this resolves.
   * @throws Refusal `too_large` or `storage_full`; whatever the stream throws when the upload breaks off.
   */
  async put(blobId: Uint8Array, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<PutOutcome> {
    const temporary = this.#files.temporary();
    let room: TakenRoom | undefined;
    try {
      const taken = await this.#room.open();
      room = taken;
      const { sha256, sizeBytes } = await this.#receive(temporary, content, (bytes) => taken.take(bytes));
      const expiresDay = dayOf(this.#context.nowMs()) + this.#context.limits.unusedBlobDays;
      const outcome = await this.#files.keep(blobId, { path: temporary, sha256, sizeBytes }, expiresDay);
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
      return { file: await open(this.#files.pathOf(blobId), "r"), sizeBytes: known.sizeBytes };
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
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
      for (const blobId of blobIds) await this.#files.removeUnknown(blobId);
      removed += blobIds.length;
      if (blobIds.length < 100) return removed;
    }
  }

  /**
   * Writes the blobs of earlier days anew, once each: when exactly one came, and after which other one, stands in the file system no
   * more. Goes through them once a day, as far as there is room; what it could not is tried the next time. Answers how many.
   */
  async forgetTimes(): Promise<number> {
    this.#forgetting ??= this.#forgetAll().finally(() => {
      this.#forgetting = undefined;
    });
    return await this.#forgetting;
  }

  /** Breaks off what it does by itself. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#forgetting?.catch(() => undefined);
  }

  async #forgetAll(): Promise<number> {
    const today = dayOf(this.#context.nowMs());
    if (today === this.#forgottenDay) return 0;
    let [count, isComplete] = [0, true];
    for await (const file of exactlyDated(this.#files.directory, today)) {
      if (this.#closing.signal.aborted) return count;
      const temporary = this.#files.temporary();
      try {
        await this.#room.checkDisk(file.sizeBytes);
        const blobId = fromBase64Url(file.name);
        await this.#files.alone(blobId, async () => {
          // Unless it has expired meanwhile.
          if ((await this.#index.findBlob({ blobId })) !== undefined) await writeAnew(file.path, temporary, this.#closing.signal);
        });
        count += 1;
      } catch (error) {
        if (this.#closing.signal.aborted) return count;
        // A smaller one may have room.
        if (!(error instanceof Refusal) && !isDiskFull(error)) throw error;
        isComplete = false;
      } finally {
        await rm(temporary, { force: true });
      }
    }
    if (isComplete) this.#forgottenDay = today;
    return count;
  }

  /**
   * Removes files that no row knows: a crash between file and index left them, and nobody was told of them. One after the other, in
   * between other work. Answers how many. @throws StoreError when the store closes meanwhile
   */
  async removeOrphans(): Promise<number> {
    let removed = 0;
    for await (const blobId of storedBlobIds(this.#files.directory)) {
      if ((await this.#index.findBlob({ blobId })) !== undefined) continue;
      if (await this.#files.removeUnknown(blobId)) removed += 1;
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
        if (sizeBytes + chunk.length > this.#context.limits.maxBlobBytes) throw new Refusal("too_large");
        count(chunk.length);
        hash.update(chunk);
        await writeAt(file, chunk, sizeBytes);
        sizeBytes += chunk.length;
      }
      await this.#files.settle(file);
    } finally {
      await file.close();
    }
    return { sha256: hash.digest(), sizeBytes };
  }
}
