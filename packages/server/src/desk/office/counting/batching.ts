import { decode, equalBytes, fromHex } from "@latchkey/codec";
import {
  admitted,
  batchDueMs,
  batchesIn,
  countValueCodec,
  defaultPolicy,
  encodeRecord,
  makeBatch,
  nextBatch,
  openingDueMs,
  periodOf,
  periodStartMs,
  periodText,
  saltBytes,
  sharesOf,
} from "@latchkey/counts";
import type { CountPolicy, Period } from "@latchkey/counts";
import { randomBytes, randomInt } from "node:crypto";
import { dayMs } from "../../../days.ts";
import { sha256 } from "../../../hash.ts";
import { Rounds } from "../rounds.ts";
import type { Trail } from "../trail.ts";
import type { OfficeWorld } from "../world.ts";
import type { BatchAt, CountTable, StoredRecord } from "./count-table.ts";
import { forgottenAfterDays } from "./counts.ts";
import { clearedOpening, firstOpening } from "./opened.ts";
import type { CountsInRecord, ValueTable } from "./value-table.ts";

/** How long before a half-year its policy is published. */
export const announcedDays = 14;

/** Values made in one round: after half a year away the rest comes with the next ticks, and whoever works here does not wait for it. */
const madeAtOnce = 32;

/** What counting works with. */
export interface BatchingParts {
  readonly table: CountTable;
  readonly values: ValueTable;
  readonly trail: Pick<Trail, "append" | "head">;
  readonly host: string;
  readonly world: Pick<OfficeWorld, "counts">;
  transaction<Result>(work: () => Result): Result;
  /** Leaves nothing of what was erased. */
  scrub(): void;
  reportBug(error: unknown): void;
}

/**
 * Counts by the clock: policies ahead of their half-years, each batch at its hour or, after the server was away, as soon as it is back, and
 * openings on their days. What is made is written down first and published after that, in order, as often as it takes.
 */
export class Batching {
  readonly #parts: BatchingParts;
  readonly rounds: Rounds;
  #nowMs = 0;
  /** Whether the public record was held against this database since the start. */
  #isCompared = false;

  constructor(parts: BatchingParts) {
    this.#parts = parts;
    this.rounds = new Rounds(() => this.#round(), parts.reportBug);
  }

  /** Does what is due. Only while the clock is believed. */
  wake(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.rounds.wake();
  }

  async #round(): Promise<void> {
    if (!this.#isCompared) await this.#compare();
    for (let made = 0; made < madeAtOnce && !this.rounds.isStopped && this.#make(); made++) await this.#publish();
    await this.#publish();
  }

  /** Before anything is made: the record may have values that a database which was put back does not. */
  async #compare(): Promise<void> {
    const { values, transaction, trail, world } = this.#parts;
    const inRecord = await world.counts({ known: 0 });
    transaction(() => {
      if (inRecord === undefined) return;
      const known = values.version();
      const [waiting] = values.outbox();
      const isOwn = waiting !== undefined && inRecord.version === known + 1 && equalBytes(waiting.value, inRecord.newest.value);
      const isSame = inRecord.commitments.every((commitment, at) => at >= known || isEqual(commitment, values.commitment(at + 1)));
      if (isOwn) values.dequeue(waiting.id);
      values.note(inRecord);
      if (isSame && (isOwn || inRecord.version <= known)) return;
      this.#passOver(inRecord, inRecord.version - known);
      trail.append({ actor: "desk", act: "counts lost", details: { version: inRecord.version, known } }, this.#nowMs);
    });
    this.#isCompared = true;
  }

  /**
   * Batches that the record has and this database does not: their numbers are taken, and nobody can open them. What they were of the record's
   * commitments do not say: before a newest value that is none, each is taken for a batch, so that no number comes twice.
   */
  #passOver({ newest }: CountsInRecord, unknown: number): void {
    const { table } = this.#parts;
    const value = decode(countValueCodec, newest.value);
    if (value.kind === "batch") {
      this.#loseWaiting(({ period, batch }) => period === value.period && batch <= value.batch);
      const last = table.lastBatch();
      const from = last?.period === value.period ? last.batch + 1 : 0;
      for (let batch = Math.min(from, value.batch); batch <= value.batch; batch++) this.#lose({ period: value.period, batch });
      return;
    }
    let left = unknown - 1;
    this.#loseWaiting(() => left-- > 0);
    for (let at = this.#next(); at !== undefined && left > 0; at = this.#next(), left--) this.#lose(at);
    if (value.kind !== "policy" || table.policy(value.policy.period) !== undefined) return;
    table.addPolicy(value.policy);
    // The seed of before is lost with what it was for; batches that come need one.
    table.addSeed(value.policy.period, new Uint8Array(randomBytes(saltBytes)));
  }

  /** Passes over batches that wait to be published. */
  #loseWaiting(isLost: (at: BatchAt) => boolean): void {
    const { table, values } = this.#parts;
    for (const { id, value } of values.outbox()) {
      const own = decode(countValueCodec, value);
      if (own.kind !== "batch" || !isLost(own)) continue;
      values.dequeue(id);
      table.unplace(own);
      this.#lose(own);
    }
  }

  #lose({ period, batch }: BatchAt): void {
    this.#parts.table.addBatch({ period, batch, hashes: undefined, trailSlot: 0, trail: new Uint8Array() });
  }

  /** Writes down the next thing that is due; whether there was one. */
  #make(): boolean {
    const { transaction, table, scrub } = this.#parts;
    let isOpened = false;
    const isMade = transaction(() => {
      if (this.#makePolicy() || this.#makeBatch()) return true;
      isOpened = this.#makeOpening();
      if (!isOpened) table.forgetCases(this.#nowMs - forgottenAfterDays * dayMs);
      return isOpened;
    });
    // What was erased with an opening is nowhere any more.
    if (isOpened) scrub();
    return isMade;
  }

  #makePolicy(): boolean {
    const { table } = this.#parts;
    const period = periodOf(this.#nowMs);
    const [newest] = table.periods().toReversed();
    if (newest === undefined) {
      // Counting begins with the next hour, in the middle of a half-year.
      const policy = table.wish() ?? defaultPolicy({ period, firstBatch: 0 });
      const last = table.lastBatch();
      const firstBatch = last?.period === period ? last.batch + 1 : nextBatch(policy, period, this.#nowMs);
      const isOver = firstBatch >= batchesIn(policy, period);
      return this.#addPolicy({ ...policy, period: isOver ? period + 1 : period, firstBatch: isOver ? 0 : firstBatch });
    }
    const next = newest + 1;
    if (this.#nowMs < periodStartMs(next) - announcedDays * dayMs) return false;
    // A half-year that passed while nobody was here has one too, and shows when it came.
    const before = table.policy(newest);
    return this.#addPolicy({ ...(table.wish() ?? before ?? defaultPolicy({ period: next, firstBatch: 0 })), period: next, firstBatch: 0 });
  }

  #addPolicy(policy: CountPolicy): boolean {
    const { table, values, trail } = this.#parts;
    table.addPolicy(policy);
    table.addSeed(policy.period, new Uint8Array(randomBytes(saltBytes)));
    values.enqueue({ kind: "policy", policy });
    trail.append(
      { actor: "desk", act: "counting announced", details: { period: periodText(policy.period), sealed: policy.sealed } },
      this.#nowMs,
    );
    return true;
  }

  #makeBatch(): boolean {
    const { table, values, trail } = this.#parts;
    const at = this.#next();
    const policy = at === undefined ? undefined : table.policy(at.period);
    if (at === undefined || policy === undefined || batchDueMs(policy, at.period, at.batch) > this.#nowMs) return false;
    const seed = table.seed(at.period);
    if (seed === undefined) throw new Error("a half-year that is counted has its seed");
    const records = this.#admit(policy);
    const head = trail.head();
    const state = { entries: head.entries, head: fromHex(head.head) };
    const made = makeBatch({ policy, batch: at.batch, seed, trail: state, records, below: (bound) => randomInt(bound) });
    let trailSlot = 0;
    for (const [slot, { holds }] of made.slots.entries()) {
      if (holds.kind === "trail") trailSlot = slot;
      const record = holds.kind === "record" ? records[holds.from] : undefined;
      if (record !== undefined) table.place(record.id, { ...at, slot });
    }
    const hashes = made.slots.map(({ hash }) => hash);
    table.addBatch({ ...at, hashes, trailSlot, trail: encodeRecord({ kind: "trail", ...state }) });
    values.enqueue({ kind: "batch", ...at, root: made.root });
    return true;
  }

  /** Those that go into the next batch: secret ones, requests, and what was reported, of which one goes along where there is room for two. */
  #admit(policy: CountPolicy): readonly StoredRecord[] {
    const { table } = this.#parts;
    const { secret, other } = admitted(policy);
    const [requests, notices] = [table.waiting("request", other), table.waiting("notice", other)];
    const first = requests.slice(0, notices.length === 0 ? other : sharesOf(policy).request);
    return [...table.waiting("secret", secret), ...first, ...notices.slice(0, other - first.length)];
  }

  /** The batch after the last one. */
  #next(): BatchAt | undefined {
    const { table } = this.#parts;
    const last = table.lastBatch();
    const [first] = table.periods();
    if (last === undefined) return first === undefined ? undefined : { period: first, batch: table.policy(first)?.firstBatch ?? 0 };
    const policy = table.policy(last.period);
    if (policy === undefined || last.batch + 1 < batchesIn(policy, last.period)) return { period: last.period, batch: last.batch + 1 };
    return { period: last.period + 1, batch: 0 };
  }

  #makeOpening(): boolean {
    return this.#parts.table.periods().some((period) => this.#openPeriod(period));
  }

  #openPeriod(period: Period): boolean {
    const { table, values, trail, host } = this.#parts;
    const policy = table.policy(period);
    const last = table.lastBatch();
    const isOver = last !== undefined && (last.period > period || (policy !== undefined && last.batch + 1 >= batchesIn(policy, period)));
    const due = policy === undefined ? 0 : this.#dueNumber(policy, period);
    const before = table.openings(period).at(-1) ?? 0;
    if (policy === undefined || !isOver || due <= before) return false;
    const number = before === 0 ? 1 : due;
    const records = table.in(period);
    const dueMs = openingDueMs(policy, period, number);
    const made =
      before === 0
        ? firstOpening({ table, host, policy, period, records })
        : clearedOpening({ before: table.opening(period, before), number, records, dueMs });
    if (made === undefined) return false;
    table.addOpening({ period, number, bytes: made.bytes });
    values.enqueue({ kind: "opening", period, number, hash: sha256(made.bytes) });
    this.#settle(records, made.opened, number);
    if (before === 0) {
      table.eraseSeed(period);
      table.eraseBatches(period);
    }
    trail.append({ actor: "desk", act: "counts opened", details: { period: periodText(period), number } }, this.#nowMs);
    return true;
  }

  /** What is opened is marked so; what nobody opens any more is erased. */
  #settle(records: readonly StoredRecord[], opened: ReadonlySet<number>, number: number): void {
    const { table } = this.#parts;
    for (const record of records) {
      if (opened.has(record.id)) table.markOpened(record.id, number);
      else if (record.isNever) table.erase(record.id);
    }
  }

  /** The number of the opening of which the day is now, or was last. */
  #dueNumber(policy: CountPolicy, period: Period): number {
    let number = 0;
    while (number < 255 && openingDueMs(policy, period, number + 1) <= this.#nowMs) number += 1;
    return number;
  }

  /** Publishes what waits, one after the other: of several at once the record would have only the newest. */
  async #publish(): Promise<void> {
    const { values, transaction, world } = this.#parts;
    for (const { id, value } of values.outbox()) {
      if (this.rounds.isStopped) return;
      const inRecord = await world.counts({ value, known: values.version() });
      if (inRecord === undefined || !equalBytes(inRecord.newest.value, value))
        throw new Error("the record has another value than was published");
      transaction(() => {
        values.note(inRecord);
        values.dequeue(id);
      });
    }
  }
}

function isEqual(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && equalBytes(a, b);
}
