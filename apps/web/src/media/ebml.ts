import { viewOf } from "./bytes.ts";

/** The head of an element of a Matroska or WebM file (RFC 8794 §4): its id with the marker bit, and where its data stand. */
export interface EbmlElement {
  readonly id: number;
  readonly at: number;
  readonly dataAt: number;
  /** Where its data end; `undefined` where nobody knew when it was written. */
  readonly end: number | undefined;
}

/** A variable-size integer. */
interface Vint {
  /** `undefined` where all of its bits are set: a size that nobody knew. */
  readonly value: number | undefined;
  readonly length: number;
}

/** RFC 8794 §4, without the bit that marks the length; `undefined` where it is cut off, or larger than a safe integer. */
export function readVint(bytes: Uint8Array, at: number): Vint | undefined {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || at + length > bytes.length) return undefined;
  const mask = 0xff >> length;
  let value = first & mask;
  let isUnknown = value === mask;
  for (const byte of bytes.subarray(at + 1, at + length)) {
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  if (isUnknown) return { value: undefined, length };
  return Number.isSafeInteger(value) ? { value, length } : undefined;
}

/** The element that begins at `at`; `undefined` where none does, or its data end behind the bytes. */
export function readElement(bytes: Uint8Array, at: number): EbmlElement | undefined {
  const idBytes = Math.clz32(bytes[at] ?? 0) - 23;
  const size = idBytes > 4 ? undefined : readVint(bytes, at + idBytes);
  if (size === undefined) return undefined;
  let id = 0;
  for (const byte of bytes.subarray(at, at + idBytes)) id = id * 256 + byte;
  const dataAt = at + idBytes + size.length;
  const end = size.value === undefined ? undefined : dataAt + size.value;
  return end !== undefined && end > bytes.length ? undefined : { id, at, dataAt, end };
}

/** An element with a number of eight bytes with a point; its id has two bytes. */
export function floatElement(id: number, value: number): Uint8Array {
  const bytes = Uint8Array.of(id >> 8, id & 0xff, 0x88, 0, 0, 0, 0, 0, 0, 0, 0);
  viewOf(bytes).setFloat64(3, value);
  return bytes;
}
