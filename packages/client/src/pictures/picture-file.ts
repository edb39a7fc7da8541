import { concatBytes } from "@latchkey/codec";
import { maxPictureFileBytes, maxPicturePx, maxShownPicturePx } from "@latchkey/protocol";

/** A picture as its bytes say themselves what it is. */
export interface PictureLook {
  readonly mediaType: "image/jpeg" | "image/webp";
  readonly width: number;
  readonly height: number;
}

/** Of a JPEG drawn in steps each step is a pass over the whole picture: a few are usual, and thousands would take a browser minutes. */
const maxScans = 16;

/**
 * What kind of picture these bytes are, by their headers alone: nothing is decoded (spec E-106). `undefined` for anything but one JPEG or one
 * WebP picture that does not move, of at most 65,512 bytes and 1,024 pixels a side.
 */
export function pictureLook(bytes: Uint8Array): PictureLook | undefined {
  if (bytes.length > maxPictureFileBytes) return undefined;
  const size = jpegParts(bytes)?.size ?? webpParts(bytes)?.size;
  if (size === undefined) return undefined;
  const { width, height } = size;
  const isShowable = Math.min(width, height) > 0 && Math.max(width, height) <= maxShownPicturePx;
  return isShowable ? { mediaType: bytes[0] === 0xff ? "image/jpeg" : "image/webp", width, height } : undefined;
}

/**
 * The same picture without anything that says where, when or by what it was made. `undefined` for what is no picture that may be told: square,
 * at most 512 pixels a side.
 */
export function tellablePicture(bytes: Uint8Array): Uint8Array | undefined {
  const plain = withoutMetadata(bytes);
  const look = plain === undefined ? undefined : pictureLook(plain);
  return look !== undefined && look.width === look.height && look.width <= maxPicturePx ? plain : undefined;
}

function withoutMetadata(bytes: Uint8Array): Uint8Array | undefined {
  const jpeg = jpegParts(bytes);
  if (jpeg !== undefined) return concatBytes(...jpeg.kept);
  const webp = webpParts(bytes);
  if (webp === undefined) return undefined;
  const body = concatBytes(...webp.kept);
  const header = Uint8Array.of(...riff, 0, 0, 0, 0, ...webpTag);
  new DataView(header.buffer).setUint32(4, body.length + 4, true);
  return concatBytes(header, body);
}

interface Parts {
  readonly size: { readonly width: number; readonly height: number };
  /** Views of what the picture is made of, without what is said beside. */
  readonly kept: readonly Uint8Array[];
}

/** ITU-T T.81 annex B: segments up to the first scan, then scans, each with what is coded behind it. */
function jpegParts(bytes: Uint8Array): Parts | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const kept = [bytes.subarray(0, 2)];
  let size: Parts["size"] | undefined;
  let scans = 0;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff) return undefined;
    const length = uint16(bytes, at + 2);
    let end = at + 2 + length;
    if (length < 2 || end > bytes.length) return undefined;
    if (marker >= 0xc0 && marker <= 0xc2) {
      // Baseline, extended or progressive, once.
      if (size !== undefined || length < 8) return undefined;
      size = { height: uint16(bytes, at + 5), width: uint16(bytes, at + 7) };
    } else if (marker === 0xda) {
      scans += 1;
      if (size === undefined || scans > maxScans) return undefined;
      end = endOfScan(bytes, end);
      if (bytes[end + 1] === 0xd9) {
        // What stands behind the end is none of the picture's.
        kept.push(bytes.subarray(at, end + 2));
        return { size, kept };
      }
    } else if (!isJpegSegment(marker)) return undefined;
    if (!isJpegMetadata(marker)) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return undefined;
}

/** Tables, the restart interval, and what applications and people say beside. */
function isJpegSegment(marker: number): boolean {
  return marker === 0xc4 || marker === 0xdb || marker === 0xdd || isJpegMetadata(marker) || marker === 0xe0 || marker === 0xee;
}

/** All but what says how the colours are coded (JFIF, Adobe). */
function isJpegMetadata(marker: number): boolean {
  return marker === 0xfe || (marker >= 0xe1 && marker <= 0xef && marker !== 0xee);
}

/** The place of the next marker that is none within coded data. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 1 < bytes.length; at++) {
    const next = bytes[at + 1] ?? 0;
    if (bytes[at] === 0xff && next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  return bytes.length;
}

const riff = [0x52, 0x49, 0x46, 0x46] as const;
const webpTag = [0x57, 0x45, 0x42, 0x50] as const;

/** RFC 9649: one still picture, with its transparency where it has any. */
function webpParts(bytes: Uint8Array): Parts | undefined {
  if (tagAt(bytes, 0) !== "RIFF" || tagAt(bytes, 8) !== "WEBP" || bytes.length < 20) return undefined;
  const end = Math.min(bytes.length, uint32(bytes, 4) + 8);
  const kept: Uint8Array[] = [];
  let canvas: Parts["size"] | undefined;
  let size: Parts["size"] | undefined;
  for (let at = 12; at + 8 <= end;) {
    const tag = tagAt(bytes, at);
    const length = uint32(bytes, at + 4);
    const next = at + 8 + length + (length % 2);
    if (at + 8 + length > end) return undefined;
    const data = bytes.subarray(at + 8, at + 8 + length);
    let chunk = bytes.subarray(at, Math.min(next, end));
    if (tag === "VP8X") {
      if (canvas !== undefined || size !== undefined || length < 10) return undefined;
      canvas = { width: 1 + uint24(data, 4), height: 1 + uint24(data, 7) };
      chunk = chunk.slice();
      // Of what it says of itself the transparency alone stays: neither colours, nor Exif, nor XMP, nor that it moves.
      chunk[8] = (chunk[8] ?? 0) & 0x10;
      if (((data[0] ?? 0) & 0x02) !== 0) return undefined;
    } else if (tag === "VP8 " || tag === "VP8L") {
      const found = tag === "VP8 " ? lossySize(data) : losslessSize(data);
      if (size !== undefined || found === undefined) return undefined;
      size = found;
    } else if (tag === "ANIM" || tag === "ANMF") return undefined;
    if (tag === "VP8X" || tag === "VP8 " || tag === "VP8L" || tag === "ALPH") kept.push(chunk);
    at = next;
  }
  const isOneSize = size !== undefined && (canvas === undefined || (canvas.width === size.width && canvas.height === size.height));
  return size !== undefined && isOneSize ? { size, kept } : undefined;
}

/** RFC 6386 section 9.1: a key frame. */
function lossySize(data: Uint8Array): Parts["size"] | undefined {
  const isKeyFrame = data.length >= 10 && ((data[0] ?? 1) & 1) === 0 && data[3] === 0x9d && data[4] === 0x01 && data[5] === 0x2a;
  if (!isKeyFrame) return undefined;
  const view = new DataView(data.buffer, data.byteOffset);
  return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
}

function losslessSize(data: Uint8Array): Parts["size"] | undefined {
  if (data.length < 5 || data[0] !== 0x2f) return undefined;
  const bits = uint32(data, 1);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}

function tagAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint24(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint24(bytes, at) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
