import { equalBytes } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { BlobBytes, BlobIndex } from "../store/store.ts";
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
    const isMade = await this.alone(blobId, async () => {
      const known = await this.#index.findBlob({ blobId });
      // One whose bytes were lost is whole again with the same ones: whoever has them may bring them back.
      const isLost = known !== undefined && equalBytes(known.sha256, sha256) && !(await this.place.has(blob));
      if (known === undefined || isLost) await put(blob);
      const { kind } = await this.#index.addBlob({ ...blob, expiresDay });
      if (kind === "leaving") throw new Refusal("unavailable", leavingMs);
      // Another server may have removed such bytes, which were no blob's, since they came. Now that they have their row nobody does.
      if (kind === "added" && !(await this.place.has(blob))) await put(blob);
      // Another server was first: nothing names what was just put there.
      if (kind === "different" && known === undefined) await this.#remove(blob).catch(unlessRefused);
      return kind;
    });
    return isMade === "added" ? "created" : isMade;
  }

  /** Removes what lies in the place and the index does not know, unless it does by now. Answers whether it did. @throws Refusal */
  async removeUnknown({ key, blobId, sha256 }: UnknownBytes): Promise<boolean> {
    // After an upload of it that is under way.
    return await this.alone(blobId, async () => {
      if (sha256 !== undefined) return await this.#remove({ blobId, sha256 });
      // Of what has no hash in its name all is this process's.
      if ((await this.#index.findBlob({ blobId })) !== undefined) return false;
      await this.place.remove(key);
      return true;
    });
  }

  /**
   * Removes bytes that are leaving: of blobs that expired, and what could not be removed before, by whichever process. One that the place refuses
   * holds up no other. @throws Refusal `unavailable`, the system's error; what is left is tried again the next time
   */
  async removeLeaving(): Promise<void> {
    for (let progress = leavingAtOnce; progress > 0;) {
      const taker = newTaker();
      const leaving = await this.#index.takeLeaving({ taker, maxItems: leavingAtOnce });
      const { left, refused } = await this.#removeAll(leaving);
      progress = left.length === 0 ? 0 : await this.#index.dropLeft({ taker, blobs: left });
      if (refused !== undefined && (progress === 0 || leaving.length < leavingAtOnce)) throw refused;
      if (leaving.length < leavingAtOnce) return;
    }
  }

  async #removeAll(leaving: readonly BlobBytes[]): Promise<{ readonly left: readonly BlobBytes[]; readonly refused: Refusal | undefined }> {
    const left: BlobBytes[] = [];
    let [refused, refusals]: [Refusal | undefined, number] = [undefined, 0];
    for (const bytes of leaving) {
      try {
        await this.alone(bytes.blobId, () => this.#removeLeaving(bytes));
        left.push(bytes);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        [refused, refusals] = [error, refusals + 1];
        // It is away, and nothing can go.
        if (refusals === mostRefused) break;
      }
    }
    return { left, refused };
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

  /** A server of the version before asks for nothing that is leaving: it may have made a blob of it. */
  async #removeLeaving({ blobId, sha256 }: BlobBytes): Promise<void> {
    const known = await this.#index.findBlob({ blobId });
    if (known === undefined || !equalBytes(known.sha256, sha256)) await this.place.remove(this.place.keyOf({ blobId, sha256 }));
  }

  /** What the place refuses to remove goes with `removeLeaving`. */
  async #remove({ blobId, sha256 }: BlobBytes): Promise<boolean> {
    const taker = newTaker();
    if (!(await this.#index.leaveBytes({ blobId, sha256, taker }))) return false;
    await this.place.remove(this.place.keyOf({ blobId, sha256 }));
    await this.#index.dropLeft({ taker, blobs: [{ blobId, sha256 }] });
    return true;
  }
}

const temporaryBytes = 16;
const takerBytes = 16;
/** Bytes that are removed before it is written down that they are. */
const leavingAtOnce = 100;
/** So many that a place refuses to remove are taken for a place that removes none now. */
const mostRefused = 8;
/** When whoever brings bytes that are being removed comes again. */
const leavingMs = 5000;

/** What lies in a place and no row knows: `sha256` where its name there has it. */
export interface UnknownBytes {
  readonly key: string;
  readonly blobId: Uint8Array;
  readonly sha256?: Uint8Array | undefined;
}

function newTaker(): Uint8Array {
  return new Uint8Array(randomBytes(takerBytes));
}

/** What is left is removed later. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
}

/** The folder of what is no blob yet, in a folder of blobs. */
export function uploadsOf(directory: string): string {
  return join(directory, "uploads");
}
