import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { greyJpeg, jpegSegment } from "../testing/pictures.ts";
import { pictureLook, tellablePicture } from "./picture-file.ts";

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
// Made by libwebp 1.2.4 and libjpeg: 16 × 16 lossy, lossless and half transparent, 8 × 8 moving; 24 × 24 in ten passes.
const lossy = bytesOf("UklGRkYAAABXRUJQVlA4IDoAAABwAgCdASoQABAAAoBCJbACdGuA/QD+AAW+s3CoAP7ut5Kd37kUov//5bM/wQY/+uEd//nCOU+zmAAA");
const lossless = bytesOf(
  "UklGRkoAAABXRUJQVlA4TD4AAAAvD8ADAH8AEIT/cQsT8ff/+U+WAVVk21BBBRVUUEEFFVRQQQUVVFBBBRV8bYeI/ufncTlsFpNBp1EpZBKRAA==",
);
const transparent = bytesOf(
  "UklGRl4AAABXRUJQVlA4WAoAAAAQAAAADwAADwAAQUxQSAoAAAABB9C/iAhERP8DVlA4IC4AAADQAQCdASoQABAAAoBCJaACdLoB+AADsAD+73bX/hVuGIZqv/vYL7sF92C/1sAA",
);
const moving = bytesOf(
  "UklGRsAAAABXRUJQVlA4WAoAAAACAAAABwAABwAAQU5JTQYAAAD/////AABBTk1GSAAAAAAAAAAAAAcAAAcAAGQAAAJWUDggMAAAANABAJ0BKggACAACADQloAJ0ugH4AAOwAP7wxAv/ILlhdcjX/yA/5Af8gP/48gAAAEFOTUZEAAAAAAAAAAAABwAABwAAZAAAAFZQOCAsAAAAlAEAnQEqCAAIAAAANCWgAnS6AAOYAP75k2//kB//kB//kB//ID/iF3sgMAA=",
);
const progressive = bytesOf(
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAoHBwgHBgoICAgLCgoLDhgQDg0NDh0VFhEYIx8lJCIfIiEmKzcvJik0KSEiMEExNDk7Pj4+JS5ESUM8SDc9Pjv/2wBDAQoLCw4NDhwQEBw7KCIoOzs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozs7Ozv/wgARCAAYABgDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAMF/8QAFwEBAQEBAAAAAAAAAAAAAAAAAAYDBf/aAAwDAQACEAMQAAABx0WvfsiIConQP//EABUQAQEAAAAAAAAAAAAAAAAAAAAR/9oACAEBAAEFAqqqqqqv/8QAFxEBAAMAAAAAAAAAAAAAAAAAAAITFP/aAAgBAwEBPwHU1LJLJP/EABcRAQADAAAAAAAAAAAAAAAAAAACExT/2gAIAQIBAT8BxsaqKqL/xAAUEAEAAAAAAAAAAAAAAAAAAAAw/9oACAEBAAY/Ah//xAAUEAEAAAAAAAAAAAAAAAAAAAAw/9oACAEBAAE/IRAH/9oADAMBAAIAAwAAABDHEAD/xAAWEQEBAQEAAAAAAAAAAAAAAAAAYXH/2gAIAQMBAT8Q22ss/8QAFhEBAQEAAAAAAAAAAAAAAAAAAGFx/9oACAECAQE/EMsoov/EABQQAQAAAAAAAAAAAAAAAAAAADD/2gAIAQEAAT8QH/8A/9k=",
);

function chunk(tag: string, data: Uint8Array): Uint8Array {
  const header = new Uint8Array(8);
  header.set(utf8Bytes(tag));
  new DataView(header.buffer).setUint32(4, data.length, true);
  return concatBytes(header, data, new Uint8Array(data.length % 2));
}

function webp(...chunks: readonly Uint8Array[]): Uint8Array {
  return chunk("RIFF", concatBytes(utf8Bytes("WEBP"), ...chunks));
}

const extended = (flags: number, width: number, height: number): Uint8Array =>
  chunk("VP8X", Uint8Array.of(flags, 0, 0, 0, ...little(width - 1), ...little(height - 1)));
const little = (number: number): readonly number[] => [number & 255, (number >> 8) & 255, (number >> 16) & 255];
/** A key frame's header, of nothing. */
const frame = (width: number, height: number): Uint8Array =>
  chunk("VP8 ", Uint8Array.of(0x10, 0, 0, 0x9d, 0x01, 0x2a, width & 255, width >> 8, height & 255, height >> 8));

describe("[X-21] [E-106] what a picture is by its headers", () => {
  test("a JPEG or a WebP that does not move, of at most 1,024 pixels a side", () => {
    expect(pictureLook(greyJpeg({ widthPx: 512 }))).toEqual({ mediaType: "image/jpeg", width: 512, height: 512 });
    expect(pictureLook(greyJpeg({ widthPx: 1024, heightPx: 8 }))).toEqual({ mediaType: "image/jpeg", width: 1024, height: 8 });
    expect(pictureLook(progressive)).toEqual({ mediaType: "image/jpeg", width: 24, height: 24 });
    for (const picture of [lossy, lossless, transparent])
      expect(pictureLook(picture)).toEqual({ mediaType: "image/webp", width: 16, height: 16 });
  });

  test("nothing else: too large by any of its sizes, moving, of many passes, of another kind, cut off, or no picture at all", () => {
    const whole = greyJpeg({ widthPx: 8 });
    const scan = whole.subarray(whole.lastIndexOf(0xda) - 1, -2);
    const passes = (count: number): Uint8Array =>
      concatBytes(whole.subarray(0, -2), ...Array.from({ length: count }, () => scan), whole.subarray(-2));
    expect(pictureLook(passes(10))).toBeDefined();
    const none: Readonly<Record<string, Uint8Array>> = {
      nothing: new Uint8Array(0),
      "a wide JPEG": greyJpeg({ widthPx: 1025, heightPx: 8 }),
      "a high JPEG": greyJpeg({ widthPx: 8, heightPx: 1025 }),
      "a JPEG of thousands of passes": passes(5000),
      "a wide WebP": webp(frame(1025, 8)),
      "a WebP with a small picture on a large canvas": webp(extended(0, 30_000, 30_000), frame(16, 16)),
      "a WebP with a large picture on a small canvas": webp(extended(0, 16, 16), frame(16_000, 16_000)),
      "a WebP of two pictures": webp(frame(16, 16), frame(16, 16)),
      "a WebP that says it moves": webp(extended(2, 16, 16), frame(16, 16)),
      moving,
      "an SVG": utf8Bytes("<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'/>"),
      "a page": utf8Bytes("<!doctype html><script>alert(1)</script>"),
      "a GIF": utf8Bytes("GIF89a\u0010\0\u0010\0"),
      "a PNG": Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 16, 0, 0, 0, 16),
      "too many bytes": concatBytes(greyJpeg({ widthPx: 16 }), new Uint8Array(65_512)),
    };
    for (const [what, bytes] of Object.entries(none)) expect([what, pictureLook(bytes)]).toEqual([what, undefined]);
    for (const picture of [greyJpeg({ widthPx: 16 }), lossy, lossless])
      for (let length = 0; length < picture.length - 1; length++) expect(pictureLook(picture.subarray(0, length))).toBeUndefined();
  });
});

describe("[X-21] a picture that is told", () => {
  test("is square, at most 512 pixels a side", () => {
    expect(tellablePicture(greyJpeg({ widthPx: 512 }))).toBeDefined();
    expect(tellablePicture(greyJpeg({ widthPx: 512, heightPx: 511 }))).toBeUndefined();
    expect(tellablePicture(greyJpeg({ widthPx: 513 }))).toBeUndefined();
    expect(tellablePicture(moving)).toBeUndefined();
  });

  test("says nothing of where, when and by what it was made, and is drawn as before", () => {
    const plain = greyJpeg({ widthPx: 64 });
    const said = [
      jpegSegment(0xe1, [...utf8Bytes("Exif\0\0secret place")]),
      jpegSegment(0xe2, [...utf8Bytes("ICC_PROFILE\0secret screen")]),
      jpegSegment(0xed, [...utf8Bytes("secret caption")]),
      jpegSegment(0xfe, [...utf8Bytes("secret comment")]),
    ];
    const tail = utf8Bytes("secret behind the end");
    const told = tellablePicture(concatBytes(plain.subarray(0, 2), ...said, plain.subarray(2), tail));
    expect(told).toEqual(plain);
    expect(tellablePicture(progressive)).toEqual(progressive);

    const exif = chunk("EXIF", utf8Bytes("secret place"));
    const others = [
      chunk("ICCP", utf8Bytes("secret screen")),
      chunk("XMP ", utf8Bytes("secret words")),
      chunk("WHAT", utf8Bytes("secret")),
    ];
    const body = lossy.subarray(12);
    const spoken = webp(extended(0x2c, 16, 16), ...others, body, exif);
    expect(tellablePicture(concatBytes(spoken, tail))).toEqual(webp(extended(0, 16, 16), body));
    expect(tellablePicture(transparent)).toEqual(transparent);
    expect(tellablePicture(lossless)).toEqual(lossless);
  });
});
