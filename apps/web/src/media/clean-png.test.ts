import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { cleanPng } from "./clean-png.ts";
import { animatedPng, exif, latin1, png, pngChunk, pngHeader, pngRows } from "./testing/pictures.ts";

const header = pngHeader(2, 2);
const data = pngChunk("IDAT", await pngRows(2, 2, [1, 2, 3, 255]));
const end = pngChunk("IEND");
const colours = [pngChunk("sRGB", Uint8Array.of(0)), pngChunk("gAMA", Uint8Array.of(0, 0, 0xb1, 0x8f)), pngChunk("iCCP", latin1("p\0\0x"))];
const about = [
  pngChunk("tEXt", latin1("Author\0secret")),
  pngChunk("zTXt", latin1("Comment\0\0secret")),
  pngChunk("iTXt", latin1("XML:com.adobe.xmp\0\0\0\0\0secret")),
  pngChunk("eXIf", exif(1, "secret")),
  pngChunk("tIME", Uint8Array.of(7, 234, 11, 29, 12, 0, 0)),
  pngChunk("pHYs", new Uint8Array(9)),
  pngChunk("caBX", latin1("secret")),
  pngChunk("prVt", latin1("secret")),
];
const clean = (bytes: Uint8Array): Uint8Array | undefined => {
  const cleaned = cleanPng(bytes);
  return cleaned.kind === "clean" ? cleaned.bytes : undefined;
};

describe("a PNG", () => {
  test("that says nothing but what it shows stays byte by byte", () => {
    const plain = png(header, ...colours, pngChunk("tRNS", latin1("x")), data, data, end);
    expect(cleanPng(plain)).toEqual({ kind: "clean", bytes: plain, isAnimated: false, isTurned: false });
  });

  test("loses texts, times, Exif and whatever nobody knows, wherever they stand", () => {
    expect(clean(png(header, ...about, ...colours, ...about, data, ...about, end))).toEqual(png(header, ...colours, data, end));
  });

  test("that was to be turned says so", () => {
    expect(cleanPng(png(header, pngChunk("eXIf", exif(6)), data, end))).toMatchObject({ kind: "clean", isTurned: true });
  });

  test("that was to be shown as it lies was not turned, and an animation of one picture is a still", () => {
    const one = pngChunk("acTL", Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 9));
    const cleaned = cleanPng(png(header, one, pngChunk("eXIf", exif(1)), data, end));
    expect(cleaned).toEqual({ kind: "clean", bytes: png(header, one, data, end), isAnimated: false, isTurned: false });
  });

  test("stays animated", async () => {
    const plain = await animatedPng(2, 2);
    expect(cleanPng(plain)).toEqual({ kind: "clean", bytes: plain, isAnimated: true, isTurned: false });
    expect(clean(await animatedPng(2, 2, ...about))).toEqual(plain);
  });

  test("that is a still has no pictures that nobody sees", () => {
    const hidden = [pngChunk("fcTL", new Uint8Array(26)), pngChunk("fdAT", latin1("\0\0\0\u0001secret"))];
    expect(clean(png(header, data, pngChunk("acTL", new Uint8Array(8)), ...hidden, end))).toEqual(png(header, data, end));
  });

  test("ends where it ends", () => {
    expect(clean(joinParts([png(header, data, end), data, end, latin1("<html>secret")]))).toEqual(png(header, data, end));
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", latin1("GIF89a")],
    ["another beginning", joinParts([latin1("\u0089PNG\r\n\u001a\r"), header, data, end])],
    ["no header", png(data, end)],
    ["two headers", png(header, header, data, end)],
    ["a short header", png(pngChunk("IHDR", new Uint8Array(12)), data, end)],
    ["no picture in it", png(header, end)],
    ["no end", png(header, data)],
    ["something in its end", png(header, data, pngChunk("IEND", latin1("s")))],
    ["a critical chunk that nobody knows", png(header, data, pngChunk("ABCD"), end)],
    ["a name that is none", png(header, data, pngChunk("a1cd"), end)],
    ["a length behind the end", png(header, Uint8Array.of(0xff, 0xff, 0xff, 0xff, ...latin1("IDAT")), end)],
  ])("with %s is none", (_, bytes) => {
    expect(cleanPng(bytes)).toEqual({ kind: "not_what_it_says" });
  });

  test("that is cut off anywhere is none", async () => {
    const whole = await animatedPng(2, 2, ...about);
    for (let length = 0; length < whole.length; length++) expect(cleanPng(whole.subarray(0, length)).kind).toBe("not_what_it_says");
  });

  test("whatever stands in it: what is cleaned is clean, and never longer", () => {
    const chunk = fc.oneof(
      fc.constantFrom(header, data, end, ...colours, ...about),
      fc.tuple(fc.stringMatching(/^[A-Za-z]{4}$/), fc.uint8Array({ maxLength: 30 })).map(([type, content]) => pngChunk(type, content)),
      fc.uint8Array({ maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 10 }), (chunks) => {
        const bytes = png(header, ...chunks, data, end);
        const cleaned = clean(bytes);
        if (cleaned === undefined) return;
        expect(cleaned.length).toBeLessThanOrEqual(bytes.length);
        expect(clean(cleaned)).toEqual(cleaned);
      }),
      { numRuns: 1000 },
    );
  });
});
