import { equalBytes } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { BlobIndex } from "../store/store.ts";
import type { BlobPlace, NamedBytes } from "./blob-place.ts";
import { withFile } from "./disk-writes.ts";
import { FolderBlobs } from "./folder-blobs.ts";

/** What became of an upload: stored, already there with the same bytes, or there with others (blobs never change). */
export type PutOutcome = "created" | "same" | "different";

/** A file that holds all of a blob, and is on disk. */
export interface WholeFile {
  readonly path: string;
  readonly sha256: Uint8Array;
  readonly sizeBytes: number;
}

/** Where what comes lies until it is whole, and the one way by which a whole file becomes a blob in its place, however its bytes came. */
export class BlobFiles {
  /** The folder of it all on this disk. */
  readonly directory: string;
  /** The folder of what is no blob yet. */
  readonly uploads: string;
  /** Where what is a blob lies. */
  readonly place: BlobPlace;
  readonly #index: BlobIndex;
  /** Times are set to the day of this, in milliseconds. */
  readonly #dayTime: () => Date;
  /** What is done to a blob now, by its id. */
  readonly #under = new Map<string, Promise<unknown>>();
  /** What is no blob any more and could not be removed yet: keys of the place. */
  readonly #unremoved = new Map<string, Uint8Array>();

  /** @param params.place where blobs lie in place of the folder */
  constructor(params: { directory: string; index: BlobIndex; dayTime: () => Date; place?: BlobPlace | undefined }) {
    this.directory = params.directory;
    this.uploads = uploadsOf(params.directory);
    this.place = params.place ?? new FolderBlobs(params.directory, (path) => this.settleFolder(path));
    this.#index = params.index;
    this.#dayTime = params.dayTime;
  }

  /** A free path beside the uploads: what lies there goes with the next start. */
  temporary(): string {
    return join(this.uploads, randomBytes(temporaryBytes).toString("hex"));
  }

  /**
   * Makes a blob of a whole file: its bytes are in their place and it has its row when this resolves, unless there is one already. The file
   * keeps its path as well, and is the caller's to remove. @throws StoreError, the system's error, Refusal `unavailable`
   */
  async keep(blobId: Uint8Array, file: WholeFile, expiresDay: number): Promise<PutOutcome> {
    return await this.keepBy({ ...file, blobId }, expiresDay, (blob) => this.place.keep(blob, file.path));
  }

  /** The same of bytes that `put` brings to their place, however they lie before. @throws as `keep`, and what `put` throws */
  async keepBy(
    { blobId, sha256, sizeBytes }: NamedBytes,
    expiresDay: number,
    put: (blob: NamedBytes) => Promise<void>,
  ): Promise<PutOutcome> {
    const blob = { blobId, sha256, sizeBytes };
    return await this.alone(blobId, async () => {
      const known = await this.#index.findBlob({ blobId });
      // One whose bytes were lost is whole again with the same ones: whoever has them may bring them back.
      const isLost = known !== undefined && equalBytes(known.sha256, sha256) && !(await this.place.has(blob));
      if (known === undefined || isLost) await put(blob);
      const { kind } = await this.#index.addBlob({ ...blob, expiresDay });
      if (kind === "added") return "created";
      // Another server was first: nothing names what was just put there.
      if (kind === "different" && known === undefined) await this.#removeNow(blob);
      return kind;
    });
  }

  /** Removes what lies in the place under a key, unless it is the blob that the index knows. Answers whether it did. @throws Refusal */
  async removeUnknown(key: string, blobId: Uint8Array): Promise<boolean> {
    // After an upload of it that is under way.
    return await this.alone(blobId, () => this.#remove(key, blobId));
  }

  /** What the index knows no more goes from its place with `removeExpired`, now or when the place can be reached again. */
  expired(blob: Pick<NamedBytes, "blobId" | "sha256">): void {
    this.#unremoved.set(this.place.keyOf(blob), blob.blobId);
  }

  /** Removes what is to be removed. @throws Refusal `unavailable`, the system's error; what is left is tried again the next time */
  async removeExpired(): Promise<void> {
    for (const [key, blobId] of this.#unremoved) {
      await this.removeUnknown(key, blobId);
      this.#unremoved.delete(key);
    }
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

  async #removeNow(blob: NamedBytes): Promise<void> {
    this.expired(blob);
    const key = this.place.keyOf(blob);
    try {
      await this.#remove(key, blob.blobId);
      this.#unremoved.delete(key);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  async #remove(key: string, blobId: Uint8Array): Promise<boolean> {
    const known = await this.#index.findBlob({ blobId });
    if (known !== undefined && this.place.keyOf({ blobId, sha256: known.sha256 }) === key) return false;
    await this.place.remove(key);
    return true;
  }
}

const temporaryBytes = 16;

/** The folder of what is no blob yet, in a folder of blobs. */
export function uploadsOf(directory: string): string {
  return join(directory, "uploads");
}
