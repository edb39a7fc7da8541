import { decode, encode } from "@latchkey/codec";
import { countPolicyCodec } from "@latchkey/counts";
import type { CountPolicy, Period } from "@latchkey/counts";
import type { Statements } from "../../../store/sqlite/statements.ts";

/**
 * What is counted in public. A record waits until `batch` is set; its `ref` says which case of the desk it is of, and is known to nobody
 * else. Seeds, salts and records of a half-year go with its first opening, but for those that may be cleared later.
 */
export const countStep = `
  CREATE TABLE count_policies (period INTEGER PRIMARY KEY, policy BLOB NOT NULL) STRICT;
  CREATE TABLE count_wish (id INTEGER PRIMARY KEY, policy BLOB NOT NULL) STRICT;
  CREATE TABLE count_seeds (period INTEGER PRIMARY KEY, seed BLOB NOT NULL) STRICT;
  CREATE TABLE count_cases (ref TEXT PRIMARY KEY, case_id BLOB NOT NULL, newest_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE count_records (
    id INTEGER PRIMARY KEY, ref TEXT NOT NULL, at_ms INTEGER NOT NULL, is_secret INTEGER NOT NULL, is_never INTEGER NOT NULL DEFAULT 0,
    salt BLOB NOT NULL, record BLOB NOT NULL, country TEXT, country_salt BLOB, due_period INTEGER NOT NULL, due_batch INTEGER NOT NULL,
    period INTEGER, batch INTEGER, slot INTEGER, cleared_day INTEGER, document TEXT, opened INTEGER
  ) STRICT;
  CREATE INDEX count_records_waiting ON count_records (is_secret, id) WHERE period IS NULL;
  CREATE INDEX count_records_of ON count_records (ref);
  CREATE INDEX count_records_in ON count_records (period, batch);
  CREATE TABLE count_batches (
    period INTEGER NOT NULL, batch INTEGER NOT NULL, hashes BLOB, trail_slot INTEGER NOT NULL, trail BLOB NOT NULL, PRIMARY KEY (period, batch)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE count_outbox (id INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE count_values (
    version INTEGER PRIMARY KEY, commitment BLOB NOT NULL, value BLOB, opening BLOB, entry_index INTEGER, entry BLOB, map_proof BLOB
  ) STRICT;
  CREATE TABLE count_openings (period INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (period, number)) STRICT`;

/** Who cleared it; absent of what was cleared before that was written down. */
export const clearedByStep = "ALTER TABLE count_records ADD COLUMN cleared_by TEXT";

/** A record, waiting or in its slot. */
export interface StoredRecord {
  readonly id: number;
  readonly ref: string;
  readonly atMs: number;
  readonly isSecret: boolean;
  /** Whether it stays sealed for good. */
  readonly isNever: boolean;
  readonly salt: Uint8Array;
  readonly record: Uint8Array;
  readonly country: { readonly code: string; readonly salt: Uint8Array } | undefined;
  /** By when it is to stand in a batch. */
  readonly due: BatchAt;
  readonly at: (BatchAt & { readonly slot: number }) | undefined;
  readonly clearance: { readonly day: number; readonly document: string; readonly by: string | undefined } | undefined;
  /** The number of the opening that has it. */
  readonly opened: number | undefined;
}

/** Kinds of records that wait: those that stay sealed, and of the others those of requests, and of what was reported. */
export type WaitingKind = "secret" | "request" | "notice";

/** Which of them. A request's `ref` says that it is one. */
const waitingOf: Readonly<Record<WaitingKind, string>> = {
  secret: "period IS NULL AND is_secret = 1",
  request: "period IS NULL AND is_secret = 0 AND ref LIKE 'request:%'",
  notice: "period IS NULL AND is_secret = 0 AND ref NOT LIKE 'request:%'",
};

/** A batch. */
export interface BatchAt {
  readonly period: Period;
  readonly batch: number;
}

/** A batch that was made; without hashes one that the public record has and this database does not. */
export interface StoredBatch extends BatchAt {
  readonly hashes: readonly Uint8Array[] | undefined;
  readonly trailSlot: number;
  readonly trail: Uint8Array;
}

interface RecordRow {
  readonly id: number;
  readonly ref: string;
  readonly atMs: number;
  readonly isSecret: number;
  readonly isNever: number;
  readonly salt: Uint8Array;
  readonly record: Uint8Array;
  readonly country: string | null;
  readonly countrySalt: Uint8Array | null;
  readonly duePeriod: number;
  readonly dueBatch: number;
  readonly period: number | null;
  readonly batch: number | null;
  readonly slot: number | null;
  readonly clearedDay: number | null;
  readonly document: string | null;
  readonly clearedBy: string | null;
  readonly opened: number | null;
}

const recordColumns = `id, ref, at_ms AS atMs, is_secret AS isSecret, is_never AS isNever, salt, record, country, country_salt AS countrySalt,
  due_period AS duePeriod, due_batch AS dueBatch, period, batch, slot, cleared_day AS clearedDay, document, cleared_by AS clearedBy, opened`;
const hashBytes = 32;

/** What the desk's database has of counting, apart from the public record. */
export class CountTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  policy(period: Period): CountPolicy | undefined {
    return this.#policyOf(this.#sql.get<{ policy: Uint8Array }>("SELECT policy FROM count_policies WHERE period = ?", period));
  }

  /** Half-years that are counted, the oldest first. */
  periods(): readonly Period[] {
    return this.#sql.all<{ period: number }>("SELECT period FROM count_policies ORDER BY period").map(({ period }) => period);
  }

  addPolicy(policy: CountPolicy): void {
    this.#sql.run("INSERT INTO count_policies (period, policy) VALUES (?, ?)", policy.period, encode(countPolicyCodec, policy));
  }

  /** What somebody chose for the half-years to come. */
  wish(): CountPolicy | undefined {
    return this.#policyOf(this.#sql.get<{ policy: Uint8Array }>("SELECT policy FROM count_wish WHERE id = 1"));
  }

  setWish(policy: CountPolicy): void {
    this.#sql.run("INSERT OR REPLACE INTO count_wish (id, policy) VALUES (1, ?)", encode(countPolicyCodec, policy));
  }

  seed(period: Period): Uint8Array | undefined {
    return this.#sql.get<{ seed: Uint8Array }>("SELECT seed FROM count_seeds WHERE period = ?", period)?.seed;
  }

  addSeed(period: Period, seed: Uint8Array): void {
    this.#sql.run("INSERT INTO count_seeds (period, seed) VALUES (?, ?)", period, seed);
  }

  eraseSeed(period: Period): void {
    this.#sql.run("DELETE FROM count_seeds WHERE period = ?", period);
  }

  caseId(ref: string): Uint8Array | undefined {
    return this.#sql.get<{ caseId: Uint8Array }>("SELECT case_id AS caseId FROM count_cases WHERE ref = ?", ref)?.caseId;
  }

  setCase(ref: string, caseId: Uint8Array, nowMs: number): void {
    this.#sql.run("INSERT OR REPLACE INTO count_cases (ref, case_id, newest_ms) VALUES (?, ?, ?)", ref, caseId, nowMs);
  }

  /** Forgets which cases were which, of those that nothing was recorded of since, and that wait for nothing. */
  forgetCases(beforeMs: number): void {
    this.#sql.run(
      "DELETE FROM count_cases WHERE newest_ms < ? AND ref NOT IN (SELECT ref FROM count_records WHERE opened IS NULL)",
      beforeMs,
    );
    this.#sql.run("DELETE FROM count_records WHERE opened IS NOT NULL AND ref NOT IN (SELECT ref FROM count_cases)");
  }

  add(record: Omit<StoredRecord, "id" | "at" | "clearance" | "opened">): void {
    const { ref, atMs, isSecret, isNever, salt, record: bytes, country, due } = record;
    this.#sql.run(
      `INSERT INTO count_records (ref, at_ms, is_secret, is_never, salt, record, country, country_salt, due_period, due_batch)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ref,
      atMs,
      isSecret ? 1 : 0,
      isNever ? 1 : 0,
      salt,
      bytes,
      country?.code ?? null,
      country?.salt ?? null,
      due.period,
      due.batch,
    );
  }

  /** Those that wait for a batch, of one kind, the oldest first. */
  waiting(of: WaitingKind, most: number): readonly StoredRecord[] {
    const sql = `SELECT ${recordColumns} FROM count_records WHERE ${waitingOf[of]} ORDER BY id LIMIT ?`;
    return this.#sql.all<RecordRow>(sql, most).map(recordOf);
  }

  countWaiting(of: WaitingKind): number {
    return this.#sql.get<{ number: number }>(`SELECT count(*) AS number FROM count_records WHERE ${waitingOf[of]}`)?.number ?? 0;
  }

  /** Records of a case, the oldest first. */
  of(ref: string): readonly StoredRecord[] {
    return this.#sql.all<RecordRow>(`SELECT ${recordColumns} FROM count_records WHERE ref = ? ORDER BY id`, ref).map(recordOf);
  }

  /** Records in the batches of a half-year. */
  in(period: Period): readonly StoredRecord[] {
    const sql = `SELECT ${recordColumns} FROM count_records WHERE period = ? ORDER BY batch, slot`;
    return this.#sql.all<RecordRow>(sql, period).map(recordOf);
  }

  /** Records that are sealed and not opened yet, after an id. */
  sealed({ after, most }: { after: number; most: number }): readonly StoredRecord[] {
    const sql = `SELECT ${recordColumns} FROM count_records WHERE is_secret = 1 AND opened IS NULL AND id > ? ORDER BY id LIMIT ?`;
    return this.#sql.all<RecordRow>(sql, after, most).map(recordOf);
  }

  record(id: number): StoredRecord | undefined {
    const row = this.#sql.get<RecordRow>(`SELECT ${recordColumns} FROM count_records WHERE id = ?`, id);
    return row === undefined ? undefined : recordOf(row);
  }

  place(id: number, { period, batch, slot }: BatchAt & { slot: number }): void {
    this.#sql.run("UPDATE count_records SET period = ?, batch = ?, slot = ? WHERE id = ?", period, batch, slot, id);
  }

  setSecret(id: number): void {
    this.#sql.run("UPDATE count_records SET is_secret = 1 WHERE id = ?", id);
  }

  setNever(id: number): void {
    this.#sql.run("UPDATE count_records SET is_never = 1, cleared_day = NULL, document = NULL, cleared_by = NULL WHERE id = ?", id);
  }

  clear(id: number, { day, document, by }: { day: number; document: string; by: string }): void {
    this.#sql.run("UPDATE count_records SET cleared_day = ?, document = ?, cleared_by = ? WHERE id = ?", day, document, by, id);
  }

  markOpened(id: number, number: number): void {
    this.#sql.run("UPDATE count_records SET opened = ? WHERE id = ?", number, id);
  }

  /** What nobody opens any more: neither its salt nor what it says stays. */
  erase(id: number): void {
    this.#sql.run("DELETE FROM count_records WHERE id = ?", id);
  }

  /** Puts records of batches that count for nothing back to those that wait. */
  unplace(at: BatchAt): void {
    this.#sql.run("UPDATE count_records SET period = NULL, batch = NULL, slot = NULL WHERE period = ? AND batch = ?", at.period, at.batch);
  }

  addBatch({ period, batch, hashes, trailSlot, trail }: StoredBatch): void {
    const joined = hashes === undefined ? null : Buffer.concat(hashes);
    const sql = "INSERT OR REPLACE INTO count_batches (period, batch, hashes, trail_slot, trail) VALUES (?, ?, ?, ?, ?)";
    this.#sql.run(sql, period, batch, joined, trailSlot, trail);
  }

  batches(period: Period): readonly StoredBatch[] {
    const sql = "SELECT batch, hashes, trail_slot AS trailSlot, trail FROM count_batches WHERE period = ? ORDER BY batch";
    return this.#sql
      .all<{ batch: number; hashes: Uint8Array | null; trailSlot: number; trail: Uint8Array }>(sql, period)
      .map(({ hashes, ...row }) => ({ ...row, period, hashes: hashes === null ? undefined : split(hashes) }));
  }

  lastBatch(): BatchAt | undefined {
    return this.#sql.get<BatchAt>("SELECT period, batch FROM count_batches ORDER BY period DESC, batch DESC LIMIT 1");
  }

  /** Of an opened half-year only what was opened is kept. */
  eraseBatches(period: Period): void {
    this.#sql.run(
      "DELETE FROM count_batches WHERE period = ? AND batch < (SELECT max(batch) FROM count_batches WHERE period = ?)",
      period,
      period,
    );
  }

  opening(period: Period, number: number): Uint8Array | undefined {
    const sql = "SELECT bytes FROM count_openings WHERE period = ? AND number = ?";
    return this.#sql.get<{ bytes: Uint8Array }>(sql, period, number)?.bytes;
  }

  openings(period: Period): readonly number[] {
    const sql = "SELECT number FROM count_openings WHERE period = ? ORDER BY number";
    return this.#sql.all<{ number: number }>(sql, period).map(({ number }) => number);
  }

  addOpening({ period, number, bytes }: { period: Period; number: number; bytes: Uint8Array }): void {
    this.#sql.run("INSERT INTO count_openings (period, number, bytes) VALUES (?, ?, ?)", period, number, bytes);
  }

  #policyOf(row: { readonly policy: Uint8Array } | undefined): CountPolicy | undefined {
    return row === undefined ? undefined : decode(countPolicyCodec, row.policy);
  }
}

function recordOf({
  countrySalt,
  duePeriod,
  dueBatch,
  period,
  batch,
  slot,
  clearedDay,
  document,
  clearedBy,
  opened,
  ...row
}: RecordRow): StoredRecord {
  const isPlaced = period !== null && batch !== null && slot !== null;
  return {
    ...row,
    isSecret: row.isSecret === 1,
    isNever: row.isNever === 1,
    country: row.country === null || countrySalt === null ? undefined : { code: row.country, salt: countrySalt },
    due: { period: duePeriod, batch: dueBatch },
    at: isPlaced ? { period, batch, slot } : undefined,
    clearance: clearedDay === null || document === null ? undefined : { day: clearedDay, document, by: clearedBy ?? undefined },
    opened: opened ?? undefined,
  };
}

function split(hashes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: hashes.length / hashBytes }, (_, at) => hashes.subarray(at * hashBytes, (at + 1) * hashBytes));
}
