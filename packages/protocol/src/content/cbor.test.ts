import { toHex } from "@latchkey/codec";
import { cdeDecodeOptions, cdeEncodeOptions, decode, encode, Simple, Tag } from "cbor2";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CborSimple, CborTag, decodeCbor, encodeCbor } from "./cbor.ts";

const leaf = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.float(),
  fc
    .bigInt({ min: -(1n << 64n), max: (1n << 64n) - 1n })
    .filter((value) => value > 9_007_199_254_740_991n || value < -9_007_199_254_740_991n),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, 1.5, 65_504, 2 ** -24, 2 ** -14, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("tree"), { maxLength: 5 }),
    fc.array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie("tree")), { maxLength: 5 }).map((entries) => new Map(entries)),
    fc.tuple(fc.nat(), tie("tree")).map(([tag, contents]) => new CborTag(tag, contents)),
  ),
}));

/** As the other implementation has tags. */
function theirs(value: unknown): unknown {
  if (value instanceof CborTag) return new Tag(value.tag, theirs(value.contents));
  if (Array.isArray(value)) return value.map((item) => theirs(item));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, theirs(item)]));
  return value;
}

describe("deterministic CBOR", () => {
  test("any value comes back, and is written as another implementation writes it", () => {
    fc.assert(
      fc.property(tree, (value) => {
        const bytes = encodeCbor(value);
        expect(toHex(bytes)).toBe(toHex(new Uint8Array(encode(theirs(value), { ...cdeEncodeOptions, ignoreOriginalEncoding: true }))));
        expect(decodeCbor(bytes)).toEqual(value);
        expect(toHex(encodeCbor(decodeCbor(bytes)))).toBe(toHex(bytes));
      }),
      { numRuns: 300 },
    );
  });

  test("bytes that are read are what is written of them, but for floats with an integer's value; the other implementation reads the same", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        let value: unknown;
        try {
          value = decodeCbor(bytes);
        } catch {
          return;
        }
        const options = { ...cdeDecodeOptions, preferMap: true, ignoreGlobalTags: true, rejectLongFloats: false };
        expect(theirs(value instanceof CborSimple ? new Simple(value.value) : value)).toEqual(decode(bytes, options));
      }),
      { numRuns: 20_000 },
    );
  });

  test("simple values without a meaning are kept", () => {
    for (const bytes of [new Uint8Array([0xe0]), new Uint8Array([0xf8, 32]), new Uint8Array([0xf8, 255])])
      expect(toHex(encodeCbor(decodeCbor(bytes)))).toBe(toHex(bytes));
  });

  test("what has no encoding is refused", () => {
    for (const value of [Symbol("x"), () => 1, new Date(), { a: 1 }, 1n << 64n])
      expect(() => encodeCbor(value)).toThrow("no CBOR encoding");
  });
});
