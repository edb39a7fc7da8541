import type { StoreFault } from "../errors.ts";
import { causeOf } from "../log-causes.ts";
import type { Cause } from "../log-causes.ts";
import type { StoreLoad } from "./store-load.ts";

/** The same cause is told once in so long, in milliseconds. */
const tellMs = 60_000;
/** So many failures of an operation, each so long after the one before it at most, and none that succeeded between. */
const repeated = 3;
const repeatMs = 60_000;
/** After so long without another one nobody asks for it any more. */
const forgottenMs = 600_000;
/** Causes are places in the code: there are few. */
const maxCauses = 256;

interface Failing {
  readonly times: number;
  readonly lastMs: number;
}

/**
 * What the store could not do although its disk works and has room: SQL that the database refuses, or a bug. Each cause is told once a
 * minute, and whether an operation fails again and again is known. Of the operations only their names are held.
 */
export class StoreFaults {
  readonly #nowMs: () => number;
  readonly #tell: (cause: Cause, operation: string) => void;
  readonly #failing = new Map<string, Failing>();
  readonly #toldMs = new Map<string, number>();

  constructor(params: { nowMs: () => number; tell: (cause: Cause, operation: string) => void }) {
    this.#nowMs = params.nowMs;
    this.#tell = params.tell;
  }

  /** Listens to the store. */
  watch(load: StoreLoad): void {
    load.onFault = (operation, fault) => this.#failed(operation, fault);
    load.onSuccess = (operation) => void this.#failing.delete(operation);
  }

  /** Whether some operation has failed three times, within a minute of each other, and not succeeded since. */
  get isRepeating(): boolean {
    const nowMs = this.#nowMs();
    return [...this.#failing.values()].some(({ times, lastMs }) => times >= repeated && nowMs - lastMs < forgottenMs);
  }

  #failed(operation: string, fault: StoreFault): void {
    const nowMs = this.#nowMs();
    const before = this.#failing.get(operation);
    const isNext = before !== undefined && (before.times >= repeated || nowMs - before.lastMs < repeatMs);
    this.#failing.set(operation, { times: isNext ? before.times + 1 : 1, lastMs: nowMs });
    const cause = causeOf(fault);
    const key = JSON.stringify([operation, cause]);
    const toldMs = this.#toldMs.get(key);
    if (toldMs !== undefined && nowMs - toldMs < tellMs) return;
    if (this.#toldMs.size >= maxCauses) this.#toldMs.clear();
    this.#toldMs.set(key, nowMs);
    this.#tell(cause, operation);
  }
}
