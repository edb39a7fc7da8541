import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { createSingleFlight } from "../single-flight.ts";
import { allGiven, allToGive } from "./kept.ts";

const firstRetryMs = 10_000;
const maxRetryMs = 600_000;

/** What it needs of the engine. */
export interface SharedHistoryAccess {
  runner(id: string): ConversationRunner | undefined;
  /** Lines came that stand before others: what is shown of the conversation may have changed. */
  arrived(id: string): Promise<void>;
}

/**
 * Gives joiners what was said before they came, and takes what this device was given (spec R-5). What is to be done lies in the store, so that
 * nothing of it is lost by a crash; what cannot be done now is tried again, less and less often.
 */
export class SharedHistory {
  readonly #world: World;
  readonly #access: SharedHistoryAccess;
  readonly #flight = createSingleFlight(() => this.#run());
  #cancelTimer = (): void => undefined;
  #betweenMs = firstRetryMs;
  #closed = false;

  constructor(world: World, access: SharedHistoryAccess) {
    this.#world = world;
    this.#access = access;
  }

  get isIdle(): boolean {
    return !this.#flight.isRunning;
  }

  /** Something is to be given, or was. */
  wake(): void {
    if (!this.#closed) void this.#flight.wake().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#flight.settled();
  }

  async #run(): Promise<void> {
    const { store } = this.#world;
    let isOpen = false;
    for (const giving of await store.transact("read", allToGive)) {
      const runner = this.#access.runner(giving.conversationId);
      if (runner === undefined || this.#closed) continue;
      const { give } = await import("./giving.ts");
      isOpen = !(await this.#try(() => give(this.#world, runner, giving))) || isOpen;
    }
    for (const given of await store.transact("read", allGiven)) {
      const runner = this.#access.runner(given.conversationId);
      if (runner === undefined || this.#closed) continue;
      const { take } = await import("./taking.ts");
      const isDone = await this.#try(async () => {
        if ((await take(this.#world, runner, given)) === "later") return false;
        await this.#access.arrived(given.conversationId);
        return true;
      });
      isOpen = !isDone || isOpen;
    }
    this.#plan(isOpen);
  }

  /** Whether it is done. What fails for a reason of the server, or of the way there, is tried again. */
  async #try(work: () => Promise<boolean | void>): Promise<boolean> {
    try {
      return (await work()) !== false;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return false;
    }
  }

  #plan(isOpen: boolean): void {
    this.#cancelTimer();
    if (!isOpen || this.#closed) {
      this.#betweenMs = firstRetryMs;
      return;
    }
    this.#cancelTimer = this.#world.platform.setTimer(this.#betweenMs, () => this.wake());
    this.#betweenMs = Math.min(maxRetryMs, this.#betweenMs * 2);
  }
}
