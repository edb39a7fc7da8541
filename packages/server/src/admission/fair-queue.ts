import { turnKeyOf } from "../addresses.ts";
import type { Asking } from "./asking.ts";
import { Company } from "./company.ts";

/** How much may be with the store at a time, in units: an operation is one, and one more for each 4 KiB of it. */
export interface FairLimits {
  /** Of small operations, and half as much of large ones. */
  readonly total: number;
  /** Of one address while others are about; alone it may have all. */
  readonly perAddress: number;
  /** Of all addresses that ask for much, while somebody asks for little; of large operations half as much. */
  readonly ofMuch: number;
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
  /** Of them, by size, what began while it asked for much. */
  readonly unitsOfMuch: Record<Size, number>;
  readonly waiting: Readonly<Record<Size, Set<Lane>>>;
}

/** Operations of one size: what is with the store, and the addresses that wait with one of it, the next one first. */
interface Room {
  units: number;
  /** Of them, what began while its address asked for much. */
  unitsOfMuch: number;
  readonly little: Set<Address>;
  readonly much: Set<Address>;
}

function emptyRoom(): Room {
  return { units: 0, unitsOfMuch: 0, little: new Set(), much: new Set() };
}

type Size = "small" | "large";

/** Pages, proofs, large entries: from so many units on. */
const largeUnits = 8;

function sizeOf(cost: number): Size {
  return cost < largeUnits ? "small" : "large";
}

/** Bytes of one unit. */
const unitBytes = 4096;

/** What an operation of this size costs. */
export function costOf(sizeBytes: number): number {
  return 1 + Math.floor(sizeBytes / unitBytes);
}

/**
 * Hands operations to the store: so many at a time, the addresses in turn, and of an address its connections in turn, each in its own
 * order. Who asks for little does not wait for who asks for much: small operations and large ones have a room each. Pure: it starts what it is told to start, and is told when that ends.
 *
 * ```
 *   run --room, and nothing of the connection waits--> started --done--> the next address's next connection is started
 *     `---- else: waits in its connection's lane ----^
 * ```
 */
export class FairQueue {
  readonly #limits: FairLimits;
  readonly #addresses = new Map<string, Address>();
  readonly #rooms: Readonly<Record<Size, Room>> = { small: emptyRoom(), large: emptyRoom() };
  readonly #company = new Company<string>();
  readonly #asking: Pick<Asking, "isLittle" | "isLittleAbout">;
  #isServing = false;

  /** @param asking who asks for much, and who for little */
  constructor(limits: FairLimits, asking: Pick<Asking, "isLittle" | "isLittleAbout">) {
    this.#limits = limits;
    this.#asking = asking;
  }

  /** Units with the store. */
  get units(): number {
    return this.#rooms.small.units + this.#rooms.large.units;
  }

  /** A lane for a connection of this address; `leave` gives it back. */
  join(address: string): Lane {
    const key = turnKeyOf(address);
    let entry = this.#addresses.get(key);
    if (entry === undefined) {
      entry = { key, lanes: 0, units: 0, unitsOfMuch: { small: 0, large: 0 }, waiting: { small: new Set(), large: new Set() } };
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
    const size = sizeOf(cost);
    this.#company.note(address.key);
    if (lane.jobs.length === 0 && address.waiting[size].size === 0 && this.#hasRoom(address, size)) {
      this.#start(address, cost, start);
      return;
    }
    lane.jobs.push({ cost, start });
    this.#wait(lane);
    this.#serve();
  }

  /** An operation that was started has ended. */
  done(lane: Lane, cost: number): void {
    const size = sizeOf(cost);
    const { address } = lane;
    const ofMuch = Math.min(cost, address.unitsOfMuch[size]);
    address.units -= cost;
    address.unitsOfMuch[size] -= ofMuch;
    this.#rooms[size].units -= cost;
    this.#rooms[size].unitsOfMuch -= ofMuch;
    if (this.#isWaiting) this.#serve();
    else this.#forget(address);
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

  get #isWaiting(): boolean {
    const { small, large } = this.#rooms;
    return small.little.size + small.much.size + large.little.size + large.much.size > 0;
  }

  #start(address: Address, cost: number, start: () => void): void {
    const size = sizeOf(cost);
    address.units += cost;
    this.#rooms[size].units += cost;
    if (!this.#asking.isLittle(address.key)) {
      address.unitsOfMuch[size] += cost;
      this.#rooms[size].unitsOfMuch += cost;
    }
    start();
  }

  #hasRoom(address: Address, size: Size): boolean {
    if (!this.#company.isShared) return this.units < this.#limits.alone;
    if (address.units >= this.#limits.perAddress) return false;
    const { units, unitsOfMuch } = this.#rooms[size];
    const share = size === "small" ? 1 : 0.5;
    // Each side has a room of its own: neither is kept out by the other.
    if (!this.#asking.isLittleAbout) return units < share * this.#limits.total;
    if (this.#asking.isLittle(address.key)) return units - unitsOfMuch < share * this.#limits.total;
    return unitsOfMuch < share * this.#limits.ofMuch;
  }

  /** A lane waits with its first operation. */
  #wait(lane: Lane): void {
    const [first] = lane.jobs;
    if (first === undefined) return;
    const size = sizeOf(first.cost);
    lane.address.waiting[size].add(lane);
    this.#queueUp(lane.address, size);
  }

  #queueUp(address: Address, size: Size): void {
    const { little, much } = this.#rooms[size];
    const isLittle = this.#asking.isLittle(address.key);
    // Who waits already keeps their place.
    (isLittle ? much : little).delete(address);
    (isLittle ? little : much).add(address);
  }

  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    this.#serveRoom("small");
    this.#serveRoom("large");
    this.#isServing = false;
  }

  #serveRoom(size: Size): void {
    const { little, much } = this.#rooms[size];
    for (const waiting of [little, much]) {
      // Who is put behind the others is met again, until there is no room.
      for (const address of waiting) {
        if (!this.#hasRoom(address, size)) continue;
        const lanes = address.waiting[size];
        const lane = lanes.values().next().value;
        const job = lane?.jobs.shift();
        waiting.delete(address);
        if (lane === undefined || job === undefined) continue;
        lanes.delete(lane);
        if (lanes.size > 0) this.#queueUp(address, size);
        this.#wait(lane);
        this.#start(address, job.cost, job.start);
      }
    }
  }

  #forget(address: Address): void {
    if (address.lanes > 0 || address.units > 0 || address.waiting.small.size + address.waiting.large.size > 0) return;
    if (this.#addresses.get(address.key) === address) this.#addresses.delete(address.key);
  }
}
