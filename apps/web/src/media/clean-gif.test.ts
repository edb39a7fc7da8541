import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { cleanGif } from "./clean-gif.ts";
import { gifControl, gifEnd, gifExtension, gifHeader, gifLoop, gifPicture, hex, latin1 } from "./testing/pictures.ts";

const comment = gifExtension(0xfe, latin1("secret"), latin1("and more"));
const plainText = gifExtension(0x01, new Uint8Array(12), latin1("secret"));
const xmp = gifExtension(0xff, latin1("XMP DataXMP"), latin1("<secret/>"));
const about = [comment, xmp, gifExtension(0xff, latin1("ICCRGBG1012"), latin1("secret")), gifExtension(0x55, latin1("secret"))];
const gif = (...blocks: readonly Uint8Array[]): Uint8Array => joinParts([gifHeader(), ...blocks, gifEnd]);
const clean = (bytes: Uint8Array): Uint8Array | undefined => {
  const cleaned = cleanGif(bytes);
  return cleaned.kind === "clean" ? cleaned.bytes : undefined;
};
const moving = gif(gifLoop, gifControl(), gifPicture(0), gifControl(20), gifPicture(1));

describe("a GIF", () => {
  test("that says nothing but what it shows stays byte by byte, and animated", () => {
    expect(cleanGif(moving)).toEqual({ kind: "clean", bytes: moving, isAnimated: true, isTurned: false });
    const still = gif(gifPicture(0));
    expect(cleanGif(still)).toEqual({ kind: "clean", bytes: still, isAnimated: false, isTurned: false });
  });

  test("loses comments, XMP, profiles and whatever nobody knows, wherever they stand", () => {
    expect(
      clean(gif(...about, gifLoop, ...about, gifControl(), ...about, gifPicture(0), gifControl(20), ...about, gifPicture(1), ...about)),
    ).toEqual(moving);
  });

  test("loses plain texts with what says when they are shown", () => {
    expect(clean(gif(gifLoop, gifControl(), gifPicture(0), gifControl(99), plainText, gifControl(20), gifPicture(1)))).toEqual(moving);
  });

  test("says no more of its repetition than how often", () => {
    const wordy = gifExtension(0xff, latin1("NETSCAPE2.0"), Uint8Array.of(1, 5, 0), latin1("secret"));
    const loop = gifExtension(0xff, latin1("NETSCAPE2.0"), Uint8Array.of(1, 5, 0));
    expect(clean(gif(wordy, gifPicture(0), gifPicture(1)))).toEqual(gif(loop, gifPicture(0), gifPicture(1)));
    const buffer = gifExtension(0xff, latin1("NETSCAPE2.0"), Uint8Array.of(2, 0, 0, 0, 1));
    expect(clean(gif(buffer, gifPicture(0)))).toEqual(gif(gifPicture(0)));
  });

  test("may have pictures with colours of their own, and none that they share", () => {
    const bare = hex("474946383761 0100 0100 00 00 00");
    const own = hex("2c 0000 0000 0100 0100 81 000000 ff0000 00ff00 2c3b21 02 02 4401 00");
    const plain = joinParts([bare, own, own, gifEnd]);
    expect(cleanGif(joinParts([bare, comment, own, comment, own, gifEnd, comment]))).toMatchObject({
      kind: "clean",
      bytes: plain,
      isAnimated: true,
    });
    for (let length = 0; length < bare.length + own.length; length++)
      expect(cleanGif(plain.subarray(0, length)).kind).toBe("not_what_it_says");
  });

  test("ends where it ends", () => {
    expect(clean(joinParts([moving, comment, latin1("<script>secret")]))).toEqual(moving);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", latin1("\u0089PNG")],
    ["no picture", gif(comment)],
    ["a block that is none", gif(gifPicture(0), latin1("secret"))],
    ["what says when of another length", gif(gifExtension(0xf9, new Uint8Array(5)), gifPicture(0))],
  ])("with %s is none", (_, bytes) => {
    expect(cleanGif(bytes)).toEqual({ kind: "not_what_it_says" });
  });

  test("that is cut off anywhere is none, but between its blocks: many have no end, and get one", () => {
    const ends = new Map<number, Uint8Array>();
    const blocks = [gifHeader(), gifLoop, gifControl(), gifPicture(0), gifControl(20), gifPicture(1)];
    for (let count = 4; count <= blocks.length; count++) ends.set(joinParts(blocks.slice(0, count)).length, gif(...blocks.slice(1, count)));
    const lastControl = joinParts(blocks.slice(0, 5)).length;
    ends.set(lastControl, gif(...blocks.slice(1, 4)));
    for (let length = 0; length < moving.length; length++) expect(clean(moving.subarray(0, length))).toEqual(ends.get(length));
  });

  test("whatever stands in it: what is cleaned is clean, and never longer", () => {
    const block = fc.oneof(
      fc.constantFrom(gifLoop, gifControl(), gifPicture(0), plainText, gifEnd, ...about),
      fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 20 })).map(([label, data]) => gifExtension(label, data)),
      fc.uint8Array({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(block, { maxLength: 10 }), (blocks) => {
        const bytes = gif(...blocks, gifPicture(1));
        const cleaned = clean(bytes);
        if (cleaned === undefined) return;
        expect(cleaned.length).toBeLessThanOrEqual(bytes.length);
        expect(clean(cleaned)).toEqual(cleaned);
      }),
      { numRuns: 1000 },
    );
  });
});
