import { turnKeyOf } from "../addresses.ts";
import { Company } from "./company.ts";

/** How much may be with the store at a time, in units: an operation is one, and one more for each 4 KiB of it. */
export interface FairLimits {
  readonly total: number;
  /** Of one address while others are about; alone it may have all. */
  readonly perAddress: number;
  /** In all, with nobody else about: large portions cost least. */
  readonly alone: number;
}

/** One connection's operations, in order. */
export interface Lane {
  readonly address: Address;
  readonly jobs: Job[];
}

interface Job {
  readonly cost: number;
  readonly start: () => void;
}

/** What one address has under way, and its lanes that wait, the next one first. */
interface Address {
  readonly key: string;
  lanes: number;
  units: number;
  readonly waiting: Set<Lane>;
}

/** Bytes of one unit. */
const unitBytes = 4096;

/** What an operation of this size costs. */
export function costOf(sizeBytes: number): number {
  return 1 + Math.floor(sizeBytes / unitBytes);
}

/**
 * Hands operations to the store: so many at a time, the addresses in turn, and of an address its connections in turn, each in its own
 * order. Who asks for little does not wait for who asks for much. Pure: it starts what it is told to start, and is told when that ends.
 *
 * ```
 *   run --room, and nothing of the connection waits--> started --done--> the next address's next connection is started
 *     `---- else: waits in its connection's lane ----^
 * ```
 */
export class FairQueue {
  readonly #limits: FairLimits;
  readonly #addresses = new Map<string, Address>();
  readonly #waiting = new Set<Address>();
  readonly #company = new Company<Address>();
  #units = 0;
  #isServing = false;

  constructor(limits: FairLimits) {
    this.#limits = limits;
  }

  /** Units with the store. */
  get units(): number {
    return this.#units;
  }

  /** A lane for a connection of this address; `leave` gives it back. */
  join(address: string): Lane {
    const key = turnKeyOf(address);
    let entry = this.#addresses.get(key);
    if (entry === undefined) {
      entry = { key, lanes: 0, units: 0, waiting: new Set() };
      this.#addresses.set(key, entry);
    }
    entry.lanes += 1;
    return { address: entry, jobs: [] };
  }

  /** The connection has ended. What waits in its lane is still done. */
  leave(lane: Lane): void {
    lane.address.lanes -= 1;
    this.#forget(lane.address);
  }

  /** Starts an operation, now or when its turn comes; `start` must not throw, and `done` is called once it has ended. */
  run(lane: Lane, cost: number, start: () => void): void {
    const { address } = lane;
    this.#company.note(address);
    if (lane.jobs.length === 0 && address.waiting.size === 0 && this.#hasRoom(address)) {
      this.#start(address, cost, start);
      return;
    }
    lane.jobs.push({ cost, start });
    address.waiting.add(lane);
    this.#waiting.add(address);
    this.#serve();
  }

  /** An operation that was started has ended. */
  done(lane: Lane, cost: number): void {
    this.#units -= cost;
    lane.address.units -= cost;
    if (this.#waiting.size > 0) this.#serve();
    else this.#forget(lane.address);
  }

  /** Runs an operation in its turn and gives what it gives. */
  turn<T>(lane: Lane, cost: number, operation: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.run(lane, cost, () => {
        operation()
          .then(resolve, reject)
          .finally(() => this.done(lane, cost));
      });
    });
  }

  #start(address: Address, cost: number, start: () => void): void {
    this.#units += cost;
    address.units += cost;
    start();
  }

  #hasRoom(address: Address): boolean {
    if (!this.#company.isShared) return this.#units < this.#limits.alone;
    return this.#units < this.#limits.total && address.units < this.#limits.perAddress;
  }

  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    // Who is put behind the others is met again, until there is no room.
    for (const address of this.#waiting) {
      if (!this.#hasRoom(address)) continue;
      const lane = address.waiting.values().next().value;
      const job = lane?.jobs.shift();
      this.#waiting.delete(address);
      if (lane === undefined || job === undefined) continue;
      address.waiting.delete(lane);
      if (lane.jobs.length > 0) address.waiting.add(lane);
      if (address.waiting.size > 0) this.#waiting.add(address);
      this.#start(address, job.cost, job.start);
    }
    this.#isServing = false;
  }

  #forget(address: Address): void {
    if (address.lanes > 0 || address.units > 0 || address.waiting.size > 0) return;
    if (this.#addresses.get(address.key) === address) this.#addresses.delete(address.key);
  }
}
