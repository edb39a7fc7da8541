import { draw, encodePicture, fitted, isCanvasReadable, thumbhashOf } from "./canvas.ts";
import { cleanPicture } from "./clean-picture.ts";
import { shownAs } from "./formats.ts";
import { maxAnimatedPixels, maxPixels, mayBeAnimated, pictureSize } from "./picture-size.ts";
import { sniff } from "./sniff.ts";
import type { Cleaned } from "./cleaned.ts";
import type { Format } from "./formats.ts";

/** How much of a picture is sent. */
export type PictureQuality = "standard" | "high";

/** Most pixels on the longer side. */
export const longestSides: Readonly<Record<PictureQuality, number>> = { standard: 2560, high: 4096 };
const encodingQualities: Readonly<Record<PictureQuality, number>> = { standard: 0.8, high: 0.9 };
/** A still of at most so many bytes that is small enough is sent as it is, but for its metadata. */
const fineBytes: Readonly<Record<PictureQuality, number>> = { standard: 512 * 1024, high: 4 * 1024 * 1024 };
/** Largest file that is read at once: headers and animations; a larger still is decoded from where it lies. */
const maxReadBytes = 32 * 1024 * 1024;

/** Why a picture can only be sent as a file. */
export type NoPicture =
  /** It is none, or one that is never shown inline, such as SVG. */
  | "not_a_picture"
  /** Browsers do not decode it. */
  | "heic"
  /** It says that it is one, and is not. */
  | "not_what_it_says"
  /** More than {@link maxPixels}, or {@link maxAnimatedPixels} where it is animated. */
  | "too_many_pixels"
  /** It is animated and too large to be cleaned. */
  | "too_large"
  /** The browser decodes it not, or has no memory for it. */
  | "undecodable"
  /** The browser hides from sites what a canvas shows. */
  | "canvas_blocked";

/** A picture as it is sent. */
export type PreparedPicture =
  | {
      readonly kind: "picture";
      /** Without metadata. */
      readonly blob: Blob;
      readonly mediaType: string;
      /** Pixels, as it is shown. */
      readonly width: number;
      readonly height: number;
      readonly thumbhash: Uint8Array;
      readonly isAnimated: boolean;
    }
  | {
      readonly kind: "as_file";
      readonly reason: NoPicture;
      /** The file, without its metadata where they can be taken out. */
      readonly blob: Blob;
      readonly metadata: "removed" | "kept";
    };

/**
 * Makes of a file the picture that is sent: a still is turned as it is to be shown, made smaller where it is larger than asked for, and encoded
 * anew; a small one, and what is animated, only loses its metadata. Nothing is decoded whose headers say that it is too large. Runs in a page or a
 * worker, and never throws.
 */
export async function preparePicture(file: Blob, quality: PictureQuality): Promise<PreparedPicture> {
  let cleaned: Cleaned | undefined;
  let reason: NoPicture;
  try {
    const head = new Uint8Array(await file.slice(0, maxReadBytes).arrayBuffer());
    const format = sniff(head);
    cleaned = file.size <= maxReadBytes ? cleanPicture(format, head) : undefined;
    const prepared = await prepare({ file, head, format, quality, cleaned });
    if (typeof prepared !== "string") return prepared;
    reason = prepared;
  } catch {
    reason = "undecodable";
  }
  if (cleaned?.kind !== "clean") return { kind: "as_file", reason, blob: file, metadata: "kept" };
  return { kind: "as_file", reason, blob: new Blob([cleaned.bytes], { type: file.type }), metadata: "removed" };
}

interface Looked {
  readonly file: Blob;
  readonly head: Uint8Array;
  readonly format: Format;
  readonly quality: PictureQuality;
  /** `undefined` where no filter knows it, or it is too large for one. */
  readonly cleaned: Cleaned | undefined;
}

async function prepare(looked: Looked): Promise<PreparedPicture | NoPicture> {
  const { file, head, format, cleaned } = looked;
  if (format === "heic") return "heic";
  if (shownAs(format) !== "picture" && format !== "bmp") return "not_a_picture";
  const size = pictureSize(format, head);
  if (size === undefined) return "not_what_it_says";
  if (size.width * size.height > maxPixels) return "too_many_pixels";
  if (!isCanvasReadable()) return "canvas_blocked";
  const isAnimated = cleaned?.kind === "clean" ? cleaned.isAnimated : mayBeAnimated(format, head);
  if (!isAnimated) return await prepareStill(looked, !size.mayBeTransparent);
  if (size.width * size.height > maxAnimatedPixels) return "too_many_pixels";
  if (cleaned?.kind === "clean") return await asItIs(cleaned.bytes, format, true);
  return file.size > maxReadBytes ? "too_large" : "not_what_it_says";
}

async function prepareStill({ file, format, quality, cleaned }: Looked, isOpaque: boolean): Promise<PreparedPicture | NoPicture> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const drawable = { source: bitmap, width: bitmap.width, height: bitmap.height };
    if (bitmap.width * bitmap.height > maxPixels) return "too_many_pixels";
    const size = fitted(drawable, longestSides[quality]);
    const isSmall = size.width === bitmap.width && size.height === bitmap.height;
    const kept = cleaned?.kind === "clean" && !cleaned.isTurned && isSmall ? cleaned.bytes : undefined;
    if (kept !== undefined && kept.length <= fineBytes[quality]) return await asItIs(kept, format, false);
    const canvas = draw(drawable, size);
    const mediaTypes = isOpaque ? opaqueTypes : transparentTypes;
    const blob = await encodePicture(canvas, { mediaTypes, quality: encodingQualities[quality] });
    if (blob === undefined) return "undecodable";
    // A drawing of few colours may be smaller as it was.
    if (kept !== undefined && kept.length <= blob.size) return await asItIs(kept, format, false);
    const thumbhash = thumbhashOf({ source: canvas, ...size });
    return { kind: "picture", blob, mediaType: blob.type, ...size, thumbhash, isAnimated: false };
  } finally {
    bitmap.close();
  }
}

const opaqueTypes = ["image/webp", "image/jpeg"];
const transparentTypes = ["image/webp", "image/png"];

/** A picture whose bytes are sent as they are: decoded once, to see that it is one. */
async function asItIs(bytes: Uint8Array<ArrayBuffer>, format: Format, isAnimated: boolean): Promise<PreparedPicture> {
  const mediaType = format === "apng" ? "image/png" : `image/${format}`;
  const blob = new Blob([bytes], { type: mediaType });
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  try {
    const { width, height } = bitmap;
    return { kind: "picture", blob, mediaType, width, height, thumbhash: thumbhashOf({ source: bitmap, width, height }), isAnimated };
  } finally {
    bitmap.close();
  }
}
