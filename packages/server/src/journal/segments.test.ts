import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import { encodeFrame, encodeHeader, readSegment } from "./segments.ts";

const origin = "latchkey.example/latchkey/directory";

/** A segment of these payloads, and where each record ends. */
function segmentOf(payloads: readonly Uint8Array[]): { bytes: Uint8Array; ends: number[] } {
  let bytes = encodeHeader(origin, 7);
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

describe("a segment of the journal", () => {
  test("is read as it was written", () => {
    const { bytes } = segmentOf(payloads);
    expect(readSegment(bytes)).toMatchObject({ origin, first: 7, records: payloads, end: bytes.length });
  });

  test("may be torn anywhere: what was whole before stands, and nothing else", () => {
    const { bytes, ends } = segmentOf(payloads);
    for (let length = 0; length < bytes.length; length++) {
      const whole = ends.filter((end) => end <= length).length - 1;
      const read = readSegment(bytes.subarray(0, length));
      if (whole < 0) expect(read).toBe("unfinished");
      else expect(read).toMatchObject({ records: payloads.slice(0, whole), end: ends[whole] });
    }
  });

  test("may end in a file system's zeros, or in a last record of which only the length reached the disk", () => {
    const { bytes, ends } = segmentOf(payloads);
    const [, , second = 0] = ends;
    expect(readSegment(concatBytes(bytes, new Uint8Array(4096)))).toMatchObject({ records: payloads, end: bytes.length });
    const torn = bytes.slice();
    torn.fill(0, second + 8);
    expect(readSegment(torn)).toMatchObject({ records: payloads.slice(0, 2), end: second });
  });

  test("with a changed byte before its last record is damaged", () => {
    const { bytes, ends } = segmentOf(payloads);
    const [header = 0, , second = 0] = ends;
    for (let at = header; at < second; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(readSegment(changed)).toBeUndefined();
    }
    expect(readSegment(utf8Bytes("something else"))).toBeUndefined();
  });
});
