import { hasText, joinParts, viewOf } from "./bytes.ts";
import { notWhatItSays } from "./cleaned.ts";
import { exifOrientation, orientationSegment } from "./exif.ts";
import type { Cleaned } from "./cleaned.ts";

const markers = {
  startOfPicture: 0xd8,
  endOfPicture: 0xd9,
  startOfScan: 0xda,
  firstApp: 0xe0,
  lastApp: 0xef,
  firstOther: 0xf0,
  comment: 0xfe,
};
/** Starts of a frame of each process that is not hierarchical. */
const frames: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc9, 0xca, 0xcb]);
/** Huffman and arithmetic tables, quantization, lines, restart intervals. */
const tables: ReadonlySet<number> = new Set([0xc4, 0xcc, 0xdb, 0xdc, 0xdd]);
const adobeBytes = 16;
const jfifBytes = 18;

/**
 * A JPEG without what is about it (ITU-T T.81 annex B): of the application segments there stay JFIF without its small picture, colour profiles,
 * Adobe's colour transform, and, where the picture is to be turned, an Exif block that says only that. Comments, all other segments and
 * whatever follows the end are gone; the picture itself stays byte by byte.
 */
export function cleanJpeg(bytes: Uint8Array): Cleaned {
  if (bytes[0] !== 0xff || bytes[1] !== markers.startOfPicture) return notWhatItSays;
  const view = viewOf(bytes);
  const parts = [bytes.subarray(0, 2)];
  const seen = { frame: false, scan: false, jfif: false, adobe: false, orientation: false };
  let at = 2;
  for (;;) {
    if (bytes[at] !== 0xff) return notWhatItSays;
    while (bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1];
    if (marker === markers.endOfPicture) break;
    if (marker === undefined || at + 4 > bytes.length) return notWhatItSays;
    const end = at + 2 + view.getUint16(at + 2);
    if (end < at + 4 || end > bytes.length) return notWhatItSays;
    const segment = bytes.subarray(at, end);
    at = end;
    if (marker === markers.startOfScan) {
      if (!seen.frame) return notWhatItSays;
      const scanEnd = endOfScan(bytes, at);
      if (scanEnd === undefined) return notWhatItSays;
      parts.push(segment, bytes.subarray(at, scanEnd));
      at = scanEnd;
      seen.scan = true;
    } else if (frames.has(marker)) {
      if (seen.frame) return notWhatItSays;
      seen.frame = true;
      parts.push(segment);
    } else if (tables.has(marker)) parts.push(segment);
    else if (marker >= markers.firstApp && marker <= markers.lastApp) {
      const kept = keptOf(marker - markers.firstApp, segment, seen);
      if (kept !== undefined) parts.push(kept);
    } else if (marker < markers.firstOther || marker > markers.comment) return notWhatItSays;
  }
  if (!seen.scan) return notWhatItSays;
  parts.push(Uint8Array.of(0xff, markers.endOfPicture));
  return { kind: "clean", bytes: joinParts(parts), isAnimated: false, isTurned: false };
}

/** What stays of an application segment. */
function keptOf(app: number, segment: Uint8Array, seen: { jfif: boolean; adobe: boolean; orientation: boolean }): Uint8Array | undefined {
  if (app === 0 && !seen.jfif && segment.length >= jfifBytes && hasText(segment, 4, "JFIF\0")) {
    seen.jfif = true;
    // Its small picture is none of the picture: 0 pixels wide and high.
    return shortened(segment, jfifBytes).fill(0, jfifBytes - 2);
  }
  if (app === 1 && !seen.orientation && hasText(segment, 4, "Exif\0\0")) {
    const orientation = exifOrientation(segment.subarray(4));
    seen.orientation = true;
    return orientation === 1 ? undefined : orientationSegment(orientation);
  }
  if (app === 2 && hasText(segment, 4, "ICC_PROFILE\0")) return segment;
  if (app === 14 && !seen.adobe && segment.length >= adobeBytes && hasText(segment, 4, "Adobe")) {
    seen.adobe = true;
    return shortened(segment, adobeBytes);
  }
  return undefined;
}

function shortened(segment: Uint8Array, sizeBytes: number): Uint8Array {
  const short = segment.slice(0, sizeBytes);
  viewOf(short).setUint16(2, sizeBytes - 2);
  return short;
}

/** Where the marker stands that ends the coded data which begins at `at`. */
function endOfScan(bytes: Uint8Array, at: number): number | undefined {
  for (let from = at; ;) {
    const found = bytes.indexOf(0xff, from);
    const next = found === -1 ? undefined : bytes[found + 1];
    if (next === undefined) return undefined;
    const isRestart = next >= 0xd0 && next <= 0xd7;
    if (next !== 0 && next !== 0xff && !isRestart) return found;
    from = next === 0xff ? found + 1 : found + 2;
  }
}
