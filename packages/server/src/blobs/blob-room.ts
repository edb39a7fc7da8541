import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import type { BlobIndex } from "../store/store.ts";

/** What the blobs ask about the disk. */
export type BlobDisk = Pick<DiskRoom, "look" | "spareBytes">;

/** What one upload takes of the room. */
export interface TakenRoom {
  /** Before so many more bytes are written. @throws Refusal `storage_full` */
  take(sizeBytes: number): void;
  /** So many of them were not written after all. */
  giveBack(sizeBytes: number): void;
  /** Once, at its end: "kept" is in the index now, "known" was there before, "dropped" is gone. */
  settle(outcome: "kept" | "known" | "dropped"): void;
}

/** How many bytes of blobs are taken: in a day and in all, by what the operator allows, and as long as the disk has more left than its reserve. */
export class BlobRoom {
  readonly #context: ServerContext;
  readonly #disk: BlobDisk;
  readonly #index: Pick<BlobIndex, "blobTotals">;
  #taken: { readonly day: number; bytes: number } = { day: 0, bytes: 0 };
  #storedBytes = 0;
  /** Of uploads under way. */
  #comingBytes = 0;

  constructor(params: { context: ServerContext; disk: BlobDisk; index: Pick<BlobIndex, "blobTotals"> }) {
    this.#context = params.context;
    this.#disk = params.disk;
    this.#index = params.index;
  }

  /** Looks whether the disk has room for so many bytes, whatever the operator allows. @throws Refusal `storage_full` */
  async checkDisk(sizeBytes: number): Promise<void> {
    await this.#disk.look();
    if (this.#disk.spareBytes < sizeBytes) throw new Refusal("storage_full");
  }

  /** Looks whether there is room for so many bytes more; holds none of them. @throws Refusal `storage_full`, StoreError */
  async check(sizeBytes: number = 0): Promise<void> {
    await this.checkDisk(sizeBytes);
    // Answers of the store come in the order of its work, so that what was kept meanwhile is counted once.
    this.#storedBytes = (await this.#index.blobTotals()).blobBytes;
    if (this.#isOver(sizeBytes)) throw new Refusal("storage_full");
  }

  /** For an upload that begins, of so many bytes where that is known. @throws Refusal `storage_full`, StoreError */
  async open(sizeBytes: number = 0): Promise<TakenRoom> {
    await this.check(sizeBytes);
    return this.#room(0);
  }

  /** For one that was begun before this process, and has so many bytes. */
  found(sizeBytes: number): TakenRoom {
    this.#comingBytes += sizeBytes;
    return this.#room(sizeBytes);
  }

  #room(counted: number): TakenRoom {
    const own = { all: counted, day: this.#today(), ofDay: 0 };
    return {
      take: (sizeBytes) => {
        // As of the last look, some seconds ago: what comes meanwhile is a part of the reserve.
        if (this.#disk.spareBytes < 0 || this.#isOver(sizeBytes)) throw new Refusal("storage_full");
        const day = this.#today();
        if (own.day !== day) Object.assign(own, { day, ofDay: 0 });
        own.ofDay += sizeBytes;
        own.all += sizeBytes;
        day.bytes += sizeBytes;
        this.#comingBytes += sizeBytes;
      },
      giveBack: (sizeBytes) => {
        own.all -= sizeBytes;
        this.#comingBytes -= sizeBytes;
        const ofDay = Math.min(own.ofDay, sizeBytes);
        own.ofDay -= ofDay;
        own.day.bytes -= ofDay;
      },
      settle: (outcome) => {
        this.#comingBytes -= own.all;
        if (outcome === "kept") this.#storedBytes += own.all;
        // What is gone takes nothing of the day's room.
        if (outcome === "dropped") own.day.bytes -= own.ofDay;
      },
    };
  }

  /** What was taken today. A restart begins a new count: the quota keeps a disk from filling up, it bills nobody. */
  #today(): { readonly day: number; bytes: number } {
    const day = dayOf(this.#context.nowMs());
    if (this.#taken.day !== day) this.#taken = { day, bytes: 0 };
    return this.#taken;
  }

  /** Whether so many bytes more were above what the operator allows: in a day, or in all. */
  #isOver(sizeBytes: number): boolean {
    const megabytes = this.#context.rules.quota("blob-megabytes-per-day");
    if (megabytes > 0 && this.#today().bytes + sizeBytes > megabytes * 1_000_000) return true;
    const { maxStoredBlobBytes } = this.#context.limits;
    return maxStoredBlobBytes > 0 && this.#storedBytes + this.#comingBytes + sizeBytes > maxStoredBlobBytes;
  }
}
