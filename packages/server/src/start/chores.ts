import type { Logger } from "pino";
import { Refusal, StoreError } from "../errors.ts";
import type { Orphan } from "../blobs/blob-service.ts";
import type { PublicSuspensions } from "../directory/public-suspensions.ts";
import type { Publisher } from "../directory/publisher.ts";
import type { Health } from "../health.ts";
import { keepHouse, rememberTime } from "../housekeeping.ts";
import type { HousekeepingParts } from "../housekeeping.ts";
import type { StartedJournal } from "../journal/start-journal.ts";
import type { TokenService } from "../tokens/token-service.ts";
import type { SetTimer } from "./parts.ts";

/** How long after its start a server looks for what a crash left: those who come back are served first. */
const sweepAfterMs = 1000;
/** How soon that is tried again, where the place of the blobs could not be reached. */
const sweepAgainMs = 600_000;
/** How long whoever puts a blob has to give it a row, where other nodes do too. */
const sweepLaterMs = 3_600_000;
const housekeepingMs = 3_600_000;
/** How often the directory looks what time has brought. */
const tickMs = 60_000;

/** What the server does by itself while it runs. */
export interface ChoresParts {
  readonly house: HousekeepingParts;
  readonly journal: Pick<StartedJournal, "tick">;
  readonly publisher: Publisher;
  readonly tokens: Pick<TokenService, "tend">;
  readonly suspensions: Pick<PublicSuspensions, "tend">;
  /** Whether other nodes may have the same store, and blobs. */
  readonly isShared: boolean;
  readonly health: Health;
  readonly log: Logger;
  readonly setTimer: SetTimer;
  /** What the desk does as time passes. */
  tickDesk(): Promise<number>;
  reportBug(error: unknown): void;
}

/** Removes what has expired: at once, and again every hour or when it is asked to. */
export class Chores {
  readonly #parts: ChoresParts;
  #stops: (() => void)[] = [];

  constructor(parts: ChoresParts) {
    this.#parts = parts;
  }

  /** Removes what has expired now. */
  tidy(): void {
    const { house, log } = this.#parts;
    keepHouse(house).then((removed) => {
      if (Object.values(removed).some((count) => count > 0)) log.info(removed, "removed what had expired");
    }, this.#failed);
  }

  /** Somebody was suspended, or is not any more: the public list of them is looked at. */
  suspended(): void {
    this.#parts.suspensions.tend().catch(this.#failed);
  }

  /** Goes on by the clock until `stop`. */
  start(): void {
    const { house, journal, publisher, tokens, suspensions, isShared, health, log, setTimer } = this.#parts;
    tokens
      .tend()
      .then(() => suspensions.tend())
      .catch(this.#failed);
    this.#every(housekeepingMs, () => this.tidy());
    this.#every(tickMs, () => {
      health.sample();
      this.#parts.tickDesk().then((erased) => {
        if (erased > 0) log.info({ erased }, "erased cases of the desk whose time was over");
      }, this.#failed);
      void journal
        .tick()
        .catch(this.#failed)
        .then(() => publisher.tick())
        .then(() => tokens.tend())
        .then(() => suspensions.tend())
        .catch(this.#failed);
    });
    let stopSweep = setTimer(sweepAfterMs, () => void sweep());
    const sweep = async (): Promise<void> => {
      try {
        const files = isShared ? await removeLater() : await house.blobs.removeOrphans();
        if (files > 0) log.info({ files }, "removed files that a crash left");
      } catch (error) {
        this.#failed(error);
        if (error instanceof Refusal) stopSweep = setTimer(sweepAgainMs, () => void sweep());
      }
    };
    let found: readonly Orphan[] | undefined;
    /** Another node may be putting what no row knows yet: what is found now goes the next time. */
    const removeLater = async (): Promise<number> => {
      if (!(await house.turn.take())) {
        // The one that has it may end, or be this node as it was before it was killed.
        stopSweep = setTimer(sweepLaterMs, () => void sweep());
        return 0;
      }
      if (found !== undefined) return await house.blobs.removeFound(found);
      found = await house.blobs.findOrphans();
      if (found.length > 0) stopSweep = setTimer(sweepLaterMs, () => void sweep());
      return 0;
    };
    this.#stops.push(() => stopSweep());
  }

  /** Does nothing more, writes down what the next run has to know of time, and leaves to other nodes what was its turn. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    rememberTime(this.#parts.house);
    await this.#parts.house.turn.giveBack().catch(this.#failed);
  }

  #every(intervalMs: number, run: () => void): void {
    const { setTimer } = this.#parts;
    const next = (): void => {
      cancel = setTimer(intervalMs, next);
      run();
    };
    let cancel = setTimer(intervalMs, next);
    this.#stops.push(() => cancel());
  }

  /** A store that fails tells so itself, and ends the server. */
  readonly #failed = (error: unknown): void => {
    // What cannot be published now is tried again with the next tick.
    if (!(error instanceof StoreError || error instanceof Refusal)) this.#parts.reportBug(error);
  };
}
