import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import { encodeFrame, encodeHeader, isFormerSegment, readHeader, readSegment } from "./segments.ts";

const header = { origin: "latchkey.example/latchkey/directory", journal: "a-journal-of-22-letter", first: 7 };

/** A segment of these payloads, and where each record ends. */
function segmentOf(payloads: readonly Uint8Array[]): { bytes: Uint8Array; ends: number[] } {
  let bytes = encodeHeader(header);
  let hash: Uint8Array = sha256(bytes);
  const ends = [bytes.length];
  for (const payload of payloads) {
    const frame = encodeFrame(hash, payload);
    bytes = concatBytes(bytes, frame.bytes);
    ({ hash } = frame);
    ends.push(bytes.length);
  }
  return { bytes, ends };
}

const payloads = [utf8Bytes("one"), new Uint8Array(300).fill(7), utf8Bytes("three")];

const read = (bytes: Uint8Array) => readSegment(bytes, header);

describe("a segment of the journal", () => {
  test("is read as it was written", () => {
    const { bytes } = segmentOf(payloads);
    expect(readHeader(bytes)).toEqual(header);
    expect(read(bytes)).toMatchObject({ records: payloads, end: bytes.length, rest: "nothing" });
  });

  test("may be torn anywhere: what was whole before stands, and nothing else", () => {
    const { bytes, ends } = segmentOf(payloads);
    for (let length = 0; length < bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length - 1;
      const torn = bytes.subarray(0, length);
      if (whole < 0) expect(readHeader(torn)).toBe("unfinished");
      else {
        expect(readHeader(torn)).toEqual(header);
        const rest = length === ends[whole] ? "nothing" : "torn";
        expect(read(torn)).toMatchObject({ records: payloads.slice(0, whole), end: ends[whole], rest });
      }
    }
  });

  test("may end in a file system's zeros, or in a last record of which only the length reached the disk", () => {
    const { bytes, ends } = segmentOf(payloads);
    const [, , second = 0] = ends;
    expect(read(concatBytes(bytes, new Uint8Array(4096)))).toMatchObject({ records: payloads, end: bytes.length, rest: "torn" });
    const torn = bytes.slice();
    torn.fill(0, second + 8);
    expect(read(torn)).toMatchObject({ records: payloads.slice(0, 2), end: second, rest: "torn" });
  });

  test("with a changed byte before its last record is damaged", () => {
    const { bytes, ends } = segmentOf(payloads);
    const [start = 0, , second = 0] = ends;
    for (let at = start; at < second; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const whole = ends.filter((end) => end <= at).length - 1;
      expect(read(changed)).toMatchObject({ records: payloads.slice(0, whole), end: ends[whole], rest: "damaged" });
    }
  });

  test("with a stretch of zeros that something follows is damaged", () => {
    const { bytes, ends } = segmentOf(payloads);
    for (const start of ends.slice(0, -1)) {
      for (const length of [8, 40, bytes.length - start - 1]) {
        const changed = bytes.slice();
        changed.fill(0, start, start + length);
        expect(read(changed)).toMatchObject({ end: start, rest: "damaged" });
      }
    }
  });

  test("has a header that is whole, or is none: a long file of zeros was never one that was not finished", () => {
    const { bytes } = segmentOf(payloads);
    expect(readHeader(utf8Bytes("something else"))).toBeUndefined();
    expect(readHeader(new Uint8Array(4096))).toBeUndefined();
    for (const part of [{ journal: "short" }, { first: 0 }, { first: -3 }])
      expect(readHeader(encodeHeader({ ...header, ...part }))).toBeUndefined();
    expect(isFormerSegment(bytes)).toBe(false);
    expect(isFormerSegment(utf8Bytes("latchkey journal 1\nlatchkey.example/latchkey/directory\n1\n"))).toBe(true);
  });
});
