import { historyChunkBytes } from "@latchkey/protocol";
import type { HistoryChunkPlace, HistoryManifest, PutHistoryChunk, PutHistoryManifest } from "@latchkey/protocol";
import type { Admission, Source } from "../admission/admission.ts";
import type { TargetLimits } from "../admission/targets.ts";
import type { ServerContext } from "../config.ts";
import { dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import type { HistoryStore } from "../store/history-store.ts";

const noGeneration = new Uint8Array(16);
/** Chunks of one erasure in one transaction: each may be of 60 pages, which are overwritten. */
const erasedAtOnce = 16;

/** History backups of accounts (spec B-1): kept for their own devices, of bounded size, and read by nobody here. */
export class HistoryService {
  readonly #store: HistoryStore;
  readonly #context: ServerContext;
  readonly #admission: Admission;
  readonly #targets: Pick<TargetLimits, "history">;
  readonly #disk: Pick<DiskRoom, "isLow">;

  constructor(parts: {
    store: HistoryStore;
    context: ServerContext;
    admission: Admission;
    targets: Pick<TargetLimits, "history">;
    disk: Pick<DiskRoom, "isLow">;
  }) {
    this.#store = parts.store;
    this.#context = parts.context;
    this.#admission = parts.admission;
    this.#targets = parts.targets;
    this.#disk = parts.disk;
  }

  async manifest(accountId: Uint8Array): Promise<HistoryManifest> {
    const { stored, sizeBytes } = await this.#store.historyManifest({ accountId });
    if (stored === undefined) return { counter: 0, generation: noGeneration, chunks: 0, sizeBytes, manifest: new Uint8Array() };
    const { counter, generation, chunks, manifest } = stored;
    return { counter, generation, chunks, sizeBytes, manifest };
  }

  /** @throws Refusal `not_found` */
  async chunk(accountId: Uint8Array, place: HistoryChunkPlace): Promise<Uint8Array> {
    const chunk = await this.#store.historyChunk({ accountId, generation: place.generation, number: place.number });
    if (chunk === undefined) throw new Refusal("not_found");
    return chunk;
  }

  /** @throws Refusal `malformed` for a size that no chunk has, `storage_full`, `rate_limited`, `conflict`, `too_large`, `not_found` */
  async putChunk(accountId: Uint8Array, { generation, number, chunk }: PutHistoryChunk, source: Source): Promise<void> {
    if (!historyChunkBytes.includes(chunk.length)) throw new Refusal("malformed");
    if (this.#disk.isLow) throw new Refusal("storage_full");
    this.#admit(accountId, source, chunk.length);
    const { maxHistoryBytes: maxBytes, maxStoredHistoryBytes: maxStoredBytes } = this.#context.limits;
    const params = { accountId, generation, number, chunk, day: this.#today(), maxBytes, maxStoredBytes };
    for (;;) {
      const stored = await this.#store.putHistoryChunk(params);
      if (stored.kind === "refused") throw new Refusal(stored.code);
      if (stored.kind === "stored") return;
      // Else an account that begins again and again would have more than its bound until housekeeping.
      await this.purge();
    }
  }

  /** @throws Refusal `storage_full`, `rate_limited`, `conflict`, `not_found` where a chunk is missing */
  async putManifest(accountId: Uint8Array, request: PutHistoryManifest, source: Source): Promise<void> {
    if (this.#disk.isLow) throw new Refusal("storage_full");
    const { previous, counter, generation, chunks, manifest } = request;
    this.#admit(accountId, source, manifest.length + 1);
    const stored = await this.#store.putHistoryManifest({ accountId, previous, counter, generation, chunks, manifest, day: this.#today() });
    if (stored.kind === "refused") throw new Refusal(stored.code);
  }

  async erase(accountId: Uint8Array): Promise<void> {
    await this.#store.eraseHistory({ accountId });
  }

  /** Erases what was given up. Answers how many chunks. */
  async purge(): Promise<number> {
    let removed = 0;
    for (;;) {
      const count = await this.#store.purgeHistory({ maxItems: erasedAtOnce });
      removed += count;
      if (count === 0) return removed;
    }
  }

  /** By account, wherever its devices are, and by address. @throws Refusal `rate_limited` */
  #admit(accountId: Uint8Array, source: Source, sizeBytes: number): void {
    this.#targets.history(accountId, sizeBytes);
    this.#admission.admit("historyBytes", source, sizeBytes);
  }

  #today(): number {
    return dayOf(this.#context.nowMs());
  }
}
