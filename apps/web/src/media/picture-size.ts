import { hasText, viewOf } from "./bytes.ts";
import { gifBlocks, gifHead } from "./gif-blocks.ts";
import { isoBoxes } from "./iso-boxes.ts";
import { isPng, pngChunks } from "./png-chunks.ts";
import type { Format } from "./formats.ts";

/** What the headers of a picture say, before anything of it is decoded. */
export interface PictureSize {
  /** Pixels as they are stored: a picture that is shown turned has them the other way round. */
  readonly width: number;
  readonly height: number;
  /** Something of it may be transparent. */
  readonly mayBeTransparent: boolean;
}

/** Most pixels of a picture that is decoded: 400 MB once it is. */
export const maxPixels = 100_000_000;
/** Most pixels of one that is animated: a browser decodes it over and over. */
export const maxAnimatedPixels: number = 4096 * 4096;

/** Whether a picture may move, by its beginning: it is not encoded as a still then. */
export function mayBeAnimated(format: Format, head: Uint8Array): boolean {
  if (format === "webp") return hasText(head, 12, "VP8X") && ((head[20] ?? 0) & 0x02) !== 0;
  if (format === "avif") return hasText(head, 8, "avis");
  return format === "gif" || format === "apng";
}

const readers: Partial<Record<Format, (bytes: Uint8Array) => PictureSize | undefined>> = {
  jpeg: jpegSize,
  png: pngSize,
  apng: pngSize,
  gif: gifSize,
  webp: webpSize,
  avif: isoSize,
  heic: isoSize,
  bmp: bmpSize,
};

/** How large a picture is by its headers; `undefined` where they are not within `bytes`, or say nothing that can be. */
export function pictureSize(format: Format, bytes: Uint8Array): PictureSize | undefined {
  const size = readers[format]?.(bytes);
  return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
}

/** ITU-T T.81 §B.2.2: the first start of frame. */
function jpegSize(bytes: Uint8Array): PictureSize | undefined {
  const view = viewOf(bytes);
  for (let at = 2; at + 9 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || marker === 0xda || marker === 0xd9) return undefined;
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5), mayBeTransparent: false };
    else at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

function pngSize(bytes: Uint8Array): PictureSize | undefined {
  if (!isPng(bytes) || !hasText(bytes, 12, "IHDR") || bytes.length < 33) return undefined;
  const view = viewOf(bytes);
  let mayBeTransparent = ((bytes[25] ?? 0) & 4) !== 0;
  for (const { type } of pngChunks(bytes)) {
    mayBeTransparent ||= type === "tRNS";
    if (type === "IDAT") break;
  }
  return { width: view.getUint32(16), height: view.getUint32(20), mayBeTransparent };
}

/** Browsers draw on the screen that the head names, or on a larger one where a picture does not fit: also one of which only the beginning is here. */
function gifSize(bytes: Uint8Array): PictureSize | undefined {
  const head = gifHead(bytes);
  if (head === undefined) return undefined;
  const view = viewOf(bytes);
  let [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  let at = head.length;
  let pictures = 0;
  const add = (): void => {
    width = Math.max(width, view.getUint16(at + 1, true) + view.getUint16(at + 5, true));
    height = Math.max(height, view.getUint16(at + 3, true) + view.getUint16(at + 7, true));
    pictures++;
  };
  for (const { kind, whole } of gifBlocks(bytes, at)) {
    if (kind === "picture") add();
    at += whole.length;
  }
  if (bytes[at] === 0x2c && at + 10 <= bytes.length) add();
  return pictures === 0 ? undefined : { width, height, mayBeTransparent: true };
}

/** RFC 9649 §2.7.1, RFC 6386 §9.1, RFC 9649 §3.4: the first chunk has it. */
function webpSize(bytes: Uint8Array): PictureSize | undefined {
  if (!hasText(bytes, 8, "WEBP") || bytes.length < 30) return undefined;
  const view = viewOf(bytes);
  if (hasText(bytes, 12, "VP8X")) {
    const three = (at: number): number => view.getUint16(at, true) + ((bytes[at + 2] ?? 0) << 16);
    return { width: three(24) + 1, height: three(27) + 1, mayBeTransparent: ((bytes[20] ?? 0) & 0x10) !== 0 };
  }
  if (hasText(bytes, 12, "VP8 ") && hasText(bytes, 23, "\u009d\u0001\u002a"))
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, mayBeTransparent: false };
  if (!hasText(bytes, 12, "VP8L") || bytes[20] !== 0x2f) return undefined;
  const bits = view.getUint32(21, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, mayBeTransparent: ((bits >>> 28) & 1) !== 0 };
}

/** The largest of the sizes that are said of its pictures: one that is made of tiles says theirs too (ISO/IEC 23008-12 §6.5.3). */
function isoSize(bytes: Uint8Array): PictureSize | undefined {
  const view = viewOf(bytes);
  const inside = (path: readonly string[], range: { from: number; to: number }): { from: number; to: number } | undefined => {
    const [type, ...rest] = path;
    if (type === undefined) return range;
    const box = [...isoBoxes(bytes, range)].find((one) => one.type === type);
    // "meta" has a version before its boxes.
    return box === undefined ? undefined : inside(rest, { from: box.contentAt + (type === "meta" ? 4 : 0), to: box.end });
  };
  const properties = inside(["meta", "iprp", "ipco"], { from: 0, to: bytes.length });
  if (properties === undefined) return undefined;
  const sizes = [...isoBoxes(bytes, properties)]
    .filter(({ type, contentAt, end }) => type === "ispe" && end >= contentAt + 12)
    .map(({ contentAt }) => ({ width: view.getUint32(contentAt + 4), height: view.getUint32(contentAt + 8), mayBeTransparent: true }));
  return sizes.toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
}

function bmpSize(bytes: Uint8Array): PictureSize | undefined {
  if (bytes.length < 26) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(14, true) === 12)
    return { width: view.getUint16(18, true), height: view.getUint16(20, true), mayBeTransparent: false };
  // Upside down where the height is negative.
  return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), mayBeTransparent: false };
}
