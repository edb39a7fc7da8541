import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { Readable } from "node:stream";
import type { Bucket } from "../s3/bucket.ts";
import type { UploadStore } from "../store/upload-store.ts";
import type { BlobPlace, ListedBlob, NamedBytes } from "./blob-place.ts";
import type { DatedFile } from "./blob-times.ts";
import type { BucketRun } from "./bucket-run.ts";
import type { BucketWatch } from "./bucket-watch.ts";
import { shardOf } from "./folder-blobs.ts";
import { uploadOf, uploadsFolder } from "./upload-pieces.ts";

/** Files that are put at once: of each a part is in memory. */
const putsAtOnce = 8;
const keyPattern = /^[0-9a-f]{2}\/([\w-]{43})\.([\w-]{43})$/;

/**
 * A bucket of blobs. Nothing is put there, looked for or removed before it is known to be this server's. The key of an object has the blob's
 * id and the hash of its bytes, so that two who bring other bytes for one id never write to one object, whatever the bucket does with two
 * writers: the row says which object is the blob.
 */
export class BucketBlobs implements BlobPlace {
  readonly #bucket: Bucket;
  readonly #watch: BucketWatch;
  readonly #run: Pick<BucketRun, "requireAlone"> | undefined;
  readonly #uploads: Pick<UploadStore, "findUpload"> | undefined;
  /** Keys that are put now. */
  readonly #putting = new Set<string>();
  readonly #waiting: (() => void)[] = [];

  /**
   * @param run says when something may be removed; `undefined` where nobody else can have the bucket
   * @param uploads those that go on; `undefined` where none does
   */
  constructor(bucket: Bucket, watch: BucketWatch, run?: Pick<BucketRun, "requireAlone">, uploads?: Pick<UploadStore, "findUpload">) {
    this.#bucket = bucket;
    this.#watch = watch;
    this.#run = run;
    this.#uploads = uploads;
  }

  keyOf({ blobId, sha256 }: Pick<NamedBytes, "blobId" | "sha256">): string {
    return `${shardOf(blobId)}/${toBase64Url(blobId)}.${toBase64Url(sha256)}`;
  }

  async has(blob: NamedBytes): Promise<boolean> {
    await this.#watch.verify();
    return await this.#watch.ask("read", async () => (await this.#bucket.size(this.keyOf(blob))) === blob.sizeBytes);
  }

  async keep(blob: NamedBytes, path: string): Promise<void> {
    const isFree = this.#putting.size < putsAtOnce;
    if (!isFree) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const key = this.keyOf(blob);
    this.#putting.add(key);
    try {
      // Who waited for others that failed does not wait for the same.
      if (!isFree) this.#watch.check("write");
      await this.#watch.verify();
      await this.#watch.ask("write", () => this.#bucket.putFile(key, path));
    } finally {
      this.#putting.delete(key);
      this.#waiting.shift()?.();
    }
  }

  async read(blob: NamedBytes, range: { readonly first: number; readonly last: number }): Promise<Readable | undefined> {
    await this.#watch.verify();
    return await this.#watch.ask("read", async () => {
      const pieces = await this.#bucket.readRange(this.keyOf(blob), { ...range, size: blob.sizeBytes });
      // One that has begun ends the connection with itself, and what does not begin is no answer yet.
      return pieces === undefined ? undefined : streamOf(await pieces.next(), pieces, (error) => this.#watch.failed("read", error));
    });
  }

  async remove(key: string): Promise<void> {
    await this.#watch.verify();
    this.#run?.requireAlone();
    await this.#watch.ask("remove", () => this.#bucket.remove(key));
  }

  /** One shard after the other, page by page, for whoever would remove something of it. */
  async *list(): AsyncGenerator<ListedBlob> {
    await this.#watch.verify();
    this.#run?.requireAlone();
    // A kill left parts that take room. Not every bucket lists them; its own rule ends them then (docs/operations.md).
    await this.#bucket.breakOffUploads("", (key, upload) => this.#isUnderWay(key, upload)).catch(() => undefined);
    for (let shard = 0; shard < 256; shard++) {
      for await (const key of this.#keys(`${shardOf(Uint8Array.of(shard))}/`)) {
        const [, name, hash] = keyPattern.exec(key) ?? [];
        const [blobId, sha256] = [idOf(name), idOf(hash)];
        if (blobId !== undefined && sha256 !== undefined) yield { key, blobId, sha256 };
      }
    }
    for await (const key of this.#keys(uploadsFolder)) {
      const blobId = idOf(uploadOf(key));
      if (blobId !== undefined) yield { key, blobId, isOfUpload: true };
    }
  }

  async *#keys(prefix: string): AsyncGenerator<string> {
    const pages = this.#bucket.pages(prefix);
    for (;;) {
      const { done, value } = await this.#watch.ask("list", () => pages.next());
      if (done === true) return;
      for (const { key } of value.objects) yield key;
    }
  }

  /** Whether this process puts that now, or it is what an upload goes on with. */
  async #isUnderWay(key: string, upload: string): Promise<boolean> {
    const name = idOf(uploadOf(key));
    if (name === undefined) return this.#putting.has(key);
    const row = await this.#uploads?.findUpload({ name });
    // One that was begun and is not written down yet: the next sweep looks again.
    return row !== undefined && (row.multipart === upload || row.stage === "coming");
  }

  /** Its times are the bucket's own, to the second (docs/threat-model.md). */
  async *dated(): AsyncGenerator<DatedFile> {}
}

/** A stream of what is there and of what follows, each piece as it is asked for. What goes wrong is what `failed` makes of it. */
function streamOf(first: IteratorResult<Uint8Array>, pieces: AsyncGenerator<Uint8Array>, failed: (error: unknown) => Error): Readable {
  let ready: IteratorResult<Uint8Array> | undefined = first;
  return new Readable({
    read() {
      const next = ready === undefined ? pieces.next() : Promise.resolve(ready);
      ready = undefined;
      next.then(
        ({ done, value }) => void this.push(done === true ? null : value),
        (error: unknown) => void this.destroy(failed(error)),
      );
    },
    destroy(error, done) {
      void leave(pieces);
      done(error);
    },
  });
}

/** Ends what is under way, without a word of how that ends. */
async function leave(pieces: AsyncGenerator<Uint8Array>): Promise<void> {
  await pieces.return(undefined).catch(() => undefined);
}

function idOf(name: string | undefined): Uint8Array | undefined {
  if (name === undefined) return undefined;
  try {
    const id = fromBase64Url(name);
    return id.length === 32 ? id : undefined;
  } catch {
    return undefined;
  }
}
