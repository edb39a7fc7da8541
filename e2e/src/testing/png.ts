import { crc32, deflateSync } from "node:zlib";
import type { Locator } from "playwright-core";

/** A picture of one colour. */
export function png(width: number, height: number, rows: number = height): Uint8Array<ArrayBuffer> {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(type, 4, "latin1");
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])));
    return Buffer.concat([head, data, crc]);
  };
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width);
  size.writeUInt32BE(height, 4);
  size.set([8, 0, 0, 0, 0], 8);
  const lines = Buffer.alloc((width + 1) * rows, 0x80);
  // Before each line stands that nothing was done to it.
  for (let row = 0; row < rows; row++) lines[row * (width + 1)] = 0;
  const pixels = deflateSync(lines);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from("\u0089PNG\r\n\u001a\n", "latin1"),
      chunk("IHDR", size),
      chunk("IDAT", pixels),
      chunk("IEND", new Uint8Array(0)),
    ]),
  );
}

/** Whether a picture is seen. */
export function isShown(picture: Locator): Promise<boolean> {
  return picture.evaluate((element) => element instanceof HTMLImageElement && element.complete && element.naturalWidth > 0);
}
