import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { cleanHeif } from "./clean-heif.ts";
import { avif, avifPicture, isoBox } from "./testing/heif.ts";
import { contains, exif, hex, latin1 } from "./testing/pictures.ts";

const secret = "secret place";
const about = [
  { type: "Exif", data: joinParts([new Uint8Array(4), exif(1, secret)]) },
  { type: "mime", data: latin1(`<x:xmpmeta>${secret}</x:xmpmeta>`) },
  { type: "uri ", data: latin1(secret) },
];
const brands = isoBox("ftyp", latin1("heic\0\0\0\0mif1"));
const hidden = { type: "grid", data: latin1("what is drawn") };
const clean = (bytes: Uint8Array): Uint8Array | undefined => {
  const cleaned = cleanHeif(bytes);
  return cleaned.kind === "clean" ? cleaned.bytes : undefined;
};
/** What describes one document, with other words on where it lies. */
const described = (places: Uint8Array, ...others: readonly Uint8Array[]): Uint8Array => {
  const info = isoBox("infe", hex("02000000 0002 0000"), latin1("Exif\0"));
  const infos = isoBox("iinf", hex("00000000 0001"), info);
  return joinParts([brands, isoBox("meta", new Uint8Array(4), places, infos, ...others), isoBox("mdat", latin1(secret))]);
};
const whole = described(isoBox("iloc", hex("00000000 4400 0000")));

describe("an AVIF or HEIC", () => {
  test("that says nothing but what it shows stays byte by byte", () => {
    const plain = avif([avifPicture, hidden]);
    expect(cleanHeif(plain)).toEqual({ kind: "clean", bytes: plain, isAnimated: false, isTurned: false });
  });

  test("loses Exif, XMP, other documents and what nobody knows; nothing else of it changes or moves", () => {
    const extra = {
      inside: isoBox("uuid", latin1(secret)),
      behind: joinParts([isoBox("mpvd", latin1(secret)), isoBox("free", latin1(secret))]),
    };
    const told = avif([avifPicture, ...about, hidden], extra);
    const cleaned = clean(told) ?? new Uint8Array(0);
    expect(contains(told, secret)).toBe(true);
    expect(contains(cleaned, secret)).toBe(false);
    expect(contains(cleaned, "Exif")).toBe(false);
    const zeros = (sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes);
    const expected = avif([avifPicture, ...about.map(({ data }) => ({ type: "skip", data: zeros(data.length) })), hidden], {
      inside: isoBox("free", zeros(secret.length)),
      behind: joinParts([isoBox("free", zeros(secret.length)), isoBox("free", zeros(secret.length))]),
    });
    expect(cleaned).toHaveLength(told.length);
    expect(cleaned.subarray(-140)).toEqual(expected.subarray(-140));
    expect(clean(cleaned)).toEqual(cleaned);
  });

  test("says where its documents lie in other ways, too", () => {
    const mdatAt = (bytes: Uint8Array): number => bytes.length - secret.length;
    const ways = [
      // Of 64 bits, behind a common place, in two parts.
      (at: string) => hex(`00000000 4440 0001 0002 0000 ${at} 0002 00000000 00000006 00000006 00000006`),
      (at: string) => hex(`01000000 8840 0001 0002 0000 0000 00000000 0001 00000000${at} 000000000000000c`),
      (at: string) => hex(`02000000 4404 00000001 00000002 0000 0000 0001 00000007 ${at} 0000000c`),
    ];
    for (const way of ways) {
      const at = mdatAt(described(isoBox("iloc", way("00000000"))))
        .toString(16)
        .padStart(8, "0");
      const cleaned = clean(described(isoBox("iloc", way(at))));
      expect(cleaned?.subarray(-secret.length)).toEqual(new Uint8Array(secret.length));
    }
    const own = described(
      isoBox("iloc", hex("01000000 4400 0001 0002 0001 0000 0001 00000000 00000003")),
      isoBox("idat", latin1("abcdef")),
    );
    expect(contains(clean(own) ?? new Uint8Array(0), "idat\0\0\0def")).toBe(true);
  });

  test("that is animated is a film as well, and loses what a film says", () => {
    const film = isoBox("moov", isoBox("udta", latin1(secret)));
    const moving = avif([avifPicture], { behind: film });
    moving.set(latin1("avis"), 8);
    const cleaned = cleanHeif(moving);
    expect(cleaned).toMatchObject({ kind: "clean", isAnimated: true });
    expect(cleaned.kind === "clean" && contains(cleaned.bytes, secret)).toBe(false);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["another file", latin1("\u0089PNG\r\n\u001a\n and so on")],
    ["no description", joinParts([brands, isoBox("mdat")])],
    ["two descriptions", joinParts([whole, isoBox("meta", new Uint8Array(4))])],
    ["bytes behind its end", joinParts([whole, latin1("PK")])],
    ["no items", joinParts([brands, isoBox("meta", new Uint8Array(4), isoBox("iloc", hex("00000000 4400 0000")))])],
    ["no places", joinParts([brands, isoBox("meta", new Uint8Array(4), isoBox("iinf", hex("00000000 0000")))])],
    ["two lists of places", described(isoBox("iloc", hex("00000000 4400 0000")), isoBox("iloc", hex("00000000 4400 0000")))],
    ["two lists of items", described(isoBox("iloc", hex("00000000 4400 0000")), isoBox("iinf", hex("00000000 0000")))],
    [
      "items of an old kind",
      described(isoBox("iloc", hex("00000000 4400 0000"))).map((byte, at, all) =>
        all[at - 4] === 0x69 && all[at - 3] === 0x6e && all[at - 2] === 0x66 && all[at - 1] === 0x65 ? 1 : byte,
      ),
    ],
    ["places that are cut off", described(isoBox("iloc", hex("00000000 4400 0001 0002 0000")))],
    ["more places than it says", described(isoBox("iloc", hex("00000000 4400 0000 00")))],
    ["places of an unknown version", described(isoBox("iloc", hex("03000000 4400 0000")))],
    ["places of odd sizes", described(isoBox("iloc", hex("00000000 3400 0000")))],
    ["a document in the whole file", described(isoBox("iloc", hex("00000000 4400 0001 0002 0000 0001 00000000 00000000")))],
    ["a document in what describes the picture", described(isoBox("iloc", hex("00000000 4400 0001 0002 0000 0001 00000000 00000010")))],
    ["a document behind the end", described(isoBox("iloc", hex("00000000 4400 0001 0002 0000 0001 00000090 0000ffff")))],
    ["a document in another file", described(isoBox("iloc", hex("00000000 4400 0001 0002 0001 0001 00000090 00000001")))],
    ["a document that another makes", described(isoBox("iloc", hex("01000000 4400 0001 0002 0002 0000 0001 00000090 00000001")))],
  ])("with %s is none", (_, bytes) => {
    expect(cleanHeif(bytes)).toEqual({ kind: "not_what_it_says" });
  });

  test("that is cut off anywhere is none", () => {
    const told = avif([avifPicture, ...about]);
    for (let length = 0; length < told.length; length++) {
      const cleaned = clean(told.subarray(0, length));
      expect(cleaned).toBeUndefined();
    }
  });

  test("whatever stands in it: what is cleaned has its length, and is clean", () => {
    const told = avif([avifPicture, ...about]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(told.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const bytes = told.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const cleaned = clean(bytes);
        if (cleaned === undefined) return;
        expect(cleaned).toHaveLength(bytes.length);
        expect(clean(cleaned)).toEqual(cleaned);
      }),
      { numRuns: 2000 },
    );
  });
});
