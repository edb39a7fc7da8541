import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { packetSizes } from "./packet-sizes.ts";
import { hex, latin1 } from "./testing/pictures.ts";

const box = (type: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = joinParts(parts);
  const size = content.length + 8;
  return joinParts([Uint8Array.of(0, 0, size >> 8, size & 0xff), latin1(type), content]);
};
const begin = joinParts([box("ftyp", latin1("iso5\0\0\0\0mp41")), box("moov", latin1("anything"))]);
const sound = box("mdat", latin1("the sound"));
const part = (...boxes: readonly Uint8Array[]): Uint8Array =>
  joinParts([box("moof", box("mfhd", hex("00000000 00000001")), box("traf", ...boxes)), sound]);
/** Of track 1, with where its data begin and how long a packet lasts; the size of all where there is one. */
const usual = (size?: string): Uint8Array =>
  box("tfhd", hex(`0000${size === undefined ? "0009" : "0019"} 00000001 0000000000000000 000003c0 ${size ?? ""}`));
const bare = box("tfhd", hex("00020000 00000001"));

describe("packets of an MP4", () => {
  test.each([
    ["that are said of each", part(bare, box("trun", hex("00000201 00000002 00000000 00000050 00000050")))],
    [
      "beside how long and when each is",
      part(
        bare,
        box("trun", hex("00000f05 00000001 00000000 00000000 000003c0 00000050 00000000 00000000")),
        box("trun", hex("00000300 00000001 000003c0 00000050")),
      ),
    ],
    ["that are said of all", part(usual("00000050"), box("trun", hex("00000101 00000002 00000000 000003c0 000003c0")))],
    [
      "in two parts",
      joinParts([
        part(usual("00000050"), box("trun", hex("00000000 00000001"))),
        part(usual("00000050"), box("trun", hex("00000000 00000001"))),
      ]),
    ],
  ])("are constant by sizes %s", (_, parts) => {
    expect(packetSizes(joinParts([begin, parts]))).toEqual({ kind: "constant", packets: 2, packetBytes: 80 });
  });

  test("of several sizes are not", () => {
    const parts = part(bare, box("trun", hex("00000200 00000003 00000050 00000051 00000050")));
    expect(packetSizes(joinParts([begin, parts]))).toEqual({ kind: "varying", packets: 3, sizes: 2 });
  });

  test.each([
    ["no parts", begin],
    ["nothing in its parts", joinParts([begin, part(bare)])],
    ["no sizes", joinParts([begin, part(usual(), box("trun", hex("00000000 00000001")))])],
    ["sizes of another part", joinParts([begin, part(usual("00000050")), part(bare, box("trun", hex("00000000 00000001")))])],
    ["more packets than are said", joinParts([begin, part(bare, box("trun", hex("00000200 00000002 00000050")))])],
    ["more packets than bytes", joinParts([begin, part(usual("00000050"), box("trun", hex("00000000 ffffffff")))])],
    [
      "more packets than bytes, a few at a time",
      joinParts([begin, part(usual("00000050"), ...Array.from({ length: 10 }, () => box("trun", hex("00000000 00000080"))))]),
    ],
    ["a run without a head", joinParts([begin, part(bare, box("trun", hex("00000000")))])],
    [
      "what is said of a part cut off",
      joinParts([begin, part(box("tfhd", hex("00000010 00000001")), box("trun", hex("00000000 00000001")))]),
    ],
    [
      "a part that is longer than the file",
      joinParts([begin, part(usual("00000050"), box("trun", hex("00000000 00000001"))), hex("000000ff"), latin1("moof")]),
    ],
    ["a track that is longer than its part", joinParts([begin, box("moof", hex("000000ff"), latin1("traf"))])],
  ])("are not to be read of %s", (_, bytes) => {
    expect(packetSizes(bytes)).toEqual({ kind: "unreadable" });
  });

  test("end, whatever stands in it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 30 }), (run, head) => {
        expect(packetSizes(joinParts([begin, part(box("tfhd", head), box("trun", run))])).kind).toMatch(
          /^(?:constant|varying|unreadable)$/,
        );
      }),
      { numRuns: 500 },
    );
  });
});
