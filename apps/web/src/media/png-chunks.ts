import { hasText, viewOf } from "./bytes.ts";

/** A chunk of a PNG, from its length to its checksum. */
interface PngChunk {
  readonly type: string;
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/** What a PNG begins with. */
export const pngSignature: Uint8Array = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Whether a PNG begins here. */
export function isPng(bytes: Uint8Array): boolean {
  return hasText(bytes, 0, "\u0089PNG\r\n\u001a\n");
}

/** The chunks of a PNG up to its end (IEND included), or up to where the bytes end or are none (PNG, third edition, §5.3). */
export function* pngChunks(bytes: Uint8Array): Generator<PngChunk> {
  const view = viewOf(bytes);
  for (let at = pngSignature.length; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end > bytes.length || !/^[A-Za-z]{4}$/.test(type)) return;
    yield { type, whole: bytes.subarray(at, end), data: bytes.subarray(at + 8, end - 4) };
    if (type === "IEND") return;
    at = end;
  }
}
