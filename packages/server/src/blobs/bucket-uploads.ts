import { toBase64Url } from "@latchkey/codec";
import { mkdir, rm } from "node:fs/promises";
import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal, StoreError } from "../errors.ts";
import type { BlobIndex } from "../store/store.ts";
import type { UploadStore } from "../store/upload-store.ts";
import type { BlobFiles, PutOutcome } from "./blob-files.ts";
import type { BlobRoom } from "./blob-room.ts";
import type { BucketParts } from "./bucket-parts.ts";
import { ClaimedUpload, LostUpload, SupersededUpload } from "./claimed-upload.ts";
import type { RunningHash, UploadParts } from "./claimed-upload.ts";
import { Turns } from "./turns.ts";
import type { UploadPlace } from "./upload-table.ts";
import { UploadTable } from "./upload-table.ts";
import { hashOfToken, newToken, stateOf, uploadDays, uploadRefusal } from "./uploads.ts";
import type { AppendOutcome, UploadService, UploadState } from "./uploads.ts";

/** Uploads that are over and looked at at once. */
const overAtOnce = 100;
/** So many that a bucket refuses to remove are taken for a bucket that removes none now. */
const mostRefused = 8;
/** Days that two clocks may be apart without one of them being wrong. */
const toleratedDays = 2;
const comeAgainMs = 1000;

/** What this process has at hand of an upload: whose place it takes, if it was begun here, and who is served now. */
interface AtHand extends UploadPlace {
  /** What it is called in the store. */
  readonly key: Uint8Array;
  readonly turns: Turns;
  takenBytes: number;
  hash: RunningHash | undefined;
}

/**
 * Uploads in parts whose bytes go to the bucket in which blobs lie: the store says how far each is, so that every node goes on with any. The newest
 * request is who is there, at whichever node. How many one address may begin each node counts for itself.
 */
export class BucketUploads implements UploadService {
  readonly #made: UploadParts;
  readonly #index: BlobIndex;
  readonly #context: ServerContext;
  readonly #room: BlobRoom;
  readonly #onDiskFailure: () => void;
  readonly #onWhole: (outcome: PutOutcome) => void;
  readonly #reportBug: (error: unknown) => void;
  readonly #table: UploadTable<AtHand>;
  /** What is removed from the bucket now, while nobody waits for it. */
  readonly #removing = new Set<Promise<void>>();
  #isClosed = false;

  private constructor(params: BucketUploadsParams) {
    const { files, store, parts, context } = params;
    const { limits, nowMs } = context;
    this.#made = {
      store,
      parts,
      files,
      expiresDay: () => dayOf(nowMs()) + limits.unusedBlobDays,
      drop: (name, numbers) => this.#later(() => parts.removePieces(name, numbers)),
    };
    this.#index = params.store;
    this.#context = context;
    this.#room = params.room;
    this.#onDiskFailure = params.onDiskFailure;
    this.#onWhole = params.onWhole;
    this.#reportBug = params.reportBug;
    this.#table = new UploadTable(limits);
  }

  /** Removes what an earlier process left on this disk: it is in the bucket, or nobody was told that it came. @throws the system's error */
  static async open(params: BucketUploadsParams): Promise<BucketUploads> {
    const { uploads, directory } = params.files;
    await rm(uploads, { recursive: true, force: true });
    await mkdir(uploads, { recursive: true, mode: 0o700 });
    await params.files.settleFolder(directory);
    return new BucketUploads(params);
  }

  async create(params: { blobId: Uint8Array; sizeBytes: number; address: string }): Promise<{ token: string; state: UploadState }> {
    const { blobId, sizeBytes, address } = params;
    if (sizeBytes > this.#context.limits.maxFileBytes) throw new Refusal("too_large");
    const token = newToken();
    const key = hashOfToken(token);
    const name = toBase64Url(key);
    const gone = this.#table.reserve(name, address);
    try {
      for (const each of gone) await each.turns.run(() => this.#endIt(each)).catch(unlessSuperseded);
      const known = await this.#index.findBlob({ blobId });
      if (known !== undefined && known.sizeBytes !== sizeBytes) throw new Refusal("conflict");
      await this.#room.check(sizeBytes);
      const day = dayOf(this.#context.nowMs());
      await this.#made.store.addUpload({ name: key, blobId, sizeBytes, day });
      const held = this.#table.fill(name, (place) => ({ ...place, key, turns: new Turns(), takenBytes: 0, hash: undefined }));
      if (sizeBytes === 0) {
        const state = await this.look(token);
        if (state === undefined) throw new Refusal("conflict");
      }
      return { token, state: stateOf({ blobId, sizeBytes, day }, held.takenBytes) };
    } catch (error) {
      this.#table.release(name);
      throw uploadRefusal(error, this.#onDiskFailure);
    }
  }

  async look(token: string): Promise<UploadState | undefined> {
    return await this.#with(token, async (held) => {
      const claimed = await this.#claim(held, false);
      if (claimed === undefined) return undefined;
      if (claimed.isAllThere && (await this.#finish(held, claimed)) === "different") return undefined;
      return stateOf(claimed.row, claimed.row.takenBytes);
    });
  }

  async append(
    token: string,
    params: { offset: number; content: AsyncIterable<readonly Uint8Array[]>; end: () => void },
  ): Promise<AppendOutcome | undefined> {
    const { offset, content, end } = params;
    try {
      return await this.#with(
        token,
        async (held, isNewest): Promise<AppendOutcome | undefined> => {
          if (!isNewest) return { kind: "superseded" };
          const claimed = await this.#claim(held, true);
          if (claimed === undefined) return undefined;
          if (claimed.row.takenBytes !== offset) return { kind: "elsewhere" };
          if (!claimed.isAllThere) await this.#take(held, claimed, content);
          if (claimed.isAllThere && (await this.#finish(held, claimed)) === "different") return { kind: "different" };
          return { kind: "taken", state: stateOf(claimed.row, claimed.row.takenBytes) };
        },
        end,
      );
    } catch (error) {
      if (error instanceof SupersededUpload) return { kind: "superseded" };
      throw error;
    }
  }

  async remove(token: string): Promise<boolean> {
    return (await this.#with(token, (held) => this.#endIt(held))) ?? false;
  }

  /** Also removes what is left of those that ended or are whole, and forgets places of those that others ended. */
  async expire(): Promise<number> {
    let [count, refused] = [0, 0];
    const { store } = this.#made;
    const [beforeDay, afterDay] = [this.#context.dayBefore(uploadDays), dayOf(this.#context.nowMs()) + toleratedDays];
    for (let [last, gone] = [overAtOnce, 1]; last === overAtOnce && gone > 0;) {
      const names = await store.overUploads({ beforeDay, afterDay, maxItems: overAtOnce });
      [last, gone] = [names.length, 0];
      for (const name of names) {
        try {
          const claimed = await ClaimedUpload.claim(this.#made, { name, isToWrite: false });
          if (claimed === undefined) continue;
          const isOver = claimed.row.day < beforeDay || claimed.row.day > afterDay;
          if (isOver) await claimed.end();
          await claimed.clear();
          gone += 1;
          if (isOver) count += 1;
        } catch (error) {
          // Somebody goes on with it, or another node does the same; or the bucket refuses this one: the next time.
          if (!(error instanceof SupersededUpload) && !(error instanceof Refusal)) throw error;
          if (error instanceof Refusal) refused += 1;
          // It is away, and nothing of it can go.
          if (refused === mostRefused) return count;
        }
      }
    }
    for (const { name, key } of this.#table.all()) {
      const row = await store.findUpload({ name: key });
      if (row?.stage !== "coming") this.#table.release(name);
    }
    return count;
  }

  /** Of those that this process has at hand. */
  unfinished(): { readonly uploads: number; readonly bytes: number } {
    const held = this.#table.all();
    return { uploads: held.length, bytes: held.reduce((sum, { takenBytes }) => sum + takenBytes, 0) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#table.all().map(({ turns }) => turns.run(() => Promise.resolve())));
    await Promise.all(this.#removing);
  }

  async #take(held: AtHand, claimed: ClaimedUpload, content: AsyncIterable<readonly Uint8Array[]>): Promise<void> {
    const room = await this.#room.open();
    try {
      await claimed.append(content, room);
    } finally {
      // From now on the store counts what came.
      room.settle("known");
      held.takenBytes = claimed.row.takenBytes;
      held.hash = claimed.hash;
    }
  }

  async #finish(held: AtHand, claimed: ClaimedUpload): Promise<"done" | "different"> {
    const outcome = await claimed.finish();
    if (claimed.outcome !== undefined) this.#onWhole(claimed.outcome);
    if (outcome === "different") {
      await this.#end(held, claimed);
      return "different";
    }
    this.#table.release(held.name);
    if (claimed.row.nextNumber > 0) this.#later(() => claimed.clear());
    return "done";
  }

  /** Ends one for whoever wants that. Answers whether it was there. */
  async #endIt(held: AtHand): Promise<boolean> {
    const claimed = await this.#claim(held, false);
    if (claimed === undefined) return false;
    await this.#end(held, claimed);
    return true;
  }

  async #end(held: AtHand, claimed: ClaimedUpload): Promise<void> {
    await claimed.end();
    this.#table.release(held.name);
    this.#later(() => claimed.clear());
  }

  async #claim(held: AtHand, isToWrite: boolean): Promise<ClaimedUpload | undefined> {
    const claimed = await ClaimedUpload.claim(this.#made, { name: held.key, isToWrite, hash: held.hash });
    if (claimed !== undefined && claimed.row.stage !== "ended") return claimed;
    this.#table.release(held.name);
    return undefined;
  }

  async #with<T>(
    token: string,
    run: (held: AtHand, isNewest: boolean) => Promise<T | undefined>,
    end?: () => void,
  ): Promise<T | undefined> {
    try {
      const held = await this.#atHand(hashOfToken(token));
      return await held?.turns.run(async (isNewest) => {
        if (this.#isClosed) throw new Refusal("shutting_down");
        try {
          return await run(held, isNewest);
        } catch (error) {
          if (!(error instanceof LostUpload)) throw error;
          await this.#endIt(held);
          return undefined;
        }
      }, end);
    } catch (error) {
      // Of a look: another request was quicker.
      if (error instanceof SupersededUpload && end === undefined) throw new Refusal("unavailable", comeAgainMs);
      throw uploadRefusal(error, this.#onDiskFailure);
    }
  }

  /** What is at hand of an upload, wherever it was begun. */
  async #atHand(key: Uint8Array): Promise<AtHand | undefined> {
    const name = toBase64Url(key);
    const known = this.#table.get(name);
    if (known !== undefined) return known;
    const row = await this.#made.store.findUpload({ name: key });
    if (row === undefined || row.stage === "ended") return undefined;
    // Two may have asked at once.
    const made = (place: UploadPlace): AtHand => ({ ...place, key, turns: new Turns(), takenBytes: row.takenBytes, hash: undefined });
    return this.#table.get(name) ?? this.#table.fill(name, made);
  }

  /** Removes something from the bucket while nobody waits: what is left goes with `expire`. */
  #later(remove: () => Promise<void>): void {
    const removing: Promise<void> = remove()
      .catch((error: unknown) => {
        const isPassing = error instanceof Refusal || error instanceof StoreError || error instanceof SupersededUpload;
        if (!isPassing) this.#reportBug(error);
      })
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }
}

/** Whoever was quicker goes on with it, and takes no place here. */
function unlessSuperseded(error: unknown): void {
  if (!(error instanceof SupersededUpload)) throw error;
}

/** What they are made with. */
interface BucketUploadsParams {
  readonly files: BlobFiles;
  readonly store: UploadStore & BlobIndex;
  readonly parts: BucketParts;
  readonly context: ServerContext;
  readonly room: BlobRoom;
  readonly onDiskFailure: () => void;
  /** Told what became of each that was whole. */
  readonly onWhole: (outcome: PutOutcome) => void;
  readonly reportBug: (error: unknown) => void;
}
