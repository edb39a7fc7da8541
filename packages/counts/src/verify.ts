import { CodecError, decode, equalBytes, toHex } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { parseOpening } from "./opening.ts";
import type { Opening, OpeningSlot } from "./opening.ts";
import type { ProvenValue } from "./log.ts";
import { batchDueMs, batchesIn, openingDueMs, periodStartMs } from "./periods.ts";
import type { CountPolicy, Period } from "./policy.ts";
import { countRecordCodec } from "./records.ts";
import type { ArrivalRecord, CountRecord, OutcomeRecord, TrailRecord } from "./records.ts";
import { batchRoot, countryHash, slotHash } from "./slots.ts";

/** Something about a period that must not be, or that its reader should know. */
export interface Finding {
  readonly kind: FindingKind;
  /** Where it is; absent of what concerns the whole period. */
  readonly batch?: number;
  readonly slot?: number;
  /** Of `batch_late` and `opening_late`. */
  readonly hours?: number;
}

/** What can be found. */
export type FindingKind =
  | "no_policy" // no policy of the period is in the log
  | "policy_late" // it was published after its period had begun
  | "begun_again" // counting began anew within it, on a label that had values before: what was counted until then is not shown
  | "policy_changed" // another one followed it within the period
  | "batch_missing" // a batch that was due is not in the log
  | "batch_doubled" // a batch is in the log twice
  | "batch_early" // a batch was published before its hour
  | "batch_late" // later than an hour after it: the server was not there
  | "batch_lost" // the opening does not show a batch: the server lost what was in it
  | "batch_differs" // the opening shows other slots than were published: a case altered, left out, added or emptied
  | "sealed_count" // not as many slots are sealed as the policy says
  | "record_unreadable" // an opened slot holds no record
  | "case_twice" // one case came in twice
  | "trail_missing" // not exactly one slot says where the trail stands
  | "trail_back" // the trail has fewer entries than before, or another past: the desk's database was put back
  | "country_differs" // a country is not the one that was counted
  | "country_small" // a country is named that has fewer cases than the policy says
  | "cleared_unasked" // a slot says that it was cleared, and this is the first opening
  | "opening_unannounced" // the opening is not the one of which the log has the hash
  | "opening_early" // it was opened before its day
  | "opening_late" // its day is over, and it is not opened
  | "opening_of_other" // it is of another server or half-year
  | "opening_before_missing" // the opening before it is not to be had, or is not the one that was published
  | "opening_taken_back"; // a slot that the one before showed is sealed again or another, or its country or clearance is

/** Longest lateness that says no more than that somebody was away: who publishes later than that may have chosen what to count. In hours. */
const awayHours = 168;

/** Whether a finding says that somebody was away, and not that anything may be false. */
export function isHarmless({ kind, hours = 0 }: Pick<Finding, "kind" | "hours">): boolean {
  return (kind === "batch_late" || kind === "opening_late") && hours <= awayHours;
}

/** A record that was opened, and where. */
export interface OpenedRecord<Record extends CountRecord = CountRecord> {
  readonly batch: number;
  readonly slot: number;
  readonly record: Record;
  /** Of an arrival whose country is told. */
  readonly country: string | undefined;
}

/** A half-year as the public record shows it. */
export interface PeriodReport {
  readonly period: Period;
  readonly policy: CountPolicy | undefined;
  /** How many batches are in the log, of how many that were due by now. */
  readonly batches: number;
  readonly due: number;
  /** 0 while nothing was opened. */
  readonly opening: number;
  /** When it is opened first, in milliseconds since 1970. */
  readonly opensMs: number | undefined;
  readonly sealed: number;
  readonly arrivals: readonly OpenedRecord<ArrivalRecord>[];
  readonly outcomes: readonly OpenedRecord<OutcomeRecord>[];
  /** Hashes of all slots, hexadecimal, by batch and slot; empty before the opening. */
  readonly slots: ReadonlyMap<string, { readonly batch: number; readonly slot: number; readonly isOpen: boolean }>;
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly findings: readonly Finding[];
}

const hourMs = 3_600_000;
/** How long after its hour a batch, and after its day an opening, is in time. */
const graceMs = hourMs;
const openingGraceMs = 48 * hourMs;

/**
 * Verifies a half-year (spec K-4): its policy, each of its batches, and all that was opened of it. Never throws for what is false: it is
 * found and named.
 * @param params `values` as `verifyCountLog` proved them; `opening` the newest, as it was fetched; `nowMs` of the reader's clock
 * @throws CountsError `malformed` for an opening that cannot be read
 */
export function verifyPeriod(params: {
  readonly host: string;
  readonly period: Period;
  readonly values: readonly ProvenValue[];
  readonly opening: Uint8Array | undefined;
  /** The opening before that one, where there is one. */
  readonly before?: Uint8Array | undefined;
  readonly nowMs: number;
}): PeriodReport {
  const { host, period, values, opening: bytes, before, nowMs } = params;
  const findings: Finding[] = [];
  const policy = findPolicy(period, values, findings);
  if (policy === undefined) return { ...nothing, period, findings };
  const roots = findBatches({ period, policy, values, nowMs, findings });
  const opensMs = openingDueMs(policy, period);
  const report = { ...nothing, period, policy, opensMs, roots, batches: roots.size, due: dueBy(policy, period, nowMs), findings };
  if (bytes === undefined) {
    const lateMs = nowMs - opensMs;
    if (lateMs > openingGraceMs) findings.push({ kind: "opening_late", hours: Math.floor(lateMs / hourMs) });
    return report;
  }
  const opening = parseOpening(bytes);
  if (opening.host !== host || opening.period !== period || opening.firstBatch !== policy.firstBatch) {
    findings.push({ kind: "opening_of_other" });
    return report;
  }
  checkAnnounced({ opening, bytes, policy, values, findings });
  if (opening.number > 1) checkBefore({ opening, before, values, findings });
  return { ...report, opening: opening.number, ...openSlots({ opening, policy, roots, findings }) };
}

const nothing = {
  policy: undefined,
  batches: 0,
  due: 0,
  opening: 0,
  opensMs: undefined,
  sealed: 0,
  arrivals: [],
  outcomes: [],
  slots: new Map<string, { batch: number; slot: number; isOpen: boolean }>(),
  roots: new Map<number, Uint8Array>(),
};

/** How many batches of a period are due by a time. */
function dueBy(policy: CountPolicy, period: Period, nowMs: number): number {
  const all = batchesIn(policy, period);
  let last = all;
  while (last > policy.firstBatch && batchDueMs(policy, period, last - 1) > nowMs) last -= 1;
  return Math.max(0, last - policy.firstBatch);
}

function findPolicy(period: Period, values: readonly ProvenValue[], findings: Finding[]): CountPolicy | undefined {
  const found = values.flatMap(({ version, value, timeMs }) =>
    value.kind === "policy" && value.policy.period === period ? [{ policy: value.policy, timeMs, version }] : [],
  );
  const beginsMs = (policy: CountPolicy): number =>
    policy.firstBatch === 0 ? periodStartMs(period) : batchDueMs(policy, period, policy.firstBatch);
  // The last one that was there in time counts.
  const inTime = found.findLast(({ policy, timeMs }) => timeMs < beginsMs(policy));
  const [first] = found;
  if (first === undefined) findings.push({ kind: "no_policy" });
  else if (inTime === undefined) findings.push({ kind: "policy_late" });
  else if (found.at(-1) !== inTime) findings.push({ kind: "policy_changed" });
  const counts = inTime ?? first;
  // Only the label's first value begins within a half-year.
  if (counts !== undefined && counts.policy.firstBatch > 0 && counts.version > 1) findings.push({ kind: "begun_again" });
  return counts?.policy;
}

/** The roots of the period's batches, by their numbers. */
function findBatches(params: {
  readonly period: Period;
  readonly policy: CountPolicy;
  readonly values: readonly ProvenValue[];
  readonly nowMs: number;
  readonly findings: Finding[];
}): ReadonlyMap<number, Uint8Array> {
  const { period, policy, values, nowMs, findings } = params;
  const roots = new Map<number, Uint8Array>();
  for (const { value, timeMs } of values) {
    if (value.kind !== "batch" || value.period !== period) continue;
    const { batch, root } = value;
    if (roots.has(batch)) {
      findings.push({ kind: "batch_doubled", batch });
      continue;
    }
    roots.set(batch, root);
    const lateMs = timeMs - batchDueMs(policy, period, batch);
    if (lateMs < 0) findings.push({ kind: "batch_early", batch });
    if (lateMs > graceMs) findings.push({ kind: "batch_late", batch, hours: Math.floor(lateMs / hourMs) });
  }
  const until = policy.firstBatch + dueBy(policy, period, nowMs - graceMs);
  for (let batch = policy.firstBatch; batch < until; batch++) if (!roots.has(batch)) findings.push({ kind: "batch_missing", batch });
  return roots;
}

function checkAnnounced(params: {
  readonly opening: Opening;
  readonly bytes: Uint8Array;
  readonly policy: CountPolicy;
  readonly values: readonly ProvenValue[];
  readonly findings: Finding[];
}): void {
  const { opening, bytes, policy, values, findings } = params;
  const { period, number } = opening;
  const announced = values.find(({ value }) => value.kind === "opening" && value.period === period && value.number === number);
  if (announced?.value.kind !== "opening" || !equalBytes(announced.value.hash, sha256(bytes))) {
    findings.push({ kind: "opening_unannounced" });
    return;
  }
  const lateMs = announced.timeMs - openingDueMs(policy, period, number);
  if (lateMs < 0) findings.push({ kind: "opening_early" });
  if (lateMs > openingGraceMs) findings.push({ kind: "opening_late", hours: Math.floor(lateMs / hourMs) });
}

/**
 * Holds an opening against the one before it, which is the newest that the label has below its number: nothing that was open is sealed again or
 * another, and no clearance or country that was told is taken back.
 */
function checkBefore(params: {
  readonly opening: Opening;
  readonly before: Uint8Array | undefined;
  readonly values: readonly ProvenValue[];
  readonly findings: Finding[];
}): void {
  const { opening, before: bytes, values, findings } = params;
  const announced = values
    .flatMap(({ value }) => (value.kind === "opening" && value.period === opening.period && value.number < opening.number ? [value] : []))
    .toSorted((a, b) => b.number - a.number)[0];
  if (announced === undefined || bytes === undefined || !equalBytes(announced.hash, sha256(bytes))) {
    findings.push({ kind: "opening_before_missing" });
    return;
  }
  const before = parseOpening(bytes);
  for (const [at, slots] of before.batches.entries()) {
    const batch = before.firstBatch + at;
    const now = opening.batches[batch - opening.firstBatch];
    for (const [slot, one] of (slots ?? []).entries())
      if (one.kind === "opened" && !isSameOpened(one, now?.[slot])) findings.push({ kind: "opening_taken_back", batch, slot });
  }
}

type OpenedSlot = Extract<OpeningSlot, { readonly kind: "opened" }>;

function isSameOpened(before: OpenedSlot, now: OpeningSlot | undefined): boolean {
  if (now?.kind !== "opened") return false;
  const { country, clearance } = before;
  const isCountry = country === undefined || (now.country?.code === country.code && equalBytes(now.country.salt, country.salt));
  const isCleared = clearance?.day === now.clearance?.day && clearance?.document === now.clearance?.document;
  return equalBytes(before.salt, now.salt) && equalBytes(before.record, now.record) && isCountry && isCleared;
}

function openSlots(params: {
  readonly opening: Opening;
  readonly policy: CountPolicy;
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly findings: Finding[];
}): Pick<PeriodReport, "sealed" | "arrivals" | "outcomes" | "slots"> {
  const { opening, policy, roots, findings } = params;
  const slots = new Map<string, { batch: number; slot: number; isOpen: boolean }>();
  const records: OpenedRecord[] = [];
  let sealed = 0;
  let before: TrailRecord | undefined;
  for (const batch of roots.keys()) {
    const shown = opening.batches[batch - opening.firstBatch];
    if (shown === undefined) {
      findings.push({ kind: "batch_lost", batch });
      continue;
    }
    const hashes = shown.map((slot) => (slot.kind === "sealed" ? slot.hash : slotHash(slot.salt, slot.record)));
    const root = shown.length === policy.slots ? batchRoot(hashes) : undefined;
    if (root === undefined || !equalBytes(root, roots.get(batch) ?? root)) {
      // Nothing in it counts: which of its slots is another one its root does not say.
      findings.push({ kind: "batch_differs", batch });
      continue;
    }
    for (const [slot, hash] of hashes.entries()) slots.set(toHex(hash), { batch, slot, isOpen: shown[slot]?.kind === "opened" });
    const closed = shown.filter(({ kind }) => kind === "sealed").length;
    const cleared = shown.filter((slot) => slot.kind === "opened" && slot.clearance !== undefined).length;
    sealed += closed;
    if (closed + cleared !== policy.sealed) findings.push({ kind: "sealed_count", batch });
    if (cleared > 0 && opening.number === 1) findings.push({ kind: "cleared_unasked", batch });
    const read = shown.flatMap((slot, at) => readRecord({ slot, batch, at, findings }));
    records.push(...read);
    before = checkTrail({ read, batch, before, findings }) ?? before;
  }
  const arrivals = records.filter((one): one is OpenedRecord<ArrivalRecord> => one.record.kind === "arrival");
  checkArrivals(arrivals, policy, findings);
  return { sealed, slots, arrivals, outcomes: records.filter((one): one is OpenedRecord<OutcomeRecord> => one.record.kind === "outcome") };
}

function readRecord(params: { slot: OpeningSlot; batch: number; at: number; findings: Finding[] }): readonly OpenedRecord[] {
  const { slot, batch, at, findings } = params;
  if (slot.kind === "sealed") return [];
  let record: CountRecord;
  try {
    record = decode(countRecordCodec, slot.record);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    findings.push({ kind: "record_unreadable", batch, slot: at });
    return [];
  }
  const { country } = slot;
  if (country === undefined) return [{ batch, slot: at, record, country: undefined }];
  if (record.kind === "arrival" && equalBytes(record.country, countryHash(country.salt, country.code)))
    return [{ batch, slot: at, record, country: country.code }];
  findings.push({ kind: "country_differs", batch, slot: at });
  return [{ batch, slot: at, record, country: undefined }];
}

/** The trail of a batch, held against the one before; `undefined` where it shows none. */
function checkTrail(params: {
  readonly read: readonly OpenedRecord[];
  readonly batch: number;
  readonly before: TrailRecord | undefined;
  readonly findings: Finding[];
}): TrailRecord | undefined {
  const { read, batch, before, findings } = params;
  const trails = read.flatMap(({ record }) => (record.kind === "trail" ? [record] : []));
  const [trail] = trails;
  if (trail === undefined || trails.length > 1) {
    findings.push({ kind: "trail_missing", batch });
    return undefined;
  }
  const isOther = before?.entries === trail.entries && !equalBytes(before.head, trail.head);
  if (before !== undefined && (trail.entries < before.entries || isOther)) findings.push({ kind: "trail_back", batch });
  return trail;
}

function checkArrivals(arrivals: readonly OpenedRecord<ArrivalRecord>[], policy: CountPolicy, findings: Finding[]): void {
  const seen = new Set<string>();
  const cells = new Map<string, number>();
  for (const { batch, slot, record, country } of arrivals) {
    const id = toHex(record.caseId);
    if (seen.has(id)) findings.push({ kind: "case_twice", batch, slot });
    seen.add(id);
    if (country !== undefined) cells.set(cellOf(record, country), (cells.get(cellOf(record, country)) ?? 0) + 1);
  }
  for (const { batch, slot, record, country } of arrivals) {
    if (country !== undefined && (cells.get(cellOf(record, country)) ?? 0) < policy.smallNumber)
      findings.push({ kind: "country_small", batch, slot });
  }
}

/** The cell of a table in which an arrival is counted by its country. */
export function cellOf({ of }: Pick<ArrivalRecord, "of">, country: string): string {
  return `${of}/${country}`;
}
