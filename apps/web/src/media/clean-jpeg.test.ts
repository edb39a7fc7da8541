import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { cleanJpeg } from "./clean-jpeg.ts";
import { exifOrientation, orientationSegment } from "./exif.ts";
import { contains, exif, hex, jpegSegment, latin1 } from "./testing/pictures.ts";

const start = hex("ffd8");
const end = hex("ffd9");
const jfif = jpegSegment(0xe0, joinParts([latin1("JFIF\0"), hex("01 01 00 0001 0001 00 00")]));
const table = jpegSegment(0xdb, new Uint8Array(65).fill(1, 1));
const frame = jpegSegment(0xc0, hex("08 0001 0001 01 01 11 00"));
const codes = jpegSegment(0xc4, hex("00 00010000000000000000000000000000 00"));
/** A scan whose data have a stuffed byte, a restart and a byte that fills. */
const scan = joinParts([jpegSegment(0xda, hex("01 01 00 00 3f 00")), hex("12 ff00 34 ffd0 56 ff00 78")]);
const picture = [table, frame, codes, scan];
const profile = jpegSegment(0xe2, joinParts([latin1("ICC_PROFILE\0"), hex("01 01"), latin1("colours")]));
const adobe = jpegSegment(0xee, joinParts([latin1("Adobe"), hex("0064 0000 0000 01")]));

const jpeg = (...parts: readonly Uint8Array[]): Uint8Array => joinParts([start, ...parts, end]);
const clean = (bytes: Uint8Array): Uint8Array | undefined => {
  const cleaned = cleanJpeg(bytes);
  return cleaned.kind === "clean" ? cleaned.bytes : undefined;
};

describe("a JPEG", () => {
  test("that says nothing but what it shows stays byte by byte", () => {
    const plain = jpeg(jfif, profile, adobe, ...picture);
    expect(cleanJpeg(plain)).toEqual({ kind: "clean", bytes: plain, isAnimated: false, isTurned: false });
  });

  test("of several scans stays byte by byte", () => {
    const progressive = jpeg(jfif, table, jpegSegment(0xc2, hex("08 0001 0001 01 01 11 00")), codes, scan, codes, scan, scan);
    expect(clean(progressive)).toEqual(progressive);
  });

  test("loses everything else: comments, Exif, XMP, Photoshop's and unknown blocks, second profiles of cameras", () => {
    const about = [
      jpegSegment(0xfe, latin1("secret comment")),
      jpegSegment(0xe1, joinParts([latin1("Exif\0\0"), exif(1, "secret place")])),
      jpegSegment(0xe1, latin1("http://ns.adobe.com/xap/1.0/\0<secret/>")),
      jpegSegment(0xe2, latin1("MPF\0secret")),
      jpegSegment(0xed, latin1("Photoshop 3.0\0secret")),
      jpegSegment(0xe0, latin1("JFXX\0secret")),
      jpegSegment(0xe7, latin1("secret")),
      jpegSegment(0xee, latin1("secret")),
      jpegSegment(0xf3, latin1("secret")),
    ];
    const cleaned = clean(jpeg(jfif, ...about, profile, ...picture, ...about));
    expect(cleaned).toEqual(jpeg(jfif, profile, ...picture));
  });

  test("says no more than how it is to be turned", () => {
    for (const orientation of [2, 3, 6, 8]) {
      const turned = jpegSegment(0xe1, joinParts([latin1("Exif\0\0"), exif(orientation, "secret place")]));
      const cleaned = clean(jpeg(turned, ...picture)) ?? new Uint8Array(0);
      expect(contains(cleaned, "secret")).toBe(false);
      expect(exifOrientation(cleaned.subarray(6))).toBe(orientation);
      expect(cleaned.length).toBe(jpeg(...picture).length + 36);
      expect(clean(cleaned)).toEqual(cleaned);
    }
  });

  test("has no small picture of itself, and no more of a block than its own fields", () => {
    const small = jpegSegment(0xe0, joinParts([latin1("JFIF\0"), hex("01 01 00 0001 0001 02 01"), latin1("secret")]));
    const long = jpegSegment(0xee, joinParts([latin1("Adobe"), hex("0064 0000 0000 01"), latin1("secret")]));
    expect(clean(jpeg(small, long, ...picture))).toEqual(jpeg(jfif, adobe, ...picture));
  });

  test("has each block of its own once, whole, and under its own number", () => {
    const turned = jpegSegment(0xe1, joinParts([latin1("Exif\0\0"), exif(6)]));
    const others = [
      jfif,
      adobe,
      turned,
      jpegSegment(0xe0, latin1("JFIF\0 short")),
      jpegSegment(0xee, latin1("Adobe short")),
      jpegSegment(0xe3, joinParts([latin1("JFIF\0"), hex("01 01 00 0001 0001 00 00")])),
      jpegSegment(0xe3, latin1("ICC_PROFILE\0")),
      jpegSegment(0xe3, joinParts([latin1("Adobe"), hex("0064 0000 0000 01")])),
      jpegSegment(0xe3, joinParts([latin1("Exif\0\0"), exif(3)])),
      jpegSegment(0xef, new Uint8Array(0)),
      jpegSegment(0xf0, new Uint8Array(0)),
      jpegSegment(0xfe, new Uint8Array(0)),
    ];
    const plain = clean(jpeg(jfif, adobe, turned, ...picture)) ?? new Uint8Array(0);
    expect(clean(jpeg(jfif, adobe, turned, ...others, ...picture, ...others))).toEqual(plain);
    // Without one of its own before, none of another number is taken for it.
    expect(clean(jpeg(...others.slice(3), ...picture))).toEqual(jpeg(...picture));
  });

  test("may end its data with bytes that fill, and begin them anew seven times", () => {
    const data = joinParts([jpegSegment(0xda, hex("01 01 00 00 3f 00")), hex("12 ffd7 34 ffffff00 56 ffff")]);
    const filled = joinParts([start, table, frame, codes, data, end]);
    expect(clean(filled)).toEqual(filled);
  });

  test("ends where it ends: a second picture, a film or an archive behind it is gone", () => {
    const plain = jpeg(jfif, ...picture);
    expect(clean(joinParts([plain, jpeg(jfif, ...picture), latin1("PK\u0003\u0004 secret")]))).toEqual(plain);
  });

  test("may have bytes that fill between its segments", () => {
    expect(clean(jpeg(jfif, hex("ffff"), ...picture))).toEqual(jpeg(jfif, ...picture));
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", latin1("GIF89a")],
    ["no picture in it", jpeg(jfif)],
    ["a scan before its frame", jpeg(table, scan)],
    ["two frames", jpeg(table, frame, frame, codes, scan)],
    ["another one inside", jpeg(jfif, start, ...picture)],
    ["bytes between segments", jpeg(jfif, latin1("secret"), ...picture)],
    ["bytes between segments that look like one", jpeg(jfif, hex("00fe 0004 0000"), ...picture)],
    ["a restart outside of its data", jpeg(jfif, hex("ffd0 0004 0000"), ...picture)],
    ["a marker of nothing", jpeg(jfif, hex("ff02 0004 0000"), ...picture)],
    ["a hierarchy of pictures", jpeg(jfif, hex("ffde 0004 0000"), ...picture)],
    ["a half of its beginning", joinParts([hex("ffd9"), jpeg(jfif, ...picture).subarray(2)])],
    ["another half of its beginning", joinParts([hex("00d8"), jpeg(jfif, ...picture).subarray(2)])],
    ["a length below its own", joinParts([start, hex("ffe0 0001"), ...picture, end])],
    ["a length behind the end", joinParts([start, hex("ffe0 ffff"), ...picture, end])],
    ["no end", joinParts([start, jfif, ...picture])],
  ])("with %s is none", (_, bytes) => {
    expect(cleanJpeg(bytes)).toEqual({ kind: "not_what_it_says" });
  });

  test("that is cut off anywhere is none", () => {
    const whole = jpeg(jfif, profile, ...picture);
    for (let length = 0; length < whole.length; length++)
      expect(cleanJpeg(whole.subarray(0, length))).toEqual({ kind: "not_what_it_says" });
  });

  test("whatever stands in it: what is cleaned is clean, and never longer", () => {
    const part = fc.oneof(
      fc.constantFrom(jfif, profile, adobe, ...picture, start, end, hex("ff"), hex("ffd0")),
      fc.tuple(fc.integer({ min: 0xc0, max: 0xfe }), fc.uint8Array({ maxLength: 40 })).map(([marker, data]) => jpegSegment(marker, data)),
      fc.uint8Array({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const bytes = jpeg(jfif, ...parts, ...picture);
        const cleaned = clean(bytes);
        if (cleaned === undefined) return;
        expect(cleaned.length).toBeLessThanOrEqual(bytes.length + 36);
        expect(clean(cleaned)).toEqual(cleaned);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("how a picture is to be turned", () => {
  test("stands in a block of nothing else, byte by byte", () => {
    expect(orientationSegment(6)).toEqual(hex("ffe1 0022 457869660000 4d4d002a 00000008 0001 0112 0003 00000001 0006 0000 00000000"));
    expect(orientationSegment(6)).toHaveLength(36);
  });

  test("is found behind other things, and may end the block", () => {
    const before = "0100 0003 00000001 0007 0000";
    expect(exifOrientation(hex(`4d4d002a 00000008 0002 ${before} 0112 0003 00000001 0005 0000`))).toBe(5);
    expect(exifOrientation(hex(`4d4d002a 0000000a ffff 0001 0112 0003 00000001 0001 0000`))).toBe(1);
    expect(exifOrientation(hex(`4d4d002a 00000008 0001 ${before} 0112 0003 00000001 0005 0000`))).toBe(1);
  });

  test("is read in both byte orders, with and without the header of JPEG", () => {
    const little = hex("49492a00 08000000 0100 1201 0300 01000000 0800 0000 00000000");
    expect(exifOrientation(little)).toBe(8);
    expect(exifOrientation(exif(6))).toBe(6);
    expect(exifOrientation(joinParts([latin1("Exif\0\0"), exif(6)]))).toBe(6);
  });

  test.each([
    ["nothing", ""],
    ["another number of TIFF", "4d4d002b 00000008 0001 0112 0003 00000001 0006 0000"],
    ["a directory behind the end", "4d4d002a fffffff0 0001"],
    ["more entries than there are", "4d4d002a 00000008 ffff 0100 0003 00000001 0006 0000"],
    ["no entries, at its end", "4d4d002a 00000008 0000"],
    ["a directory of a byte", "4d4d002a 00000008 00"],
    ["no directory", "4d4d002a 000000"],
    ["half an entry", "4d4d002a 00000008 0001 0112 0003 00000001 0006"],
    ["two numbers", "4d4d002a 00000008 0001 0112 0003 00000002 0006 0000"],
    ["nothing as a number", "4d4d002a 00000008 0001 0112 0003 00000001 0000 0000"],
    ["a number out of range", "4d4d002a 00000008 0001 0112 0003 00000001 0009 0000"],
    ["another type", "4d4d002a 00000008 0001 0112 0004 00000001 0000 0006"],
  ])("is as it lies with %s", (_, digits) => {
    expect(exifOrientation(hex(digits))).toBe(1);
  });

  test("is a number from 1 to 8 whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, isLittle) => {
        const orientation = exifOrientation(joinParts([latin1(isLittle ? "II*\0" : "MM\0*"), bytes]));
        expect(orientation >= 1 && orientation <= 8).toBe(true);
      }),
    );
  });
});
