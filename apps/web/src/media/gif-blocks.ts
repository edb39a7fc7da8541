import { hasText } from "./bytes.ts";

/** A block of a GIF: a picture, an extension by its label, or the end. */
export interface GifBlock {
  readonly kind: "picture" | "extension" | "end";
  /** Of an extension. */
  readonly label: number;
  readonly whole: Uint8Array;
}

/** Whether a GIF begins here. */
export function isGif(bytes: Uint8Array): boolean {
  return hasText(bytes, 0, "GIF87a") || hasText(bytes, 0, "GIF89a");
}

/** What stands before the first block: what the file is, its size, and the colours that its pictures share. `undefined` where it is cut off. */
export function gifHead(bytes: Uint8Array): Uint8Array | undefined {
  const end = 13 + coloursBytes(bytes[10] ?? 0);
  return isGif(bytes) && end <= bytes.length ? bytes.subarray(0, end) : undefined;
}

/**
 * The blocks that begin at `from`, up to the end of the GIF, or up to where the bytes are none (GIF 89a, §§17 to 27). Some programs write no
 * end: it is where the bytes end behind a block, too.
 */
export function* gifBlocks(bytes: Uint8Array, from: number): Generator<GifBlock> {
  for (let at = from; at < bytes.length;) {
    const start = at;
    const introducer = bytes[at];
    if (introducer === 0x3b) return yield { kind: "end", label: 0, whole: bytes.subarray(at, at + 1) };
    // A picture has a place and a size, maybe colours of its own, and how many bits its codes begin with.
    if (introducer === 0x2c) at += 11 + coloursBytes(bytes[at + 9] ?? 0);
    else if (introducer === 0x21) at += 2;
    else return;
    const end = endOfSubBlocks(bytes, at);
    if (end === undefined) return;
    const whole = bytes.subarray(start, end);
    yield introducer === 0x2c ? { kind: "picture", label: 0, whole } : { kind: "extension", label: whole[1] ?? 0, whole };
    at = end;
  }
  yield { kind: "end", label: 0, whole: Uint8Array.of(0x3b) };
}

/** Bytes of the table of colours that such a byte of flags announces. */
function coloursBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1);
}

function endOfSubBlocks(bytes: Uint8Array, from: number): number | undefined {
  for (let at = from; at < bytes.length;) {
    const size = bytes[at] ?? 0;
    at += 1 + size;
    if (size === 0) return at;
  }
  return undefined;
}
