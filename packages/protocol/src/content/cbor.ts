import { cdeDecodeOptions, cdeEncodeOptions, decode, encode } from "cbor2";
import type { DecodeOptions } from "cbor2";
import { ContentError } from "./errors.ts";

/** Deeper than anything that the draft allows (four levels of parts make nine arrays, each counted up to twice); the exact limits follow. */
const maxDepth = 32;
/** Items of any kind in one content: the most parts that the draft allows have half as many fields; each costs a reader about a microsecond. */
const maxItems = 32_768;

/**
 * RFC 8949 section 4.2.1 and nothing else: shortest forms, definite lengths, sorted and unique map keys, one NaN. Maps stay
 * maps, so that no key ends up on a prototype. Tags are kept as they are, never turned into dates or patterns.
 */
const strict: DecodeOptions = {
  ...cdeDecodeOptions,
  rejectDuplicateKeys: true,
  // `checkItems` does this: here 1.0 would be refused for not being written as the integer 1, which the RFC allows.
  rejectLongFloats: false,
  rejectLongLoundNaN: true,
  keepNanPayloads: true,
  preferMap: true,
  ignoreGlobalTags: true,
  maxDepth,
};

/** Deterministic CBOR of `value`: numbers, text, bytes, null, booleans, arrays and maps. @throws ContentError `malformed` for anything else. */
export function encodeCbor(value: unknown): Uint8Array {
  try {
    return new Uint8Array(encode(value, cdeEncodeOptions));
  } catch (cause) {
    throw new ContentError("malformed", "a value has no CBOR encoding", { cause });
  }
}

/** The one deterministic CBOR item that `bytes` holds. @throws ContentError `malformed`, `too_large` above 32,768 items */
export function decodeCbor(bytes: Uint8Array): unknown {
  checkItems(bytes);
  try {
    return decode(bytes, strict);
  } catch {
    // The library's messages quote the input, so that its error is not kept as the cause.
    throw notDeterministic();
  }
}

/** Goes over the heads of all items before anything is made of them: counts them, and refuses floats that are longer than needed. */
function checkItems(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (let items = 0; at < bytes.length; items++) {
    if (items >= maxItems) throw new ContentError("too_large", "too many items");
    const head = view.getUint8(at++);
    const [major, info] = [head >> 5, head & 31];
    const argumentBytes = info < 24 ? 0 : info < 28 ? 1 << (info - 24) : -1;
    if (argumentBytes < 0 || at + argumentBytes > bytes.length) throw notDeterministic();
    if (major === 7 && info >= 25 && isLongFloat(view, at, info)) throw notDeterministic();
    const content = major === 2 || major === 3 ? argumentOf(view, at, info) : 0;
    at += argumentBytes + content;
    if (at > bytes.length) throw notDeterministic();
  }
}

function argumentOf(view: DataView, at: number, info: number): number {
  if (info < 24) return info;
  if (info === 24) return view.getUint8(at);
  if (info === 25) return view.getUint16(at);
  return info === 26 ? view.getUint32(at) : Number(view.getBigUint64(at));
}

/** Whether the float of 16, 32 or 64 bits at `at` has a shorter form, or is a NaN other than the one. */
function isLongFloat(view: DataView, at: number, info: number): boolean {
  if (info === 25) {
    const bits = view.getUint16(at);
    return (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0 && bits !== 0x7e00;
  }
  if (info === 27) {
    const value = view.getFloat64(at);
    return Object.is(Math.fround(value), value);
  }
  const bits = view.getUint32(at);
  const [exponent, fraction] = [(bits >>> 23) & 0xff, bits & 0x7f_ffff];
  if (exponent === 0) return fraction === 0;
  // Infinity has a shorter form, and NaN is never written so long.
  if (exponent === 255) return true;
  // As a half: 11 bits of precision down to 2^-14, below that multiples of 2^-24.
  if (exponent >= 113) return exponent <= 142 && (fraction & 0x1fff) === 0;
  return exponent >= 103 && ((fraction | 0x80_0000) & ((1 << (126 - exponent)) - 1)) === 0;
}

function notDeterministic(): ContentError {
  return new ContentError("malformed", "not deterministic CBOR");
}
