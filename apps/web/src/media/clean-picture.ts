import { cleanGif } from "./clean-gif.ts";
import { cleanHeif } from "./clean-heif.ts";
import { cleanJpeg } from "./clean-jpeg.ts";
import { cleanPng } from "./clean-png.ts";
import { cleanWebp } from "./clean-webp.ts";
import type { Cleaned } from "./cleaned.ts";
import type { Format } from "./formats.ts";

const filters: Partial<Record<Format, (bytes: Uint8Array) => Cleaned>> = {
  jpeg: cleanJpeg,
  png: cleanPng,
  apng: cleanPng,
  gif: cleanGif,
  webp: cleanWebp,
  avif: cleanHeif,
  heic: cleanHeif,
};

/** The picture without its metadata; `undefined` for formats whose metadata no filter knows. */
export function cleanPicture(format: Format, bytes: Uint8Array): Cleaned | undefined {
  return filters[format]?.(bytes);
}
