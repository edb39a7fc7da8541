// The page of the benchmark of pictures: makes a photograph, and prepares it as often as it is asked.
import { preparePicture } from "../prepare-picture.ts";

const width = 4032;
const height = 3024;
let photo: Promise<Blob> | undefined;

/** Prepares a JPEG of 12 megapixels; how large it was, and what became of it. */
async function preparePhoto(): Promise<unknown> {
  photo ??= takePhoto();
  const taken = await photo;
  const beganMs = performance.now();
  const prepared = await preparePicture(taken, "standard");
  const ms = performance.now() - beganMs;
  if (prepared.kind !== "picture") return { reason: prepared.reason };
  return { ms, takenBytes: taken.size, bytes: prepared.blob.size, width: prepared.width, height: prepared.height };
}

/** Large shapes, edges, and the noise of a sensor: the same each time. */
function takePhoto(): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  const picture = context.createImageData(width, height);
  let seed = 1;
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const noise = ((seed >>> 24) - 128) / 24;
      const shapes = 60 * Math.sin(x / 150) * Math.cos(y / 90) + 30 * Math.sin((x * y) / 40_000);
      const light = 128 + shapes + (((x >> 6) ^ (y >> 6)) & 1 ? 20 : 0);
      picture.data.set([light + noise, light * 0.9 + 10 * Math.sin(x / 9) + noise, 255 - light + noise, 255], at);
    }
  context.putImageData(picture, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

Object.assign(globalThis, { preparePhoto });
