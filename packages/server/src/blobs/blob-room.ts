import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import type { BlobIndex } from "../store/store.ts";

/** What the blobs ask about the disk. */
export type BlobDisk = Pick<DiskRoom, "look" | "isLow">;

/** What one upload takes of the room. */
export interface TakenRoom {
  /** Before so many more bytes are written. @throws Refusal `storage_full` */
  take(sizeBytes: number): void;
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

  /** Whether the disk has room for more. @throws Refusal `storage_full` */
  async check(): Promise<void> {
    await this.#disk.look();
    if (this.#disk.isLow) throw new Refusal("storage_full");
  }

  /** For an upload that begins. @throws Refusal `storage_full`, StoreError */
  async open(): Promise<TakenRoom> {
    await this.check();
    // Answers of the store come in the order of its work, so that what was kept meanwhile is counted once.
    this.#storedBytes = (await this.#index.blobTotals()).blobBytes;
    const day = this.#today();
    let counted = 0;
    return {
      take: (sizeBytes) => {
        counted += sizeBytes;
        day.bytes += sizeBytes;
        this.#comingBytes += sizeBytes;
        if (this.#isOverQuota(day) || this.#isOverTotal()) throw new Refusal("storage_full");
      },
      settle: (outcome) => {
        this.#comingBytes -= counted;
        if (outcome === "kept") this.#storedBytes += counted;
        // What is gone takes nothing of the day's room.
        if (outcome === "dropped") day.bytes -= counted;
      },
    };
  }

  /** What was taken today. A restart begins a new count: the quota keeps a disk from filling up, it bills nobody. */
  #today(): { readonly day: number; bytes: number } {
    const day = dayOf(this.#context.nowMs());
    if (this.#taken.day !== day) this.#taken = { day, bytes: 0 };
    return this.#taken;
  }

  /** Whether more was taken in a day than the operator allows. */
  #isOverQuota({ bytes }: { readonly bytes: number }): boolean {
    const megabytes = this.#context.rules.quota("blob-megabytes-per-day");
    return megabytes > 0 && bytes > megabytes * 1_000_000;
  }

  #isOverTotal(): boolean {
    const { maxStoredBlobBytes } = this.#context.limits;
    return maxStoredBlobBytes > 0 && this.#storedBytes + this.#comingBytes > maxStoredBlobBytes;
  }
}
