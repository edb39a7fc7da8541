import { joinParts, viewOf } from "./bytes.ts";
import { notWhatItSays } from "./cleaned.ts";
import { exifOrientation } from "./exif.ts";
import { riffChunks, riffContent } from "./riff-chunks.ts";
import type { Cleaned } from "./cleaned.ts";

const flags = { profile: 0x20, alpha: 0x10, animation: 0x02 };
const ofTheFrame: ReadonlySet<string> = new Set(["ALPH", "VP8 ", "VP8L"]);
const frameHeaderBytes = 16;

/**
 * A WebP without what is about it (RFC 9649 §2.7): there stay its pictures, those of an animation among them, and their colour profile.
 * Exif and XMP with the flags that announce them, unknown chunks, also within frames, and whatever follows the end are gone.
 */
export function cleanWebp(bytes: Uint8Array): Cleaned {
  const content = riffContent(bytes, "WEBP");
  if (content === undefined) return notWhatItSays;
  const parts: Uint8Array[] = [];
  let frames = 0;
  let pictures = 0;
  let isTurned = false;
  let extended: Uint8Array | undefined;
  for (const chunk of riffChunks(content)) {
    if (chunk === undefined) return notWhatItSays;
    const { name, whole, data } = chunk;
    if (name === "VP8X") {
      if (parts.length > 0 || data.length !== 10) return notWhatItSays;
      extended = whole.slice();
      extended[8] = (data[0] ?? 0) & (flags.profile | flags.alpha | flags.animation);
      extended.fill(0, 9, 12);
      parts.push(extended);
    } else if (name === "ANMF") {
      const frame = cleanFrame(data);
      if (frame === undefined) return notWhatItSays;
      frames++;
      parts.push(...frame);
    } else if (name === "VP8 " || name === "VP8L") {
      pictures++;
      parts.push(whole);
    } else if (name === "ALPH" || name === "ICCP" || name === "ANIM") parts.push(whole);
    else if (name === "EXIF") isTurned ||= exifOrientation(data) !== 1;
  }
  const isAnimation = extended !== undefined && ((extended[8] ?? 0) & flags.animation) !== 0;
  if (isAnimation ? frames === 0 || pictures > 0 : frames > 0 || pictures !== 1) return notWhatItSays;
  return { kind: "clean", bytes: joinParts([header("RIFF", sizeOf(parts) + 4, "WEBP"), ...parts]), isAnimated: frames > 1, isTurned };
}

/** A frame of an animation without unknown chunks. */
function cleanFrame(data: Uint8Array): readonly Uint8Array[] | undefined {
  if (data.length < frameHeaderBytes) return undefined;
  const parts = [data.subarray(0, frameHeaderBytes)];
  let pictures = 0;
  for (const chunk of riffChunks(data.subarray(frameHeaderBytes))) {
    if (chunk === undefined) return undefined;
    if (ofTheFrame.has(chunk.name)) parts.push(chunk.whole);
    if (chunk.name === "VP8 " || chunk.name === "VP8L") pictures++;
  }
  return pictures === 1 ? [header("ANMF", sizeOf(parts)), ...parts] : undefined;
}

function header(name: string, sizeBytes: number, form = ""): Uint8Array {
  const bytes = new TextEncoder().encode(`${name}\0\0\0\0${form}`);
  viewOf(bytes).setUint32(4, sizeBytes, true);
  return bytes;
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
