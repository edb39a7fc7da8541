import { joinParts, viewOf } from "../bytes.ts";
import { pngSignature } from "../png-chunks.ts";

// Pictures as tests need them, built from their parts: real ones, that browsers decode.

/** Bytes of text, one for each letter. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Bytes from hexadecimal digits; spaces do not count. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.replaceAll(/\s/g, "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Whether the letters stand anywhere in the bytes. */
export function contains(bytes: Uint8Array, text: string): boolean {
  return Array.from(bytes, (byte) => String.fromCharCode(byte))
    .join("")
    .includes(text);
}

/** A chunk of a PNG with its checksum. */
export function pngChunk(type: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const chunk = joinParts([new Uint8Array(4), latin1(type), data, new Uint8Array(4)]);
  const view = viewOf(chunk);
  view.setUint32(0, data.length);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** What a PNG of so many pixels begins with: eight bits of red, green, blue and transparency for each. */
export function pngHeader(width: number, height: number): Uint8Array {
  const data = new Uint8Array(13);
  viewOf(data).setUint32(0, width);
  viewOf(data).setUint32(4, height);
  data.set([8, 6], 8);
  return pngChunk("IHDR", data);
}

/** Rows of pixels in one colour, compressed as PNG wants them. */
export async function pngRows(width: number, height: number, colour: readonly number[]): Promise<Uint8Array> {
  const rows = Uint8Array.from({ length: height * (1 + width * 4) }, (_, at) => {
    const column = at % (1 + width * 4);
    return column === 0 ? 0 : (colour[(column - 1) % 4] ?? 0);
  });
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A PNG of chunks. */
export function png(...chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joinParts([pngSignature, ...chunks]);
}

/** An animated PNG of two pictures, red and blue, with chunks before its end. */
export async function animatedPng(width: number, height: number, ...extra: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const control = (sequence: number): Uint8Array => {
    const data = new Uint8Array(26);
    const view = viewOf(data);
    view.setUint32(0, sequence);
    view.setUint32(4, width);
    view.setUint32(8, height);
    view.setUint16(20, 1);
    view.setUint16(22, 10);
    return pngChunk("fcTL", data);
  };
  const second = joinParts([Uint8Array.of(0, 0, 0, 2), await pngRows(width, height, [0, 0, 255, 255])]);
  return png(
    pngHeader(width, height),
    pngChunk("acTL", Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0)),
    control(0),
    pngChunk("IDAT", await pngRows(width, height, [255, 0, 0, 255])),
    control(1),
    pngChunk("fdAT", second),
    ...extra,
    pngChunk("IEND"),
  );
}

/** A GIF's head: so many pixels, and two colours, red and blue. */
export function gifHeader(width = 1, height = 1): Uint8Array {
  return Uint8Array.of(...latin1("GIF89a"), width & 0xff, width >> 8, height & 0xff, height >> 8, 0x80, 0, 0, 255, 0, 0, 0, 0, 255);
}

/** When the next picture of a GIF goes, in hundredths of a second. */
export function gifControl(delay = 10): Uint8Array {
  return Uint8Array.of(0x21, 0xf9, 4, 0, delay, 0, 0, 0);
}

/** A picture of a GIF: one pixel, red or blue. */
export function gifPicture(colour: 0 | 1): Uint8Array {
  return Uint8Array.of(0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44 | (colour << 3), 1, 0);
}

/** An extension of a GIF with parts of up to 255 bytes. */
export function gifExtension(label: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.of(0x21, label, ...parts.flatMap((part) => [part.length, ...part]), 0);
}

/** That a GIF is shown over and over. */
export const gifLoop: Uint8Array = gifExtension(0xff, latin1("NETSCAPE2.0"), Uint8Array.of(1, 0, 0));
/** What a GIF ends with. */
export const gifEnd: Uint8Array = Uint8Array.of(0x3b);

/** A chunk of a RIFF file. */
export function riffChunk(name: string, data: Uint8Array): Uint8Array {
  const chunk = joinParts([latin1(name), new Uint8Array(4), data, new Uint8Array(data.length % 2)]);
  viewOf(chunk).setUint32(4, data.length, true);
  return chunk;
}

/** A WebP of chunks. */
export function webp(...chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(riffChunk("RIFF", joinParts([latin1("WEBP"), ...chunks])));
}

/** One pixel that nobody sees, as WebP compresses it without loss. */
export const webpPixel: Uint8Array = riffChunk("VP8L", hex("2f 00000010 07 10 11 11 88 88 fe 07"));

/** What an extended WebP begins with. */
export function webpHeader(flags: number, width = 1, height = 1): Uint8Array {
  const three = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, value >> 16];
  return riffChunk("VP8X", Uint8Array.of(flags, 0, 0, 0, ...three(width - 1), ...three(height - 1)));
}

/** A picture of an animated WebP, with chunks after what is drawn. */
export function webpFrame(...extra: readonly Uint8Array[]): Uint8Array {
  return riffChunk("ANMF", joinParts([Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0), webpPixel, ...extra]));
}

/** Colour behind an animated WebP, and that it is shown over and over. */
export const webpAnimation: Uint8Array = riffChunk("ANIM", new Uint8Array(6));

/** A segment of a JPEG. */
export function jpegSegment(marker: number, data: Uint8Array): Uint8Array {
  return Uint8Array.of(0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 0xff, ...data);
}

/** A block of Exif with an orientation and, behind it, words that say where it was taken. */
export function exif(orientation: number, words = "at home"): Uint8Array {
  const entry = Uint8Array.of(0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0);
  return joinParts([latin1("MM\0*"), Uint8Array.of(0, 0, 0, 8, 0, 1), entry, new Uint8Array(4), latin1(words)]);
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
