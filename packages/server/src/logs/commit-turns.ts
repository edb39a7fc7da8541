/** Who commits: one connection's stream of one log. */
export interface Committer {
  /** What limits count by, of its network address. */
  readonly address: string;
  /** Grows from connection to connection: who follows the log longer goes first. */
  readonly order: number;
}

/** A commit that asks for its turn. */
export interface CommitAsk {
  readonly committer: Committer;
  readonly epochId: number;
  /** Of its epoch, the last commit that its author has seen (spec L-5). */
  readonly afterSeq: number;
}

/** What is done with a commit now. `go`: it is given to the store, and `settled` told what became of it. */
export type Turn<Ask extends CommitAsk> =
  | { readonly kind: "go"; readonly ask: Ask }
  | { readonly kind: "refuse"; readonly ask: Ask; readonly code: "conflict" | "rate_limited"; readonly retryAfterMs: number };

/** How fast turns follow each other in a lane. */
export interface Pace {
  /** So many are taken as they come; one more is free after each `coolMs`. */
  readonly free: number;
  readonly coolMs: number;
  /** The longest window after one of those beyond them. */
  readonly maxWindowMs: number;
  /** Whether a connection's further ones of one epoch, or an older one, come at growing intervals. */
  readonly isSpaced: boolean;
}

export const freeCommits = 32;
export const maxWindowMs = 8000;
/** Commits to one log. */
const commitPace: Pace = { free: freeCommits, coolMs: 10_000, maxWindowMs, isSpaced: true };
/** Complaints in one log, beyond so many at once: about one a minute (spec L-16). */
export function complaintPace(free: number): Pace {
  return { free, coolMs: 60_000, maxWindowMs: 60_000, isSpaced: false };
}

/** Beyond the free ones each is followed by a window in which the others catch up; it doubles with every so many more. */
const firstWindowMs = 300;
const windowStep = 10;
/** Commits of one lane that wait for a window's end, one for each connection. */
export const maxWaiting = 64;
/** The longest that a commit waits; its author gives up after 30 s. */
const maxWaitMs = 20_000;
/** Who is refused comes back so long before a longer window ends: whoever waits then is compared. */
const comesBeforeMs = 10_000;
/** A connection's second commit of one epoch comes so long after its first; each further one after twice the time, up to the limit. */
const firstSpacingMs = 1000;
const maxSpacingMs = 64_000;
/** Addresses whose turns a lane counts, and turns up to which it tells them apart. */
const maxAddresses = 1024;
const addressTurns = 4;
/** Lanes in memory before those that have cooled down are forgotten. */
const sweepAtLanes = 20_000;

interface Waiting<Ask> {
  readonly ask: Ask;
  readonly sinceMs: number;
}

/** The commits of one log that compete: those that end an epoch, or those of epochs that have ended. */
interface Lane<Ask> {
  /** Commits accepted lately: one less after each `coolMs`. */
  heat: number;
  heatAtMs: number;
  /** Until then the others catch up. */
  windowEndMs: number;
  /** Commits with the store. */
  inFlight: number;
  waiting: Waiting<Ask>[];
  /** Turns since it is hot, by connection and by address. */
  turns: WeakMap<Committer, number>;
  addresses: Map<string, number>;
}

/**
 * Fair turns for the commits of one log (spec L-13). Whoever made the newest epoch knows it first and could end it before any other
 * member has read it, again and again; so could one with many connections. Therefore, once commits come faster than people make
 * them, each is followed by a window in which the others catch up, and at its end the one goes first that had the fewest turns.
 *
 * ```
 *   arrive --cool, or the window is over--> go --settled, accepted--> window --over--> the best of those that wait goes
 *      `---- in the window, or one is with the store ----> waits ----^
 *      `---- too soon for this connection, or too many wait --> refused, with the time to wait
 * ```
 *
 * Pure: it is told the time (milliseconds, of a clock that only goes forward) and says what to do.
 */
export class CommitTurns<Ask extends CommitAsk> {
  readonly #pace: Pace;
  readonly #lanes = new Map<string, Lane<Ask>>();
  readonly #hot = new Set<string>();
  /** The last epoch that a connection committed to, how often, and when: in whichever lane. */
  readonly #spacing = new WeakMap<Committer, { readonly epochId: number; readonly count: number; readonly atMs: number }>();

  constructor(pace: Pace = commitPace) {
    this.#pace = pace;
  }

  /** Lanes that it remembers. */
  get size(): number {
    return this.#lanes.size;
  }

  /** A commit has arrived. What comes back may concern others: one that waited and makes room. */
  arrive(key: string, ask: Ask, nowMs: number): Turn<Ask>[] {
    const lane = this.#lanes.get(key) ?? this.#add(key, nowMs);
    const soonMs = this.#spacedUntil(ask) - nowMs;
    if (soonMs > 0) return [refuse(ask, soonMs)];
    // What is with the store may be accepted, and is counted already.
    const isCool = this.#windowMs(lane, nowMs) === 0 && this.#heatOf(lane, nowMs) + lane.inFlight < this.#pace.free;
    const isFree = isCool && lane.waiting.length === 0;
    if (isFree || (lane.inFlight === 0 && lane.waiting.length === 0 && nowMs >= lane.windowEndMs)) {
      lane.inFlight++;
      return [{ kind: "go", ask }];
    }
    const waitMs = untilWindowEnds(lane, nowMs);
    if (lane.waiting.some((other) => other.ask.committer === ask.committer)) return [refuse(ask, waitMs)];
    lane.waiting.push({ ask, sinceMs: nowMs });
    this.#hot.add(key);
    const turns = lane.waiting.length > maxWaiting ? [refuse(takeLast(lane).ask, waitMs)] : [];
    return [...turns, ...this.#serve(key, lane, nowMs)];
  }

  /** What became of a commit that went: the number of its entry, or `undefined` where nothing new was stored. */
  settled(key: string, ask: Ask, acceptedSeq: number | undefined, nowMs: number): Turn<Ask>[] {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return [];
    lane.inFlight = Math.max(0, lane.inFlight - 1);
    if (acceptedSeq === undefined) return this.#serve(key, lane, nowMs);
    const before = this.#spacing.get(ask.committer);
    const count = before !== undefined && ask.epochId <= before.epochId ? before.count + 1 : 1;
    this.#spacing.set(ask.committer, { epochId: ask.epochId, count, atMs: nowMs });
    lane.heat = Math.min(this.#maxHeat, this.#heatOf(lane, nowMs) + 1);
    lane.heatAtMs = nowMs;
    const windowNow = this.#windowMs(lane, nowMs);
    lane.windowEndMs = nowMs + windowNow;
    if (windowNow > 0) countTurn(lane, ask.committer);
    // What did not see this commit cannot come after it.
    const lost = lane.waiting.filter((other) => other.ask.epochId === ask.epochId && other.ask.afterSeq < acceptedSeq);
    lane.waiting = lane.waiting.filter((other) => !lost.includes(other));
    const turns: Turn<Ask>[] = lost.map((other) => ({ kind: "refuse", ask: other.ask, code: "conflict", retryAfterMs: 0 }));
    return [...turns, ...this.#serve(key, lane, nowMs)];
  }

  /** A commit that waits is answered otherwise, or its connection has ended: it has no turn any more. */
  drop(key: string, isDropped: (ask: Ask) => boolean): Ask[] {
    const lane = this.#lanes.get(key);
    const dropped = lane?.waiting.filter((other) => isDropped(other.ask)) ?? [];
    if (lane !== undefined && dropped.length > 0) lane.waiting = lane.waiting.filter((other) => !dropped.includes(other));
    return dropped.map((other) => other.ask);
  }

  /** Time has passed. */
  tick(nowMs: number): Turn<Ask>[] {
    return [...this.#hot].flatMap((key) => {
      const lane = this.#lanes.get(key);
      if (lane !== undefined) return this.#serve(key, lane, nowMs);
      this.#hot.delete(key);
      return [];
    });
  }

  /** When `tick` has something to do; `undefined` while nothing waits for time to pass. */
  nextTickMs(): number | undefined {
    let next: number | undefined;
    for (const key of this.#hot) {
      const lane = this.#lanes.get(key);
      const first = lane?.waiting[0];
      if (lane === undefined || first === undefined) continue;
      const dueMs = lane.inFlight === 0 ? lane.windowEndMs : first.sinceMs + maxWaitMs;
      next = next === undefined ? dueMs : Math.min(next, dueMs);
    }
    return next;
  }

  #serve(key: string, lane: Lane<Ask>, nowMs: number): Turn<Ask>[] {
    const turns: Turn<Ask>[] = [];
    const late = lane.waiting.filter((other) => nowMs - other.sinceMs >= maxWaitMs);
    if (late.length > 0) {
      lane.waiting = lane.waiting.filter((other) => !late.includes(other));
      for (const { ask } of late) turns.push(refuse(ask, untilWindowEnds(lane, nowMs)));
    }
    if (lane.inFlight === 0 && nowMs >= lane.windowEndMs && lane.waiting.length > 0) {
      lane.inFlight++;
      turns.push({ kind: "go", ask: takeFirst(lane).ask });
    }
    if (lane.waiting.length === 0) this.#hot.delete(key);
    return turns;
  }

  #spacedUntil(ask: Ask): number {
    const last = this.#spacing.get(ask.committer);
    if (!this.#pace.isSpaced || last === undefined || ask.epochId > last.epochId) return 0;
    return last.atMs + Math.min(maxSpacingMs, firstSpacingMs * 2 ** (last.count - 1));
  }

  /** Where the window is at its longest, and a little above. */
  get #maxHeat(): number {
    return this.#pace.free + windowStep * (Math.ceil(Math.log2(this.#pace.maxWindowMs / firstWindowMs)) + 1);
  }

  #heatOf(lane: Lane<Ask>, nowMs: number): number {
    return Math.max(0, lane.heat - (nowMs - lane.heatAtMs) / this.#pace.coolMs);
  }

  /** How long the others get to catch up after the commit that made it so hot. */
  #windowMs(lane: Lane<Ask>, nowMs: number): number {
    const above = this.#heatOf(lane, nowMs) - this.#pace.free;
    if (above > 0) return Math.min(this.#pace.maxWindowMs, firstWindowMs * 2 ** Math.floor(above / windowStep));
    if (lane.addresses.size > 0) {
      lane.turns = new WeakMap();
      lane.addresses.clear();
    }
    return 0;
  }

  #add(key: string, nowMs: number): Lane<Ask> {
    if (this.#lanes.size >= sweepAtLanes) this.#sweep(nowMs);
    const lane: Lane<Ask> = {
      heat: 0,
      heatAtMs: nowMs,
      windowEndMs: 0,
      inFlight: 0,
      waiting: [],
      turns: new WeakMap(),
      addresses: new Map(),
    };
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Forgets lanes that have cooled down; then others that nothing waits in, the oldest first, until half are left. */
  #sweep(nowMs: number): void {
    const isIdle = (lane: Lane<Ask>): boolean => lane.inFlight === 0 && lane.waiting.length === 0;
    for (const [key, lane] of this.#lanes) if (isIdle(lane) && this.#heatOf(lane, nowMs) === 0) this.#lanes.delete(key);
    for (const [key, lane] of this.#lanes) {
      if (this.#lanes.size <= sweepAtLanes / 2) return;
      if (isIdle(lane)) this.#lanes.delete(key);
    }
  }
}

function refuse<Ask extends CommitAsk>(ask: Ask, retryAfterMs: number): Turn<Ask> {
  return { kind: "refuse", ask, code: "rate_limited", retryAfterMs: Math.ceil(retryAfterMs) };
}

/** When whoever is refused now asks again. */
function untilWindowEnds<Ask>({ windowEndMs }: Lane<Ask>, nowMs: number): number {
  const leftMs = windowEndMs - nowMs;
  return Math.max(firstWindowMs, leftMs > comesBeforeMs ? leftMs - comesBeforeMs : leftMs);
}

function countTurn<Ask>(lane: Lane<Ask>, committer: Committer): void {
  lane.turns.set(committer, (lane.turns.get(committer) ?? 0) + 1);
  const { address } = committer;
  if (!lane.addresses.has(address) && lane.addresses.size >= maxAddresses) {
    const oldest = lane.addresses.keys().next();
    if (oldest.done !== true) lane.addresses.delete(oldest.value);
  }
  lane.addresses.set(address, (lane.addresses.get(address) ?? 0) + 1);
}

/**
 * Negative where `a` goes before `b`: first by the turns of the connection, then by those of its address (up to four, so that
 * neighbours behind one address are not held back for long), then by who follows the log longer.
 */
function compare<Ask extends CommitAsk>(lane: Lane<Ask>, a: Ask, b: Ask): number {
  const turnsOf = (ask: Ask): number => lane.turns.get(ask.committer) ?? 0;
  const addressOf = (ask: Ask): number => Math.min(addressTurns, lane.addresses.get(ask.committer.address) ?? 0);
  return turnsOf(a) - turnsOf(b) || addressOf(a) - addressOf(b) || a.committer.order - b.committer.order;
}

function takeFirst<Ask extends CommitAsk>(lane: Lane<Ask>): Waiting<Ask> {
  return take(lane, lane.waiting.toSorted((a, b) => compare(lane, a.ask, b.ask))[0]);
}

function takeLast<Ask extends CommitAsk>(lane: Lane<Ask>): Waiting<Ask> {
  return take(lane, lane.waiting.toSorted((a, b) => compare(lane, a.ask, b.ask)).at(-1));
}

function take<Ask>(lane: Lane<Ask>, taken: Waiting<Ask> | undefined): Waiting<Ask> {
  if (taken === undefined) throw new Error("nothing waits");
  lane.waiting = lane.waiting.filter((other) => other !== taken);
  return taken;
}
