import { toBase64Url } from "@latchkey/codec";
import { createHash } from "node:crypto";
import type { Bucket, PutPart } from "../s3/bucket.ts";
import type { NamedBytes } from "./blob-place.ts";
import type { BucketBlobs } from "./bucket-blobs.ts";
import type { BucketRun } from "./bucket-run.ts";
import type { BucketWatch } from "./bucket-watch.ts";
import { uploadOf, uploadsFolder } from "./upload-pieces.ts";

/** S3 takes none that is shorter, but for the last, and what is longer is longer in memory. */
const maxPartBytes = 8_388_608;
/** Parts that are put at once: each is in memory. */
const putsAtOnce = 4;
/** An object of an upload that is made of parts: which upload, and what the bucket calls it. */
export interface PartedObject {
  readonly name: Uint8Array;
  readonly multipart: string;
}

/**
 * The bytes of uploads in a bucket of blobs, until they are blobs: pieces that are objects of their own, and one object that is made of parts. Each throws
 * Refusal `unavailable` where the bucket cannot be used now.
 */
export class BucketParts {
  readonly #bucket: Bucket;
  readonly #watch: BucketWatch;
  readonly #run: Pick<BucketRun, "requireAlone"> | undefined;
  readonly #blobs: Pick<BucketBlobs, "keyOf">;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(params: {
    bucket: Bucket;
    watch: BucketWatch;
    run?: Pick<BucketRun, "requireAlone"> | undefined;
    blobs: Pick<BucketBlobs, "keyOf">;
  }) {
    this.#bucket = params.bucket;
    this.#watch = params.watch;
    this.#run = params.run;
    this.#blobs = params.blobs;
  }

  /** From how many bytes on they are a part. */
  get partBytes(): number {
    return Math.min(maxPartBytes, this.#bucket.partBytes);
  }

  /** Does something that has a part in memory, when it is its turn. */
  async withRoom<T>(run: () => Promise<T>): Promise<T> {
    if (this.#busy < putsAtOnce) this.#busy += 1;
    // Whoever leaves gives it their room.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }

  async putPiece(name: Uint8Array, number: number, bytes: Uint8Array): Promise<void> {
    await this.#ask("write", () => this.#bucket.put(pieceKey(name, number), bytes));
  }

  /** The bytes of a piece; `undefined` where it is not there, or is not so long. */
  async readPiece(name: Uint8Array, { number, sizeBytes }: { number: number; sizeBytes: number }): Promise<Uint8Array | undefined> {
    const bytes = await this.#ask("read", () => this.#bucket.get(pieceKey(name, number), sizeBytes));
    return bytes?.length === sizeBytes ? bytes : undefined;
  }

  /** Begins the object that is made of parts. Answers what the bucket calls that. */
  async begin(name: Uint8Array): Promise<string> {
    return await this.#ask("write", () => this.#bucket.beginParts(wholeKey(name)));
  }

  /** Takes back what `begin` began, and nobody knows of. */
  async breakOff({ name, multipart }: PartedObject): Promise<void> {
    await this.#ask("remove", () => this.#bucket.breakOffParts(wholeKey(name), multipart));
  }

  /** Answers the part's tag; `undefined` where its object is not begun any more. */
  async putPart({ name, multipart }: PartedObject, number: number, bytes: Uint8Array): Promise<string | undefined> {
    return await this.#ask("write", () => this.#bucket.putPart(wholeKey(name), { upload: multipart, number, bytes }));
  }

  /** Makes the object of its parts, now or before. False where it cannot be made any more. */
  async join({ name, multipart }: PartedObject, parts: readonly PutPart[], sizeBytes: number): Promise<boolean> {
    const joined = await this.#ask("write", () => this.#bucket.joinParts(wholeKey(name), { upload: multipart, parts, sizeBytes }));
    // Somebody else joined them, or the answer was lost.
    return joined || (await this.#ask("read", () => this.#bucket.size(wholeKey(name)))) === sizeBytes;
  }

  /** The SHA-256 of the object that was made of parts, which is read for it; `undefined` where it is not there. */
  async hashOf(name: Uint8Array, sizeBytes: number): Promise<Uint8Array | undefined> {
    return await this.#ask("read", async () => {
      const range = { first: 0, last: sizeBytes - 1, size: sizeBytes };
      const pieces = await this.#bucket.readRange(wholeKey(name), range);
      if (pieces === undefined) return undefined;
      const hash = createHash("sha256");
      for await (const piece of pieces) hash.update(piece);
      return new Uint8Array(hash.digest());
    });
  }

  /** Makes the object that was made of parts the bytes of a blob. False where it is not there. */
  async copyTo(blob: NamedBytes, name: Uint8Array): Promise<boolean> {
    return await this.#ask("write", () => this.#bucket.copy(wholeKey(name), this.#blobs.keyOf(blob), blob.sizeBytes));
  }

  /** Puts the bytes of a blob that are in memory. */
  async putBlob(blob: NamedBytes, bytes: Uint8Array): Promise<void> {
    await this.#ask("write", () => this.#bucket.put(this.#blobs.keyOf(blob), bytes));
  }

  async removePieces(name: Uint8Array, numbers: readonly number[]): Promise<void> {
    this.#run?.requireAlone();
    for (const number of numbers) await this.#ask("remove", () => this.#bucket.remove(pieceKey(name, number)));
  }

  /** Removes all that lies there of an upload, blobs apart. @throws Refusal `unavailable` also where it is not known that this may be */
  async clear({ name, multipart }: PartedObject): Promise<void> {
    this.#run?.requireAlone();
    const keys = await this.#ask("list", () => this.#keysOf(name));
    for (const key of keys) await this.#ask("remove", () => this.#bucket.remove(key));
    if (multipart !== "") await this.breakOff({ name, multipart });
  }

  /** Of what the bucket lists what can be of this upload: as many as it has numbers, whatever it lists besides. */
  async #keysOf(name: Uint8Array): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for await (const { objects } of this.#bucket.pages(folderOf(name)))
      for (const { key } of objects) if (uploadOf(key) === toBase64Url(name)) keys.add(key);
    return keys;
  }

  async #ask<T>(work: "read" | "write" | "remove" | "list", run: () => Promise<T>): Promise<T> {
    await this.#watch.verify();
    return await this.#watch.ask(work, run);
  }
}

function folderOf(name: Uint8Array): string {
  return `${uploadsFolder}${toBase64Url(name)}/`;
}

function pieceKey(name: Uint8Array, number: number): string {
  return folderOf(name) + String(number);
}

function wholeKey(name: Uint8Array): string {
  return `${folderOf(name)}whole`;
}
