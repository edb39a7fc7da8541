import { toBase64Url, toHex } from "@latchkey/codec";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorCode, makePrivateFolder, namesIn, syncFolder } from "../files.ts";
import { fingerprint, linkOrCopy } from "./folders.ts";

/** A blob as the copied index knows it. */
interface BlobRow {
  readonly blob_id: Uint8Array;
  readonly sha256: Uint8Array;
  readonly size: number;
}

const shardPattern = /^[0-9a-f]{2}$/;

/**
 * Gives a copy the blobs of a data folder, first those that are there before the databases are copied, then those that came meanwhile: what
 * the copied index names was in one of the two, however housekeeping goes on. Blobs never change, so that a second name does as well as a copy.
 */
export class BlobCopy {
  readonly #from: string;
  readonly #to: string;
  /** The blobs of the backup before, in the same place. */
  readonly #before: string | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #copied = new Set<string>();

  constructor(params: { from: string; to: string; before: string | undefined; signal: AbortSignal | undefined }) {
    this.#from = params.from;
    this.#to = params.to;
    this.#before = params.before;
    this.#signal = params.signal;
  }

  /** Every blob that is there now. */
  async addAll(): Promise<void> {
    await makePrivateFolder(this.#to);
    for (const shard of (await namesIn(this.#from)).filter((name) => shardPattern.test(name))) {
      for (const name of await namesIn(join(this.#from, shard))) await this.#add(shard, name);
    }
  }

  /**
   * Brings the copy to what a copied index names: adds what is missing, removes what it does not name, and compares with it what was copied
   * and not linked. Answers their number and bytes, and how many of those that it names are missing or damaged: the rest is worth keeping.
   */
  async finish(database: string): Promise<{ count: number; bytes: number; missing: number }> {
    const index = new DatabaseSync(database, { readOnly: true });
    const named = new Set<string>();
    let [bytes, missing] = [0, 0];
    try {
      const rows = index.prepare("SELECT blob_id, sha256, size FROM blobs").iterate() as Iterable<unknown>;
      for (const row of rows as Iterable<BlobRow>) {
        const { shard, name } = placeOf(row.blob_id);
        await this.#add(shard, name);
        const path = join(this.#to, shard, name);
        if (!(await isWhole(path, row, this.#copied.has(path)))) {
          missing += 1;
          continue;
        }
        named.add(path);
        bytes += row.size;
      }
    } finally {
      index.close();
    }
    for (const shard of await namesIn(this.#to)) {
      for (const name of await namesIn(join(this.#to, shard))) {
        const path = join(this.#to, shard, name);
        if (!named.has(path)) await rm(path);
      }
      await syncFolder(join(this.#to, shard));
    }
    return { count: named.size, bytes, missing };
  }

  async #add(shard: string, name: string): Promise<void> {
    this.#signal?.throwIfAborted();
    const target = join(this.#to, shard, name);
    await makePrivateFolder(join(this.#to, shard));
    const sources = [this.#before, this.#from].filter((folder) => folder !== undefined);
    for (const folder of sources) {
      try {
        if ((await linkOrCopy(join(folder, shard, name), target)) === "copied") this.#copied.add(target);
        return;
      } catch (error) {
        if (errorCode(error) === "EEXIST") return;
        // Housekeeping removed it, or the backup before does not have it.
        if (errorCode(error) !== "ENOENT") throw error;
      }
    }
  }
}

/** Where the blob lies below the folder of blobs. */
function placeOf(blobId: Uint8Array): { shard: string; name: string } {
  return { shard: (blobId[0] ?? 0).toString(16).padStart(2, "0"), name: toBase64Url(blobId) };
}

async function isWhole(path: string, row: BlobRow, isCopied: boolean): Promise<boolean> {
  try {
    if ((await stat(path)).size !== row.size) return false;
    return !isCopied || (await fingerprint(path)).sha256 === toHex(row.sha256);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
