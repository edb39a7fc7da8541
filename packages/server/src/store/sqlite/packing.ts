import { entryKindNumbers } from "@latchkey/protocol";
import type { EntryKind } from "@latchkey/protocol";
import type { Refused } from "../accounts.ts";
import type { AppendAccepted, AppendRefusal, NewEntry, StoredEntry, StoredItem } from "../store.ts";
import type { Failed } from "./fault.ts";

/**
 * Appends and reads cross the thread boundary as one block of numbers and one of bytes, both handed over without a copy.
 * (A structured clone of a view would copy the whole network buffer that the view lies in.)
 */
export interface Packed {
  readonly count: number;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Of a list of kinds, number to name; index 0 is unused. */
const kindNames: readonly (EntryKind | undefined)[] = [undefined, "message", "commit", "complaint"];

/** @throws RangeError for a number that is no kind: a damaged database. */
export function kindOf(number: number): EntryKind {
  const name = kindNames[number];
  if (name === undefined) throw new RangeError("unknown entry kind in the database");
  return name;
}

const appendNumbers = 6;
const idBytes = 32;

export function packAppends(entries: readonly NewEntry[]): Packed {
  let size = 0;
  for (const entry of entries) size += 2 * idBytes + entry.blob.length;
  const bytes = new Uint8Array(size);
  const numbers = new Float64Array(entries.length * appendNumbers);
  let at = 0;
  let n = 0;
  for (const entry of entries) {
    numbers[n++] = entry.epochId;
    numbers[n++] = entryKindNumbers[entry.kind];
    numbers[n++] = entry.afterSeq;
    numbers[n++] = entry.hasAccess ? 1 : 0;
    numbers[n++] = entry.day;
    numbers[n++] = entry.blob.length;
    bytes.set(entry.logId, at);
    bytes.set(entry.nextAccessHash, at + idBytes);
    bytes.set(entry.blob, at + 2 * idBytes);
    at += 2 * idBytes + entry.blob.length;
  }
  return { count: entries.length, numbers, bytes };
}

/** The entries of `packAppends`, their bytes as views. */
export function unpackAppends(packed: Packed): NewEntry[] {
  const { numbers, bytes } = packed;
  const entries: NewEntry[] = [];
  let at = 0;
  const take = (size: number): Uint8Array => bytes.subarray(at, (at += size));
  for (let i = 0; i < packed.count; i++) {
    const n = i * appendNumbers;
    const number = (k: number): number => numbers[n + k] ?? 0;
    const logId = take(idBytes);
    const nextAccessHash = take(idBytes);
    const blob = take(number(5));
    entries.push({
      logId,
      epochId: number(0),
      kind: kindOf(number(1)),
      nextAccessHash,
      blob,
      afterSeq: number(2),
      hasAccess: number(3) === 1,
      day: number(4),
    });
  }
  return entries;
}

const refusals: readonly AppendRefusal[] = [
  "unknown_log",
  "unknown_epoch",
  "wrong_access_key",
  "stale",
  "conflict",
  "unknown_blob",
  "too_large",
  "rate_limited",
];

/** What became of one append: its outcome, or that its own transaction failed. */
export type AppendResult = AppendAccepted | Refused<AppendRefusal> | Failed;

const resultNumbers = 2;
const statusAccepted = 0;
const statusKnown = 1;
const statusFailed = 2;
const statusFull = 3;
const statusRefused = 4;

/** Without why they failed. */
export function packResults(results: readonly AppendResult[]): Packed {
  const numbers = new Float64Array(results.length * resultNumbers);
  const bytes = new Uint8Array(results.length * idBytes);
  let i = 0;
  for (const result of results) {
    if (result.kind === "accepted") {
      numbers[i * resultNumbers] = result.isNew ? statusAccepted : statusKnown;
      numbers[i * resultNumbers + 1] = result.seq;
      bytes.set(result.head, i * idBytes);
    } else if (result.kind === "failed") {
      numbers[i * resultNumbers] = result.full ? statusFull : statusFailed;
    } else {
      numbers[i * resultNumbers] = statusRefused + refusals.indexOf(result.code);
    }
    i++;
  }
  return { count: results.length, numbers, bytes };
}

/** The result at `index` of `packResults`; its head is a view. */
export function resultAt(packed: Packed, index: number): AppendResult {
  const status = packed.numbers[index * resultNumbers] ?? statusFailed;
  if (status <= statusKnown) {
    const seq = packed.numbers[index * resultNumbers + 1] ?? 0;
    const head = packed.bytes.subarray(index * idBytes, (index + 1) * idBytes);
    return { kind: "accepted", seq, head, isNew: status === statusAccepted };
  }
  const code = refusals[status - statusRefused];
  return code === undefined ? { kind: "failed", full: status === statusFull } : { kind: "refused", code };
}

const entryNumbers = 6;
const noHash = new Uint8Array(idBytes);

/** A row of `entries` as the statement returns it: seq, epoch, kind, day, next_access_hash, blob. */
export type EntryRow = [number, number, number, number, Uint8Array | null, Uint8Array];

export function packEntries(rows: readonly EntryRow[]): Packed {
  let size = 0;
  for (const [, , , , hash, blob] of rows) size += (hash === null ? 0 : idBytes) + blob.length;
  const bytes = new Uint8Array(size);
  const numbers = new Float64Array(rows.length * entryNumbers);
  let at = 0;
  let n = 0;
  for (const [seq, epoch, kind, day, hash, blob] of rows) {
    numbers[n++] = seq;
    numbers[n++] = epoch;
    numbers[n++] = kind;
    numbers[n++] = day;
    numbers[n++] = hash === null ? 0 : 1;
    numbers[n++] = blob.length;
    if (hash !== null) {
      bytes.set(hash, at);
      at += idBytes;
    }
    bytes.set(blob, at);
    at += blob.length;
  }
  return { count: rows.length, numbers, bytes };
}

export function unpackEntries(packed: Packed): StoredEntry[] {
  const { numbers, bytes } = packed;
  const entries: StoredEntry[] = [];
  let at = 0;
  for (let i = 0; i < packed.count; i++) {
    const n = i * entryNumbers;
    const hasHash = numbers[n + 4] === 1;
    const nextAccessHash = hasHash ? bytes.subarray(at, at + idBytes) : noHash;
    if (hasHash) at += idBytes;
    const size = numbers[n + 5] ?? 0;
    entries.push({
      seq: numbers[n] ?? 0,
      epochId: numbers[n + 1] ?? 0,
      kind: kindOf(numbers[n + 2] ?? 0),
      day: numbers[n + 3] ?? 0,
      nextAccessHash,
      blob: bytes.subarray(at, at + size),
    });
    at += size;
  }
  return entries;
}

const itemNumbers = 4;

export function packItems(items: readonly StoredItem[]): Packed {
  let size = 0;
  for (const { blob } of items) size += blob.length;
  const bytes = new Uint8Array(size);
  const numbers = new Float64Array(items.length * itemNumbers);
  let at = 0;
  let n = 0;
  for (const { seq, day, part, blob } of items) {
    numbers[n++] = seq;
    numbers[n++] = day;
    numbers[n++] = part === "strangers" ? 1 : 0;
    numbers[n++] = blob.length;
    bytes.set(blob, at);
    at += blob.length;
  }
  return { count: items.length, numbers, bytes };
}

export function unpackItems(packed: Packed): StoredItem[] {
  const items: StoredItem[] = [];
  let at = 0;
  for (let i = 0; i < packed.count; i++) {
    const n = i * itemNumbers;
    const part = packed.numbers[n + 2] === 0 ? "contacts" : "strangers";
    const size = packed.numbers[n + 3] ?? 0;
    items.push({ seq: packed.numbers[n] ?? 0, day: packed.numbers[n + 1] ?? 0, part, blob: packed.bytes.subarray(at, at + size) });
    at += size;
  }
  return items;
}
