import type { SqlValue } from "../sql/steps.ts";
import type { PostgresValue } from "./transaction.ts";

/** The number that PostgreSQL gives to `bytea`. */
const bytea = 17;

/** The reading of columns by the numbers of their types: of one database's connections alone, the driver's own stay as they are. */
const parsers: ReadonlyMap<number, (text: string) => SqlValue> = new Map<number, (text: string) => SqlValue>([
  [16, (text) => (text === "t" ? 1 : 0)], // bool
  [bytea, (text) => Uint8Array.fromHex(text.slice(2))],
  [20, wholeNumber], // int8
  [21, wholeNumber], // int2
  [23, wholeNumber], // int4
  [701, wholeNumber], // float8
  [1700, wholeNumber], // numeric, which sums of int8 are
]);

/** How the driver reads what a database answers: text where nothing else is said. */
export const columnTypes = {
  getTypeParser: (type: number): ((text: string) => SqlValue) => parsers.get(type) ?? ((text) => text),
};

/** @throws RangeError */
function wholeNumber(text: string): number {
  const value = Number(text);
  // Never the number itself: it may be somebody's.
  if (!Number.isSafeInteger(value)) throw new RangeError("a number of the database is not whole or not safe");
  return value;
}

/**
 * A value as the driver sends it. A list of bytes goes as the binary form of `bytea[]`, which takes a sixth of the time of its text; one of
 * numbers as the text of an array, which fits integers of any size and takes no longer.
 */
export function encodeValue(value: PostgresValue): string | number | Uint8Array | readonly SqlValue[] | null {
  if (!isList(value)) return value;
  if (value.some((each) => each instanceof Uint8Array)) return bytesArray(value);
  if (value.every((each) => each === null || typeof each === "number")) return `{${value.map((each) => each ?? "NULL").join(",")}}`;
  // The driver quotes texts.
  return value;
}

function isList(value: PostgresValue): value is readonly SqlValue[] {
  return Array.isArray(value);
}

/** PostgreSQL's array_recv: dimensions, whether there are nulls, the type, then length and first index, then each with its length. @throws TypeError */
function bytesArray(values: readonly SqlValue[]): Buffer {
  const header = 20;
  let size = header;
  for (const value of values) {
    if (value !== null && !(value instanceof Uint8Array)) throw new TypeError("a list of bytes holds something else");
    size += 4 + (value?.length ?? 0);
  }
  const array = Buffer.allocUnsafe(size);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  array.writeInt32BE(bytea, 8);
  array.writeInt32BE(values.length, 12);
  array.writeInt32BE(1, 16);
  let at = header;
  for (const value of values) {
    if (!(value instanceof Uint8Array)) {
      at = array.writeInt32BE(-1, at);
      continue;
    }
    at = array.writeInt32BE(value.length, at);
    array.set(value, at);
    at += value.length;
  }
  return array;
}
