import { decode } from "@latchkey/codec";
import { cellOf, countRecordCodec, derivedSalt, encodeOpening, encodeRecord, parseOpening } from "@latchkey/counts";
import type { Clearance, CountPolicy, Opening, OpeningSlot, Period } from "@latchkey/counts";
import { dayText } from "../../../days.ts";
import type { CountTable, StoredBatch, StoredRecord } from "./count-table.ts";

/** An opening, and the ids of the records that everybody sees in it. */
export interface MadeOpening {
  readonly bytes: Uint8Array;
  readonly opened: ReadonlySet<number>;
}

/** The first opening of a half-year: of each batch as many slots stay sealed as its policy says, secret ones first, dummies else. */
export function firstOpening(params: {
  readonly table: CountTable;
  readonly host: string;
  readonly policy: CountPolicy;
  readonly period: Period;
  readonly records: readonly StoredRecord[];
}): MadeOpening {
  const { table, host, policy, period, records } = params;
  const seed = table.seed(period);
  if (seed === undefined) throw new Error("a half-year that was not opened has its seed");
  const told = toldCells(records, policy.smallNumber);
  const bySlot = new Map(records.map((record) => [`${record.at?.batch}.${record.at?.slot}`, record]));
  const batches = new Map(table.batches(period).map((batch) => [batch.batch, batch]));
  const none = encodeRecord({ kind: "none" });
  const openBatch = ({ batch, hashes, trailSlot, trail }: StoredBatch): readonly OpeningSlot[] | undefined => {
    if (hashes === undefined) return undefined;
    const isSecret = (slot: number): boolean => bySlot.get(`${batch}.${slot}`)?.isSecret === true;
    const isDummy = (slot: number): boolean => slot !== trailSlot && !bySlot.has(`${batch}.${slot}`);
    const numbers = hashes.map((_, slot) => slot);
    const sealed = new Set([...numbers.filter(isSecret), ...numbers.filter(isDummy)].slice(0, policy.sealed));
    return hashes.map((hash, slot): OpeningSlot => {
      if (sealed.has(slot)) return { kind: "sealed", hash };
      const record = bySlot.get(`${batch}.${slot}`);
      if (record === undefined) return { kind: "opened", salt: derivedSalt(seed, batch, slot), record: slot === trailSlot ? trail : none };
      const { salt, record: bytes, country } = record;
      const isTold = country !== undefined && told.has(cellOfRecord(record) ?? "");
      return { kind: "opened", salt, record: bytes, ...(isTold ? { country: { salt: country.salt, code: country.code } } : {}) };
    });
  };
  const last = Math.max(policy.firstBatch - 1, ...batches.keys());
  const opening: Opening = {
    host,
    period,
    number: 1,
    firstBatch: policy.firstBatch,
    batches: Array.from({ length: last - policy.firstBatch + 1 }, (_, at) => {
      const batch = batches.get(policy.firstBatch + at);
      return batch === undefined ? undefined : openBatch(batch);
    }),
  };
  return { bytes: encodeOpening(opening), opened: new Set(records.filter(({ isSecret }) => !isSecret).map(({ id }) => id)) };
}

/** A later opening: what was cleared by its day is opened too. `undefined` where nothing was. */
export function clearedOpening(params: {
  readonly before: Uint8Array | undefined;
  readonly number: number;
  readonly records: readonly StoredRecord[];
  readonly dueMs: number;
}): MadeOpening | undefined {
  const { before, number, records, dueMs } = params;
  if (before === undefined) return undefined;
  const clearances = new Map<string, { readonly record: StoredRecord; readonly clearance: Clearance }>();
  for (const record of records) {
    const { at, clearance, isNever, opened } = record;
    if (at === undefined || clearance === undefined || isNever || opened !== undefined || clearance.day * 86_400_000 >= dueMs) continue;
    const { day, document } = clearance;
    clearances.set(`${at.batch}.${at.slot}`, { record, clearance: { day: dayText(day), document } });
  }
  if (clearances.size === 0) return undefined;
  const opening = parseOpening(before);
  const batches = opening.batches.map((slots, at) =>
    slots?.map((slot, of): OpeningSlot => {
      const cleared = clearances.get(`${opening.firstBatch + at}.${of}`);
      if (cleared === undefined || slot.kind === "opened") return slot;
      const { record, clearance } = cleared;
      return { kind: "opened", salt: record.salt, record: record.record, clearance };
    }),
  );
  const bytes = encodeOpening({ ...opening, number, batches });
  return { bytes, opened: new Set([...clearances.values()].map(({ record }) => record.id)) };
}

/** Cells of the tables by country that are told: of as many open cases as the policy asks for. Sealed ones do not count either way: that a country is missing would say that there is one. */
function toldCells(records: readonly StoredRecord[], least: number): ReadonlySet<string> {
  const cells = new Map<string, number>();
  for (const record of records) {
    const cell = cellOfRecord(record);
    if (cell !== undefined && !record.isSecret) cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  return new Set([...cells].filter(([, number]) => number >= Math.max(1, least)).map(([cell]) => cell));
}

function cellOfRecord({ record: bytes, country }: StoredRecord): string | undefined {
  const record = decode(countRecordCodec, bytes);
  return record.kind === "arrival" && country !== undefined ? cellOf(record, country.code) : undefined;
}
