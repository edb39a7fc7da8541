import { describe, expect, test } from "vitest";
import {
  bool,
  CodecError,
  concatBytes,
  decode,
  empty,
  encode,
  enumeration,
  fromHex,
  lazy,
  mapped,
  oneOf,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  toHex,
  uint16,
  uint32,
  uint64,
  uint8,
  variant,
  vector,
} from "./index.ts";
import type { Codec, CodecErrorCode } from "./index.ts";

type Shape = { readonly kind: "dot" } | { readonly kind: "circle"; readonly radius: number };
interface Node {
  readonly value: number;
  readonly children: Node[];
}

const point = struct<{ x: number; name: Uint8Array }>({ x: uint16, name: opaqueV(4) });
const shape = variant<Shape>(uint8, { dot: [1, empty], circle: [7, struct<{ radius: number }>({ radius: uint16 })] });
const tree: Codec<Node> = struct<Node>({
  value: uint8,
  children: vector(
    lazy(() => tree),
    { maxBytes: 64 },
  ),
});
const even = mapped<number, number>(
  uint8,
  (half) => half / 2,
  (half) => {
    if (half > 100) throw new CodecError("invalid", "too large");
    return half * 2;
  },
);

/** A combinator with one value per branch and its encoding, values it refuses to write, and bytes it refuses to read. */
interface Case {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly encodings: readonly (readonly [value: unknown, hex: string])[];
  readonly unwritable: readonly (readonly [value: unknown, code: CodecErrorCode])[];
  readonly unreadable: readonly (readonly [hex: string, code: CodecErrorCode])[];
}

function testCase<T>(
  name: string,
  codec: Codec<T>,
  encodings: readonly (readonly [value: NoInfer<T>, hex: string])[],
  refused: { write?: readonly (readonly [value: NoInfer<T>, code: CodecErrorCode])[]; read?: Case["unreadable"] } = {},
): Case {
  return { name, codec, encodings, unwritable: refused.write ?? [], unreadable: refused.read ?? [] };
}

const tooWide: Shape = { kind: "circle", radius: 65_536 };

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

const cases: readonly Case[] = [
  testCase(
    "uint8",
    uint8,
    [
      [0, "00"],
      [255, "ff"],
    ],
    {
      write: [
        [256, "invalid"],
        [-1, "invalid"],
        [0.5, "invalid"],
      ],
    },
  ),
  testCase(
    "uint16",
    uint16,
    [
      [258, "0102"],
      [65_535, "ffff"],
    ],
    {
      write: [
        [65_536, "invalid"],
        [Number.NaN, "invalid"],
      ],
    },
  ),
  testCase(
    "uint32",
    uint32,
    [
      [16_909_060, "01020304"],
      [4_294_967_295, "ffffffff"],
    ],
    { write: [[4_294_967_296, "invalid"]] },
  ),
  testCase(
    "uint64",
    uint64,
    [
      [72_623_859_790_382_856n, "0102030405060708"],
      [2n ** 64n - 1n, "ffffffffffffffff"],
    ],
    {
      write: [
        [2n ** 64n, "invalid"],
        [-1n, "invalid"],
      ],
    },
  ),
  testCase(
    "safeUint64",
    safeUint64,
    [
      [1, "0000000000000001"],
      [Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
    ],
    {
      write: [
        [Number.MAX_SAFE_INTEGER + 1, "invalid"],
        [-1, "invalid"],
        [1.5, "invalid"],
      ],
      read: [
        ["0020000000000000", "limit"],
        ["ffffffffffffffff", "limit"],
      ],
    },
  ),
  testCase(
    "bool",
    bool,
    [
      [false, "00"],
      [true, "01"],
    ],
    {
      read: [
        ["02", "invalid"],
        ["ff", "invalid"],
      ],
    },
  ),
  testCase<1 | 300>(
    "oneOf",
    oneOf(uint16, [1, 300]),
    [
      [1, "0001"],
      [300, "012c"],
    ],
    { read: [["0002", "invalid"]] },
  ),
  testCase<"message" | "commit">(
    "enumeration",
    enumeration(uint8, { message: 1, commit: 2 }),
    [
      ["message", "01"],
      ["commit", "02"],
    ],
    {
      read: [
        ["00", "invalid"],
        ["03", "invalid"],
      ],
    },
  ),
  testCase("opaque", opaque(3), [[bytes(1, 2, 3), "010203"]], {
    write: [
      [bytes(1, 2), "invalid"],
      [bytes(1, 2, 3, 4), "invalid"],
    ],
  }),
  testCase(
    "opaqueV",
    opaqueV(3),
    [
      [bytes(), "00"],
      [bytes(9, 8, 7), "03090807"],
    ],
    {
      write: [[bytes(1, 2, 3, 4), "limit"]],
      read: [
        ["0401020304", "limit"],
        ["4003010203", "invalid"],
        ["80000003010203", "invalid"],
        ["c0", "invalid"],
        ["bfffffff", "limit"],
      ],
    },
  ),
  testCase("opaqueV with a minimum", opaqueV(3, 2), [[bytes(1, 2), "020102"]], { write: [[bytes(1), "limit"]], read: [["0101", "limit"]] }),
  testCase(
    "text",
    text(4),
    [
      ["", "00"],
      ["é", "02c3a9"],
      ["\uFEFFa", "04efbbbf61"],
    ],
    {
      write: [
        ["abcde", "limit"],
        ["€€", "limit"],
      ],
      read: [
        ["02c328", "invalid"],
        ["056162636465", "limit"],
        ["03eda080", "invalid"],
      ],
    },
  ),
  testCase(
    "vector",
    vector(uint16, { maxBytes: 6, maxItems: 2 }),
    [
      [[], "00"],
      [[1, 2], "0400010002"],
    ],
    {
      write: [[[1, 2, 3], "limit"]],
      read: [
        ["06000100020003", "limit"],
        ["03000100", "truncated"],
        ["080001000200030004", "limit"],
      ],
    },
  ),
  testCase("vector with a minimum", vector(uint8, { maxBytes: 3, minItems: 1 }), [[[5], "0105"]], {
    write: [
      [[], "limit"],
      [[1, 2, 3, 4], "limit"],
    ],
    read: [
      ["00", "limit"],
      ["0401020304", "limit"],
    ],
  }),
  testCase("vector of items without bytes", vector(empty, { maxBytes: 8 }), [[[], "00"]], { read: [["0100", "invalid"]] }),
  testCase<number | undefined>(
    "optional",
    optional(uint16),
    [
      [undefined, "00"],
      [258, "010102"],
    ],
    {
      write: [[65_536, "invalid"]],
      read: [["020102", "invalid"]],
    },
  ),
  testCase("struct", point, [[{ x: 258, name: bytes(7) }, "01020107"]], {
    write: [
      [{ x: 258, name: bytes(1, 2, 3, 4, 5) }, "limit"],
      [{ x: 70_000, name: bytes() }, "invalid"],
    ],
    read: [["0102050102030405", "limit"]],
  }),
  testCase("empty", empty, [[{}, ""]]),
  testCase<Shape>(
    "variant",
    shape,
    [
      [{ kind: "dot" }, "01"],
      [{ kind: "circle", radius: 258 }, "070102"],
    ],
    {
      write: [[tooWide, "invalid"]],
      read: [
        ["00", "invalid"],
        ["020102", "invalid"],
      ],
    },
  ),
  testCase(
    "mapped",
    even,
    [
      [4, "02"],
      [200, "64"],
    ],
    { write: [[3, "invalid"]], read: [["65", "invalid"]] },
  ),
  testCase<Node>("lazy", tree, [[{ value: 1, children: [{ value: 2, children: [] }] }, "01020200"]], { read: [["0141", "truncated"]] }),
];

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CodecError) return error.code;
    throw error;
  }
  return "accepted";
}

describe.each(cases)("$name", ({ codec, encodings, unwritable, unreadable }) => {
  test("has its frozen encoding and makes the round trip", () => {
    for (const [value, hex] of encodings) {
      expect(toHex(encode(codec, value))).toBe(hex);
      expect(decode(codec, fromHex(hex))).toEqual(value);
    }
  });

  test("is refused when truncated at any byte", () => {
    for (const [, hex] of encodings) {
      const whole = fromHex(hex);
      for (let size = 0; size < whole.length; size++) expect(refusal(() => decode(codec, whole.subarray(0, size)))).toBe("truncated");
    }
  });

  test("is refused with a trailing byte", () => {
    for (const [, hex] of encodings) expect(refusal(() => decode(codec, concatBytes(fromHex(hex), bytes(0))))).toBe("trailing");
  });

  test("refuses what is beyond its bounds", () => {
    for (const [value, code] of unwritable) expect(refusal(() => encode(codec, value))).toBe(code);
    for (const [hex, code] of unreadable) expect([hex, refusal(() => decode(codec, fromHex(hex)))]).toEqual([hex, code]);
  });
});

describe("variant", () => {
  test("two cases cannot share a tag", () => {
    expect(refusal(() => variant<Shape>(uint8, { dot: [1, empty], circle: [1, struct<{ radius: number }>({ radius: uint16 })] }))).toBe(
      "invalid",
    );
  });

  test("a kind that is none of its cases is not written", () => {
    // A value that a caller without types could pass.
    expect(refusal(() => encode(shape, { kind: "square" } as unknown as Shape))).toBe("invalid");
  });
});

describe("decoded bytes", () => {
  test("are views of the input: nothing is copied", () => {
    const input = fromHex("01020107");
    expect(decode(point, input).name.buffer).toBe(input.buffer);
  });
});

describe("errors", () => {
  test("never hold the bytes", () => {
    const secret = fromHex("05deadbeef01");
    try {
      decode(opaqueV(4), secret);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toMatch(/dead|beef/i);
    }
  });
});
