import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { packetSizes } from "./packet-sizes.ts";
import { hex, latin1 } from "./testing/pictures.ts";
import { withDuration } from "./webm-duration.ts";

const element = (id: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const data = joinParts(parts);
  return joinParts([hex(id), Uint8Array.of(0x40 | (data.length >> 8), data.length & 0xff), data]);
};
/** Of unknown size, as a browser writes what it does not know the end of. */
const open = (id: string, ...parts: readonly Uint8Array[]): Uint8Array => joinParts([hex(id), hex("01ffffffffffffff"), ...parts]);
const header = element("1a45dfa3", element("4282", latin1("webm")));
const block = (sizeBytes: number, flags = 0x80): Uint8Array => element("a3", Uint8Array.of(0x81, 0, 20, flags), new Uint8Array(sizeBytes));
const info = element("1549a966", element("2ad7b1", hex("0f4240")), element("4d80", latin1("Browser")));
const webm = (...clusters: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  joinParts([header, open("18538067", info, element("1654ae6b", latin1("track")), ...clusters)]);

describe("packets of a WebM", () => {
  test("of one size are constant, over clusters of known and unknown size, in simple blocks and in groups", () => {
    const grouped = element("a0", element("a1", Uint8Array.of(0x81, 0, 20, 0), new Uint8Array(80)), element("9b", Uint8Array.of(20)));
    const bytes = webm(
      open("1f43b675", element("e7", hex("00")), block(80), block(80)),
      element("1f43b675", block(80), grouped),
      open("1f43b675", block(80)),
    );
    expect(packetSizes(bytes)).toEqual({ kind: "constant", packets: 5, packetBytes: 80 });
  });

  test("of several sizes are not", () => {
    expect(packetSizes(webm(open("1f43b675", block(80), block(81), block(80))))).toEqual({ kind: "varying", packets: 3, sizes: 2 });
  });

  test.each([
    ["another file", latin1("OggS and more")],
    ["nothing", new Uint8Array(0)],
    ["no packets", webm(open("1f43b675"))],
    ["packets in one block", webm(open("1f43b675", block(80, 0x82)))],
    ["a block without a header", webm(open("1f43b675", element("a3", Uint8Array.of(0x81, 0))))],
    ["a block of unknown size", webm(open("1f43b675", open("a3", new Uint8Array(20))))],
    ["a length behind the end", webm(open("1f43b675", block(80), hex("a3 4fff 00")))],
    ["bytes that are no element", webm(open("1f43b675", block(80)), hex("00 00"))],
    ["a size of more than there are safe integers", webm(open("1f43b675", block(80)), hex("a3 01fffffffffffffe"))],
  ])("are not to be read of %s", (_, bytes) => {
    expect(packetSizes(bytes)).toEqual({ kind: "unreadable" });
  });

  test("end, also where clusters seem to stand in one another without end", () => {
    const cluster = open("1f43b675");
    const deep = webm(
      new Uint8Array(100_000 * cluster.length).map((_, at) => cluster[at % cluster.length] ?? 0),
      block(7),
    );
    expect(packetSizes(deep)).toEqual({ kind: "constant", packets: 1, packetBytes: 7 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(packetSizes(webm(bytes)).kind).toMatch(/^(?:constant|varying|unreadable)$/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the length of a WebM", () => {
  test("is put where it was not known, and everything else stays byte by byte", () => {
    const bytes = webm(open("1f43b675", block(80)));
    const timed = withDuration(bytes, 12_345);
    const at = header.length + 12;
    const duration = joinParts([hex("4489 88"), hex("40c81c8000000000")]);
    const sizeBytes = info.length - 6 + duration.length;
    expect(timed).toEqual(
      joinParts([
        bytes.subarray(0, at + 4),
        Uint8Array.of(0x10, 0, 0, sizeBytes),
        info.subarray(6),
        duration,
        bytes.subarray(at + info.length),
      ]),
    );
    expect(packetSizes(timed)).toEqual(packetSizes(bytes));
    expect(withDuration(timed, 1)).toBe(timed);
  });

  test.each([
    ["no WebM", new Uint8Array(latin1("OggS"))],
    ["a segment of known size", joinParts([header, element("18538067", info)])],
    ["nothing about it", joinParts([header, open("18538067", element("1654ae6b", latin1("track")))])],
    ["other steps of time", joinParts([header, open("18538067", element("1549a966", element("2ad7b1", hex("0f4241"))))])],
    ["what is about it cut off", joinParts([header, open("18538067", hex("1549a966 4fff"))])],
  ])("stays as it is with %s", (_, bytes) => {
    expect(withDuration(bytes, 1000)).toBe(bytes);
  });

  test("is put nowhere where bytes are no WebM, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const given = joinParts([header, open("18538067", bytes)]);
        expect(withDuration(given, 1000).length).toBeGreaterThanOrEqual(given.length);
      }),
      { numRuns: 500 },
    );
  });
});
