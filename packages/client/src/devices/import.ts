import {
  CodecError,
  bool,
  decode,
  encode,
  equalBytes,
  opaque,
  oneOf,
  safeUint64,
  struct,
  toBase64Url,
  uint16,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { blobReferenceCodec } from "@latchkey/protocol";
import type { BlobReference } from "@latchkey/protocol";
import type { LinkState } from "../api.ts";
import type { ConversationState } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { getBlob } from "../group/blobs.ts";
import type { Platform } from "../platform/platform.ts";
import type { SegmentListener } from "../search/search-index.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { ArchivedConversation, ArchiveItem } from "./archive.ts";
import { createSingleFlight } from "../single-flight.ts";
import { Timeline } from "../timeline/timeline.ts";

/** What a new device still waits for; kept until all of it has come. */
export interface LinkProgress {
  /** Conversations that it is, or will be, added to. */
  readonly conversations: readonly Uint8Array[];
  /** Of the archive, once the existing device has told it. */
  readonly chunks: readonly BlobReference[] | undefined;
  readonly nextChunk: number;
}

interface StoredProgress {
  readonly conversations: readonly Uint8Array[];
  readonly hasArchive: boolean;
  readonly chunks: readonly BlobReference[];
  readonly nextChunk: number;
}
const large = 64 * 1024 * 1024;
const progressCodec: Codec<StoredProgress> = struct<StoredProgress>({
  conversations: vector(opaque(32), { maxBytes: 4_194_304 }),
  hasArchive: bool,
  chunks: vector(blobReferenceCodec, { maxBytes: large }),
  nextChunk: safeUint64,
});

/** What the existing device puts into the new one's inbox when the archive is written. */
export interface HistoryNotice {
  readonly format: 1;
  readonly manifest: BlobReference;
}
export const historyNoticeCodec: Codec<HistoryNotice> = struct<HistoryNotice>({ format: oneOf(uint16, [1]), manifest: blobReferenceCodec });

const progressKey = "link/progress";
const noticeKey = "link/notice";
const archivedPrefix = "link/read/";
const retryMs = 10_000;

/** Puts down what is still to come, in the caller's transaction. */
export function putProgress(tx: StoreTransaction, progress: LinkProgress): void {
  const { chunks, ...rest } = progress;
  tx.put(progressKey, encode(progressCodec, { ...rest, hasArchive: chunks !== undefined, chunks: chunks ?? [] }));
}

async function loadProgress(tx: StoreTransaction): Promise<LinkProgress | undefined> {
  const bytes = await tx.get(progressKey);
  if (bytes === undefined) return undefined;
  const { hasArchive, chunks, ...rest } = decode(progressCodec, bytes);
  return { ...rest, chunks: hasArchive ? chunks : undefined };
}

/** Puts down that the archive is there, in the transaction that remembers the inbox item. */
export function putNotice(tx: StoreTransaction, body: Uint8Array): void {
  tx.put(noticeKey, body);
}

/** What the import needs of the engine. */
export interface ImportAccess {
  /** One's own account. */
  readonly self: Uint8Array;
  /** Told of what changed of the index by which messages are searched. */
  readonly onSegment: SegmentListener;
  /** The conversation as this device has it, if it joined it. */
  joined(id: string): ConversationState | undefined;
  /** Takes in a conversation that this device is no member of. */
  adoptUnjoined(state: ConversationState): Promise<void>;
  /** History came: what is shown of the conversation may have changed, and it is read up to there. */
  historyArrived(id: string, readThrough: number): Promise<void>;
}

/** Where a conversation was read up to on the existing device, until this one has joined it. */
const readCodec: Codec<{ readThrough: number }> = struct<{ readThrough: number }>({ readThrough: safeUint64 });

/**
 * A new device's history: read from the archive chunk by chunk, each in one transaction with the place where to go on; and its
 * conversations, as far as their Welcomes have come. In any order, and again after a restart.
 */
export class HistoryImport {
  readonly #params: {
    store: Store;
    platform: Platform;
    baseUrl: () => string;
    access: ImportAccess;
    emit: (state: LinkState) => void;
  };
  readonly #flight = createSingleFlight(() =>
    this.#run().catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
      if (error.canRetry) this.#params.platform.setTimer(retryMs, () => this.wake());
    }),
  );
  #closed = false;
  #told = "";

  constructor(params: { store: Store; platform: Platform; baseUrl: () => string; access: ImportAccess; emit: (state: LinkState) => void }) {
    this.#params = params;
  }

  get isIdle(): boolean {
    return !this.#flight.isRunning;
  }

  /** Goes on with what has come. */
  wake(): void {
    if (this.#closed) return;
    void this.#flight.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#flight.settled();
  }

  async #run(): Promise<void> {
    const { store } = this.#params;
    let progress = await store.transact("read", loadProgress);
    if (progress === undefined) return;
    this.#tell(progress);
    progress = (await this.#openArchive(progress)) ?? progress;
    while (progress.chunks !== undefined && progress.nextChunk < progress.chunks.length && !this.#closed) {
      progress = await this.#takeChunk(progress, progress.chunks);
      this.#tell(progress);
    }
    await this.#readMarks();
    if (progress.chunks === undefined || this.#missing(progress) > 0 || this.#closed) return;
    await store.transact("write", (tx) => {
      tx.delete(progressKey);
      tx.delete(noticeKey);
    });
    this.#params.emit({ kind: "done" });
  }

  #missing(progress: LinkProgress): number {
    return progress.conversations.filter((logId) => this.#params.access.joined(toBase64Url(logId)) === undefined).length;
  }

  #tell(progress: LinkProgress): void {
    const { conversations, chunks, nextChunk } = progress;
    const total = conversations.length + (chunks?.length ?? 1);
    const done = conversations.length - this.#missing(progress) + nextChunk;
    const text = `${String(done)} ${String(total)}`;
    if (text === this.#told) return;
    this.#told = text;
    this.#params.emit({ kind: "moving", done, total });
  }

  /** Reads the list of the chunks, once its reference has come. */
  async #openArchive(progress: LinkProgress): Promise<LinkProgress | undefined> {
    const { store } = this.#params;
    if (progress.chunks !== undefined) return undefined;
    const notice = await store.transact("read", (tx) => tx.get(noticeKey));
    if (notice === undefined) return undefined;
    let next: LinkProgress;
    try {
      const { manifest } = decode(historyNoticeCodec, notice);
      const { manifestCodec } = await import("./archive.ts");
      const { conversations, chunks } = decode(manifestCodec, await this.#blob(manifest));
      next = { conversations, chunks, nextChunk: 0 };
    } catch (error) {
      // Gone or damaged for good: the conversations go on without their past.
      if (!(error instanceof CodecError) && !(error instanceof ClientError && !error.canRetry)) throw error;
      next = { ...progress, chunks: [], nextChunk: 0 };
    }
    await store.transact("write", (tx) => putProgress(tx, next));
    this.#tell(next);
    return next;
  }

  #blob(reference: BlobReference): Promise<Uint8Array> {
    return getBlob({ platform: this.#params.platform, baseUrl: this.#params.baseUrl() }, reference);
  }

  async #takeChunk(progress: LinkProgress, chunks: readonly BlobReference[]): Promise<LinkProgress> {
    const { store, access, platform } = this.#params;
    const { putArchivedLines } = await import("./archive.ts");
    const reference = chunks[progress.nextChunk];
    const items = reference === undefined ? [] : await this.#items(reference);
    const next: LinkProgress = { ...progress, nextChunk: progress.nextChunk + 1 };
    // Before it counts as read: whatever ends this here, it is read once more, and what is there already stays.
    for (const item of items) if (item.kind === "conversation") await this.#adopt(item, progress);
    await store.transact("write", async (tx) => {
      for (const item of items) {
        if (item.kind === "lines") {
          const timeline = new Timeline({
            tx,
            conversationId: toBase64Url(item.logId),
            self: access.self,
            nowMs: platform.nowMs(),
            onSegment: access.onSegment,
            // Nothing of what comes takes a line out.
            onFilesGone: () => undefined,
          });
          await putArchivedLines(timeline, item);
          await timeline.flush();
        } else tx.put(archivedPrefix + toBase64Url(item.logId), encode(readCodec, { readThrough: item.readThrough }));
      }
      putProgress(tx, next);
    });
    const touched = new Set(items.map((item) => toBase64Url(item.logId)));
    for (const id of touched) if (access.joined(id) !== undefined) await access.historyArrived(id, 0);
    return next;
  }

  async #adopt(item: ArchivedConversation, { conversations }: LinkProgress): Promise<void> {
    const { access } = this.#params;
    const { unjoinedState } = await import("./archive.ts");
    const isJoined = item.membership === "joined" || conversations.some((logId) => equalBytes(logId, item.logId));
    if (!isJoined && access.joined(toBase64Url(item.logId)) === undefined) await access.adoptUnjoined(unjoinedState(item));
  }

  /** A chunk that is gone or damaged is passed over: what is left of the history is better than nothing. */
  async #items(reference: BlobReference): Promise<readonly ArchiveItem[]> {
    const { readChunk } = await import("./archive.ts");
    try {
      return readChunk(await this.#blob(reference));
    } catch (error) {
      if (error instanceof CodecError || (error instanceof ClientError && !error.canRetry)) return [];
      throw error;
    }
  }

  async #readMarks(): Promise<void> {
    const { store, access } = this.#params;
    for (const [key, value] of await store.transact("read", (tx) => tx.scan({ prefix: archivedPrefix }))) {
      const id = key.slice(archivedPrefix.length);
      if (access.joined(id) === undefined) continue;
      await access.historyArrived(id, decode(readCodec, value).readThrough);
      await store.transact("write", (tx) => tx.delete(key));
    }
  }
}
