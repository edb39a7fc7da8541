import { CodecError } from "./errors.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** How one type is written to and read from bytes (the TLS presentation language of RFC 8446 section 3 and RFC 9420 section 2.1). */
export interface Codec<T> {
  /** Appends `value`. @throws CodecError when it does not fit its bounds. */
  write(writer: Writer, value: T): void;
  /** Reads one value; byte fields are views of the input. @throws CodecError on any malformed input. */
  read(reader: Reader): T;
}

/** The encoding of `value`, owned by the caller. @throws CodecError when it does not fit its bounds. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

/**
 * The one value that `bytes` holds. Byte fields of the result are views of `bytes`.
 * @throws CodecError on malformed, over-limit or trailing bytes.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = codec.read(reader);
  reader.finish();
  return value;
}

/** One byte: 0 to 255. Here and below a value out of range throws CodecError `invalid`. */
export const uint8: Codec<number> = { write: (w, v) => w.uint8(v), read: (r) => r.uint8() };
/** Two bytes, most significant first. */
export const uint16: Codec<number> = { write: (w, v) => w.uint16(v), read: (r) => r.uint16() };
/** Four bytes, most significant first. */
export const uint32: Codec<number> = { write: (w, v) => w.uint32(v), read: (r) => r.uint32() };
/** Eight bytes, most significant first, as a bigint. */
export const uint64: Codec<bigint> = { write: (w, v) => w.uint64(v), read: (r) => r.uint64() };

/** `uint8` that is 0 or 1. */
export const bool: Codec<boolean> = {
  write: (w, v) => w.uint8(v ? 1 : 0),
  read(r) {
    const value = r.uint8();
    if (value > 1) throw new CodecError("invalid", "a boolean is 0 or 1");
    return value === 1;
  },
};

/** A uint64 that JavaScript holds exactly as a number (milliseconds, sequence numbers, sizes). */
export const safeUint64: Codec<number> = {
  write(w, v) {
    if (!Number.isSafeInteger(v) || v < 0) throw new CodecError("invalid", "not a safe unsigned integer");
    w.uint64(BigInt(v));
  },
  read(r) {
    const value = r.uint64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CodecError("limit", "integer above 2^53 - 1");
    return Number(value);
  },
};

/** A number restricted to the listed values of `base`; anything else is refused. */
export function oneOf<const V extends number>(base: Codec<number>, values: readonly V[]): Codec<V> {
  return {
    write(w, v) {
      if (!values.includes(v)) throw new CodecError("invalid", "value not allowed here");
      base.write(w, v);
    },
    read(r) {
      const value = base.read(r);
      const found = values.find((allowed) => allowed === value);
      if (found === undefined) throw new CodecError("invalid", "value not allowed here");
      return found;
    },
  };
}

/** A named enumeration: `{ message: 1, commit: 2 }` over `base`; unknown numbers are refused. */
export function enumeration<const N extends string>(base: Codec<number>, numbers: Readonly<Record<N, number>>): Codec<N> {
  const names = new Map<number, N>();
  // Object.entries widens the keys that the parameter type fixed.
  for (const [name, number] of Object.entries(numbers) as [N, number][]) names.set(number, name);
  return {
    write: (w, name) => base.write(w, numbers[name]),
    read(r) {
      const name = names.get(base.read(r));
      if (name === undefined) throw new CodecError("invalid", "unknown enumeration value");
      return name;
    },
  };
}

/** Exactly `size` bytes. */
export function opaque(size: number): Codec<Uint8Array> {
  return {
    write(w, v) {
      if (v.length !== size) throw new CodecError("invalid", `${size} bytes expected, ${v.length} given`);
      w.bytes(v);
    },
    read: (r) => r.bytes(size),
  };
}

/** `opaque<V>`: a length header and at most `maxBytes` bytes (at least `minBytes`). */
export function opaqueV(maxBytes: number, minBytes: number = 0): Codec<Uint8Array> {
  return {
    write(w, v) {
      if (v.length > maxBytes || v.length < minBytes) {
        throw new CodecError("limit", `${minBytes} to ${maxBytes} bytes expected, ${v.length} given`);
      }
      w.vectorLength(v.length);
      w.bytes(v);
    },
    read(r) {
      const size = r.length(maxBytes);
      if (size < minBytes) throw new CodecError("limit", `at least ${minBytes} bytes expected`);
      return r.bytes(size);
    },
  };
}

const utf8 = new TextEncoder();
const utf8Strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `opaque<V>` holding UTF-8 text of at most `maxBytes` bytes; malformed UTF-8 is refused. */
export function text(maxBytes: number): Codec<string> {
  const bytes = opaqueV(maxBytes);
  return {
    write: (w, v) => bytes.write(w, utf8.encode(v)),
    read(r) {
      const raw = bytes.read(r);
      try {
        return utf8Strict.decode(raw);
      } catch {
        throw new CodecError("invalid", "malformed UTF-8");
      }
    },
  };
}

/** `T items<V>`: a length header in bytes, then items until it is used up. */
export function vector<T>(item: Codec<T>, limits: { maxBytes: number; maxItems?: number; minItems?: number }): Codec<T[]> {
  const { maxBytes, maxItems = Number.POSITIVE_INFINITY, minItems = 0 } = limits;
  const check = (count: number): void => {
    if (count > maxItems || count < minItems) throw new CodecError("limit", `vector of ${count} items not allowed`);
  };
  return {
    write(w, values) {
      check(values.length);
      w.vector(maxBytes, (body) => {
        for (const value of values) item.write(body, value);
      });
    },
    read(r) {
      const size = r.length(maxBytes);
      const inner = new Reader(r.bytes(size));
      const values: T[] = [];
      while (inner.remaining > 0) {
        const before = inner.remaining;
        if (values.length >= maxItems) throw new CodecError("limit", `more than ${maxItems} items`);
        values.push(item.read(inner));
        if (inner.remaining === before) throw new CodecError("invalid", "item without bytes in a vector");
      }
      check(values.length);
      return values;
    },
  };
}

/** `optional<T>`: a presence byte, then the value (RFC 9420 section 2.1.1). Absent is `undefined`. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    write(w, v) {
      bool.write(w, v !== undefined);
      if (v !== undefined) codec.write(w, v);
    },
    read: (r) => (bool.read(r) ? codec.read(r) : undefined),
  };
}

/** The fields in their written order. */
export function struct<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  // A mapped type over T loses the pairing of key and codec in Object.entries; the record above guarantees it.
  const entries = Object.entries(fields) as [keyof T, Codec<T[keyof T]>][];
  return {
    write(w, v) {
      for (const [name, codec] of entries) codec.write(w, v[name]);
    },
    read(r) {
      const value: Partial<T> = {};
      for (const [name, codec] of entries) value[name] = codec.read(r);
      return value as T;
    },
  };
}

/** `struct {}`. */
export const empty: Codec<Record<never, never>> = struct<Record<never, never>>({});

/**
 * `select (tag)`: a tag, then the body that the tag names. Values are `{ kind: name, ...body }`.
 * Unknown tags are refused.
 */
export function variant<T extends { readonly kind: string }>(
  tag: Codec<number>,
  cases: { readonly [K in T["kind"]]: readonly [number, Codec<Omit<Extract<T, { kind: K }>, "kind">>] },
): Codec<T> {
  type Body = Codec<object>;
  const byKind = new Map<string, readonly [number, Body]>();
  const byTag = new Map<number, readonly [string, Body]>();
  for (const [kind, [number, body]] of Object.entries(cases) as [string, readonly [number, Body]][]) {
    if (byTag.has(number)) throw new CodecError("invalid", "two cases share a tag");
    byKind.set(kind, [number, body]);
    byTag.set(number, [kind, body]);
  }
  return {
    write(w, value) {
      const found = byKind.get(value.kind);
      if (found === undefined) throw new CodecError("invalid", "unknown kind");
      tag.write(w, found[0]);
      found[1].write(w, value);
    },
    read(r) {
      const found = byTag.get(tag.read(r));
      if (found === undefined) throw new CodecError("invalid", "unknown tag");
      // The body codec yields exactly the fields that T declares for this kind.
      return { kind: found[0], ...found[1].read(r) } as unknown as T;
    },
  };
}

/** Another representation of a codec's values; `from` may throw CodecError to refuse one. */
export function mapped<A, B>(codec: Codec<A>, to: (value: B) => A, from: (value: A) => B): Codec<B> {
  return { write: (w, v) => codec.write(w, to(v)), read: (r) => from(codec.read(r)) };
}

/** A codec defined later, for recursive types. */
export function lazy<T>(get: () => Codec<T>): Codec<T> {
  return { write: (w, v) => get().write(w, v), read: (r) => get().read(r) };
}
