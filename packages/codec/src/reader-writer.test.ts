import { describe, expect, test } from "vitest";
import { CodecError, fromHex, Reader, toHex, Writer } from "./index.ts";

describe("length headers (RFC 9420 section 2.1.2)", () => {
  test.each([
    [0, "00"],
    [63, "3f"],
    [64, "4040"],
    [16_383, "7fff"],
    [16_384, "80004000"],
    [1_073_741_823, "bfffffff"],
  ])("%i is written in its shortest form", (size, hex) => {
    const writer = new Writer();
    writer.vectorLength(size);
    expect(toHex(writer.finish())).toBe(hex);
  });

  test("more than the header can say is refused", () => {
    expect(() => new Writer().vectorLength(1_073_741_824)).toThrow(CodecError);
  });

  test.each(["4000", "403f", "80000000", "80003fff", "c000000000000000"])("%s is not the shortest form", (hex) => {
    expect(() => new Reader(fromHex(hex)).length(1_000_000)).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  test("a length beyond the bound is refused before anything is read", () => {
    expect(() => new Reader(fromHex("bfffffff")).length(100)).toThrow(expect.objectContaining({ code: "limit" }));
    expect(() => new Reader(fromHex("05")).length(100)).toThrow(expect.objectContaining({ code: "truncated" }));
  });
});

describe("Writer", () => {
  test.each([0, 1, 63, 64, 100, 16_383, 16_384, 40_000])("a vector of %i bytes gets the header it needs", (size) => {
    const body = new Uint8Array(size).map((_, at) => at & 0xff);
    const nested = new Writer(1);
    nested.uint8(0xaa);
    nested.vector(size, (writer) => writer.bytes(body));
    nested.uint8(0xbb);
    const flat = new Writer();
    flat.uint8(0xaa);
    flat.vectorLength(size);
    flat.bytes(body);
    flat.uint8(0xbb);
    expect(toHex(nested.finish())).toBe(toHex(flat.finish()));
  });

  test("a vector above its bound is refused", () => {
    expect(() => new Writer().vector(3, (writer) => writer.bytes(new Uint8Array(4)))).toThrow(expect.objectContaining({ code: "limit" }));
  });

  test("grows from nothing and counts what was written", () => {
    const writer = new Writer(0);
    writer.uint8(1);
    writer.uint16(0x0203);
    writer.uint32(0x04050607);
    writer.uint64(0x08090a0b0c0d0e0fn);
    expect(writer.length).toBe(15);
    expect(toHex(writer.finish())).toBe("0102030405060708090a0b0c0d0e0f");
  });

  test("copies what it is given", () => {
    const source = new Uint8Array([1, 2, 3]);
    const writer = new Writer();
    writer.bytes(source);
    source.fill(9);
    expect(toHex(writer.finish())).toBe("010203");
  });
});

describe("Reader", () => {
  test("keeps count of what was read and what is left", () => {
    const reader = new Reader(fromHex("010203040506070809"));
    expect(reader.uint16()).toBe(0x0102);
    expect([reader.offset, reader.remaining]).toEqual([2, 7]);
    expect(toHex(reader.bytes(3))).toBe("030405");
    expect(() => reader.finish()).toThrow(expect.objectContaining({ code: "trailing" }));
    expect(toHex(reader.rest())).toBe("06070809");
    reader.finish();
    expect(reader.remaining).toBe(0);
  });

  test("a refused read moves nothing", () => {
    const reader = new Reader(fromHex("0102"));
    expect(() => reader.uint32()).toThrow(expect.objectContaining({ code: "truncated" }));
    expect(reader.offset).toBe(0);
    expect(reader.uint16()).toBe(0x0102);
  });

  test("reads at the right place of a view into a larger buffer", () => {
    const buffer = fromHex("ffff0102030405060708ff");
    const reader = new Reader(buffer.subarray(2, 10));
    expect(reader.uint64()).toBe(0x0102030405060708n);
    expect(() => reader.uint8()).toThrow(expect.objectContaining({ code: "truncated" }));
  });
});
