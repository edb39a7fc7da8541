import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinParts } from "./bytes.ts";
import { isAsClaimed, mediaTypeOf, shownAs } from "./formats.ts";
import { sniff } from "./sniff.ts";
import { animatedPng, gifHeader, hex, latin1, png, pngChunk, pngHeader, webp, webpPixel } from "./testing/pictures.ts";
import type { Format } from "./formats.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const ftyp = (major: string, ...others: readonly string[]): Uint8Array =>
  joinParts([Uint8Array.of(0, 0, 0, 16 + 4 * others.length), latin1(`ftyp${major}\0\0\0\0${others.join("")}`)]);
const moving = await animatedPng(1, 1);
const bmp = joinParts([latin1("BM"), new Uint8Array(12), Uint8Array.of(40, 0, 0, 0), new Uint8Array(36)]);

describe("what a file is, by its first bytes", () => {
  test.each<[Format, Uint8Array]>([
    ["jpeg", hex("ffd8ffe0")],
    ["png", png(pngHeader(1, 1), pngChunk("IDAT"))],
    ["apng", moving],
    ["gif", gifHeader()],
    ["webp", webp(webpPixel)],
    ["wav", latin1("RIFF\0\0\0\0WAVEfmt ")],
    ["unknown", latin1("RIFF\0\0\0\0AVI LIST")],
    ["avif", ftyp("avif", "mif1", "miaf")],
    ["avif", ftyp("mif1", "avif")],
    ["avif", ftyp("avis", "msf1")],
    ["heic", ftyp("heic", "mif1")],
    ["heic", ftyp("mif1", "heic")],
    ["heic", ftyp("msf1", "hevc")],
    ["mp4", ftyp("isom", "iso2", "mp41")],
    ["mp4", ftyp("mp42")],
    ["mov", ftyp("qt  ")],
    ["m4a", ftyp("M4A ", "mp42")],
    ["unknown", ftyp("crx ", "isom")],
    ["webm", joinParts([hex("1a45dfa3 9f 4286 81 01 42f7 81 01 4282 84"), latin1("webm")])],
    ["matroska", joinParts([hex("1a45dfa3 a3 4286 81 01 4282 88"), latin1("matroska")])],
    ["unknown", joinParts([hex("1a45dfa3 a3 4282 84"), latin1("else")])],
    ["ogg", latin1("OggS\0")],
    ["flac", latin1("fLaC")],
    ["mp3", latin1("ID3\u0004")],
    ["mp3", hex("fffb9064")],
    ["aac", hex("fff15080")],
    ["unknown", hex("ffff0001")],
    ["bmp", bmp],
    ["text", latin1("BMW is a car")],
    ["tiff", hex("49492a00")],
    ["pdf", latin1("%PDF-1.7")],
    ["zip", latin1("PK\u0003\u0004")],
    ["gzip", hex("1f8b08")],
    ["7z", hex("377abcaf271c")],
    ["rar", latin1("Rar!\u001a\u0007\u0001\0")],
    ["program", latin1("MZ\u0090\0")],
    ["program", latin1("\u007fELF")],
    ["program", hex("cffaedfe")],
    ["svg", utf8('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ["svg", utf8('\ufeff <?xml version="1.0"?>\n<!DOCTYPE svg>\n<SVG >')],
    ["svg", utf8("<?xml version='1.0'?><svg:x/><svg>")],
    ["html", utf8("\n\t<!DOCTYPE html><html>")],
    ["html", utf8("<script>alert(1)</script>")],
    ["html", utf8("<!-- <svg> --><p>")],
    ["html", utf8("<a href=x>")],
    ["html", utf8("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>")],
    ["html", joinParts([hex("fffe"), ...[..."<html>"].map((letter) => Uint8Array.of(letter.charCodeAt(0), 0))])],
    ["xml", utf8("<?xml version='1.0'?><feed>")],
    ["text", utf8("Grüße\r\n\tسلام 👋")],
    ["text", utf8("<3 you")],
    ["unknown", hex("00010203")],
    ["unknown", new Uint8Array(0)],
  ])("is %s", (format, head) => {
    expect(sniff(head)).toBe(format);
  });

  test("shows nothing inline that runs or loads something, and nothing that nobody knows", () => {
    const only: readonly Format[] = ["svg", "html", "xml", "text", "pdf", "zip", "program", "unknown", "heic", "tiff", "bmp"];
    expect(only.map((format) => shownAs(format)).filter((shown) => shown !== undefined)).toEqual([]);
    expect((["jpeg", "apng", "avif"] as const).map((format) => shownAs(format))).toEqual(["picture", "picture", "picture"]);
    expect([shownAs("mp4"), shownAs("mp3")]).toEqual(["video", "audio"]);
  });

  test("ends, with a format, whatever the bytes are", () => {
    const begin = fc.constantFrom(
      ...["", "<svg", "RIFF", "\u001aE\u00df\u00a3", "\0\0\0\u0020ftyp", "\u0089PNG\r\n\u001a\n", "BM"].map(latin1),
    );
    fc.assert(
      fc.property(begin, fc.uint8Array({ maxLength: 200 }), (start, bytes) => {
        expect(typeof sniff(joinParts([start, bytes]))).toBe("string");
      }),
      { numRuns: 500 },
    );
  });
});

describe("what is said of a file", () => {
  test.each<[Format, string, string, boolean]>([
    ["jpeg", "photo.JPG", "image/jpeg", true],
    ["jpeg", "photo", "", true],
    ["apng", "moving.png", "image/png", true],
    ["mp4", "voice.m4a", "audio/mp4", true],
    ["zip", "letter.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", true],
    ["unknown", "model.step", "model/step", true],
    ["text", "notes.md", "text/markdown", true],
    ["text", "page.html", "text/html", true],
    ["html", "drawing-with-a-comment-first.svg", "image/svg+xml", true],
    ["jpeg", "photo.jpg", "application/octet-stream", true],
    ["html", "photo.jpg", "image/jpeg", false],
    ["program", "photo.jpg", "", false],
    ["svg", "picture", "image/png; charset=utf-8", false],
    ["png", "picture.jpg", "image/png", false],
    ["unknown", "picture.png", "", false],
    ["pdf", "letter.pdf", "text/plain", false],
  ])("%s called %j of type %j: %s", (format, name, mediaType, expected) => {
    expect(isAsClaimed(format, { name, mediaType })).toBe(expected);
  });

  test.each<[Format, string, string]>([
    ["jpeg", "image/jpeg", "image/jpeg"],
    ["jpeg", "text/html", "image/jpeg"],
    ["jpeg", "model/unheard-of", "image/jpeg"],
    ["webm", "audio/webm;codecs=opus", "audio/webm"],
    ["zip", "application/epub+zip", "application/epub+zip"],
    ["html", "image/png", "text/html"],
    ["text", "text/markdown", "text/markdown"],
    ["unknown", "", "application/octet-stream"],
    ["unknown", "no type", "application/octet-stream"],
    ["unknown", `a/${"b".repeat(200)}`, "application/octet-stream"],
    ["unknown", "image/png", "application/octet-stream"],
  ])("%s of type %j is sent as %j", (format, mediaType, expected) => {
    expect(mediaTypeOf(format, { name: "", mediaType })).toBe(expected);
  });
});
