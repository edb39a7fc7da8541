import { writeFileSync } from "node:fs";
import type { Locator } from "playwright-core";

const width = 640;
const height = 480;

/** Films a QR code that a page shows: what a camera would see that is held before it. */
export async function filmCode(code: Locator, path: string): Promise<void> {
  const squares = Number((await code.getAttribute("viewBox"))?.split(" ")[2]);
  const drawing = await code.locator("path").getAttribute("d");
  if (!(squares > 20) || drawing === null) throw new Error("there is no code on the screen");
  const scale = Math.floor(height / squares);
  const [left, top] = [Math.floor((width - squares * scale) / 2), Math.floor((height - squares * scale) / 2)];
  const light = new Uint8Array(width * height).fill(225);
  for (const [, x, y, length] of drawing.matchAll(/M(\d+) (\d+)h(\d+)/gu)) {
    for (let row = 0; row < scale; row++) {
      const start = (top + Number(y) * scale + row) * width + left + Number(x) * scale;
      light.fill(30, start, start + Number(length) * scale);
    }
  }
  const grey = new Uint8Array((width * height) / 2).fill(128);
  const frame = Buffer.concat([Buffer.from("FRAME\n"), light, grey]);
  writeFileSync(
    path,
    Buffer.concat([Buffer.from(`YUV4MPEG2 W${String(width)} H${String(height)} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]),
  );
}
