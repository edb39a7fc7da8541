import { compareBytes, concatBytes, utf8Bytes } from "@latchkey/codec";
import { ContentError } from "./errors.ts";

/** Deeper than anything that the draft allows (four levels of parts make nine arrays, each counted up to twice); the exact limits follow. */
const maxDepth = 32;
/** Items of any kind in one content: the most parts that the draft allows have half as many fields; each costs a reader about a microsecond. */
const maxItems = 32_768;

/** A tagged item; never turned into what its tag means. */
export class CborTag {
  readonly tag: number | bigint;
  readonly contents: unknown;

  constructor(tag: number | bigint, contents: unknown) {
    this.tag = tag;
    this.contents = contents;
  }
}

/** A simple value without a meaning yet. */
export class CborSimple {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/**
 * Deterministic CBOR (RFC 8949 section 4.2.1) of numbers, bigints of 64 bits, text, bytes, null, undefined, booleans, arrays, maps
 * and tags. A number with an integer's value is written as that integer.
 * @throws ContentError `malformed` for anything else
 */
export function encodeCbor(value: unknown): Uint8Array {
  return concatBytes(...pieces(value, 0));
}

/**
 * The one deterministic CBOR item that `bytes` holds: shortest forms, definite lengths, sorted and unique map keys, one NaN. Maps stay
 * maps, so that no key ends up on a prototype; integers beyond 2^53 are bigints. A float with an integer's value is that number.
 * @throws ContentError `malformed`, `too_large` above 32,768 items
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.item(0);
  if (!reader.isAtEnd) throw notDeterministic();
  return value;
}

function notDeterministic(): ContentError {
  return new ContentError("malformed", "not deterministic CBOR");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  item(depth: number): unknown {
    if (depth > maxDepth) throw notDeterministic();
    if (++this.#items > maxItems) throw new ContentError("too_large", "too many items");
    const head = this.#take(1)[0] ?? 0;
    const [major, info] = [head >> 5, head & 31];
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(info);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return typeof argument === "bigint" || argument === Number.MAX_SAFE_INTEGER ? -1n - BigInt(argument) : -1 - argument;
      case 2:
        return this.#take(argument).slice();
      case 3:
        return this.#text(argument);
      case 4:
        return this.#array(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        return new CborTag(argument, this.item(depth + 1));
    }
  }

  #take(count: number | bigint): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw notDeterministic();
    this.#at += Number(count);
    return this.#bytes.subarray(this.#at - Number(count), this.#at);
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info > 27) throw notDeterministic();
    const at = this.#at;
    this.#take(1 << (info - 24));
    const [value, least] =
      info === 24
        ? [this.#view.getUint8(at), 24]
        : info === 25
          ? [this.#view.getUint16(at), 256]
          : info === 26
            ? [this.#view.getUint32(at), 65_536]
            : [this.#view.getBigUint64(at), 4_294_967_296];
    if (value < least) throw notDeterministic();
    return value > Number.MAX_SAFE_INTEGER ? value : Number(value);
  }

  #simple(info: number): unknown {
    if (info >= 25 && info <= 27) return this.#float(info);
    if (info > 27) throw notDeterministic();
    const value = info === 24 ? (this.#take(1)[0] ?? 0) : info;
    if (info === 24 && value < 32) throw notDeterministic();
    const known: Readonly<Record<number, unknown>> = { 20: false, 21: true, 22: null, 23: undefined };
    return value in known ? known[value] : new CborSimple(value);
  }

  #float(info: number): number {
    const at = this.#at;
    this.#take(1 << (info - 24));
    if (info === 25) {
      const bits = this.#view.getUint16(at);
      if ((bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0 && bits !== 0x7e00) throw notDeterministic();
      return numberOfHalf(bits);
    }
    const value = info === 26 ? this.#view.getFloat32(at) : this.#view.getFloat64(at);
    // NaN has one form, the half.
    const isLong =
      Number.isNaN(value) || (info === 26 ? halfOf(this.#view.getUint32(at)) !== undefined : Object.is(Math.fround(value), value));
    if (isLong) throw notDeterministic();
    return value;
  }

  #text(length: number | bigint): string {
    try {
      return utf8.decode(this.#take(length));
    } catch (error) {
      if (error instanceof TypeError) throw notDeterministic();
      throw error;
    }
  }

  #array(length: number | bigint, depth: number): unknown[] {
    const items: unknown[] = [];
    for (let at = 0; at < length; at++) items.push(this.item(depth + 1));
    return items;
  }

  #map(length: number | bigint, depth: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    let before: Uint8Array | undefined;
    for (let at = 0; at < length; at++) {
      const from = this.#at;
      const key = this.item(depth + 1);
      const encoded = this.#bytes.subarray(from, this.#at);
      if ((before !== undefined && compareBytes(before, encoded) >= 0) || map.has(key)) throw notDeterministic();
      before = encoded;
      map.set(key, this.item(depth + 1));
    }
    return map;
  }
}

function pieces(value: unknown, depth: number): Uint8Array[] {
  if (depth > maxDepth) throw noEncoding();
  if (typeof value === "number") return [encodeNumber(value)];
  if (typeof value === "bigint") return [encodeBigint(value)];
  if (typeof value === "boolean") return [new Uint8Array([value ? 0xf5 : 0xf4])];
  if (value === null) return [new Uint8Array([0xf6])];
  if (value === undefined) return [new Uint8Array([0xf7])];
  if (typeof value === "string") {
    const text = utf8Bytes(value);
    return [headOf(3, text.length), text];
  }
  if (value instanceof Uint8Array) return [headOf(2, value.length), value];
  if (Array.isArray(value)) return [headOf(4, value.length), ...value.flatMap((item) => pieces(item, depth + 1))];
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [concatBytes(...pieces(key, depth + 1)), pieces(item, depth + 1)] as const);
    const sorted = entries.toSorted(([a], [b]) => compareBytes(a, b));
    return [headOf(5, value.size), ...sorted.flatMap(([key, item]) => [key, ...item])];
  }
  if (value instanceof CborTag) return [headOf(6, value.tag), ...pieces(value.contents, depth + 1)];
  if (value instanceof CborSimple) return [new Uint8Array(value.value < 24 ? [0xe0 | value.value] : [0xf8, value.value])];
  throw noEncoding();
}

function noEncoding(): ContentError {
  return new ContentError("malformed", "a value has no CBOR encoding");
}

function headOf(major: number, argument: number | bigint): Uint8Array {
  const type = major << 5;
  if (argument < 24) return new Uint8Array([type | Number(argument)]);
  const size = argument < 256 ? 1 : argument < 65_536 ? 2 : argument < 4_294_967_296 ? 4 : 8;
  const bytes = new Uint8Array(1 + size);
  const view = new DataView(bytes.buffer);
  bytes[0] = type | (24 + Math.log2(size));
  if (size === 8) view.setBigUint64(1, BigInt(argument));
  else if (size === 4) view.setUint32(1, Number(argument));
  else if (size === 2) view.setUint16(1, Number(argument));
  else bytes[1] = Number(argument);
  return bytes;
}

function encodeBigint(value: bigint): Uint8Array {
  const [major, argument] = value < 0n ? [1, -1n - value] : [0, value];
  if (argument >= 1n << 64n) throw noEncoding();
  return headOf(major, argument);
}

function encodeNumber(value: number): Uint8Array {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value < 0 ? headOf(1, -1 - value) : headOf(0, value);
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  if (!Number.isNaN(value) && !Object.is(Math.fround(value), value)) {
    bytes[0] = 0xfb;
    view.setFloat64(1, value);
    return bytes;
  }
  view.setFloat32(1, value);
  const half = Number.isNaN(value) ? 0x7e00 : halfOf(view.getUint32(1));
  bytes[0] = half === undefined ? 0xfa : 0xf9;
  if (half !== undefined) view.setUint16(1, half);
  return bytes.slice(0, half === undefined ? 5 : 3);
}

/** A float of 32 bits as one of 16; `undefined` where it has no such form. */
function halfOf(bits: number): number | undefined {
  const sign = (bits >>> 16) & 0x8000;
  const [exponent, fraction] = [(bits >>> 23) & 0xff, bits & 0x7f_ffff];
  if (exponent === 0) return fraction === 0 ? sign : undefined;
  if (exponent === 255) return fraction === 0 ? sign | 0x7c00 : undefined;
  // 11 bits of precision down to 2^-14, below that multiples of 2^-24.
  if (exponent >= 113) return exponent <= 142 && (fraction & 0x1fff) === 0 ? sign | ((exponent - 112) << 10) | (fraction >> 13) : undefined;
  const whole = fraction | 0x80_0000;
  const shift = 126 - exponent;
  return exponent >= 103 && (whole & ((1 << shift) - 1)) === 0 ? sign | (whole >> shift) : undefined;
}

function numberOfHalf(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 0x3ff];
  const size =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (fraction + 1024) * 2 ** (exponent - 25);
  return (bits & 0x8000) === 0 ? size : -size;
}
