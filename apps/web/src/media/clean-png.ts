import { joinParts, viewOf } from "./bytes.ts";
import { notWhatItSays } from "./cleaned.ts";
import { exifOrientation } from "./exif.ts";
import { isPng, pngChunks, pngSignature } from "./png-chunks.ts";
import type { Cleaned } from "./cleaned.ts";

/** What a picture is drawn from: all that is critical, transparency, and which colours the numbers mean. */
const drawn = ["IHDR", "PLTE", "IDAT", "IEND", "tRNS"];
const colours = ["cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "mDCV", "cLLI"];
const ofThePicture: ReadonlySet<string> = new Set([...drawn, ...colours]);
const ofTheAnimation: ReadonlySet<string> = new Set(["fcTL", "fdAT"]);

/**
 * A PNG without what is about it (PNG, third edition, §11): there stay its pictures, those of an animation among them, and what their colours
 * mean. Texts, times, Exif blocks, resolutions, unknown chunks and whatever follows the end are gone; what stays, stays byte by byte.
 */
export function cleanPng(bytes: Uint8Array): Cleaned {
  if (!isPng(bytes)) return notWhatItSays;
  const parts = [pngSignature];
  let frames: number | undefined;
  let isTurned = false;
  let count = 0;
  let hasData = false;
  for (const { type, whole, data } of pngChunks(bytes)) {
    if ((count++ === 0) !== (type === "IHDR")) return notWhatItSays;
    if (type === "IHDR" && data.length !== 13) return notWhatItSays;
    if (type === "acTL" && !hasData && frames === undefined && data.length === 8) {
      frames = viewOf(data).getUint32(0);
      parts.push(whole);
    } else if (ofThePicture.has(type) || (frames !== undefined && ofTheAnimation.has(type))) parts.push(whole);
    else if (type === "eXIf") isTurned ||= exifOrientation(data) !== 1;
    // A critical chunk that nobody knows is part of no PNG that browsers draw.
    else if (/^[A-Z]/.test(type)) return notWhatItSays;
    hasData ||= type === "IDAT";
    if (type === "IEND") {
      if (!hasData || data.length > 0) return notWhatItSays;
      return { kind: "clean", bytes: joinParts(parts), isAnimated: (frames ?? 1) > 1, isTurned };
    }
  }
  return notWhatItSays;
}
