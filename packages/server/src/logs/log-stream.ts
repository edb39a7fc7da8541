import { maxEpochsOpen } from "@latchkey/protocol";
import type { EntryEvent, SealedEvent, Signal } from "@latchkey/protocol";
import { Feed } from "../feed.ts";
import type { Sink } from "../feed.ts";
import { sha256 } from "../hash.ts";
import type { LogStore, PageLimits, StoredEntry } from "../store/store.ts";
import type { RateLimit } from "../admission/rates.ts";
import type { Committer } from "./commit-turns.ts";
import { MessageOrder } from "./message-order.ts";

/** An entry on its way to its readers. The connection layer keeps the frame here, so that it is encoded once for all. */
export interface Delivery {
  readonly seq: number;
  readonly entry: EntryEvent;
  frame: Uint8Array | undefined;
}

/** A signal on its way to those who have its epoch open. */
export interface SignalDelivery {
  readonly signal: Signal;
  frame: Uint8Array | undefined;
}

/** Where a log's entries go. */
export interface LogSink extends Sink {
  /** What limits count by, of its connection's network address. */
  readonly address: string;
  /** Limits the bytes that its connection stores. */
  readonly bytes: RateLimit;
  entry(delivery: Delivery): void;
  /** The frame of a signal is kept in it, as that of a delivery is. */
  signal(signal: SignalDelivery): void;
  sealed(event: SealedEvent): void;
}

/** The log's side of a stream: the last entry there is. */
export interface LogEnd {
  readonly logId: Uint8Array;
  lastSeq: number;
}

/** Of one reading. */
export const pageLimits: PageLimits = { maxItems: 512, maxBytes: 262_144 };

/**
 * One connection's stream of one log (spec L-3): entries of opened epochs whole, of others their leaf. After a commit of
 * the newest opened epoch it waits until the child is opened, or until that epoch is opened again by a reader who
 * skips this commit and looks for the next (spec G-3).
 */
export class LogStream extends Feed<Delivery> {
  /** As whom this connection commits to this log. */
  readonly committer: Committer;
  /** What limits its messages. */
  readonly appends: RateLimit;
  /** Which of its messages goes first where a limit refuses one. */
  readonly messageOrder: MessageOrder = new MessageOrder();
  /** What limits its bytes. */
  readonly bytes: RateLimit;
  protected readonly allowsGaps = false;
  readonly #end: LogEnd;
  readonly #store: LogStore;
  readonly #sink: LogSink;
  readonly #opened = new Set<number>();
  #newest = 0;
  #isPaused = false;

  constructor(params: { end: LogEnd; store: LogStore; sink: LogSink; afterSeq: number; order: number; appends: RateLimit }) {
    super(params.afterSeq, params.sink);
    this.committer = { address: params.sink.address, order: params.order };
    this.appends = params.appends;
    this.bytes = params.sink.bytes;
    this.#end = params.end;
    this.#store = params.store;
    this.#sink = params.sink;
  }

  /** Whether the reader showed the access key of this epoch here. */
  hasOpened(epochId: number): boolean {
    return this.#opened.has(epochId);
  }

  /** The reader showed the key of an epoch that has closed: its entries are given from now on. */
  showEpoch(epochId: number): void {
    this.#opened.add(epochId);
    if (this.#opened.size > maxEpochsOpen) {
      const oldest = this.#opened.values().next();
      if (oldest.done !== true) this.#opened.delete(oldest.value);
    }
  }

  /** The reader showed the key of an epoch, and reads on. */
  openEpoch(epochId: number): void {
    this.showEpoch(epochId);
    if (epochId >= this.#newest) {
      this.#newest = epochId;
      // A commit of it that lies behind is one that this reader does not follow.
      this.#isPaused = false;
    }
    this.wake();
  }

  /** Hands on a signal, where this reader has opened its epoch and reads what it is given. */
  signal(delivery: SignalDelivery): void {
    if (this.#opened.has(delivery.signal.epochId) && this.#sink.isWritable) this.#sink.signal(delivery);
  }

  protected get isPaused(): boolean {
    return this.#isPaused;
  }

  protected lastSeq(): number {
    return this.#end.lastSeq;
  }

  protected async readPage(afterSeq: number): Promise<Delivery[]> {
    const entries = await this.#store.readEntries({ logId: this.#end.logId, afterSeq, ...pageLimits });
    return entries.map((entry) => createDelivery(this.#end.logId, entry));
  }

  protected deliver(delivery: Delivery): void {
    const { entry } = delivery;
    if (!this.#opened.has(entry.epochId)) {
      const { logId, seq, epochId, entryKind, nextAccessHash, blob } = entry;
      this.#sink.sealed({ logId, seq, epochId, entryKind, nextAccessHash, blobHash: sha256(blob) });
      return;
    }
    this.#sink.entry(delivery);
    if (entry.entryKind === "commit" && entry.epochId === this.#newest && !this.#opened.has(entry.seq)) this.#isPaused = true;
  }
}

/** An entry as readers get it. */
export function createDelivery(logId: Uint8Array, entry: StoredEntry): Delivery {
  return {
    seq: entry.seq,
    entry: {
      logId,
      seq: entry.seq,
      epochId: entry.epochId,
      entryKind: entry.kind,
      day: entry.day,
      nextAccessHash: entry.nextAccessHash,
      blob: entry.blob,
    },
    frame: undefined,
  };
}
