import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bool,
  CodecError,
  compareBytes,
  concatBytes,
  decode,
  empty,
  encode,
  enumeration,
  fromBase64Url,
  fromHex,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  toBase64Url,
  toHex,
  uint16,
  uint32,
  uint64,
  uint8,
  variant,
  vector,
} from "./index.ts";
import type { Codec } from "./index.ts";

type Body =
  | { readonly kind: "none" }
  | { readonly kind: "note"; readonly note: string }
  | { readonly kind: "many"; readonly items: Uint8Array[] };
interface Everything {
  readonly small: number;
  readonly medium: number;
  readonly large: number;
  readonly huge: bigint;
  readonly count: number;
  readonly flag: boolean;
  readonly color: "red" | "green";
  readonly id: Uint8Array;
  readonly maybe: string | undefined;
  readonly bodies: Body[];
}

const body = variant<Body>(uint16, {
  none: [0, empty],
  note: [1, struct<{ note: string }>({ note: text(400) })],
  many: [500, struct<{ items: Uint8Array[] }>({ items: vector(opaqueV(100), { maxBytes: 2000, maxItems: 8 }) })],
});
const everything: Codec<Everything> = struct<Everything>({
  small: uint8,
  medium: uint16,
  large: uint32,
  huge: uint64,
  count: safeUint64,
  flag: bool,
  color: enumeration(uint8, { red: 3, green: 9 }),
  id: opaque(16),
  maybe: optional(text(400)),
  bodies: vector(body, { maxBytes: 20_000, maxItems: 6 }),
});

const wellFormed = fc.string({ maxLength: 60, unit: "grapheme" }).filter((value) => new TextEncoder().encode(value).length <= 400);
const anyBody: fc.Arbitrary<Body> = fc.oneof(
  fc.constant({ kind: "none" } as const),
  fc.record({ kind: fc.constant("note" as const), note: wellFormed }),
  fc.record({ kind: fc.constant("many" as const), items: fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }) }),
);
const anything: fc.Arbitrary<Everything> = fc.record({
  small: fc.nat(0xff),
  medium: fc.nat(0xffff),
  large: fc.nat(0xffff_ffff),
  huge: fc.bigInt(0n, 2n ** 64n - 1n),
  count: fc.maxSafeNat(),
  flag: fc.boolean(),
  color: fc.constantFrom("red" as const, "green" as const),
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  maybe: fc.option(wellFormed, { nil: undefined }),
  bodies: fc.array(anyBody, { maxLength: 6 }),
});

function tryDecode(bytes: Uint8Array): Everything | string {
  try {
    return decode(everything, bytes);
  } catch (error) {
    if (error instanceof CodecError) return error.code;
    throw error;
  }
}

describe("any structure", () => {
  test("makes the round trip", () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(decode(everything, encode(everything, value))).toEqual(value);
      }),
    );
  });

  test("is refused when cut short or followed by anything", () => {
    fc.assert(
      fc.property(anything, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }), (value, cut, extra) => {
        const encoded = encode(everything, value);
        expect(tryDecode(encoded.subarray(0, cut % encoded.length))).toBe("truncated");
        expect(tryDecode(concatBytes(encoded, extra))).toBe("trailing");
      }),
    );
  });

  test("has one encoding: what decodes from damaged bytes encodes to the same bytes", () => {
    fc.assert(
      fc.property(anything, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (value, damage) => {
        const bytes = encode(everything, value).slice();
        for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
        const decoded = tryDecode(bytes);
        if (typeof decoded !== "string") expect(toHex(encode(everything, decoded))).toBe(toHex(bytes));
        else expect(["truncated", "trailing", "limit", "invalid"]).toContain(decoded);
      }),
    );
  });

  test("random bytes never throw anything but a CodecError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const decoded = tryDecode(bytes);
        if (typeof decoded !== "string") expect(toHex(encode(everything, decoded))).toBe(toHex(bytes));
      }),
    );
  });
});

describe("opaqueV", () => {
  test("takes every length up to its bound and no other", () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(20_000), (size, maxBytes) => {
        const codec = opaqueV(maxBytes);
        const value = new Uint8Array(size);
        if (size > maxBytes) expect(() => encode(codec, value)).toThrow(CodecError);
        else expect(decode(codec, encode(codec, value)).length).toBe(size);
        const written = encode(opaqueV(20_000), value);
        if (size > maxBytes) expect(() => decode(codec, written)).toThrow(expect.objectContaining({ code: "limit" }));
      }),
    );
  });
});

describe("text forms", () => {
  test("hexadecimal and base64url make the round trip and have one form", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
        expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
      }),
    );
  });

  test("base64url that decodes is the form that is written", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: fc.constantFrom("A", "Q", "g", "w", "-", "_", "/", "+", "=", "z", "9") }), (encoded) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase64Url(encoded);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          return;
        }
        expect(toBase64Url(bytes)).toBe(encoded);
      }),
    );
  });
});

describe("compareBytes", () => {
  test("agrees with the order of hexadecimal text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ maxLength: 5 }), (a, b) => {
        const [left, right] = [toHex(a), toHex(b)];
        expect(Math.sign(compareBytes(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });
});
