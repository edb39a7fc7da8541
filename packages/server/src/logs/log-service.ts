import { equalSecrets } from "@latchkey/codec";
import type { CreateLog, EntryKind, EpochAccess, OpenEpoch, Opened, Signal } from "@latchkey/protocol";
import { splitEntry, zeroHash } from "@latchkey/protocol";
import { costOf } from "../admission/fair-queue.ts";
import type { FairQueue, Lane } from "../admission/fair-queue.ts";
import { allOf, createRateLimit } from "../admission/rates.ts";
import type { RateLimit } from "../admission/rates.ts";
import type { TargetLimits } from "../admission/targets.ts";
import type { Bus } from "../bus/bus.ts";
import { Looks } from "../bus/looks.ts";
import type { Grown } from "../bus/looks.ts";
import { purgedAtOnce } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { keyOf } from "../keys.ts";
import type { Counters } from "../metrics.ts";
import type { Refused } from "../store/accounts.ts";
import type { DiskRoom } from "../storage/disk-room.ts";
import type { AppendAccepted, AppendRefusal, EpochInfo, LogStore, NewEntry } from "../store/store.ts";
import { CommitTurns, complaintPace } from "./commit-turns.ts";
import type { CommitAsk, Turn } from "./commit-turns.ts";
import { LogStream, createDelivery } from "./log-stream.ts";
import type { Delivery, LogEnd, LogSink, SignalDelivery } from "./log-stream.ts";
import { dayOf } from "../days.ts";
import type { SpentToken } from "../store/token-store.ts";

/** A log with readers. */
interface WatchedLog extends LogEnd {
  readonly streams: Set<LogStream>;
  /** Requests under way that may add a stream. */
  pending: number;
  /** Epochs of which a commit is known: what ends one of them again stands in another lane than what ends a new one. */
  readonly ended: Set<number>;
  /** Of its signals; from the first one on. */
  signals?: RateLimit;
}

/** Of what other nodes have stored in all logs, read at once. */
const readOnLimits = { maxItems: 4096, maxBytes: 1_048_576 };
const maxEndedEpochs = 4096;

/** An entry, and who is told what became of it. */
interface Pending {
  readonly entry: Appending;
  readonly answer: (outcome: AppendAccepted | Refused<AppendRefusal>) => void;
  readonly fail: (error: unknown) => void;
  isAnswered: boolean;
}

/** An entry that takes its turn: a commit (spec L-13) or a complaint (spec L-16). */
interface PendingTurn extends CommitAsk, Pending {
  readonly turns: CommitTurns<PendingTurn>;
  readonly key: string;
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
  readonly afterSeq: number;
  readonly nextAccessHash: Uint8Array;
  /** The connection's stream of this log, where it has one. */
  readonly stream: LogStream | undefined;
  /** The connection's turns at the store. */
  readonly lane: Lane;
}

/** With little room left on the disk each byte counts as so many. */
const scarceFactor = 16;
/** What an entry costs on disk besides its own bytes. */
const entryRowBytes = 256;

/** The logs: rules above the store, and the readers of each log (spec section 10). Knows no sockets and nobody's identity. */
export class LogService {
  readonly #store: LogStore;
  readonly #context: ServerContext;
  readonly #counters: Counters;
  readonly #queue: FairQueue;
  readonly #targets: TargetLimits;
  readonly #disk: Pick<DiskRoom, "isLow">;
  readonly #bus: Bus;
  /** At what other nodes have stored. */
  readonly #looks: Looks;
  readonly #watched = new Map<string, WatchedLog>();
  readonly #commits = new CommitTurns<PendingTurn>();
  readonly #complaints: CommitTurns<PendingTurn>;
  readonly #setTimer: (delayMs: number, run: () => void) => () => void;
  #cancelTimer: () => void = () => undefined;
  /** The time that has passed, by a clock that may be set back: windows end all the same. */
  #elapsedMs = 0;
  #lastMs: number;
  #streams = 0;

  constructor(params: {
    store: LogStore;
    context: ServerContext;
    counters: Counters;
    queue: FairQueue;
    targets: TargetLimits;
    disk: Pick<DiskRoom, "isLow">;
    bus: Bus;
    setTimer: (delayMs: number, run: () => void) => () => void;
    reportBug: (error: unknown) => void;
  }) {
    this.#store = params.store;
    this.#context = params.context;
    this.#counters = params.counters;
    this.#queue = params.queue;
    this.#targets = params.targets;
    this.#disk = params.disk;
    this.#bus = params.bus;
    this.#looks = new Looks({
      known: (key) => {
        const log = this.#watched.get(key);
        return log === undefined ? undefined : { id: log.logId, lastSeq: log.lastSeq };
      },
      grown: (known) => this.#store.grownLogs({ known }),
      onGrown: (grown) => this.#readOn(grown),
      setTimer: params.setTimer,
      reportBug: params.reportBug,
    });
    this.#setTimer = params.setTimer;
    this.#complaints = new CommitTurns(complaintPace(params.context.limits.complaintsAtOnce));
    this.#lastMs = params.context.nowMs();
  }

  /** Logs that somebody reads now. */
  get watchedLogs(): number {
    return this.#watched.size;
  }

  /** Creates a log, which spends the token, and streams it to `sink`. @throws Refusal `log_exists`, `token_invalid` */
  async create(
    request: Omit<CreateLog, "token"> & { readonly spent: SpentToken | undefined },
    sink: LogSink,
    existing: LogStream | undefined,
  ): Promise<OpenedLog> {
    const { logId, accessHash, spent: token } = request;
    const day = dayOf(this.#context.nowMs());
    return this.#attach({ logId, epochId: 0, closed: [], afterSeq: 0, sink, existing }, async () => {
      const info = await this.#store.createLog({ logId, accessHash, day, token });
      if (info.kind === "refused") throw new Refusal(info.code);
      return info;
    });
  }

  /** Opens an epoch, and streams its log to `sink` unless `existing` does. @throws Refusal for an unknown log or epoch or a wrong key */
  async open(request: OpenEpoch, sink: LogSink, existing: LogStream | undefined): Promise<OpenedLog> {
    const { logId, epochId, afterSeq } = request;
    const closed = await this.#shown(logId, request.closed);
    return this.#attach({ logId, epochId, closed, afterSeq, sink, existing }, async () => {
      const info = await this.#store.readEpoch({ logId, epochId });
      if (info.kind === "refused") throw new Refusal(info.code);
      if (!equalSecrets(sha256(request.access), info.accessHash)) throw new Refusal("wrong_access_key");
      return info;
    });
  }

  /** Those of the epochs whose access key the reader showed. */
  async #shown(logId: Uint8Array, epochs: readonly EpochAccess[]): Promise<readonly number[]> {
    const found = await Promise.all(
      epochs.map(async ({ epochId, access }) => {
        const info = await this.#store.readEpoch({ logId, epochId });
        return info.kind === "epoch" && equalSecrets(sha256(access), info.accessHash) ? [epochId] : [];
      }),
    );
    return found.flat();
  }

  /**
   * Appends an entry, calls `answer` with what became of it once that is on disk, then hands the entry to all readers.
   * `fail` is called instead when the store failed, or with a Refusal when it must wait for its turn (spec L-13, L-16).
   */
  append(entry: Appending, answer: (outcome: AppendAccepted | Refused<AppendRefusal>) => void, fail: (error: unknown) => void): void {
    const { stream, epochId, kind, afterSeq } = entry;
    if (stream?.hasOpened(epochId) !== true) {
      this.#append(entry, answer, fail);
      return;
    }
    const waitMs = this.#mustWaitMs(stream, entry);
    if (waitMs > 0) {
      // What is stored already does not come again.
      void this.#answerKnown({ entry, answer, fail, isAnswered: false }, new Refusal("rate_limited", waitMs)).then(
        (isKnown) => isKnown && stream.messageOrder.forget(entry),
      );
      return;
    }
    if (kind === "message") {
      this.#append(entry, answer, fail);
      return;
    }
    const key = keyOf(entry.logId);
    const pending = { committer: stream.committer, epochId, entry, answer, fail, isAnswered: false };
    if (kind === "complaint") {
      // None comes too late for another one.
      this.#arrive({ ...pending, afterSeq: Infinity, turns: this.#complaints, key });
      return;
    }
    const isAgain = this.#watched.get(key)?.ended.has(epochId) === true;
    this.#arrive({ ...pending, afterSeq, turns: this.#commits, key: isAgain ? againOf(key) : key });
  }

  /** How long a connection waits until it may store this, in milliseconds. */
  #mustWaitMs(stream: LogStream, entry: Appending): number {
    const nowMs = this.#clockMs();
    const limitMs = (): number => this.#limitMs(stream, entry, nowMs);
    return entry.kind === "message" ? stream.messageOrder.take(entry, nowMs, limitMs) : limitMs();
  }

  /** How long it waits for the limits, in milliseconds; where it does not, it has taken from them. */
  #limitMs(stream: LogStream, { logId, kind, blob }: Appending, nowMs: number): number {
    const waitMs = kind === "commit" ? 0 : stream.appends.take(nowMs);
    if (waitMs > 0) return waitMs;
    const sizes = namedSizes(blob);
    const blobsMs = sizes.length === 0 ? 0 : this.#targets.blobsWaitMs(keyOf(logId), sizes);
    return blobsMs > 0 ? blobsMs : stream.bytes.take(nowMs, (blob.length + entryRowBytes) * (this.#disk.isLow ? scarceFactor : 1));
  }

  #arrive(pending: PendingTurn): void {
    const given = pending.turns.arrive(pending.key, pending, this.#clockMs());
    // What waits may be a retry, which gets its first result before any limit (spec L-6).
    if (!given.some((turn) => turn.ask === pending)) {
      void this.#answerKnown(pending).then((isKnown) => isKnown && pending.turns.drop(pending.key, (other) => other === pending));
    }
    this.#take(given);
  }

  /**
   * Relays a signal to the others who have its epoch open; one too many goes to nobody (spec N-1).
   * @throws Refusal `wrong_access_key` where `from` has not opened the epoch
   */
  signal(signal: Signal, from: LogStream): void {
    if (!from.hasOpened(signal.epochId)) throw new Refusal("wrong_access_key");
    this.#counters.signals += 1;
    if (this.#relay(signal, from)) this.#bus.publish({ kind: "signal", ...signal });
  }

  /** A signal that another node has relayed: it goes to the readers here, as many as of one from here. */
  hearSignal(signal: Signal): void {
    this.#relay(signal, undefined);
  }

  /** Another node may have stored entries of this log. */
  hear(logId: Uint8Array): void {
    const key = keyOf(logId);
    if (this.#watched.has(key)) this.#looks.look(key);
  }

  /** Other nodes may have stored entries of any log. */
  hearAll(): void {
    this.#looks.lookAll(this.#watched.keys());
  }

  /** Answers whether it went to the readers here. */
  #relay(signal: Signal, from: LogStream | undefined): boolean {
    const { maxSignalReaders, signalsInLog } = this.#context.limits;
    const log = this.#watched.get(keyOf(signal.logId));
    if (log === undefined || log.ended.has(signal.epochId)) return false;
    log.signals ??= createRateLimit(signalsInLog);
    if (log.streams.size > maxSignalReaders || log.signals.take(this.#clockMs()) > 0) {
      this.#counters.signalsDropped += 1;
      return false;
    }
    const delivery: SignalDelivery = { signal, frame: undefined };
    for (const each of log.streams) if (each !== from) each.signal(delivery);
    return true;
  }

  /** Ends a stream, and what waited for its turn: the author asks again. */
  detach(logId: Uint8Array, stream: LogStream): void {
    stream.close();
    const key = keyOf(logId);
    const isIts = ({ committer }: PendingTurn): boolean => committer === stream.committer;
    const dropped = [key, againOf(key)].flatMap((lane) => this.#commits.drop(lane, isIts));
    for (const pending of [...dropped, ...this.#complaints.drop(key, isIts)])
      this.#finish(pending, () => pending.fail(new Refusal("wrong_access_key")));
    const log = this.#watched.get(key);
    if (log === undefined) return;
    log.streams.delete(stream);
    this.#release(key, log);
  }

  /** Removes entries older than the retention, in small transactions. Answers how many. */
  async purge(): Promise<number> {
    const beforeDay = this.#context.dayBefore(this.#context.retentionDays);
    let removed = 0;
    for (;;) {
      const count = await this.#store.purgeEntries({ beforeDay, maxItems: purgedAtOnce });
      removed += count;
      if (count < purgedAtOnce) return removed;
    }
  }

  async #attach(
    params: {
      logId: Uint8Array;
      epochId: number;
      closed: readonly number[];
      afterSeq: number;
      sink: LogSink;
      existing: LogStream | undefined;
    },
    load: () => Promise<EpochInfo>,
  ): Promise<OpenedLog> {
    const key = keyOf(params.logId);
    // Watched from before the store is asked, so that no entry falls between its answer and the stream.
    let log = this.#watched.get(key);
    if (log === undefined) {
      log = { logId: params.logId.slice(), lastSeq: 0, streams: new Set(), pending: 0, ended: new Set() };
      this.#watched.set(key, log);
    }
    log.pending += 1;
    try {
      const info = await load();
      raise(log, info.lastSeq);
      let stream = params.existing;
      if (stream === undefined) {
        const afterSeq = Math.max(params.afterSeq, info.firstSeq - 1);
        const { sink } = params;
        const appends = allOf([createRateLimit(this.#context.limits.appendRate), this.#targets.appends(key, sink)]);
        stream = new LogStream({ end: log, store: this.#store, sink, afterSeq, order: ++this.#streams, appends });
        log.streams.add(stream);
      }
      const { currentEpochId, lastSeq, head, firstSeq, headBeforeFirst } = info;
      const opened = { logId: log.logId, currentEpochId, lastSeq, head, firstSeq, headBeforeFirst };
      const reader = stream;
      const start = (): void => {
        for (const epochId of params.closed) reader.showEpoch(epochId);
        reader.openEpoch(params.epochId);
      };
      return { opened, stream, start };
    } finally {
      log.pending -= 1;
      this.#release(key, log);
    }
  }

  /** Carries out what the turns say, now and when the next window ends. */
  #take(given: readonly Turn<PendingTurn>[]): void {
    for (const turn of given) {
      if (turn.kind === "go") this.#go(turn.ask);
      else void this.#answerKnown(turn.ask, new Refusal(turn.code, turn.retryAfterMs));
    }
    this.#cancelTimer();
    const nextMs = Math.min(this.#commits.nextTickMs() ?? Infinity, this.#complaints.nextTickMs() ?? Infinity);
    if (nextMs === Infinity) return;
    const delayMs = Math.max(1, Math.ceil(nextMs - this.#clockMs()));
    this.#cancelTimer = this.#setTimer(delayMs, () => {
      // A clock that was set back does not say that this time has passed.
      this.#elapsedMs = Math.max(nextMs, this.#clockMs());
      this.#take([...this.#commits.tick(this.#elapsedMs), ...this.#complaints.tick(this.#elapsedMs)]);
    });
  }

  #clockMs(): number {
    const nowMs = this.#context.nowMs();
    this.#elapsedMs += Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    return this.#elapsedMs;
  }

  #go(pending: PendingTurn): void {
    const { entry, key, turns } = pending;
    const settle = (acceptedSeq: number | undefined): void => this.#take(turns.settled(key, pending, acceptedSeq, this.#clockMs()));
    this.#append(
      entry,
      (outcome) => {
        this.#finish(pending, () => pending.answer(outcome));
        settle(outcome.kind === "accepted" && outcome.isNew ? outcome.seq : undefined);
      },
      (error) => {
        this.#finish(pending, () => pending.fail(error));
        settle(undefined);
      },
    );
  }

  /** Answers an entry that is stored already as it was answered first; else with `refusal`, if it is refused. Gives whether it is. */
  async #answerKnown(pending: Pending, refusal?: Refusal): Promise<boolean> {
    try {
      // Without the access key nothing new is stored.
      const outcome = await this.#queue.turn(pending.entry.lane, 1, () =>
        this.#store.append({ ...keptOf(pending.entry), hasAccess: false, day: dayOf(this.#context.nowMs()) }),
      );
      if (outcome.kind === "accepted") this.#finish(pending, () => pending.answer(outcome));
      else if (refusal !== undefined) this.#finish(pending, () => pending.fail(refusal));
      return outcome.kind === "accepted";
    } catch (error) {
      if (refusal !== undefined) this.#finish(pending, () => pending.fail(error));
      return false;
    }
  }

  #finish(pending: Pending, answer: () => void): void {
    if (pending.isAnswered) return;
    pending.isAnswered = true;
    answer();
  }

  /** Stores an entry, answers, and hands it to the readers. */
  #append(entry: Appending, answer: (outcome: AppendAccepted | Refused<AppendRefusal>) => void, fail: (error: unknown) => void): void {
    const cost = costOf(entry.blob.length);
    const { lane } = entry;
    this.#queue.run(lane, cost, () => {
      const kept = keptOf(entry);
      const day = dayOf(this.#context.nowMs());
      this.#store
        .append({ ...kept, hasAccess: entry.stream?.hasOpened(entry.epochId) === true, day })
        .then(
          (outcome) => {
            this.#queue.done(lane, cost);
            answer(outcome);
            this.#handOut(kept, outcome, day);
          },
          (error: unknown) => {
            this.#queue.done(lane, cost);
            throw error;
          },
        )
        .catch(fail);
    });
  }

  /** Hands an entry that is new to the readers. */
  #handOut(kept: ReturnType<typeof keptOf>, outcome: AppendAccepted | Refused<AppendRefusal>, day: number): void {
    if (outcome.kind !== "accepted" || !outcome.isNew) return;
    this.#counters.entriesStored += 1;
    const { logId, epochId, kind, blob, nextAccessHash } = kept;
    this.#bus.publish({ kind: "log", logId });
    const key = keyOf(logId);
    const log = this.#watched.get(key);
    if (log === undefined) return;
    // What came before it on another node is read first, once for all readers.
    if (log.streams.size > 0 && outcome.seq > log.lastSeq + 1) this.#looks.look(key);
    else offer(log, createDelivery(log.logId, { seq: outcome.seq, epochId, kind, day, nextAccessHash, blob }));
  }

  /** Hands what other nodes have stored to the readers, so much of it. Answers the logs that have more. @throws StoreError */
  async #readOn(grown: readonly Grown[]): Promise<readonly string[]> {
    const read: { readonly key: string; readonly log: WatchedLog; readonly lastSeq: number }[] = [];
    for (const { key, lastSeq } of grown) {
      const log = this.#watched.get(key);
      if (log === undefined) continue;
      // Who does not read now goes on by itself.
      if ([...log.streams].some(({ isLive }) => isLive)) read.push({ key, log, lastSeq });
      else raise(log, lastSeq);
    }
    if (read.length === 0) return [];
    const logs = read.map(({ log }) => ({ id: log.logId, lastSeq: log.lastSeq }));
    const lists = await this.#store.readEntriesOfLogs({ logs, ...readOnLimits });
    // Those before the last one that came have come whole, and where none did nothing is left.
    const lastAt = lists.findLastIndex((entries) => entries.length > 0);
    for (const [at, { log, lastSeq }] of read.entries()) {
      const entries = lists[at] ?? [];
      for (const entry of entries) offer(log, createDelivery(log.logId, entry));
      // What was erased meanwhile does not come.
      if (entries.length === 0 && (at < lastAt || lastAt === -1)) raise(log, lastSeq);
    }
    return read.flatMap(({ key, log, lastSeq }) => (log.lastSeq < lastSeq ? [key] : []));
  }

  #release(key: string, log: WatchedLog): void {
    if (log.streams.size === 0 && log.pending === 0) this.#watched.delete(key);
  }
}

/** What the store keeps of it. */
function keptOf({ logId, epochId, kind, blob, afterSeq, nextAccessHash }: Appending): Omit<NewEntry, "hasAccess" | "day"> {
  return { logId, epochId, kind, blob, afterSeq, nextAccessHash: kind === "commit" ? nextAccessHash : zeroHash };
}

/** How large the blobs are that an entry names. */
function namedSizes(blob: Uint8Array): readonly number[] {
  // An empty list, which most have, is one zero.
  return blob[0] === 0 ? [] : (splitEntry(blob)?.blobs ?? []).map(({ sizeBytes }) => sizeBytes);
}

/** The lane of commits to epochs that have ended. */
function againOf(logKey: string): string {
  return `${logKey} again`;
}

/** There are entries up to this one: who was told none of them reads them. */
function raise(log: WatchedLog, lastSeq: number): void {
  if (lastSeq <= log.lastSeq) return;
  log.lastSeq = lastSeq;
  for (const each of log.streams) each.kick();
}

/** Hands an entry to the readers, unless they know of it. */
function offer(log: WatchedLog, delivery: Delivery): void {
  const { entryKind, epochId } = delivery.entry;
  if (entryKind === "commit") noteEnded(log, epochId);
  if (delivery.seq <= log.lastSeq) return;
  log.lastSeq = delivery.seq;
  for (const each of log.streams) each.offer(delivery);
}

function noteEnded(log: WatchedLog, epochId: number): void {
  log.ended.add(epochId);
  if (log.ended.size <= maxEndedEpochs) return;
  const oldest = log.ended.values().next();
  if (oldest.done !== true) log.ended.delete(oldest.value);
}
