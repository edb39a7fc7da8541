import { rgbaToThumbHash, thumbHashToRGBA } from "thumbhash";

/** Most pixels on a side of what a thumbhash is made of. */
const thumbSide = 100;

/** What a canvas draws, with its size as it is shown. */
export interface Drawable {
  readonly source: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

/** A size of the same shape that fits into a square of `side`; never larger than it was. */
export function fitted(
  { width, height }: { readonly width: number; readonly height: number },
  side: number,
): { width: number; height: number } {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Draws it in a size of its own. @throws Error where the browser has no memory for it */
export function draw({ source }: Drawable, size: { readonly width: number; readonly height: number }): OffscreenCanvas {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = contextOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, size.width, size.height);
  return canvas;
}

/**
 * The picture as a file, in the first of the types that this browser can make: asked for one that it cannot, it makes another without a word.
 * `undefined` where it can make none of them.
 */
export async function encodePicture(
  canvas: OffscreenCanvas,
  params: { readonly mediaTypes: readonly string[]; readonly quality: number },
): Promise<Blob | undefined> {
  for (const type of params.mediaTypes) {
    const blob = await canvas.convertToBlob({ type, quality: params.quality });
    if (blob.type === type && blob.size > 0) return blob;
  }
  return undefined;
}

/** What the picture looks like from far away, in 5 to 25 bytes. */
export function thumbhashOf(drawable: Drawable): Uint8Array {
  const { width, height } = fitted(drawable, thumbSide);
  const pixels = contextOf(draw(drawable, { width, height })).getImageData(0, 0, width, height);
  return rgbaToThumbHash(width, height, pixels.data);
}

/**
 * The picture that such bytes stand for, at most 32 pixels wide and high; `undefined` where they stand for none. They are somebody else's word:
 * whatever they are, this ends soon.
 */
export function placeholderOf(
  thumbhash: Uint8Array,
): { readonly width: number; readonly height: number; readonly pixels: Uint8Array } | undefined {
  if (thumbhash.length < 5) return undefined;
  const { w: width, h: height, rgba: pixels } = thumbHashToRGBA(thumbhash);
  return width >= 1 && height >= 1 && width <= 32 && height <= 32 ? { width, height, pixels } : undefined;
}

/** Whether anything can be seen on it. */
export function isVisible(canvas: OffscreenCanvas): boolean {
  const { width, height } = fitted(canvas, thumbSide);
  const { data } = contextOf(draw({ source: canvas, width, height }, { width, height })).getImageData(0, 0, width, height);
  return data.some((value, at) => at % 4 === 3 && value > 0);
}

/** Whether what is drawn can be read again: browsers that hide what a canvas shows hand out noise, which nobody is to be sent. */
export function isCanvasReadable(): boolean {
  const canvas = new OffscreenCanvas(8, 8);
  const context = contextOf(canvas);
  context.fillStyle = "rgb(200 100 50)";
  context.fillRect(0, 0, 8, 8);
  const { data } = context.getImageData(0, 0, 8, 8);
  const expected = [200, 100, 50, 255];
  // Some browsers change what is read by a little, which no eye sees.
  return data.every((value, at) => Math.abs(value - (expected[at % 4] ?? 0)) <= 8);
}

function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  return context;
}
