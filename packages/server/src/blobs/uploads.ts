import { equalBytes, toBase64Url } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal, StoreError } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { BlobIndex } from "../store/store.ts";
import { isDiskBroken, isDiskFull } from "./disk-writes.ts";
import type { BlobFiles, PutOutcome } from "./blob-files.ts";
import type { BlobRoom } from "./blob-room.ts";
import { HalfUpload, markEnding } from "./half-upload.ts";
import { Turns } from "./turns.ts";
import { UploadTable } from "./upload-table.ts";
import type { HeldUpload } from "./upload-table.ts";

/** Whole days that a half upload is kept after the one on which it was begun. */
export const uploadDays = 1;
const tokenBytes = 32;

/** What somebody who has the token of an upload is told. */
export interface UploadState {
  readonly blobId: Uint8Array;
  readonly sizeBytes: number;
  /** How many of them are on disk. With the last one the blob is there. */
  readonly offset: number;
  /** The day with whose beginning it goes, in days since 1970. */
  readonly expiresDay: number;
}

/**
 * What becomes of bytes that are sent: "elsewhere" where the upload goes on at another byte, "different" where the
 * blob has other bytes, and the upload is gone, "superseded" where a newer request for the same one is there.
 */
export type AppendOutcome =
  | { readonly kind: "taken"; readonly state: UploadState }
  | { readonly kind: "elsewhere" | "different" | "superseded" };

/**
 * Uploads in parts. Whoever has the token of one goes on with it, after a restart too: its bytes lie beside the blobs until the last has
 * come, and become a blob as those of one request do. The newest request is who is there: what was under way for the same upload is ended.
 */
export class Uploads {
  readonly #files: BlobFiles;
  readonly #index: BlobIndex;
  readonly #context: ServerContext;
  readonly #room: BlobRoom;
  readonly #onDiskFailure: () => void;
  readonly #onWhole: (outcome: PutOutcome) => void;
  readonly #table: UploadTable<HeldUpload>;
  #isClosed = false;

  private constructor(params: {
    files: BlobFiles;
    index: BlobIndex;
    context: ServerContext;
    room: BlobRoom;
    onDiskFailure: () => void;
    onWhole: (outcome: PutOutcome) => void;
  }) {
    this.#files = params.files;
    this.#index = params.index;
    this.#context = params.context;
    this.#room = params.room;
    this.#onDiskFailure = params.onDiskFailure;
    this.#onWhole = params.onWhole;
    this.#table = new UploadTable(params.context.limits);
  }

  /** Finds those that an earlier process left, and removes what else lies among them. @throws the system's error */
  static async open(params: {
    files: BlobFiles;
    index: BlobIndex;
    context: ServerContext;
    room: BlobRoom;
    onDiskFailure?: () => void;
    /** Told what became of each that was whole. */
    onWhole?: (outcome: PutOutcome) => void;
  }): Promise<Uploads> {
    const uploads = new Uploads({ onDiskFailure: () => undefined, onWhole: () => undefined, ...params });
    await uploads.#find();
    return uploads;
  }

  /** Begins one of so many bytes. @throws Refusal `too_large`, `storage_full`, `rate_limited`, or `conflict` where that blob has another size */
  async create(params: { blobId: Uint8Array; sizeBytes: number; address: string }): Promise<{ token: string; state: UploadState }> {
    const { blobId, sizeBytes, address } = params;
    if (sizeBytes > this.#context.limits.maxFileBytes) throw new Refusal("too_large");
    const token = newToken();
    const name = nameOf(token);
    const gone = this.#table.reserve(name, address);
    try {
      for (const each of gone) await each.turns.run(() => this.#discard(each));
      const known = await this.#index.findBlob({ blobId });
      if (known !== undefined && known.sizeBytes !== sizeBytes) throw new Refusal("conflict");
      const room = await this.#room.open(sizeBytes);
      const day = dayOf(this.#context.nowMs());
      const upload = await HalfUpload.create(this.#files, name, { blobId, sizeBytes, day });
      const held = this.#table.fill(name, (place) => ({ ...place, upload, room, turns: new Turns(), countedBytes: 0 }));
      if (sizeBytes === 0 && (await this.#finish(held)) === "different") throw new Refusal("conflict");
      return { token, state: stateOf(held.upload, 0) };
    } catch (error) {
      this.#table.release(name);
      throw this.#refusalOf(error);
    }
  }

  /** How far one has come; `undefined` where there is none. Ends what is under way for it. */
  async look(token: string): Promise<UploadState | undefined> {
    return await this.#with(token, async (held) => {
      if (!(await this.#prepare(held))) return undefined;
      const { upload } = held;
      if (upload.offset === upload.sizeBytes && (await this.#finish(held)) === "different") return undefined;
      return stateOf(upload, upload.offset);
    });
  }

  /**
   * Takes in bytes from `offset` on; what came is kept however it ends. `end` ends the request that they come by, at once. `undefined` where
   * there is no such upload. @throws Refusal `too_large`, `storage_full`; whatever the stream throws
   */
  async append(
    token: string,
    params: { offset: number; content: AsyncIterable<readonly Uint8Array[]>; end: () => void },
  ): Promise<AppendOutcome | undefined> {
    const { offset, content, end } = params;
    return await this.#with(
      token,
      async (held, isNewest): Promise<AppendOutcome | undefined> => {
        if (!isNewest) return { kind: "superseded" };
        if (!(await this.#prepare(held))) return undefined;
        const { upload, room } = held;
        if (upload.offset !== offset) return { kind: "elsewhere" };
        if (offset < upload.sizeBytes) {
          await this.#room.check();
          await upload.append(content, room);
        }
        if (upload.offset === upload.sizeBytes && (await this.#finish(held)) === "different") return { kind: "different" };
        return { kind: "taken", state: stateOf(upload, upload.offset) };
      },
      end,
    );
  }

  /** Removes one; a blob that it became stays. Answers whether there was one. */
  async remove(token: string): Promise<boolean> {
    const isGone = await this.#with(token, async (held) => {
      await this.#remove(held);
      return true;
    });
    return isGone ?? false;
  }

  /** Removes those whose time is over. Answers how many. */
  async expire(): Promise<number> {
    const before = this.#context.dayBefore(uploadDays);
    let count = 0;
    for (const held of this.#table.all().filter(({ upload }) => upload.day < before)) {
      await held.turns.run(() => this.#remove(held));
      count += 1;
    }
    return count;
  }

  /** How many are not whole, and how many bytes of them have come. */
  unfinished(): { readonly uploads: number; readonly bytes: number } {
    const half = this.#table.all().filter(({ isDone }) => !isDone);
    return { uploads: half.length, bytes: half.reduce((sum, { countedBytes, upload }) => sum + Math.max(countedBytes, upload.offset), 0) };
  }

  /** Ends what is under way; what came is on disk when this resolves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#table.all().map(({ turns }) => turns.run(() => Promise.resolve())));
  }

  async #find(): Promise<void> {
    const { uploads } = this.#files;
    await mkdir(uploads, { recursive: true, mode: 0o700 });
    await this.#files.settleFolder(this.#files.directory);
    const names = new Set(await readdir(uploads));
    const today = dayOf(this.#context.nowMs());
    const withoutBytes: HeldUpload[] = [];
    for (const name of names) {
      const base = name.endsWith(markEnding) ? name.slice(0, -markEnding.length) : name;
      const isMark = base !== name;
      if (!isMark && names.has(base + markEnding)) continue;
      const upload = isMark ? await HalfUpload.find(this.#files, base, today) : undefined;
      if (upload === undefined) {
        // What a PUT left that was interrupted, or a kill between the two files of one.
        await rm(join(uploads, base), { force: true, recursive: true });
        await rm(join(uploads, base + markEnding), { force: true, recursive: true });
        continue;
      }
      const storedBytes = await upload.storedBytes();
      const countedBytes = storedBytes ?? 0;
      const room = this.#room.found(countedBytes);
      const held = this.#table.found(base, (place) => ({ ...place, upload, room, turns: new Turns(), countedBytes }));
      if (storedBytes === undefined) withoutBytes.push(held);
    }
    await Promise.all(withoutBytes.map((held) => this.#withoutBytes(held)));
  }

  /** One whose bytes are not among the uploads: it became a blob, or is gone. */
  async #withoutBytes(held: HeldUpload): Promise<boolean> {
    const { upload } = held;
    const known = await this.#index.findBlob(upload);
    const { offset, sha256: hash } = upload.latest;
    const isBlob = known !== undefined && offset === upload.sizeBytes && known.sizeBytes === offset && equalBytes(known.sha256, hash);
    if (!isBlob) await this.#remove(held);
    else {
      upload.becameBlob();
      held.room.settle("known");
      this.#done(held);
    }
    return isBlob;
  }

  /** Looks at what an earlier process left, when somebody asks for it first. False where there is nothing to go on with. */
  async #prepare(held: HeldUpload): Promise<boolean> {
    const { upload } = held;
    if (held.isDone) return true;
    if ((await upload.storedBytes()) === undefined) return await this.#withoutBytes(held);
    await upload.prepare();
    if (held.countedBytes > 0) {
      held.room.settle("dropped");
      held.room = this.#room.found(upload.offset);
      held.countedBytes = 0;
    }
    return true;
  }

  /** All of it is there: it becomes the blob, unless that is there with other bytes. */
  async #finish(held: HeldUpload): Promise<"done" | "different"> {
    if (held.isDone) return "done";
    const { upload } = held;
    const expiresDay = dayOf(this.#context.nowMs()) + this.#context.limits.unusedBlobDays;
    const outcome = await this.#files.keep(upload.blobId, upload.whole(), expiresDay);
    this.#onWhole(outcome);
    if (outcome === "different") {
      await this.#remove(held);
      return "different";
    }
    held.room.settle(outcome === "created" ? "kept" : "known");
    await upload.removeBytes();
    this.#done(held);
    return "done";
  }

  #done(held: HeldUpload): void {
    for (const old of this.#table.done(held)) void old.upload.remove();
  }

  async #remove(held: HeldUpload): Promise<void> {
    if (this.#table.release(held.name)) await this.#discard(held);
  }

  async #discard(held: HeldUpload): Promise<void> {
    if (!held.isDone) held.room.settle("dropped");
    await held.upload.remove();
  }

  async #with<T>(
    token: string,
    run: (held: HeldUpload, isNewest: boolean) => Promise<T | undefined>,
    end?: () => void,
  ): Promise<T | undefined> {
    const name = nameOf(token);
    const held = this.#table.get(name);
    if (held === undefined) return undefined;
    try {
      return await held.turns.run(async (isNewest) => {
        if (this.#isClosed) throw new Refusal("shutting_down");
        // Unless it has gone meanwhile.
        return this.#table.get(name) === held ? await run(held, isNewest) : undefined;
      }, end);
    } catch (error) {
      throw this.#refusalOf(error);
    }
  }

  #refusalOf(error: unknown): unknown {
    return uploadRefusal(error, this.#onDiskFailure);
  }
}

/** What uploads do, wherever their bytes lie. */
export type UploadService = Pick<Uploads, keyof Uploads>;

/** What whoever brings bytes is told of an error. */
export function uploadRefusal(error: unknown, onDiskFailure: () => void): unknown {
  if (isDiskBroken(error)) onDiskFailure();
  return isDiskFull(error) || (error instanceof StoreError && error.code === "full") ? new Refusal("storage_full") : error;
}

/** A new secret, by which its holder goes on with an upload. */
export function newToken(): string {
  return toBase64Url(randomBytes(tokenBytes));
}

/** What is written down of a token: who reads that cannot go on with the upload. */
export function hashOfToken(token: string): Uint8Array {
  return sha256(new TextEncoder().encode(token));
}

function nameOf(token: string): string {
  return toBase64Url(hashOfToken(token));
}

/** What whoever has the token of an upload is told. */
export function stateOf(upload: Pick<HalfUpload, "blobId" | "sizeBytes" | "day">, offset: number): UploadState {
  const { blobId, sizeBytes, day } = upload;
  return { blobId, sizeBytes, offset, expiresDay: day + uploadDays + 1 };
}
