import { toBase64Url } from "@latchkey/codec";
import { access, link, mkdir, open, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { errorCode } from "../files.ts";
import type { BlobPlace, NamedBytes } from "./blob-place.ts";
import { exactlyDated } from "./blob-times.ts";
import type { DatedFile } from "./blob-times.ts";
import { storedBlobIds } from "./orphans.ts";

/** A folder of blobs, each in a file under its name, in one of 256 folders by its first byte. */
export class FolderBlobs implements BlobPlace {
  readonly #directory: string;
  readonly #settleFolder: (path: string) => Promise<void>;
  /** Folders of which it is on disk that they are there. */
  readonly #listed = new Set<string>();

  /** @param settleFolder puts on disk what a folder lists, and dates it */
  constructor(directory: string, settleFolder: (path: string) => Promise<void>) {
    this.#directory = directory;
    this.#settleFolder = settleFolder;
  }

  keyOf({ blobId }: Pick<NamedBytes, "blobId">): string {
    return join(shardOf(blobId), toBase64Url(blobId));
  }

  async has(blob: NamedBytes): Promise<boolean> {
    try {
      await access(this.#pathOf(blob));
      return true;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** A second name of the file: never over another one. */
  async keep(blob: NamedBytes, from: string): Promise<void> {
    const path = this.#pathOf(blob);
    const folder = join(this.#directory, shardOf(blob.blobId));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await link(from, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      // Left behind by a crash between file and index: nobody was told of it.
      await unlink(path);
      await link(from, path);
    }
    await this.#settleFolder(folder);
    if (this.#listed.has(folder)) return;
    // An earlier process may have made it, and ended before this was on disk.
    await this.#settleFolder(this.#directory);
    this.#listed.add(folder);
  }

  async read(blob: NamedBytes, { first, last }: { readonly first: number; readonly last: number }): Promise<Readable | undefined> {
    try {
      const file = await open(this.#pathOf(blob), "r");
      return file.createReadStream({ start: first, end: last });
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#directory, key), { force: true });
  }

  async *list(): AsyncGenerator<{ readonly key: string; readonly blobId: Uint8Array }> {
    for await (const blobId of storedBlobIds(this.#directory)) yield { key: this.keyOf({ blobId }), blobId };
  }

  dated(today: number): AsyncIterable<DatedFile> {
    return exactlyDated(this.#directory, today);
  }

  #pathOf(blob: Pick<NamedBytes, "blobId">): string {
    return join(this.#directory, this.keyOf(blob));
  }
}

/** The folder of a blob, in hexadecimal; what the keys of a bucket begin with too. */
export function shardOf(blobId: Uint8Array): string {
  return (blobId[0] ?? 0).toString(16).padStart(2, "0");
}
