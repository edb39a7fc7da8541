import { expect, test } from "vitest";
import { maxZoom, moved, wholeCrop, within, zoomed, zoomOf } from "./crop.ts";

const wide = { width: 400, height: 200 };

test("a picture is cut to the largest square in its middle at first", () => {
  expect(wholeCrop(wide)).toEqual({ x: 200, y: 100, side: 200 });
  expect(zoomOf(wholeCrop(wide), wide)).toBe(1);
});

test("the part that is shown stays within the picture, however it is moved and zoomed", () => {
  const whole = wholeCrop(wide);
  expect(moved(whole, wide, { right: 5, down: 5 })).toEqual({ x: 100, y: 100, side: 200 });
  expect(moved(whole, wide, { right: -0.25, down: 0 })).toEqual({ x: 250, y: 100, side: 200 });
  const close = zoomed(whole, wide, 2);
  expect(close).toEqual({ x: 200, y: 100, side: 100 });
  expect(moved(close, wide, { right: -9, down: -9 })).toEqual({ x: 350, y: 150, side: 100 });
  // At the edge, and out again.
  expect(zoomed({ x: 350, y: 150, side: 100 }, wide, 1)).toEqual({ x: 300, y: 100, side: 200 });
  expect(zoomOf(zoomed(whole, wide, 1000), wide)).toBe(maxZoom);
  expect(within({ x: 0, y: 0, side: 10_000 }, wide)).toEqual({ x: 100, y: 100, side: 200 });
});
