import type { Packed } from "./packing.ts";
import type { Batch, BatchResult } from "./calls.ts";

function isPacked(value: unknown): value is Packed {
  return typeof value === "object" && value !== null && "numbers" in value && value.numbers instanceof Float64Array;
}

/** The buffers of a message's packed parts: handed over instead of copied. */
export function transferList(message: Batch | BatchResult): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  const add = (packed: Packed): void => {
    buffers.push(packed.numbers.buffer, packed.bytes.buffer);
  };
  if (message.appends !== undefined) add(message.appends);
  if (message.kind === "result") {
    for (const outcome of message.calls) if (outcome.kind === "done" && isPacked(outcome.value)) add(outcome.value);
  }
  return buffers;
}

/** A copy of parameters whose bytes own their buffers: a view would drag the whole buffer along that it lies in. */
export function compact<T>(value: T): T {
  if (value instanceof Uint8Array) return value.slice() as unknown as T;
  if (Array.isArray(value)) return value.map((item: unknown) => compact(item)) as unknown as T;
  if (typeof value !== "object" || value === null) return value;
  // Parameters are plain objects of plain values.
  return Object.fromEntries(Object.entries(value).map(([key, item]: [string, unknown]) => [key, compact(item)])) as T;
}
