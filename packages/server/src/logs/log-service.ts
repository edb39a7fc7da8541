import { equalSecrets } from "@latchkey/codec";
import type { CreateLog, EntryKind, OpenEpoch, Opened } from "@latchkey/protocol";
import { zeroHash } from "@latchkey/protocol";
import { dayOf } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { keyOf } from "../keys.ts";
import type { Counters } from "../metrics.ts";
import type { Refused } from "../store/accounts.ts";
import type { AppendAccepted, AppendRefusal, EpochInfo, LogStore } from "../store/store.ts";
import { LogStream, createDelivery } from "./log-stream.ts";
import type { LogEnd, LogSink } from "./log-stream.ts";

/** A log with readers. */
interface WatchedLog extends LogEnd {
  readonly streams: Set<LogStream>;
  /** Requests under way that may add a stream. */
  pending: number;
}

/** An opened epoch: the caller answers `opened`, then calls `start`, which lets the entries follow. */
export interface OpenedLog {
  readonly opened: Opened;
  readonly stream: LogStream;
  readonly start: () => void;
}

/** An entry to append, whose access was checked or not by its connection. */
export interface Appending {
  readonly logId: Uint8Array;
  readonly epochId: number;
  readonly kind: EntryKind;
  readonly blob: Uint8Array;
  readonly blobIds: readonly Uint8Array[];
  readonly afterSeq: number;
  readonly nextAccessHash: Uint8Array;
  readonly hasAccess: boolean;
}

/** The logs: rules above the store, and the readers of each log (spec section 2). Knows no sockets and nobody's identity. */
export class LogService {
  readonly #store: LogStore;
  readonly #context: ServerContext;
  readonly #counters: Counters;
  readonly #watched = new Map<string, WatchedLog>();

  constructor(params: { store: LogStore; context: ServerContext; counters: Counters }) {
    this.#store = params.store;
    this.#context = params.context;
    this.#counters = params.counters;
  }

  /** Logs that somebody reads now. */
  get watchedLogs(): number {
    return this.#watched.size;
  }

  /** Creates a log and streams it to `sink`. @throws Refusal `log_exists` */
  async create(request: CreateLog, sink: LogSink, existing: LogStream | undefined): Promise<OpenedLog> {
    const { logId, accessHash } = request;
    const day = dayOf(this.#context.nowMs());
    return this.#attach({ logId, epochId: 0, afterSeq: 0, sink, existing }, async () => {
      const info = await this.#store.createLog({ logId, accessHash, day });
      if (info.kind === "refused") throw new Refusal(info.code);
      return info;
    });
  }

  /** Opens an epoch, and streams its log to `sink` unless `existing` does. @throws Refusal for an unknown log or epoch or a wrong key */
  async open(request: OpenEpoch, sink: LogSink, existing: LogStream | undefined): Promise<OpenedLog> {
    const { logId, epochId, afterSeq } = request;
    return this.#attach({ logId, epochId, afterSeq, sink, existing }, async () => {
      const info = await this.#store.readEpoch({ logId, epochId });
      if (info.kind === "refused") throw new Refusal(info.code);
      if (!equalSecrets(sha256(request.access), info.accessHash)) throw new Refusal("wrong_access_key");
      return info;
    });
  }

  /**
   * Appends an entry, calls `answer` with what became of it once that is on disk, then hands the entry to all readers.
   * `fail` is called instead when the store failed.
   */
  append(entry: Appending, answer: (outcome: AppendAccepted | Refused<AppendRefusal>) => void, fail: (error: unknown) => void): void {
    const day = dayOf(this.#context.nowMs());
    const nextAccessHash = entry.kind === "commit" ? entry.nextAccessHash : zeroHash;
    this.#store
      .append({ ...entry, nextAccessHash, day })
      .then((outcome) => {
        answer(outcome);
        if (outcome.kind !== "accepted" || !outcome.isNew) return;
        this.#counters.entriesStored += 1;
        const log = this.#watched.get(keyOf(entry.logId));
        if (log === undefined || outcome.seq <= log.lastSeq) return;
        log.lastSeq = outcome.seq;
        const delivery = createDelivery(log.logId, {
          seq: outcome.seq,
          epochId: entry.epochId,
          kind: entry.kind,
          day,
          nextAccessHash,
          blob: entry.blob,
        });
        for (const stream of log.streams) stream.offer(delivery);
      })
      .catch(fail);
  }

  /** Ends a stream. */
  detach(logId: Uint8Array, stream: LogStream): void {
    stream.close();
    const key = keyOf(logId);
    const log = this.#watched.get(key);
    if (log === undefined) return;
    log.streams.delete(stream);
    this.#release(key, log);
  }

  /** Removes entries older than the retention, in small transactions. Answers how many. */
  async purge(): Promise<number> {
    const beforeDay = dayOf(this.#context.nowMs()) - this.#context.retentionDays;
    let removed = 0;
    for (;;) {
      const count = await this.#store.purgeEntries({ beforeDay, maxItems: 500 });
      removed += count;
      if (count < 500) return removed;
    }
  }

  async #attach(
    params: { logId: Uint8Array; epochId: number; afterSeq: number; sink: LogSink; existing: LogStream | undefined },
    load: () => Promise<EpochInfo>,
  ): Promise<OpenedLog> {
    const key = keyOf(params.logId);
    // Watched from before the store is asked, so that no entry falls between its answer and the stream.
    let log = this.#watched.get(key);
    if (log === undefined) {
      log = { logId: params.logId.slice(), lastSeq: 0, streams: new Set(), pending: 0 };
      this.#watched.set(key, log);
    }
    log.pending += 1;
    try {
      const info = await load();
      log.lastSeq = Math.max(log.lastSeq, info.lastSeq);
      let stream = params.existing;
      if (stream === undefined) {
        const afterSeq = Math.max(params.afterSeq, info.firstSeq - 1);
        stream = new LogStream({ end: log, store: this.#store, sink: params.sink, afterSeq });
        log.streams.add(stream);
      }
      const { currentEpochId, lastSeq, head, firstSeq, headBeforeFirst } = info;
      const opened = { logId: log.logId, currentEpochId, lastSeq, head, firstSeq, headBeforeFirst };
      const reader = stream;
      return { opened, stream, start: () => reader.openEpoch(params.epochId) };
    } finally {
      log.pending -= 1;
      this.#release(key, log);
    }
  }

  #release(key: string, log: WatchedLog): void {
    if (log.streams.size === 0 && log.pending === 0) this.#watched.delete(key);
  }
}
