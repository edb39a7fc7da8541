import { isStoreKey } from "./store.ts";
import type { ScanRange } from "./store.ts";

/** Whether `key` lies in `range`. Keys compare by code unit, as SQLite and IndexedDB compare ASCII text. */
export function inRange(key: string, range: ScanRange): boolean {
  return (
    key.startsWith(range.prefix) && (range.after === undefined || key > range.after) && (range.before === undefined || key < range.before)
  );
}

/** The exclusive upper bound of the keys that begin with `prefix`; `undefined` for every key. */
export function prefixEnd(prefix: string): string | undefined {
  // "0" follows "/" in ASCII.
  return prefix === "" ? undefined : `${prefix.slice(0, -1)}0`;
}

/** @throws RangeError when `key` is no key of a store. */
export function checkKey(key: string): void {
  if (!isStoreKey(key)) throw new RangeError("not a store key");
}

/** @throws RangeError when `range` breaks the rules of ScanRange. */
export function checkRange(range: ScanRange, mode: "read" | "write"): void {
  const { prefix, limit, maxBytes } = range;
  const limitValid = limit === undefined || (Number.isSafeInteger(limit) && limit >= 0);
  if ((prefix !== "" && !prefix.endsWith("/")) || !limitValid) throw new RangeError("not a scan range");
  // What is written and not in the engine yet would have no place among what it gives.
  if (maxBytes !== undefined && mode === "write") throw new RangeError("a scan by bytes in a transaction that writes");
  for (const bound of [range.after, range.before]) {
    if (bound !== undefined && !bound.startsWith(prefix)) throw new RangeError("a bound outside the scanned prefix");
  }
}

/** As many of the entries, in their order, as `range` has; none is looked at behind the last. */
export function* upTo<T extends readonly [string, Uint8Array]>(range: ScanRange, entries: Iterable<T>): Generator<T> {
  const { limit = Infinity, maxBytes = Infinity } = range;
  let [count, bytes] = [0, 0];
  if (limit === 0) return;
  for (const entry of entries) {
    yield entry;
    count += 1;
    bytes += entry[1].length;
    if (count >= limit || bytes >= maxBytes) return;
  }
}

/** Writes of a transaction that its engine does not have yet, read as if it had. `undefined` is a deletion. */
export class Overlay<T> {
  readonly writes: Map<string, T | undefined> = new Map();

  /** `range` of the engine's entries with the writes applied. `read` answers for the engine, in ascending or, reversed, descending order. */
  async scan(range: ScanRange, read: (range: ScanRange) => Promise<[string, T][]>): Promise<[string, T][]> {
    const own = [...this.writes].filter(([key]) => inRange(key, range));
    const { limit } = range;
    // So many of the engine's entries may be hidden by a write.
    const entries = await read(limit === undefined ? range : { ...range, limit: limit + own.length });
    if (own.length === 0) return entries;
    const merged = new Map(entries);
    for (const [key, value] of own) {
      if (value === undefined) merged.delete(key);
      else merged.set(key, value);
    }
    const sorted = [...merged].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (range.reverse === true) sorted.reverse();
    return sorted.slice(0, limit);
  }
}
