// A worker of its own: what a picture becomes is made here, so that the page answers meanwhile.
import { draw, encodePicture, fitted } from "../media/canvas.ts";
import { preparePicture } from "../media/prepare-picture.ts";
import type { PictureQuality, PreparedPicture } from "../media/prepare-picture.ts";

/** A picture to be made ready. */
export interface PictureTask {
  readonly id: number;
  readonly file: Blob;
  readonly quality: PictureQuality;
}

/** A picture as it is sent, and a small one to be looked at before. */
export interface MadePicture {
  readonly prepared: PreparedPicture;
  readonly preview: Blob | undefined;
}

/** Pixels on the longer side of what is looked at. */
const previewSide = 320;

/** Makes one ready; never throws. */
export async function makePicture(file: Blob, quality: PictureQuality): Promise<MadePicture> {
  const prepared = await preparePicture(file, quality);
  return { prepared, preview: prepared.kind === "picture" ? await smaller(prepared.blob).catch(() => undefined) : undefined };
}

async function smaller(blob: Blob): Promise<Blob | undefined> {
  const bitmap = await createImageBitmap(blob);
  try {
    const drawable = { source: bitmap, width: bitmap.width, height: bitmap.height };
    const canvas = draw(drawable, fitted(drawable, previewSide));
    return await encodePicture(canvas, { mediaTypes: ["image/webp", "image/png"], quality: 0.7 });
  } finally {
    bitmap.close();
  }
}

if (typeof document === "undefined")
  globalThis.addEventListener("message", (event: MessageEvent<PictureTask>) => {
    const { id, file, quality } = event.data;
    void makePicture(file, quality).then((made) => globalThis.postMessage({ id, made }, { transfer: [] }));
  });
