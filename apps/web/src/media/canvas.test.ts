import fc from "fast-check";
import { rgbaToThumbHash } from "thumbhash";
import { describe, expect, test } from "vitest";
import { fitted, placeholderOf } from "./canvas.ts";
import { hex } from "./testing/pictures.ts";

describe("a smaller picture", () => {
  test.each([
    [4032, 3024, 2560, 1920],
    [3024, 4032, 1920, 2560],
    [2560, 100, 2560, 100],
    [640, 480, 640, 480],
    [65_535, 1, 2560, 1],
  ])("of %i x %i is %i x %i", (width, height, newWidth, newHeight) => {
    expect(fitted({ width, height }, 2560)).toEqual({ width: newWidth, height: newHeight });
  });
});

describe("what a picture looks like from far away", () => {
  test("is drawn in at most 32 x 32 pixels", () => {
    const halves = Array.from({ length: 64 * 32 }, (_, at) => (at % 64 < 32 ? [255, 0, 0, 255] : [0, 0, 255, 255])).flat();
    const placeholder = placeholderOf(rgbaToThumbHash(64, 32, halves));
    expect(placeholder).toMatchObject({ width: 32, height: 18 });
    const [redLeft = 0, , blueLeft = 0, opaque] = placeholder?.pixels.subarray(4, 8) ?? [];
    const [redRight = 0, , blueRight = 0] = placeholder?.pixels.subarray(30 * 4, 31 * 4) ?? [];
    expect([redLeft > blueLeft + 50, blueRight > redRight + 50, opaque]).toEqual([true, true, 255]);
  });

  test("is nothing for bytes that say a picture without width or height, or too few of them", () => {
    for (const digits of ["", "00000000", "0000000000", "0000000080"]) expect(placeholderOf(hex(digits))).toBeUndefined();
  });

  test("is bounded, whatever somebody says that it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (thumbhash) => {
        const placeholder = placeholderOf(thumbhash);
        if (placeholder === undefined) return;
        expect(placeholder.pixels).toHaveLength(placeholder.width * placeholder.height * 4);
        expect(placeholder.width * placeholder.height).toBeLessThanOrEqual(1024);
      }),
    );
  });
});
