import { concatBytes } from "@latchkey/codec";
import { createHash, randomBytes } from "node:crypto";
import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { rm } from "node:fs/promises";
import { Refusal } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { StoredUpload, UploadProgress, UploadStore } from "../store/upload-store.ts";
import type { BlobFiles, PutOutcome } from "./blob-files.ts";
import type { NamedBytes } from "./blob-place.ts";
import type { TakenRoom } from "./blob-room.ts";
import type { BucketParts } from "./bucket-parts.ts";
import { withFile, writeAllAt } from "./disk-writes.ts";
import { decodePieces, encodePieces, lastNumber } from "./upload-pieces.ts";
import type { UploadPiece } from "./upload-pieces.ts";

const writerBytes = 16;
/** Pieces that wait to become a part with others. One more makes one of them: who sends crumbs has few objects for it. */
const maxWaiting = 64;

/** The upload is another request's by now, here or at another node. */
export class SupersededUpload extends Error {
  override readonly name: string = "SupersededUpload";
}

/** What came of the upload is not in the bucket any more, or it came in too many pieces: nobody can go on with it. */
export class LostUpload extends Error {
  override readonly name: string = "LostUpload";
}

/** The hash of the first bytes of an upload, so many that are stored. */
export interface RunningHash {
  readonly hash: Hash;
  readonly bytes: number;
}

/** What claimed uploads are made with. */
export interface UploadParts {
  readonly store: UploadStore;
  readonly parts: BucketParts;
  readonly files: BlobFiles;
  /** The day until which a blob of now is kept without an entry. */
  readonly expiresDay: () => number;
  /** Objects of an upload that are needed no more. */
  readonly drop: (name: Uint8Array, numbers: readonly number[]) => void;
}

/**
 * An upload in a bucket as the one request has it that claimed it last. What it stores counts once the row says so, and the row is changed by
 * nobody else: whoever claims it meanwhile, at whichever node, ends that. Each object that it puts has a number that nobody else has.
 * All throw SupersededUpload, LostUpload, StoreError, Refusal `unavailable`, and the system's error.
 */
export class ClaimedUpload {
  readonly #made: UploadParts;
  readonly #writer: Uint8Array;
  #row: StoredUpload;
  #pieces: readonly UploadPiece[];
  /** Of its stored bytes, where this process saw all of them. */
  #hash: RunningHash | undefined;
  #isNumberUsed = false;
  /** What became of it once it was whole. */
  #outcome: PutOutcome | undefined;

  private constructor(made: UploadParts, claimed: { writer: Uint8Array; row: StoredUpload; hash: RunningHash | undefined }) {
    this.#made = made;
    this.#writer = claimed.writer;
    this.#row = claimed.row;
    this.#pieces = decodePieces(claimed.row.pieces);
    this.#hash = claimed.hash?.bytes === claimed.row.takenBytes ? claimed.hash : undefined;
    if (claimed.row.takenBytes === 0) this.#hash = { hash: createHash("sha256"), bytes: 0 };
  }

  /** Claims one, to write to it or not; `undefined` where there is none, or it has ended. */
  static async claim(
    made: UploadParts,
    params: { name: Uint8Array; isToWrite: boolean; hash?: RunningHash | undefined },
  ): Promise<ClaimedUpload | undefined> {
    const { name, isToWrite, hash } = params;
    const writer = new Uint8Array(randomBytes(writerBytes));
    const row = await made.store.claimUpload({ name, writer, numbers: isToWrite ? 1 : 0 });
    return row === undefined ? undefined : new ClaimedUpload(made, { writer, row, hash });
  }

  get row(): StoredUpload {
    return this.#row;
  }

  get hash(): RunningHash | undefined {
    return this.#hash;
  }

  /** Whether its last byte has come. */
  get isAllThere(): boolean {
    return this.#row.takenBytes === this.#row.sizeBytes || this.#outcome !== undefined;
  }

  /** What became of it, where this request made it whole. */
  get outcome(): PutOutcome | undefined {
    return this.#outcome;
  }

  /** Takes in what comes, in portions, by a file on this disk. What came is stored when this settles, also where the stream breaks off. @throws Refusal `too_large`, `storage_full` */
  async append(content: AsyncIterable<readonly Uint8Array[]>, room: TakenRoom): Promise<void> {
    const temporary = this.#made.files.temporary();
    try {
      await withFile(temporary, "wx+", (file) => this.#receive(file, content, room));
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** All of it is there: it becomes the blob, unless that is there with other bytes. */
  async finish(): Promise<PutOutcome> {
    if (this.#row.stage === "coming" && this.#outcome === undefined) {
      if (this.#pieces.length === 0) await this.#becomeOf(new Uint8Array());
      else await this.#join();
    }
    return this.#outcome ?? "same";
  }

  /** Nobody goes on with it: its bytes go with `clear`. */
  async end(): Promise<void> {
    if (this.#row.stage !== "ended") await this.#save({ stage: "ended" });
  }

  /** Removes what lies in the bucket beside the blob, and, where it has ended, the row. */
  async clear(): Promise<void> {
    const { name, stage } = this.#row;
    // What was joined is not in parts any more.
    const isJoined = stage === "whole" && this.#pieces.some(({ tag }) => tag !== "");
    if (this.#row.nextNumber > 0) await this.#made.parts.clear({ name, multipart: isJoined ? "" : this.#row.multipart });
    if (stage === "ended") await this.#made.store.removeUpload({ name, writer: this.#writer });
    else await this.#save({ multipart: "", nextNumber: 0 });
  }

  async #receive(file: FileHandle, content: AsyncIterable<readonly Uint8Array[]>, room: TakenRoom): Promise<void> {
    const hash = this.#hash?.hash.copy();
    let position = 0;
    const keep = async (): Promise<void> => {
      const bytes = position;
      position = 0;
      await this.#keep(file, bytes, hash).catch((error: unknown) => {
        room.giveBack(bytes);
        throw error;
      });
    };
    try {
      for await (const portion of content) {
        const bytes = portion.reduce((sum, { length }) => sum + length, 0);
        if (this.#row.takenBytes + position + bytes > this.#row.sizeBytes) throw new Refusal("too_large");
        room.take(bytes);
        await writeAllAt(file, portion, position).catch((error: unknown) => {
          room.giveBack(bytes);
          throw error;
        });
        for (const chunk of portion) hash?.update(chunk);
        position += bytes;
        if (this.#waitingBytes + position >= this.#made.parts.partBytes) await keep();
      }
    } finally {
      if (position > 0) await keep();
    }
  }

  get #waiting(): readonly UploadPiece[] {
    return this.#pieces.filter(({ tag }) => tag === "");
  }

  get #waitingBytes(): number {
    return this.#waiting.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Stores the first bytes of a file behind what is there. */
  async #keep(file: FileHandle, bytes: number, hash: Hash | undefined): Promise<void> {
    await this.#made.parts.withRoom(async () => {
      const parted = this.#pieces.filter(({ tag }) => tag !== "");
      const waiting = this.#waiting;
      const isLast = this.#row.takenBytes + bytes === this.#row.sizeBytes;
      const isPart = this.#waitingBytes + bytes >= this.#made.parts.partBytes || (isLast && parted.length > 0);
      const isWhole = isLast && parted.length === 0;
      const isJoined = isPart || isWhole || waiting.length >= maxWaiting;
      const came = await readFirst(file, bytes);
      const body = isJoined ? concatBytes(...(await this.#read(waiting)), came) : came;
      if (isWhole) {
        await this.#becomeOf(body);
        return;
      }
      const piece = isPart ? await this.#putPart(body) : await this.#putPiece(body);
      await this.#save({
        takenBytes: this.#row.takenBytes + bytes,
        pieces: encodePieces([...(isJoined ? parted : this.#pieces), piece]),
      });
      this.#hash = hash === undefined ? undefined : { hash: hash.copy(), bytes: this.#row.takenBytes };
      if (isJoined && waiting.length > 0)
        this.#made.drop(
          this.#row.name,
          waiting.map(({ number }) => number),
        );
    });
  }

  async #read(pieces: readonly UploadPiece[]): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (const piece of pieces) {
      const bytes = await this.#made.parts.readPiece(this.#row.name, piece);
      if (bytes === undefined) throw await this.#lost();
      found.push(bytes);
    }
    return found;
  }

  /** Somebody who went on with it meanwhile may have taken away what this one looked for. */
  async #lost(): Promise<Error> {
    await this.#save({});
    return new LostUpload();
  }

  /** The number of the next object: the first was claimed with the upload. */
  async #number(): Promise<number> {
    if (this.#isNumberUsed) await this.#save({ nextNumber: this.#row.nextNumber + 1 });
    this.#isNumberUsed = true;
    const number = this.#row.nextNumber - 1;
    if (number > lastNumber) throw await this.#lost();
    return number;
  }

  async #putPiece(bytes: Uint8Array): Promise<UploadPiece> {
    const number = await this.#number();
    await this.#made.parts.putPiece(this.#row.name, number, bytes);
    return { number, sizeBytes: bytes.length, tag: "" };
  }

  async #putPart(bytes: Uint8Array): Promise<UploadPiece> {
    const { name } = this.#row;
    const number = await this.#number();
    // The row knows of it before anything lies there: what is never joined is broken off.
    if (this.#row.multipart === "") await this.#begin();
    const tag = await this.#made.parts.putPart({ name, multipart: this.#row.multipart }, number, bytes);
    if (tag === undefined) throw await this.#lost();
    return { number, sizeBytes: bytes.length, tag };
  }

  async #begin(): Promise<void> {
    const { name } = this.#row;
    const multipart = await this.#made.parts.begin(name);
    try {
      await this.#save({ multipart });
    } catch (error) {
      // Where it is not known whether the row says so, the sweep looks.
      if (error instanceof SupersededUpload) await this.#made.parts.breakOff({ name, multipart });
      throw error;
    }
  }

  async #becomeOf(bytes: Uint8Array): Promise<void> {
    await this.#become(sha256(bytes), (blob) => this.#made.parts.putBlob(blob, bytes));
  }

  async #join(): Promise<void> {
    const { name, multipart, sizeBytes } = this.#row;
    const { parts } = this.#made;
    if (!(await parts.join({ name, multipart }, this.#pieces, sizeBytes))) throw await this.#lost();
    const hash = this.#hash === undefined ? await parts.hashOf(name, sizeBytes) : new Uint8Array(this.#hash.hash.copy().digest());
    if (hash === undefined) throw await this.#lost();
    await this.#become(hash, async (blob) => {
      if (!(await parts.copyTo(blob, name))) throw await this.#lost();
    });
  }

  async #become(hash: Uint8Array, put: (blob: NamedBytes) => Promise<void>): Promise<void> {
    const { blobId, sizeBytes } = this.#row;
    this.#outcome = await this.#made.files.keepBy({ blobId, sizeBytes, sha256: hash }, this.#made.expiresDay(), put);
    if (this.#outcome === "different") return;
    // Nothing else was ever put for one that came at once.
    const isAlone = this.#pieces.length === 0 && this.#row.multipart === "" && this.#row.nextNumber <= 2;
    await this.#save({ stage: "whole", takenBytes: sizeBytes, ...(isAlone ? { nextNumber: 0 } : {}) });
  }

  /** Changes the row, unless somebody has claimed it since. */
  async #save(change: Partial<UploadProgress>): Promise<void> {
    const row = { ...this.#row, ...change };
    const { name, stage, takenBytes, multipart, pieces, nextNumber } = row;
    // Where the answer is lost nobody knows how far it is: whoever claims it next reads that.
    const hash = this.#hash;
    this.#hash = undefined;
    const progress = { stage, takenBytes, multipart, pieces, nextNumber };
    if (!(await this.#made.store.saveUpload({ name, writer: this.#writer, ...progress }))) throw new SupersededUpload();
    this.#row = row;
    if (change.pieces !== undefined) this.#pieces = decodePieces(change.pieces);
    if (change.takenBytes === undefined) this.#hash = hash;
  }
}

async function readFirst(file: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, done);
    if (bytesRead === 0) throw new Error("a file became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}
