/** Which part of a picture is cut out: its middle and side, in pixels of the picture. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** How wide and high something is, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How much closer than the whole one may come. */
export const maxZoom = 8;

/** The largest square in the middle. */
export function wholeCrop({ width, height }: Size): Crop {
  return { x: width / 2, y: height / 2, side: Math.min(width, height) };
}

/** How much closer than the largest square this is, from 1. */
export function zoomOf({ side }: Crop, { width, height }: Size): number {
  return Math.min(width, height) / side;
}

/** The crop nearest to another one that lies within the picture. */
export function within({ x, y, side }: Crop, size: Size): Crop {
  const largest = Math.min(size.width, size.height);
  const next = Math.min(largest, Math.max(largest / maxZoom, side));
  const between = (at: number, length: number): number => Math.min(length - next / 2, Math.max(next / 2, at));
  return { x: between(x, size.width), y: between(y, size.height), side: next };
}

/** The same middle, as near as the picture has it, so much closer. */
export function zoomed(crop: Crop, size: Size, zoom: number): Crop {
  return within({ ...crop, side: Math.min(size.width, size.height) / zoom }, size);
}

/** Moved by parts of its own side: what is dragged to the right shows more of the left. */
export function moved(crop: Crop, size: Size, { right, down }: { readonly right: number; readonly down: number }): Crop {
  return within({ ...crop, x: crop.x - right * crop.side, y: crop.y - down * crop.side }, size);
}
