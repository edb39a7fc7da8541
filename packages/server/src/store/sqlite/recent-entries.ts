import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Day } from "../accounts.ts";
import { Slot } from "./recent-slot.ts";
import type { EntryOfLog } from "./recent-slot.ts";
import { maxSeq, refOf, rowId, seqOf } from "../sql/row-ids.ts";

/** An entry that waits for its place: in memory no more than where it stands. */
interface Waiting {
  readonly slot: Slot;
  readonly at: number;
}

/** Entries that are moved together, and the slots that they stand in until then. */
interface Generation {
  entries: Waiting[];
  slots: Slot[];
}

/** How many entries and slots are filled until they are moved. */
export interface RecentLimits {
  readonly entries: number;
  readonly slots: number;
}

const usualLimits: RecentLimits = { entries: 8192, slots: 384 };
/** Entries that are moved with a transaction that adds some: more than come, so that they are gone before the next ones are to be moved. */
const movedAtLeast = 64;
const movedAtOnce = 512;
/** Slots that are overwritten in one transaction when the journals are to be emptied. */
const clearedAtOnce = 32;

/**
 * The newest entries of all logs. What a transaction adds is written in one piece, into slots: rows of `recent_entries` that are all of one
 * size and are written over and over. Some time after, many of them are moved to their places in `entries` in the order of these places, so
 * that a page there is written once for all of them that it takes. Of each log the first lie in `entries`, the last here, in memory too.
 * When the journals are emptied nothing stays here: slots tell in what order entries came.
 *
 *     add --finish, COMMIT--> filling --enough of them, or the journals are to be emptied--> moving --all moved--> slots are free
 *
 * Every method but `load`, `committed` and `rolledBack` runs inside the caller's transaction. Invariant: what waits is in slots and in
 * memory and not in `entries`; what else is in slots is in `entries`, or was removed from there for its age.
 */
export class RecentEntries {
  readonly #limits: RecentLimits;
  readonly #insertSlot: StatementSync;
  readonly #writeSlot: StatementSync;
  readonly #slots: StatementSync;
  readonly #insert: StatementSync;
  readonly #purgedSeq: StatementSync;
  readonly #last: StatementSync;
  /** By the ref of their log, in order. */
  readonly #byLog = new Map<number, Waiting[]>();
  #filling: Generation = { entries: [], slots: [] };
  /** Sorted by their places. */
  #moving: (Generation & { at: number }) | undefined;
  /** Rows that hold nothing that waits; those of `#stale` hold what did. */
  #free: number[] = [];
  #stale = new Set<number>();
  #rows = 0;
  /** Memory for the next ones: to have the system give it and take it back each time costs more than all that is done with it. */
  readonly #spare: Slot[] = [];
  /** What was added before is to be moved, since the journals are to be emptied. */
  #settling: Generation | undefined;
  /** What the transaction under way has done. */
  #added: Waiting[] = [];
  #written: Slot[] = [];
  #moved: Waiting[] = [];
  #cleared: number[] = [];
  #isSettled = false;
  /** Nobody knows whether the last transaction committed. */
  #isUnsure = false;

  /** What is on disk is loaded. */
  constructor(database: DatabaseSync, limits: RecentLimits = usualLimits) {
    this.#limits = limits;
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#insertSlot = rows("INSERT INTO recent_entries (id, slot) VALUES (?, ?)");
    this.#writeSlot = rows("UPDATE recent_entries SET slot = ?2 WHERE id = ?1");
    this.#slots = rows("SELECT id, slot FROM recent_entries ORDER BY id");
    this.#insert = rows("INSERT INTO entries (id, epoch, kind, day, digest, next_access_hash, head, blob) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#purgedSeq = rows("SELECT purged_seq FROM logs WHERE id = ?");
    this.#last = rows("SELECT id FROM entries WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT 1");
    this.load();
  }

  /** Whether nothing is here, and nothing is left of what was. */
  get isEmpty(): boolean {
    return !this.#isUnsure && this.#moving === undefined && this.#filling.slots.length === 0 && this.#stale.size === 0;
  }

  /** Whether any entry that waits is of such a day. */
  hasDay(is: (day: Day) => boolean): boolean {
    return this.#byLog.values().some((entries) => entries.some(({ slot, at }) => is(slot.dayAt(at))));
  }

  /** The first entry of a log that is here. */
  first(ref: number): EntryOfLog | undefined {
    const first = this.#byLog.get(ref)?.[0];
    return first?.slot.read(first.at);
  }

  /** The last entry of a log, if it is here. */
  last(ref: number): EntryOfLog | undefined {
    const last = this.#byLog.get(ref)?.at(-1);
    return last?.slot.read(last.at);
  }

  /** The entry with this number, if it is here. */
  find(id: number): EntryOfLog | undefined {
    const entries = this.#byLog.get(refOf(id));
    const first = entries?.[0];
    if (entries === undefined || first === undefined) return undefined;
    const found = entries[seqOf(id) - seqOf(first.slot.idAt(first.at))];
    return found?.slot.read(found.at);
  }

  /** The entries of a log after one of them that are here: behind all of it that are in `entries`. */
  *after(ref: number, seq: number): Generator<EntryOfLog> {
    for (const { slot, at } of this.#byLog.get(ref) ?? []) if (seqOf(slot.idAt(at)) > seq) yield slot.read(at);
  }

  /** What is large fills pages of its own: it is put into its place, unless something of its log waits. */
  add(entry: EntryOfLog): void {
    const ref = refOf(entry.id);
    if (!this.#byLog.has(ref) && Slot.isLarge(entry)) {
      this.#place(entry);
      return;
    }
    let slot = this.#written.at(-1);
    let at = slot?.add(entry);
    if (slot === undefined || at === undefined) {
      slot = this.#spare.at(-1)?.fits(entry) === true ? (this.#spare.pop() ?? Slot.for(entry)) : Slot.for(entry);
      this.#written.push(slot);
      at = slot.add(entry) ?? 0;
    }
    const waiting = { slot, at };
    this.#keep(ref, waiting);
    this.#added.push(waiting);
  }

  /** At the beginning of a transaction. */
  begin(): void {
    if (this.#isUnsure) this.load();
  }

  /** At the end of a transaction: writes what it added, and moves some of what others did. */
  finish(): void {
    if (this.#written.length === 0) return;
    let rows = this.#rows;
    for (const [index, slot] of this.#written.entries()) {
      const free = this.#free.at(-1 - index);
      slot.row = free ?? ++rows;
      (free === undefined ? this.#insertSlot : this.#writeSlot).get(slot.row, slot.bytes);
    }
    const { entries, slots } = this.#filling;
    if (this.#moving === undefined && (entries.length >= this.#limits.entries || slots.length >= this.#limits.slots)) this.#turn();
    this.#move(Math.min(movedAtOnce, Math.max(movedAtLeast, 2 * this.#added.length)));
  }

  /**
   * Moves some of what was here when this was called first since it answered false, and clears slots, in a transaction that does nothing
   * else. Answers whether there is more to do.
   */
  settleSome(): boolean {
    this.#settling ??= this.#filling;
    if (this.#moving === undefined && this.#filling === this.#settling) this.#turn();
    if (this.#moving !== undefined) {
      this.#move(movedAtOnce);
      return true;
    }
    this.#cleared = [...this.#stale].slice(0, clearedAtOnce);
    for (const row of this.#cleared) this.#writeSlot.get(row, Slot.empty);
    if (this.#cleared.length > 0) return true;
    this.#settling = undefined;
    return false;
  }

  /** Moves all, in a transaction that does nothing else. */
  settle(): void {
    const waiting = [...(this.#moving?.entries.slice(this.#moving.at) ?? []), ...this.#filling.entries];
    for (const { slot, at } of byPlace(waiting)) this.#place(slot.read(at));
    this.#isSettled = true;
  }

  /** Takes into memory what is on disk: at a start, and when nobody knows what was committed. */
  load(): void {
    this.#forgetAll();
    this.#isUnsure = false;
    this.#rows = 0;
    const placed = new Map<number, number>();
    const found: Waiting[] = [];
    // The columns are those of `recent_entries`.
    for (const [row, bytes] of this.#slots.iterate() as Iterable<unknown> as Iterable<[number, Uint8Array]>) {
      this.#rows = row;
      const slot = Slot.from(bytes, row);
      const waiting = slot.places().filter((at) => {
        const ref = refOf(slot.idAt(at));
        let last = placed.get(ref);
        if (last === undefined) placed.set(ref, (last = this.#lastPlaced(ref)));
        return slot.idAt(at) > last;
      });
      if (waiting.length === 0) this.#release(slot);
      else this.#filling.slots.push(slot);
      for (const at of waiting) found.push({ slot, at });
    }
    this.#filling.entries = byPlace(found);
    for (const each of this.#filling.entries) this.#keep(refOf(each.slot.idAt(each.at)), each);
  }

  /** The transaction is on disk. */
  committed(): void {
    // First the rows that were taken: those that become free now are others.
    for (const { row } of this.#written) {
      if (row > this.#rows) this.#rows = row;
      else this.#free.pop();
      this.#stale.delete(row);
    }
    if (this.#isSettled) {
      for (const slot of [...(this.#moving?.slots ?? []), ...this.#filling.slots]) this.#release(slot);
      [this.#moving, this.#filling] = [undefined, { entries: [], slots: [] }];
      this.#byLog.clear();
    }
    for (const row of this.#cleared) this.#stale.delete(row);
    const moving = this.#moving;
    if (moving !== undefined) {
      for (const { slot, at } of this.#moved) this.#drop(refOf(slot.idAt(at)), "first");
      moving.at += this.#moved.length;
      if (moving.at === moving.entries.length) {
        for (const slot of moving.slots) this.#release(slot);
        this.#moving = undefined;
      }
    }
    this.#filling.slots.push(...this.#written);
    for (const waiting of this.#added) this.#filling.entries.push(waiting);
    this.#forgetTransaction();
  }

  /** The transaction is not on disk; or nobody knows whether it is: the next one reads anew what is there. */
  rolledBack(isSure: boolean): void {
    for (const { slot, at } of this.#added) this.#drop(refOf(slot.idAt(at)), "last");
    for (const slot of this.#written) if (slot.reuse()) this.#spare.push(slot);
    this.#forgetTransaction();
    if (isSure) return;
    this.#forgetAll();
    this.#isUnsure = true;
  }

  #forgetTransaction(): void {
    if (this.#added.length > 0) [this.#added, this.#written] = [[], []];
    if (this.#moved.length > 0) this.#moved = [];
    if (this.#cleared.length > 0) this.#cleared = [];
    this.#isSettled = false;
  }

  #forgetAll(): void {
    this.#byLog.clear();
    this.#filling = { entries: [], slots: [] };
    [this.#moving, this.#settling] = [undefined, undefined];
    this.#free = [];
    this.#stale.clear();
  }

  #keep(ref: number, waiting: Waiting): void {
    const entries = this.#byLog.get(ref);
    if (entries === undefined) this.#byLog.set(ref, [waiting]);
    else entries.push(waiting);
  }

  #drop(ref: number, end: "first" | "last"): void {
    const entries = this.#byLog.get(ref);
    if (end === "first") entries?.shift();
    else entries?.pop();
    if (entries?.length === 0) this.#byLog.delete(ref);
  }

  /** Nothing waits in a slot any more. */
  #release(slot: Slot): void {
    this.#stale.add(slot.row);
    this.#free.push(slot.row);
    if (slot.reuse()) this.#spare.push(slot);
  }

  /** The number of the last entry of a log that lies in `entries`, or was removed from there. */
  #lastPlaced(ref: number): number {
    const [purged] = (this.#purgedSeq.get(ref) as [number] | undefined) ?? [0];
    const [last] = (this.#last.get(rowId(ref, 0), rowId(ref, maxSeq)) as [number] | undefined) ?? [0];
    return Math.max(rowId(ref, purged), last);
  }

  /** What was filled is moved next. */
  #turn(): void {
    const { entries, slots } = this.#filling;
    this.#moving = { entries: byPlace(entries), slots, at: 0 };
    this.#filling = { entries: [], slots: [] };
  }

  #move(count: number): void {
    if (this.#moving === undefined) return;
    this.#moved = this.#moving.entries.slice(this.#moving.at, this.#moving.at + count);
    for (const { slot, at } of this.#moved) this.#place(slot.read(at));
  }

  #place({ id, epoch, kind, day, digest, hash, head, blob }: EntryOfLog): void {
    // What `run` answers costs more than it is worth here.
    this.#insert.get(id, epoch, kind, day, digest, hash, head, blob);
  }
}

/** In the order of their numbers. */
function byPlace(entries: readonly Waiting[]): Waiting[] {
  const ids = Float64Array.from(entries, ({ slot, at }) => slot.idAt(at));
  const order = Uint32Array.from(ids, (_, index) => index).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  // The order is one of indexes.
  return Array.from(order, (index) => entries[index] as Waiting);
}

/** Moves all, in a database that nobody else uses. */
export function settleRecent(database: DatabaseSync): void {
  // What an older version wrote has its entries in their places.
  if (database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'recent_entries'").get() === undefined) return;
  const recent = new RecentEntries(database);
  if (recent.isEmpty) return;
  database.exec("PRAGMA secure_delete = ON; BEGIN");
  recent.settle();
  database.exec("DELETE FROM recent_entries; COMMIT");
}
