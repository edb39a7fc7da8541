import { describe, expect, it } from "vitest";
import { decodeQR } from "qr/decode.js";
import { drawQr } from "../components/QrCode.tsx";
import { cameraProblem, decodePicture } from "./scan.ts";

/** Draws the path of a code as a camera would see it, `scale` pixels a square. */
function paint({ path, size }: { path: string; size: number }, scale: number): { width: number; height: number; data: Uint8ClampedArray } {
  const side = size * scale;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/gu)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row += 1)
      for (let column = Number(x) * scale; column < (Number(x) + Number(width)) * scale; column += 1)
        data.set([20, 18, 14, 255], (row * side + column) * 4);
  }
  return { width: side, height: side, data };
}

describe("codes", () => {
  it("that are drawn can be read again", () => {
    const text = "latchkey-link:1:Y2hhdC5leGFtcGxlLm9yZw:mB2s0vZk1JYQ7W3mB2s0vZk1JYQ7W3mB2s0vZk1JYQ7W3mB2s";
    expect(decodePicture(paint(drawQr(text), 5), decodeQR)).toBe(text);
  });

  it("keep the quiet border that scanners need", () => {
    const { path, size } = drawQr("x");
    expect(size).toBe(21 + 8);
    for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)/gu)) {
      expect(Math.min(Number(x), Number(y))).toBeGreaterThanOrEqual(4);
      expect(Number(x) + Number(width)).toBeLessThanOrEqual(25);
    }
  });

  it("are not seen where there are none", () => {
    expect(decodePicture({ width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4).fill(200) }, decodeQR)).toBeUndefined();
  });
});

describe("a camera that cannot be used", () => {
  it.each([
    ["NotAllowedError", "denied"],
    ["SecurityError", "denied"],
    ["NotFoundError", "none"],
    ["NotReadableError", "none"],
    ["AbortError", "unavailable"],
  ])("%s is told as %s", (name, problem) => {
    expect(cameraProblem(Object.assign(new Error("no"), { name }))).toBe(problem);
    expect(cameraProblem("no")).toBe("unavailable");
  });
});
