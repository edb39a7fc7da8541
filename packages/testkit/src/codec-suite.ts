import { CodecError, concatBytes, decode, encode, equalBytes, toHex } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import fc from "fast-check";
import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";

/** What `describeCodec` needs to know of one wire format. */
export interface CodecExpectations<T> {
  /** Values that encode, one at least; together they take every branch of the format. */
  readonly samples: readonly [T, ...T[]];
  /** The encoding of the first sample: hexadecimal, or `sha256:` and its hash where that is long. */
  readonly frozen: string;
  /** Values just beyond a bound, by name of the bound: encoding each is refused. */
  readonly overLimit: Readonly<Record<string, T>>;
  /** Encodings beyond a bound, by name of the bound: decoding each is refused. */
  readonly overLimitBytes?: Readonly<Record<string, Uint8Array>>;
  /** Random values; each makes the round trip. */
  readonly arbitrary?: fc.Arbitrary<T>;
  /** False for a format where several encodings mean one value. Default true: what decodes encodes to the same bytes. */
  readonly canonical?: boolean;
  /** False for a format that reads to the end of its input, where no byte is trailing and shorter input may be whole. Default true. */
  readonly delimited?: boolean;
}

/** Every length is tried up to this many bytes; of longer encodings the first and last of them and each 97th. */
const everyByteUpTo = 2048;

/**
 * The tests that every wire format gets: round trip, truncation at every byte, trailing byte, over-limit values and
 * encodings, damaged bytes, and a frozen encoding. Call it inside a `*.test.ts` file, at the top or in a `describe`.
 */
export function describeCodec<T>(name: string, codec: Codec<T>, expectations: CodecExpectations<T>): void {
  const { samples, overLimit, overLimitBytes = {}, arbitrary, canonical = true, delimited = true } = expectations;
  describe(name, () => {
    test("round trip", () => {
      for (const sample of samples) {
        const encoded = encode(codec, sample);
        expect(decode(codec, encoded)).toEqual(sample);
        expect(toHex(encode(codec, decode(codec, encoded)))).toBe(toHex(encoded));
      }
    });

    test("reads the same from the middle of a larger buffer", () => {
      for (const sample of samples) {
        const encoded = encode(codec, sample);
        const buffer = concatBytes(new Uint8Array([0xff, 0xff, 0xff]), encoded, new Uint8Array([0xff]));
        expect(decode(codec, buffer.subarray(3, 3 + encoded.length))).toEqual(sample);
      }
    });

    if (delimited) {
      test("truncation at every byte is refused", () => {
        for (const sample of samples) {
          const encoded = encode(codec, sample);
          for (const size of positions(encoded.length)) expectRefused(codec, encoded.subarray(0, size), `the first ${size} bytes`);
        }
      });

      test("a trailing byte is refused", () => {
        for (const sample of samples) {
          for (const extra of [0x00, 0xff]) {
            expectRefused(codec, concatBytes(encode(codec, sample), new Uint8Array([extra])), `trailing byte ${extra}`, "trailing");
          }
        }
      });
    }

    test("a huge length claimed anywhere allocates nothing and is read or refused", () => {
      for (const sample of samples) {
        const encoded = encode(codec, sample);
        for (const at of positions(encoded.length)) {
          const hostile = encoded.slice();
          hostile.set([0xbf, 0xff, 0xff, 0xff].slice(0, encoded.length - at), at);
          expectReadOrRefused(codec, hostile, canonical);
        }
      }
    });

    test("any damaged byte is read or refused, and what is read encodes to itself", () => {
      for (const sample of samples) {
        const encoded = encode(codec, sample);
        for (const at of positions(encoded.length)) {
          for (const bits of [0x01, 0x80, 0xff]) {
            const damaged = encoded.slice();
            damaged[at] = (damaged[at] ?? 0) ^ bits;
            expectReadOrRefused(codec, damaged, canonical);
          }
        }
      }
    });

    test("random bytes are read or refused", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          expectReadOrRefused(codec, bytes, canonical);
        }),
      );
    });

    test.each(Object.entries(overLimit))("over the limit: %s", (_title, value) => {
      expect(() => encode(codec, value)).toThrow(CodecError);
    });

    test.each(Object.entries(overLimitBytes))("over the limit on the wire: %s", (title, bytes) => {
      expectRefused(codec, bytes, title);
    });

    test("the encoding is frozen", () => {
      const encoded = encode(codec, samples[0]);
      const forms = [toHex(encoded), `sha256:${hash("sha256", encoded)}`];
      // The whole value in the message, so that it can be copied when a format is new.
      expect(forms, `the encoding is ${forms.join(" or ")}`).toContain(expectations.frozen);
    });

    if (arbitrary !== undefined) {
      test("round trip of any value", () => {
        fc.assert(
          fc.property(arbitrary, (value) => {
            expect(decode(codec, encode(codec, value))).toEqual(value);
          }),
        );
      });
    }
  });
}

function* positions(length: number): Generator<number> {
  for (let at = 0; at < length; at++) {
    if (at < everyByteUpTo || at >= length - everyByteUpTo || at % 97 === 0) yield at;
  }
}

function expectRefused<T>(codec: Codec<T>, bytes: Uint8Array, what: string, code?: string): void {
  try {
    decode(codec, bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    if (code !== undefined) expect(error.code, what).toBe(code);
    return;
  }
  expect.fail(`accepted: ${what}`);
}

function expectReadOrRefused<T>(codec: Codec<T>, bytes: Uint8Array, canonical: boolean): void {
  let value: T;
  try {
    value = decode(codec, bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return;
  }
  // Compared as bytes: there are thousands of them, and their words are of use only where they differ.
  if (!canonical) return;
  const encoded = encode(codec, value);
  if (!equalBytes(encoded, bytes)) expect(toHex(encoded)).toBe(toHex(bytes));
}
