import { hasText, viewOf } from "./bytes.ts";
import { isGif } from "./gif-blocks.ts";
import { isoBrands } from "./iso-boxes.ts";
import { isPng, pngChunks } from "./png-chunks.ts";
import type { Format } from "./formats.ts";

/** Marks of text are looked for in so many bytes: as far as browsers look. */
const textBytes = 1445;

const starts: readonly (readonly [Format, string])[] = [
  ["jpeg", "\u00ff\u00d8\u00ff"],
  ["bmp", "BM"],
  ["tiff", "II*\0"],
  ["tiff", "MM\0*"],
  ["ogg", "OggS"],
  ["flac", "fLaC"],
  ["mp3", "ID3"],
  ["pdf", "%PDF-"],
  ["zip", "PK\u0003\u0004"],
  ["zip", "PK\u0005\u0006"],
  ["gzip", "\u001f\u008b"],
  ["7z", "7z\u00bc\u00af\u0027\u001c"],
  ["rar", "Rar!\u001a\u0007"],
  ["program", "MZ"],
  ["program", "\u007fELF"],
  ...["\u00fe\u00ed\u00fa\u00ce", "\u00fe\u00ed\u00fa\u00cf", "\u00ce\u00fa\u00ed\u00fe", "\u00cf\u00fa\u00ed\u00fe"].map(
    (magic) => ["program", magic] as const,
  ),
];

/**
 * What a file really is, by its first bytes and by nothing else: 64 KiB are enough, but for an animated PNG with a longer colour profile. A file that is two things at once is the one that
 * a browser would take it for by its beginning.
 */
export function sniff(head: Uint8Array): Format {
  if (isPng(head)) return isAnimatedPng(head) ? "apng" : "png";
  if (isGif(head)) return "gif";
  if (hasText(head, 0, "RIFF")) return hasText(head, 8, "WEBP") ? "webp" : hasText(head, 8, "WAVE") ? "wav" : "unknown";
  if (hasText(head, 0, "\u001aE\u00df\u00a3")) return matroskaOf(head);
  const brands = isoBrands(head);
  if (brands !== undefined) return isoFormat(brands);
  const found = starts.find(([format, start]) => hasText(head, 0, start) && (format !== "bmp" || isBmp(head)));
  return found?.[0] ?? audioOf(head) ?? textOf(head);
}

function isAnimatedPng(head: Uint8Array): boolean {
  for (const { type } of pngChunks(head)) {
    if (type === "acTL") return true;
    if (type === "IDAT") return false;
  }
  return false;
}

/** Two letters are few: what follows must be a size, and a header of a length that there is. */
function isBmp(head: Uint8Array): boolean {
  return head.length >= 18 && [12, 40, 52, 56, 64, 108, 124].includes(viewOf(head).getUint32(14, true));
}

/** Its DocType stands within the first bytes. */
function matroskaOf(head: Uint8Array): Format {
  const start = String.fromCharCode(...head.subarray(0, 64));
  const docType = /\u0042\u0082[\u0084-\u0090]([a-z]+)/.exec(start)?.[1];
  return docType === "webm" ? "webm" : docType === "matroska" ? "matroska" : "unknown";
}

function isoFormat(brands: readonly string[]): Format {
  const [major = ""] = brands;
  const has = (...names: readonly string[]): boolean => names.some((name) => brands.includes(name));
  if (has("avif", "avis")) return "avif";
  if (has("heic", "heix", "heim", "heis", "hevc", "hevx") || major === "mif1" || major === "msf1") return "heic";
  if (major === "qt  ") return "mov";
  if (major === "M4A " || major === "M4B ") return "m4a";
  // Raw photographs of cameras have the same boxes.
  return major === "crx " ? "unknown" : "mp4";
}

/** Frames of MPEG audio without anything before them (ISO 11172-3 §2.4.1.3). */
function audioOf([first, second = 0, third = 0]: Uint8Array): Format | undefined {
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  if ((second & 0xf6) === 0xf0) return "aac";
  const isLayer3 = (second & 0x06) === 0x02 && (second & 0x18) !== 0x08;
  return isLayer3 && third >> 4 !== 0x0f && third >> 4 !== 0 && (third & 0x0c) !== 0x0c ? "mp3" : undefined;
}

/** What browsers take for HTML (WHATWG MIME Sniffing §7.1), for XML, or for text. */
function textOf(head: Uint8Array): Format {
  if (head.length === 0) return "unknown";
  const bytes = head.subarray(0, textBytes);
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const text = new TextDecoder(isWide ? (bytes[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8").decode(bytes);
  const begin = text.trimStart().toLowerCase();
  if (isHtml(begin)) return "html";
  if (begin.startsWith("<")) {
    if (/<svg[\s>/]/.test(begin)) return "svg";
    if (/<html[\s>]/.test(begin)) return "html";
    if (begin.startsWith("<?xml")) return "xml";
  }
  // oxlint-disable-next-line no-control-regex -- bytes that stand in no text
  return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? "unknown" : "text";
}

const htmlStarts = [
  "!doctype html",
  "html",
  "head",
  "script",
  "iframe",
  "h1",
  "div",
  "font",
  "table",
  "a",
  "style",
  "title",
  "b",
  "body",
  "br",
  "p",
];

function isHtml(begin: string): boolean {
  return begin.startsWith("<!--") || htmlStarts.some((tag) => begin.startsWith(`<${tag}`) && /^[\s>]/.test(begin.slice(tag.length + 1)));
}
