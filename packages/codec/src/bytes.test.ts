import { describe, expect, test } from "vitest";
import { compareBytes, concatBytes, equalBytes, equalSecrets, fromBase64Url, fromHex, toBase64Url, toHex, utf8Bytes } from "./index.ts";

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

describe.each([
  ["equalBytes", equalBytes],
  ["equalSecrets", equalSecrets],
])("%s", (_name, equal) => {
  test("compares content and length", () => {
    expect(equal(bytes(), bytes())).toBe(true);
    expect(equal(bytes(1, 2, 3), bytes(1, 2, 3))).toBe(true);
    expect(equal(bytes(1, 2, 3), bytes(1, 2, 4))).toBe(false);
    expect(equal(bytes(9, 2, 3), bytes(1, 2, 3))).toBe(false);
    expect(equal(bytes(1, 2, 3), bytes(1, 2))).toBe(false);
    expect(equal(bytes(), bytes(0))).toBe(false);
  });
});

describe("compareBytes", () => {
  test("orders by the first difference, then by length", () => {
    const sorted = [bytes(), bytes(0), bytes(0, 0), bytes(1), bytes(1, 255), bytes(2), bytes(255)];
    const shuffled = [sorted[3], sorted[6], sorted[1], sorted[0], sorted[5], sorted[2], sorted[4]].filter((item) => item !== undefined);
    expect(shuffled.sort(compareBytes)).toEqual(sorted);
    expect(compareBytes(bytes(1, 2), bytes(1, 2))).toBe(0);
  });
});

describe("concatBytes", () => {
  test("joins copies", () => {
    const first = bytes(1);
    const joined = concatBytes(first, bytes(), bytes(2, 3));
    first[0] = 9;
    expect([...joined]).toEqual([1, 2, 3]);
    expect(concatBytes().length).toBe(0);
  });
});

describe("hexadecimal", () => {
  test("is written in lower case and read in both", () => {
    expect(toHex(bytes(0, 15, 171, 255))).toBe("000fabff");
    expect([...fromHex("000FabFF")]).toEqual([0, 15, 171, 255]);
    expect(fromHex("").length).toBe(0);
  });

  test.each(["0", "0g", "0x00", " 00", "00 "])("%j is refused", (hex) => {
    expect(() => fromHex(hex)).toThrow(SyntaxError);
  });
});

describe("base64url (RFC 4648 section 5)", () => {
  test.each([
    ["", ""],
    ["66", "Zg"],
    ["666f", "Zm8"],
    ["666f6f", "Zm9v"],
    ["fbff", "-_8"],
  ])("%j is %j", (hex, encoded) => {
    expect(toBase64Url(fromHex(hex))).toBe(encoded);
    expect(toHex(fromBase64Url(encoded))).toBe(hex);
  });

  test.each(["Zg==", "Z", "Zh", "Zm9", "+/8", "Zg\n", "Z g"])("%j is not canonical", (encoded) => {
    expect(() => fromBase64Url(encoded)).toThrow(SyntaxError);
  });
});

describe("utf8Bytes", () => {
  test("encodes labels", () => {
    expect(toHex(utf8Bytes("é"))).toBe("c3a9");
  });
});
