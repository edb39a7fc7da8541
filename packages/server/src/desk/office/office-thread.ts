import type { Worker } from "node:worker_threads";
import { ServerError, StoreFault } from "../../errors.ts";
import type { ServerErrorCode } from "../../errors.ts";
import { startThread } from "../../threads.ts";
import type { DeskSeat } from "../desk-seat.ts";
import { DeskError } from "./desk-error.ts";
import type { FromOffice, OfficeCall, OfficeMethod, OfficeQuestion, OfficeParams, OfficeResult, ToOffice } from "./messages.ts";
import type { OfficeOptions } from "./operations.ts";
import type { OfficeWorld } from "./world.ts";

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What is around the desk. */
export interface OfficeSurroundings {
  readonly world: OfficeWorld;
  /** Which of several servers has the desk; `undefined` where there is one server. */
  readonly seat?: Pick<DeskSeat, "take" | "isElsewhere"> | undefined;
  reportBug(error: unknown): void;
}

/** Calls beyond which nobody else is taken in: each waits for the thread. */
const maxWaiting = 256;
const busyRetryMs = 1000;
/** For what is new: little, since nobody waits for the desk in milliseconds, and everything else shares the memory. */
const maxYoungGenerationSizeMb = 2;

/** The desk's thread: everything that is known of reports and staff is there, and nowhere else in the process. */
export class OfficeThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #ended = Promise.withResolvers<void>();
  #lastId = 0;
  #isEnded = false;

  readonly #world: OfficeWorld;
  readonly #reportBug: (error: unknown) => void;

  private constructor(worker: Worker, { world, reportBug }: OfficeSurroundings) {
    this.#worker = worker;
    this.#world = world;
    this.#reportBug = reportBug;
  }

  /** Starts it. @throws ServerError when the desk's database cannot be used */
  static async start(options: OfficeOptions, surroundings: OfficeSurroundings): Promise<OfficeThread> {
    const worker = startThread("latchkey-desk", new URL("./worker.ts", import.meta.url), options, { maxYoungGenerationSizeMb });
    const thread = new OfficeThread(worker, surroundings);
    const opened = Promise.withResolvers<void>();
    worker.on("message", (message: FromOffice) => {
      if (message.kind === "ready") opened.resolve();
      // The code is one that this thread's own classes have.
      else if (message.kind === "refused") opened.reject(new ServerError(message.code as ServerErrorCode, message.message));
      else if (message.kind === "ask") void thread.#answer(message);
      else if (message.kind === "bug") surroundings.reportBug(new StoreFault(message.fault));
      else thread.#settle(message);
    });
    const stopped = (error: unknown): void => {
      if (error !== undefined) surroundings.reportBug(error);
      const cause = error instanceof Error ? error : new Error("the desk's thread ended");
      opened.reject(cause);
      thread.#stop(cause);
    };
    worker.on("error", stopped);
    worker.on("exit", () => stopped(undefined));
    await opened.promise;
    return thread;
  }

  /** Resolves when it has ended, by `close` or by itself. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Calls a method of the desk. What is in `moved` is handed over in place of a copy.
   * @throws DeskError, StoreFault, or the error with which the thread ended
   */
  call<Name extends OfficeMethod>(name: Name, params: OfficeParams<Name>, moved: readonly ArrayBuffer[] = []): Promise<OfficeResult<Name>> {
    if (this.#isEnded) return Promise.reject(new Error("the desk's thread ended"));
    if (this.#waiting.size >= maxWaiting) return Promise.reject(new DeskError("rate_limited", busyRetryMs));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (value) => resolve(value as OfficeResult<Name>), reject });
      this.#post({ kind: "call", id, name, params } satisfies OfficeCall, moved);
    });
  }

  /** Ends it when what is under way is done. */
  async close(): Promise<void> {
    if (!this.#isEnded) this.#post({ kind: "close" });
    await this.#ended.promise;
  }

  #post(message: ToOffice, moved: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, [...moved]);
  }

  async #answer({ id, name, params }: OfficeQuestion): Promise<void> {
    try {
      // The name and what goes with it are of one pair.
      const value = await (this.#world[name] as (params: unknown) => Promise<unknown>)(params);
      this.#post({ kind: "answer", id, isDone: true, value });
    } catch (error) {
      this.#reportBug(error);
      this.#post({ kind: "answer", id, isDone: false, value: undefined });
    }
  }

  #settle(message: Extract<FromOffice, { kind: "done" | "not-done" | "failed" }>): void {
    const waiter = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "done") waiter?.resolve(message.value);
    else waiter?.reject(message.kind === "not-done" ? new DeskError(message.code) : new StoreFault(message.fault));
  }

  #stop(cause: Error): void {
    this.#isEnded = true;
    for (const { reject } of this.#waiting.values()) reject(cause);
    this.#waiting.clear();
    this.#ended.resolve();
  }
}
