import { ServerError, StoreError, StoreFault } from "../../errors.ts";
import type { ServerErrorCode, StoreFaultParts } from "../../errors.ts";
import type { Refused } from "../accounts.ts";
import type { AppendAccepted, AppendRefusal, NewEntry, Store } from "../store.ts";
import { CalledStore } from "../called-store.ts";
import type { CallName as CalledName, CallParams as CalledParams, CallResult as CalledResult } from "../called-store.ts";
import { StoreLoad } from "../store-load.ts";
import { startThread } from "../../threads.ts";
import { describeBreakage } from "./breakage.ts";
import type { BatchResult, Call, CallName, DatabaseOptions, FromWorker, ToWorker } from "./calls.ts";
import { packAppends, resultAt, unpackEntries, unpackItems } from "./packing.ts";
import type { Packed } from "./packing.ts";
import { compact, transferList } from "./transfer.ts";

/** The way to whatever executes batches: a thread, or in tests the same thread. */
export interface Channel {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  /** Messages of the executor, then at most one `stopped` when it ended by itself. */
  listen(onMessage: (message: FromWorker) => void, onStopped: (error: Error) => void): void;
}

type AppendOutcome = AppendAccepted | Refused<AppendRefusal>;

interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Most appends, and about the most bytes, of one transaction. */
const maxBatchEntries = 1024;
const maxBatchBytes = 4_194_304;

/** Opens the store in a directory on a thread of its own. @throws ServerError `data_locked`, `data_newer`, `data_unusable` or `disk_full` */
export function openSqliteStore(options: DatabaseOptions, load?: StoreLoad): Promise<Store> {
  return openStore(threadChannel(options), load);
}

/** Opens the store behind a channel. @throws ServerError as the executor refuses. */
export function openStore(channel: Channel, load: StoreLoad = new StoreLoad()): Promise<Store> {
  return new Promise((resolve, reject) => {
    const store = new SqliteStore(channel, load);
    channel.listen(
      (message) => {
        if (message.kind === "ready") resolve(store);
        // The executor names only codes of ServerError.
        else if (message.kind === "refused") reject(new ServerError(message.code as ServerErrorCode, message.message));
        else store.receive(message);
      },
      (error) => {
        reject(new ServerError("store_failed", "The store could not be started: see the cause.", { cause: error }));
        store.stop(error);
      },
    );
  });
}

function threadChannel(options: DatabaseOptions): Channel {
  const worker = startThread("latchkey-store", new URL("./worker.ts", import.meta.url), options);
  return {
    post: (message, transfer) => {
      worker.postMessage(message, transfer);
    },
    listen(onMessage, onStopped) {
      worker.on("message", onMessage);
      worker.on("error", (error) => onStopped(error instanceof Error ? error : new Error("the store's thread failed")));
      worker.on("exit", () => onStopped(new Error("the store's thread ended")));
    },
  };
}

/**
 * The store's face on the main thread. Operations called in one turn of the event loop, or while a batch is under way,
 * leave as one batch: one transaction and one fsync of each database that they concern (group commit).
 */
class SqliteStore extends CalledStore implements Store {
  readonly failed: Promise<Error>;
  readonly #channel: Channel;
  readonly #reportFailure: (error: Error) => void;
  #entries: NewEntry[] = [];
  #entryWaiters: Pending<AppendOutcome>[] = [];
  #calls: Call[] = [];
  #callWaiters: Pending<unknown>[] = [];
  #sentEntries: Pending<AppendOutcome>[] = [];
  #sentCalls: Pending<unknown>[] = [];
  #state: "idle" | "scheduled" | "busy" | "closed" = "idle";
  /** Once the store broke: when the executor has released the directory. */
  #released: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  readonly #load: StoreLoad;
  #sentNames: readonly CallName[] = [];
  #sentAtMs = 0;

  constructor(channel: Channel, load: StoreLoad) {
    super();
    this.#channel = channel;
    this.#load = load;
    load.waiting = () => this.#entries.length + this.#calls.length;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#reportFailure = resolve;
  }

  append(entry: NewEntry): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing()) {
        reject(new StoreError("closed"));
        return;
      }
      this.#entries.push(entry);
      this.#entryWaiters.push({ resolve, reject });
      this.#schedule();
    });
  }

  async scrub(): Promise<void> {
    while ((await this.#ask("shrink", undefined)) !== 0);
    await this.#ask("scrub", undefined);
  }

  async close(): Promise<void> {
    if (this.#released !== undefined) return this.#released;
    if (this.#isClosing()) return;
    const idle = Promise.withResolvers<void>();
    this.#onIdle = idle.resolve;
    if (this.#state === "idle") idle.resolve();
    await idle.promise;
    if (this.#isStopped()) return;
    const closed = Promise.withResolvers<void>();
    this.#onClosed = closed.resolve;
    this.#channel.post({ kind: "close" }, []);
    await closed.promise;
  }

  /** A message of the executor. */
  receive(message: FromWorker): void {
    if (message.kind === "result") this.#settle(message);
    else if (message.kind === "broken") this.#break(new ServerError("store_failed", describeBreakage(message.breakage)));
    else if (message.kind === "closed") {
      this.#state = "closed";
      if (message.isDiskFull) this.#load.onClosedFull();
      this.#onClosed?.();
    }
  }

  /** The executor ended: expected after `close`, else everything under way has failed. */
  stop(error: Error): void {
    if (this.#state === "closed") {
      // It broke, and then ended without an answer.
      this.#onClosed?.();
      return;
    }
    this.#state = "closed";
    for (const waiter of [...this.#sentEntries, ...this.#sentCalls]) waiter.reject(new StoreError("failed", { cause: error }));
    for (const waiter of [...this.#entryWaiters, ...this.#callWaiters]) waiter.reject(new StoreError("closed", { cause: error }));
    this.#onIdle?.();
    this.#onClosed?.();
    this.#reportFailure(error);
  }

  #isClosing(): boolean {
    return this.#state === "closed" || this.#onIdle !== undefined;
  }

  #isStopped(): boolean {
    return this.#state === "closed";
  }

  protected override async call<Name extends CalledName>(name: Name, params: CalledParams<Name>): Promise<CalledResult<Name>> {
    const value: unknown = await this.#ask(name, params);
    const result = name === "readEntries" ? unpackEntries(value as Packed) : name === "readItems" ? unpackItems(value as Packed) : value;
    // The executor answers a call with the result type of its name.
    return result as CalledResult<Name>;
  }

  #ask(name: CallName, params: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing()) {
        reject(new StoreError("closed"));
        return;
      }
      // Name and parameters belong together.
      this.#calls.push({ name, params: compact(params) as Call["params"] });
      this.#callWaiters.push({ resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#state !== "idle") return;
    this.#state = "scheduled";
    setImmediate(() => {
      if (this.#state === "scheduled") this.#flush();
    });
  }

  #flush(): void {
    const entries = this.#takeEntries();
    const calls = this.#calls.splice(0);
    this.#sentCalls = this.#callWaiters.splice(0);
    this.#sentNames = calls.map(({ name }) => name);
    this.#state = "busy";
    const appends = entries.length === 0 ? undefined : packAppends(entries);
    const batch = { kind: "batch", appends, calls } as const;
    this.#sentAtMs = performance.now();
    this.#channel.post(batch, transferList(batch));
  }

  #takeEntries(): readonly NewEntry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#entries) {
      bytes += entry.blob.length;
      if (count === maxBatchEntries || (count > 0 && bytes > maxBatchBytes)) break;
      count += 1;
    }
    if (count === this.#entries.length) {
      const entries = this.#entries;
      this.#sentEntries = this.#entryWaiters;
      this.#entries = [];
      this.#entryWaiters = [];
      return entries;
    }
    this.#sentEntries = this.#entryWaiters.splice(0, count);
    return this.#entries.splice(0, count);
  }

  #settle(result: BatchResult): void {
    this.#load.onBatch((performance.now() - this.#sentAtMs) / 1000);
    const entryWaiters = this.#sentEntries;
    const callWaiters = this.#sentCalls;
    const names = this.#sentNames;
    this.#sentEntries = [];
    this.#sentCalls = [];
    // The next batch leaves before this one's answers are handled, so that both threads work.
    if (this.#entries.length > 0 || this.#calls.length > 0) this.#flush();
    else this.#state = "idle";
    const cause = result.breakage === undefined ? undefined : new ServerError("store_failed", describeBreakage(result.breakage));
    const failure = (operation: string, isFull: boolean, parts: StoreFaultParts | undefined): StoreError => {
      if (isFull || parts === undefined) return new StoreError(isFull ? "full" : "failed", { cause });
      const fault = new StoreFault(parts);
      this.#load.onFault(operation, fault);
      return new StoreError("failed", { cause: fault });
    };
    if (result.appends !== undefined) {
      for (const [index, waiter] of entryWaiters.entries()) {
        const outcome = resultAt(result.appends, index);
        if (outcome.kind === "failed") waiter.reject(failure("append", outcome.full, result.appendFault));
        else this.#done("append", outcome, waiter);
      }
    }
    for (const [index, waiter] of callWaiters.entries()) {
      const outcome = result.calls[index];
      const name = names[index] ?? "";
      if (outcome?.kind === "done") this.#done(name, outcome.value, waiter);
      else waiter.reject(failure(name, outcome?.full ?? false, outcome?.fault));
    }
    if (cause !== undefined) this.#break(cause);
    else if (this.#state === "idle") this.#onIdle?.();
  }

  #done<T>(operation: string, value: T, waiter: Pending<T>): void {
    // What was refused may not have come to what fails.
    const isRefused = typeof value === "object" && value !== null && Reflect.get(value, "kind") === "refused";
    if (!isRefused) this.#load.onSuccess(operation);
    waiter.resolve(value);
  }

  /** The executor has given up: it releases the directory, and everybody else is told. */
  #break(cause: ServerError): void {
    if (this.#state === "closed") return;
    const released = Promise.withResolvers<void>();
    this.#released = released.promise;
    this.stop(cause);
    this.#onClosed = released.resolve;
    this.#channel.post({ kind: "close" }, []);
  }
}
