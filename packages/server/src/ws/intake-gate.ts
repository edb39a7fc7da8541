import { turnKeyOf } from "../addresses.ts";
import type { Asking } from "../admission/asking.ts";
import { Company } from "../admission/company.ts";

/** Bounds of what all connections together have under way. */
export interface IntakeLimits {
  /** Requests under way of one address and in all, and their bytes. */
  readonly maxRequestsPerAddress: number;
  readonly maxRequests: number;
  readonly maxBytesPerAddress: number;
  readonly maxBytes: number;
  /** Requests a second of one address. */
  readonly maxRequestsPerSecond: number;
}

/** A connection whose bytes wait to be looked at. */
export interface Waiting {
  readonly neighbours: Neighbours;
  /** It may look at so many frames of what waits. */
  proceed(): void;
}

/** The connections of one address. */
export interface Neighbours {
  readonly key: string;
  connections: number;
  requests: number;
  bytes: number;
  /** Frames that passed in this turn of the event loop, and in this second. */
  turn: number;
  passed: number;
  secondMs: number;
  passedInSecond: number;
  readonly waiting: Set<Waiting>;
}

/** How much of a processor this thread has used since the meter was started, from 0 to 1. */
export type ThreadMeter = () => number;

function startThreadMeter(): ThreadMeter {
  const [since, startedMs] = [process.threadCpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.threadCpuUsage(since);
    return (user + system) / 1000 / (performance.now() - startedMs);
  };
}

/** Frames of one address in one turn of the event loop: with nobody else about, and in company. */
const aloneFrames = 4096;
const sharedFrames = 8;
/** Frames in one turn, in company; and of those who ask for much, while somebody asks for little. */
const turnFrames = 48;
const turnFramesOfMuch = 12;
/** While somebody asks for little, those who ask for much have so large a share of the thread: its next moment is mostly free. */
const mostlyFree = 0.5;
/** After so long they have their turn all the same. */
const longestPauseMs = 10;
/** Frames of one connection before the next has its turn, when several wait. */
const portionFrames = 8;

/**
 * Decides whose bytes are looked at: as long as much is under way, and in each turn of the event loop, addresses take turns, and the
 * connections of an address among themselves. What waits lies unread in the sockets, but for one buffer of each connection.
 */
export class IntakeGate {
  readonly #limits: IntakeLimits;
  readonly #byAddress = new Map<string, Neighbours>();
  /** Addresses with connections that wait, the next one first: those that ask for little, and for much. */
  readonly #little = new Set<Neighbours>();
  readonly #much = new Set<Neighbours>();
  readonly #company = new Company<string>();
  readonly #asking: Asking;
  readonly #startMeter: () => ThreadMeter;
  #requests = 0;
  #bytes = 0;
  #turn = 0;
  /** Frames that passed: of addresses that ask for little, in this turn; and of those that ask for much, since they were let on. */
  #passedOfLittle = 0;
  #passedOfMuch = 0;
  #isPausing = false;
  #isTurnOpen = false;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param asking who asks for much, and who for little */
  constructor(limits: IntakeLimits, asking: Asking, startMeter: () => ThreadMeter = startThreadMeter) {
    this.#limits = limits;
    this.#asking = asking;
    this.#startMeter = startMeter;
  }

  /** Requests under way. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether several addresses ask, or did lately. */
  get isShared(): boolean {
    return this.#company.isShared;
  }

  /** Whether somebody is about who asks for little. */
  get isLittleAbout(): boolean {
    return this.#asking.isLittleAbout;
  }

  /** A connection of this address was opened. */
  join(address: string): Neighbours {
    const key = turnKeyOf(address);
    let neighbours = this.#byAddress.get(key);
    if (neighbours === undefined) {
      neighbours = {
        key,
        connections: 0,
        requests: 0,
        bytes: 0,
        turn: 0,
        passed: 0,
        secondMs: 0,
        passedInSecond: 0,
        waiting: new Set(),
      };
      this.#byAddress.set(key, neighbours);
    }
    neighbours.connections += 1;
    return neighbours;
  }

  /** A connection has ended. What it has under way is given back as it is answered. */
  leave(waiting: Waiting): void {
    const { neighbours } = waiting;
    neighbours.waiting.delete(waiting);
    neighbours.connections -= 1;
    this.#forget(neighbours);
  }

  /** How many frames of this address may be looked at now; 0 to wait. */
  portion(neighbours: Neighbours): number {
    const { maxRequests, maxBytes, maxRequestsPerAddress, maxBytesPerAddress, maxRequestsPerSecond } = this.#limits;
    if (this.#requests >= maxRequests || this.#bytes >= maxBytes) return 0;
    if (neighbours.requests >= maxRequestsPerAddress || neighbours.bytes >= maxBytesPerAddress) return 0;
    if (neighbours.passedInSecond >= maxRequestsPerSecond && performance.now() - neighbours.secondMs < 1000) return 0;
    const used = neighbours.turn === this.#turn ? neighbours.passed : 0;
    if (!this.#company.isShared) return Math.max(0, aloneFrames - used);
    if (this.#asking.isLittle(neighbours.key) ? this.#isLittleServed : this.#isMuchServed) return 0;
    return Math.min(portionFrames, Math.max(0, sharedFrames - used));
  }

  /** So many frames of this address were looked at. */
  pass(neighbours: Neighbours, frames: number): void {
    this.#company.note(neighbours.key, frames);
    const nowMs = performance.now();
    this.#asking.note(neighbours.key, frames);
    if (neighbours.turn !== this.#turn) {
      neighbours.turn = this.#turn;
      neighbours.passed = 0;
      if (nowMs - neighbours.secondMs >= 1000) {
        neighbours.secondMs = nowMs;
        neighbours.passedInSecond = 0;
      }
    }
    neighbours.passed += frames;
    neighbours.passedInSecond += frames;
    if (this.#asking.isLittle(neighbours.key)) this.#passedOfLittle += frames;
    else this.#passedOfMuch += frames;
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    setImmediate(() => this.#endTurn());
  }

  /** A request is under way. */
  begin(neighbours: Neighbours, sizeBytes: number): void {
    this.#requests += 1;
    this.#bytes += sizeBytes;
    neighbours.requests += 1;
    neighbours.bytes += sizeBytes;
  }

  /** It was answered. */
  end(neighbours: Neighbours, sizeBytes: number): void {
    this.#requests -= 1;
    this.#bytes -= sizeBytes;
    neighbours.requests -= 1;
    neighbours.bytes -= sizeBytes;
    if (this.#isWaited) this.#schedule();
    if (neighbours.connections === 0) this.#forget(neighbours);
  }

  /** Calls `proceed` of the connection when its turn comes. */
  wait(waiting: Waiting): void {
    waiting.neighbours.waiting.add(waiting);
    this.#queueUp(waiting.neighbours);
    this.#schedule();
  }

  /** Who opens again has what is still under way of before. */
  #forget(neighbours: Neighbours): void {
    if (neighbours.connections > 0 || neighbours.requests > 0) return;
    this.#little.delete(neighbours);
    this.#much.delete(neighbours);
    this.#byAddress.delete(neighbours.key);
  }

  #endTurn(): void {
    this.#isTurnOpen = false;
    this.#turn += 1;
    this.#passedOfLittle = 0;
    if (!this.#company.isShared || !this.#asking.isLittleAbout) this.#passedOfMuch = 0;
    else if (this.#isMuchServed) this.#pauseMuch();
    if (this.#isWaited) this.#serve();
  }

  /** Those who ask for much have their next turn once the thread has been mostly free. */
  #pauseMuch(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    const [busy, startedMs] = [this.#startMeter(), performance.now()];
    const look = (): void => {
      if (busy() > mostlyFree && performance.now() - startedMs < longestPauseMs) {
        setTimeout(look, 1).unref();
        return;
      }
      this.#isPausing = false;
      this.#passedOfMuch = 0;
      if (this.#isWaited) this.#schedule();
    };
    setTimeout(look, 1).unref();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isTurnOpen) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#serve();
    });
  }

  /** Whether those who ask for little have had their turn; neither side keeps the other from its own. */
  get #isLittleServed(): boolean {
    return this.#passedOfLittle >= turnFrames;
  }

  /** And those who ask for much. */
  get #isMuchServed(): boolean {
    return this.#passedOfMuch >= (this.#asking.isLittleAbout ? turnFramesOfMuch : turnFrames);
  }

  get #isWaited(): boolean {
    return this.#little.size + this.#much.size > 0;
  }

  #queueUp(neighbours: Neighbours): void {
    const isLittle = this.#asking.isLittle(neighbours.key);
    // Who waits already keeps their place.
    (isLittle ? this.#much : this.#little).delete(neighbours);
    (isLittle ? this.#little : this.#much).add(neighbours);
  }

  /** Gives each address that may go on a turn, again and again while any may; first those who ask for little. */
  #serve(): void {
    for (const queue of [this.#little, this.#much]) {
      // Who is put behind the others, or waits again itself, is met again, until none may go on.
      for (const neighbours of queue) {
        if (this.#company.isShared && (queue === this.#little ? this.#isLittleServed : this.#isMuchServed)) break;
        if (this.portion(neighbours) === 0) continue;
        const next = neighbours.waiting.values().next();
        queue.delete(neighbours);
        if (next.done === true) continue;
        neighbours.waiting.delete(next.value);
        if (neighbours.waiting.size > 0) this.#queueUp(neighbours);
        next.value.proceed();
      }
    }
    this.#wakeNextSecond();
  }

  /** What waits for the next second only is woken by time. */
  #wakeNextSecond(): void {
    if (!this.#isWaited || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#serve();
    }, 100);
    this.#timer.unref();
  }
}
