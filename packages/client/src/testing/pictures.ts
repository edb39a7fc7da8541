import { concatBytes } from "@latchkey/codec";

/** A square grey JPEG, which decoders draw: baseline, one component, blocks of one shade. `shade` is from 64 to 191. */
export function greyJpeg(params: { readonly widthPx: number; readonly heightPx?: number; readonly shade?: number }): Uint8Array {
  const { widthPx, heightPx = widthPx, shade = 192 - 1 } = params;
  const blocks = Math.ceil(widthPx / 8) * Math.ceil(heightPx / 8);
  const difference = shade - 128;
  // Of the first block 128 and the difference, in 7 bits behind the code of their number; of the others nothing differs.
  const size = Math.max(1, Math.abs(difference).toString(2).length);
  const bits = difference >= 0 ? difference : difference + 2 ** size - 1;
  const first = difference === 0 ? "00" : `10${bits.toString(2).padStart(size, "0")}0`;
  const coded = (first + "00".repeat(blocks - 1)).replace(/$/, "1111111");
  const data: number[] = [];
  for (let at = 0; at + 8 <= coded.length; at += 8) {
    const byte = Number.parseInt(coded.slice(at, at + 8), 2);
    data.push(byte, ...(byte === 0xff ? [0] : []));
  }
  return concatBytes(
    Uint8Array.of(0xff, 0xd8),
    jpegSegment(0xdb, [0, ...Array.from({ length: 64 }, () => 8)]),
    jpegSegment(0xc0, [8, heightPx >> 8, heightPx & 255, widthPx >> 8, widthPx & 255, 1, 1, 0x11, 0]),
    jpegSegment(0xc4, [0x00, 1, 1, ...Array.from({ length: 14 }, () => 0), 0, size]),
    jpegSegment(0xc4, [0x10, 1, ...Array.from({ length: 15 }, () => 0), 0]),
    jpegSegment(0xda, [1, 1, 0, 0, 63, 0]),
    Uint8Array.from(data),
    Uint8Array.of(0xff, 0xd9),
  );
}

/** A segment of a JPEG. */
export function jpegSegment(marker: number, data: readonly number[]): Uint8Array {
  const length = data.length + 2;
  return Uint8Array.of(0xff, marker, length >> 8, length & 255, ...data);
}
