import { hasText, viewOf } from "./bytes.ts";

/** A chunk of a RIFF file, from its name to the byte that makes its length even. */
export interface RiffChunk {
  readonly name: string;
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/** The inside of a RIFF file of a form such as "WEBP", as long as the file says that it is; `undefined` for anything else, and where bytes are missing. */
export function riffContent(bytes: Uint8Array, form: string): Uint8Array | undefined {
  if (bytes.length < 12 || !hasText(bytes, 0, "RIFF") || !hasText(bytes, 8, form)) return undefined;
  const end = 8 + viewOf(bytes).getUint32(4, true);
  return end < 12 || end > bytes.length ? undefined : bytes.subarray(12, end);
}

/** The chunks of such an inside; `undefined` last where it does not end with one. */
export function* riffChunks(content: Uint8Array): Generator<RiffChunk | undefined> {
  const view = viewOf(content);
  for (let at = 0; at < content.length;) {
    if (at + 8 > content.length) return yield undefined;
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size % 2);
    if (end > content.length) return yield undefined;
    const name = String.fromCharCode(...content.subarray(at, at + 4));
    yield { name, whole: content.subarray(at, end), data: content.subarray(at + 8, at + 8 + size) };
    at = end;
  }
}
