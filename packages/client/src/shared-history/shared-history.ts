import type { World } from "../engine/world.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { GivenBefore, SharedHistoryAccess } from "./moving.ts";

const firstRetryMs = 10_000;
const maxRetryMs = 600_000;
/** How often what is too old is forgotten, where anything is kept. */
const everyMs = 3_600_000;
/** Where something lies of which there is something to do. */
const prefixes = ["give-history/", "given-history/", "past-day/"];

/**
 * Gives joiners what was said before they came, and takes what this device was given (spec R-5). What is to be done lies in the store, so that
 * nothing of it is lost by a crash; what cannot be done now is tried again, less and less often.
 */
export class SharedHistory {
  readonly #world: World;
  readonly #access: SharedHistoryAccess;
  readonly #flight = createSingleFlight(() => this.#run());
  #cancelTimer = (): void => undefined;
  readonly #before: GivenBefore = new Map();
  #betweenMs = firstRetryMs;
  #closed = false;

  constructor(world: World, access: SharedHistoryAccess) {
    this.#world = world;
    this.#access = access;
  }

  get isIdle(): boolean {
    return !this.#flight.isRunning;
  }

  /** Something is to be given, or was; or the profile was opened. */
  wake(): void {
    if (!this.#closed) void this.#flight.wake().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#flight.settled();
  }

  async #run(): Promise<void> {
    this.#cancelTimer();
    const isAnything = await this.#world.store.transact("read", async (tx) => {
      for (const prefix of prefixes) if ((await tx.scan({ prefix, limit: 1 })).length > 0) return true;
      return false;
    });
    if (!isAnything || this.#closed) return;
    const { moveHistory } = await import("./moving.ts");
    const isLeft = await moveHistory(this.#world, this.#access, this.#before);
    if (this.#closed) return;
    const delayMs = isLeft ? this.#betweenMs : everyMs;
    this.#betweenMs = isLeft ? Math.min(maxRetryMs, this.#betweenMs * 2) : firstRetryMs;
    this.#cancelTimer = this.#world.platform.setTimer(delayMs, () => this.wake());
  }
}
