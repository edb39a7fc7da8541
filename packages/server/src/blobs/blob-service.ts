import { fromBase64Url } from "@latchkey/codec";
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal, StoreError } from "../errors.ts";
import type { BlobIndex } from "../store/store.ts";
import type { UploadStore } from "../store/upload-store.ts";
import { isDiskBroken, isDiskFull, writeAt } from "./disk-writes.ts";
import type { BlobFiles, PutOutcome, UnknownBytes } from "./blob-files.ts";
import type { BlobRoom, TakenRoom } from "./blob-room.ts";
import { writeAnew } from "./blob-times.ts";

/** A blob that the index knows. Its bytes may be lost all the same. */
export interface FoundBlob {
  readonly sizeBytes: number;
  /** Whether its bytes are there. @throws Refusal `unavailable` */
  isThere(): Promise<boolean>;
  /** Some of its bytes, the first and the last of them included; `undefined` where they are lost. @throws Refusal `unavailable` */
  read(range: { readonly first: number; readonly last: number }): Promise<Readable | undefined>;
}

/** What lies in a place and no row knows: its key there, and the blob, or the upload, that it would be of. */
export type Orphan = UnknownBytes;

/** As many as are kept in memory. */
const orphansAtOnce = 4096;
/** Rows of blobs that are removed before their bytes are. */
const expiredAtOnce = 100;

/**
 * Encrypted files: opaque bytes under a random name that the uploader chose. Each lies in a file of its own whose times
 * are set to the day, and whose inode is another one the day after, or in a bucket; the store's index says how long it is kept (spec C-4).
 */
export class BlobService {
  readonly #files: BlobFiles;
  readonly #index: BlobIndex;
  readonly #uploads: Pick<UploadStore, "findUpload"> | undefined;
  readonly #context: ServerContext;
  readonly #room: BlobRoom;
  /** The day on which `forgetTimes` last went through all of them. */
  #forgottenDay = 0;
  #forgetting: Promise<number> | undefined;
  #expiring: Promise<number> | undefined;
  readonly #closing = new AbortController();
  readonly #onDiskFailure: () => void;

  /** `onDiskFailure` is told when a file could not be written or read for another reason than that the disk is full. */
  constructor(params: {
    files: BlobFiles;
    index: BlobIndex;
    /** Uploads whose bytes lie in the place too. */
    uploads?: Pick<UploadStore, "findUpload">;
    context: ServerContext;
    room: BlobRoom;
    onDiskFailure?: () => void;
  }) {
    this.#uploads = params.uploads;
    this.#onDiskFailure = params.onDiskFailure ?? ((): void => undefined);
    this.#files = params.files;
    this.#index = params.index;
    this.#context = params.context;
    this.#room = params.room;
  }

  /**
   * Stores a blob. It is in its place, and in the index, when this resolves.
   * @throws Refusal `too_large`, `storage_full` or `unavailable`; whatever the stream throws when the upload breaks off.
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

  /** Finds a blob to read, `undefined` when there is none. */
  async find(blobId: Uint8Array): Promise<FoundBlob | undefined> {
    const known = await this.#index.findBlob({ blobId });
    if (known === undefined) return undefined;
    const blob = { blobId, ...known };
    const { place } = this.#files;
    return { sizeBytes: known.sizeBytes, isThere: () => place.has(blob), read: (range) => place.read(blob, range) };
  }

  /**
   * Removes blobs that nobody refers to and whose days are over; their bytes, where those cannot be reached now, with the next call. One call that
   * is under way does it for those that come meanwhile. Answers how many.
   */
  async expire(): Promise<number> {
    this.#expiring ??= this.#expireAll().finally(() => {
      this.#expiring = undefined;
    });
    return await this.#expiring;
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

  async #expireAll(): Promise<number> {
    let removed = 0;
    const { limits, dayBefore } = this.#context;
    const day = dayBefore(limits.unusedBlobDays) + limits.unusedBlobDays;
    // What is over is nobody's any more, whether or not its bytes can be removed now.
    for (let last = expiredAtOnce; last === expiredAtOnce; removed += last)
      last = (await this.#index.expireBlobs({ day, maxItems: expiredAtOnce })).length;
    try {
      await this.#files.removeLeaving();
    } catch (error) {
      // What is left goes with the next call.
      if (!(error instanceof Refusal)) throw error;
    }
    return removed;
  }

  async #forgetAll(): Promise<number> {
    const today = dayOf(this.#context.nowMs());
    if (today === this.#forgottenDay) return 0;
    let [count, isComplete] = [0, true];
    for await (const file of this.#files.place.dated(today)) {
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
   * Removes what lies in the place and no row knows: a crash between the two left it, and nobody was told of it. One after the other, in
   * between other work. Answers how many. @throws StoreError when the store closes meanwhile; Refusal `unavailable`
   */
  async removeOrphans(): Promise<number> {
    let removed = 0;
    for await (const orphan of this.#orphans()) if (await this.#files.removeUnknown(orphan)) removed += 1;
    return removed;
  }

  /**
   * What `removeOrphans` would remove, the first thousands of it. Where other processes put blobs into the place too, one of them may be about
   * to give it a row: it is to be removed a good while later. @throws as `removeOrphans`
   */
  async findOrphans(): Promise<Orphan[]> {
    const found: Orphan[] = [];
    for await (const orphan of this.#orphans()) if (found.push(orphan) === orphansAtOnce) break;
    return found;
  }

  /** Removes of these what still no row knows. Answers how many. @throws as `removeOrphans` */
  async removeFound(orphans: readonly Orphan[]): Promise<number> {
    let removed = 0;
    for (const orphan of orphans) if (await this.#files.removeUnknown(orphan)) removed += 1;
    return removed;
  }

  async *#orphans(): AsyncGenerator<Orphan> {
    const { place } = this.#files;
    for await (const { key, blobId, sha256, isOfUpload = false } of place.list()) {
      if (isOfUpload) {
        if ((await this.#uploads?.findUpload({ name: blobId })) === undefined) yield { key, blobId };
        continue;
      }
      const known = await this.#index.findBlob({ blobId });
      if (known === undefined || place.keyOf({ blobId, sha256: known.sha256 }) !== key) yield { key, blobId, sha256 };
    }
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
