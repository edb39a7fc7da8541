import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { maxPixels, pictureSize } from "./picture-size.ts";
import {
  gifControl,
  gifEnd,
  gifHeader,
  gifPicture,
  hex,
  jpegSegment,
  latin1,
  png,
  pngChunk,
  pngHeader,
  webp,
  webpHeader,
  webpPixel,
} from "./testing/pictures.ts";
import type { Format } from "./formats.ts";

const box = (type: string, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = joinParts(parts);
  return joinParts([Uint8Array.of(0, 0, (content.length + 8) >> 8, (content.length + 8) & 0xff), latin1(type), content]);
};
const ispe = (width: number, height: number): Uint8Array =>
  box("ispe", Uint8Array.of(0, 0, 0, 0, 0, 0, width >> 8, width & 0xff, 0, 0, height >> 8, height & 0xff));
const brands = box("ftyp", latin1("avif\0\0\0\0mif1"));
const avif = joinParts([
  brands,
  box("free", new Uint8Array(5)),
  box(
    "meta",
    new Uint8Array(4),
    box("hdlr", new Uint8Array(24)),
    box("iprp", box("ipco", ispe(512, 512), box("pixi"), ispe(4000, 3000), ispe(64, 64))),
  ),
]);
const sof = (marker: number, height: number, width: number): Uint8Array =>
  jpegSegment(marker, Uint8Array.of(8, height >> 8, height & 0xff, width >> 8, width & 0xff, 1, 1, 0x11, 0));

describe("the size of a picture by its headers", () => {
  test.each<[Format, Uint8Array, number, number, boolean]>([
    ["jpeg", joinParts([hex("ffd8"), jpegSegment(0xe1, new Uint8Array(60_000)), hex("ff"), sof(0xc2, 3024, 4032)]), 4032, 3024, false],
    ["png", png(pngHeader(30_000, 20_000)), 30_000, 20_000, true],
    ["png", png(pngChunk("IHDR", hex("00000010 00000020 08 02 000000")), pngChunk("IDAT")), 16, 32, false],
    ["png", png(pngChunk("IHDR", hex("00000010 00000020 08 03 000000")), pngChunk("tRNS"), pngChunk("IDAT")), 16, 32, true],
    ["gif", joinParts([gifHeader(640, 480), gifControl(), gifPicture(0), gifEnd]), 640, 480, true],
    ["gif", joinParts([gifHeader(1, 1), hex("2c 0500 0000 fb ff 0300 00 02 00"), gifEnd]), 65_536, 3, true],
    ["webp", webp(webpHeader(0x10, 16_000, 9000), webpPixel), 16_000, 9000, true],
    ["webp", webp(webpHeader(0, 3, 4), webpPixel), 3, 4, false],
    ["webp", webp(webpPixel), 1, 1, true],
    ["webp", webp(joinParts([latin1("VP8 "), hex("0a000000 300100 9d012a 80c2 e041")])), 640, 480, false],
    ["avif", avif, 4000, 3000, true],
    ["bmp", joinParts([latin1("BM"), new Uint8Array(12), hex("28000000 80020000 20feffff 0000")]), 640, 480, false],
    ["bmp", joinParts([latin1("BM"), new Uint8Array(12), hex("0c000000 8002 e001 0000 0000")]), 640, 480, false],
  ])("%s", (format, bytes, width, height, mayBeTransparent) => {
    expect(pictureSize(format, bytes)).toEqual({ width, height, mayBeTransparent });
  });

  test("says of 30,000 x 30,000 pixels that they are too many before one of them is decoded", () => {
    const { width = 0, height = 0 } = pictureSize("png", png(pngHeader(30_000, 30_000), pngChunk("IDAT"))) ?? {};
    expect(width * height).toBeGreaterThan(maxPixels);
  });

  test("of a GIF is that of its first picture, where that is larger and most of it comes later; before that begins it is not known", () => {
    const begun = joinParts([gifHeader(10, 10), gifControl(), hex("2c 0000 0000 d859 d859 00 08 ff"), new Uint8Array(100)]);
    expect(pictureSize("gif", begun)).toMatchObject({ width: 23_000, height: 23_000 });
    const whole = joinParts([gifHeader(10, 10), gifPicture(0), hex("2c 0000 0000 0400 0500 00"), gifEnd]);
    expect(pictureSize("gif", whole)).toMatchObject({ width: 10, height: 10 });
    const described = begun.length - 100 - 2;
    for (let length = 0; length < described; length++) expect(pictureSize("gif", begun.subarray(0, length))).toBeUndefined();
  });

  test.each<[string, Format, Uint8Array]>([
    ["no pixels", "png", png(pngHeader(0, 10), pngChunk("IDAT"))],
    ["a JPEG that says its height later", "jpeg", joinParts([hex("ffd8"), sof(0xc0, 0, 10)])],
    ["a JPEG without one", "jpeg", joinParts([hex("ffd8"), jpegSegment(0xda, new Uint8Array(20)), sof(0xc0, 10, 10)])],
    ["a JPEG that is none", "jpeg", new Uint8Array(40)],
    ["a WebP of unknown chunks", "webp", webp(joinParts([latin1("abcd"), new Uint8Array(30)]))],
    ["an AVIF without properties", "avif", joinParts([brands, box("meta", new Uint8Array(4))])],
    ["a box that is longer than the file", "avif", joinParts([brands, hex("00ffffff"), latin1("meta")])],
    ["a box without end in itself", "avif", joinParts([brands, hex("00000001"), latin1("meta"), hex("0000000000000001")])],
    ["a negative width", "bmp", joinParts([latin1("BM"), new Uint8Array(12), hex("28000000 80feffff 20feffff 0000")])],
    ["a format without a reader", "svg", latin1("<svg width='3' height='4'/>")],
  ])("is not known of %s", (_, format, bytes) => {
    expect(pictureSize(format, bytes)).toBeUndefined();
  });

  test("ends, whatever the bytes are", () => {
    const begin = fc.constantFrom<[Format, Uint8Array]>(
      ["jpeg", hex("ffd8")],
      ["png", png(pngHeader(1, 1))],
      ["gif", gifHeader()],
      ["webp", webp(webpHeader(0))],
      ["avif", avif],
      ["bmp", latin1("BM")],
    );
    fc.assert(
      fc.property(begin, fc.uint8Array({ maxLength: 120 }), fc.nat(80), ([format, start], bytes, cut) => {
        const size = pictureSize(format, joinParts([start.subarray(0, Math.max(2, start.length - cut)), bytes]));
        if (size !== undefined) expect(Math.min(size.width, size.height)).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});
