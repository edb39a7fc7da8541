import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { cleanWebp } from "./clean-webp.ts";
import { exif, latin1, riffChunk, webp, webpAnimation, webpFrame, webpHeader, webpPixel } from "./testing/pictures.ts";

const profile = riffChunk("ICCP", latin1("colours"));
const about = [riffChunk("EXIF", exif(1, "secret")), riffChunk("XMP ", latin1("<secret/>")), riffChunk("abcd", latin1("secret"))];
const clean = (bytes: Uint8Array): Uint8Array | undefined => {
  const cleaned = cleanWebp(bytes);
  return cleaned.kind === "clean" ? cleaned.bytes : undefined;
};

describe("a WebP", () => {
  test.each([
    ["of one chunk", webp(webpPixel)],
    ["with loss", webp(riffChunk("VP8 ", latin1("anything")))],
    ["with a profile", webp(webpHeader(0x20), profile, webpPixel)],
    ["with transparency beside it", webp(webpHeader(0x10), riffChunk("ALPH", latin1("alpha")), riffChunk("VP8 ", latin1("anything")))],
  ])("%s that says nothing but what it shows stays byte by byte", (_, plain) => {
    expect(cleanWebp(plain)).toEqual({ kind: "clean", bytes: plain, isAnimated: false, isTurned: false });
  });

  test("loses Exif, XMP, whatever nobody knows, and the flags that announce them", () => {
    const full = webp(webpHeader(0xff - 0x02), profile, ...about, webpPixel, ...about);
    expect(clean(full)).toEqual(webp(webpHeader(0x30), profile, webpPixel));
    expect(clean(webp(webpPixel, ...about))).toEqual(webp(webpPixel));
  });

  test("that was to be turned says so", () => {
    expect(cleanWebp(webp(webpHeader(0x08), webpPixel, riffChunk("EXIF", exif(6))))).toMatchObject({ kind: "clean", isTurned: true });
  });

  test("that was to be shown as it lies was not turned, and an animation of one picture is a still", () => {
    const one = webp(webpHeader(0x0a), webpAnimation, webpFrame(), riffChunk("EXIF", exif(1)));
    const bytes = webp(webpHeader(0x02), webpAnimation, webpFrame());
    expect(cleanWebp(one)).toEqual({ kind: "clean", bytes, isAnimated: false, isTurned: false });
  });

  test("says nothing where its header has room for later", () => {
    const header = webpHeader(0x10);
    header.fill(0xff, 9, 12);
    expect(clean(webp(header, webpPixel))).toEqual(webp(webpHeader(0x10), webpPixel));
  });

  test("stays animated, and its pictures say nothing about themselves either", () => {
    const plain = webp(webpHeader(0x12), webpAnimation, webpFrame(), webpFrame());
    expect(cleanWebp(plain)).toEqual({ kind: "clean", bytes: plain, isAnimated: true, isTurned: false });
    const full = webp(
      webpHeader(0x1e),
      webpAnimation,
      webpFrame(...about),
      ...about,
      webpFrame(riffChunk("abcd", latin1("odd"))),
      ...about,
    );
    expect(clean(full)).toEqual(plain);
  });

  test("ends where it says that it ends", () => {
    expect(clean(joinParts([webp(webpPixel), latin1("PK\u0003\u0004 secret")]))).toEqual(webp(webpPixel));
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another form", riffChunk("RIFF", latin1("WAVEfmt "))],
    ["the form of a sound", riffChunk("RIFF", joinParts([latin1("WAVE"), webpPixel]))],
    ["another beginning", joinParts([latin1("RIFX"), webp(webpPixel).subarray(4)])],
    ["a length of less than its form", joinParts([latin1("RIFF"), Uint8Array.of(3, 0, 0, 0), webp(webpPixel).subarray(8)])],
    ["no picture in it", webp(webpHeader(0x20), profile)],
    ["two pictures and no animation", webp(webpPixel, webpPixel)],
    ["an animation of none", webp(webpHeader(0x02), webpAnimation)],
    ["an animation and a still", webp(webpHeader(0x02), webpAnimation, webpFrame(), webpPixel)],
    ["pictures of an animation that is not announced", webp(webpHeader(0), webpPixel, webpFrame())],
    ["a header in the middle", webp(webpPixel, webpHeader(0))],
    ["a short header", webp(riffChunk("VP8X", new Uint8Array(9)), webpPixel)],
    ["an animation's picture that is cut off", webp(webpHeader(0x02), riffChunk("ANMF", new Uint8Array(15)))],
    ["an animation's picture of nothing", webp(webpHeader(0x02), riffChunk("ANMF", new Uint8Array(16)))],
    ["a length behind the end", webp(joinParts([latin1("VP8L"), Uint8Array.of(0xff, 0xff, 0xff, 0xff)]))],
    ["bytes that are no chunk", webp(webpPixel, latin1("abc"))],
  ])("with %s is none", (_, bytes) => {
    expect(cleanWebp(bytes)).toEqual({ kind: "not_what_it_says" });
  });

  test("that is cut off anywhere is none", () => {
    const whole = webp(webpHeader(0x1e), webpAnimation, webpFrame(...about), webpFrame(), ...about);
    for (let length = 0; length < whole.length; length++) expect(cleanWebp(whole.subarray(0, length)).kind).toBe("not_what_it_says");
  });

  test("whatever stands in it: what is cleaned is clean, and never longer", () => {
    const chunk = fc.oneof(
      fc.constantFrom(profile, webpPixel, webpAnimation, webpFrame(), webpHeader(0xff), ...about),
      fc
        .tuple(fc.constantFrom("ANMF", "ALPH", "abcd", "VP8X"), fc.uint8Array({ maxLength: 40 }))
        .map(([name, data]) => riffChunk(name, data)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.array(chunk, { maxLength: 8 }), (flags, chunks) => {
        const bytes = webp(webpHeader(flags), ...chunks, webpFrame());
        const cleaned = clean(bytes);
        if (cleaned === undefined) return;
        expect(cleaned.length).toBeLessThanOrEqual(bytes.length);
        expect(clean(cleaned)).toEqual(cleaned);
      }),
      { numRuns: 1000 },
    );
  });
});
