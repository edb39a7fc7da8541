import { fileChunkAt, fileChunkCount, fileNonce, paddedFileBytes } from "@latchkey/protocol";
import type { FileKeys } from "./reading.ts";

/** Chunks that are encrypted at the same time: WebCrypto works on another thread, which must not wait for this one. */
const chunksAtOnce = 8;

/** A file has another size than was said. */
export class FileSizeError extends Error {
  override readonly name = "FileSizeError";

  constructor() {
    super("the file has another size than was said");
  }
}

/**
 * Encrypts a file that comes in parts of any size (spec X-23): its chunks in order, each with its tag, of which a few are held at a time. Called
 * once in the life of a key.
 * @throws FileSizeError where it has another size, and whatever `content` throws
 */
export async function* sealFile(
  { key, prefix, sizeBytes }: FileKeys,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const secret = await crypto.subtle.importKey("raw", new Uint8Array(key), "AES-GCM", false, ["encrypt"]);
  const paddedBytes = paddedFileBytes(sizeBytes);
  const seal = async (index: number, plaintext: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => {
    const iv = fileNonce(prefix, index, fileChunkAt(paddedBytes, index).isLast);
    return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, secret, plaintext));
  };
  const sealing: Promise<Uint8Array<ArrayBuffer>>[] = [];
  let index = 0;
  try {
    for await (const chunk of chunksOf(paddedBytes, sizeBytes, content)) {
      const sealed = seal(index++, chunk);
      // Awaited below, unless something fails before.
      sealed.catch(() => undefined);
      sealing.push(sealed);
      const first = sealing.length === chunksAtOnce ? sealing.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (const sealed of sealing.splice(0)) yield await sealed;
  } finally {
    await Promise.allSettled(sealing);
  }
}

/** The padded plaintext in chunks, each good until the next one is asked for. @throws FileSizeError */
async function* chunksOf(
  paddedBytes: number,
  sizeBytes: number,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const chunks = fileChunkCount(paddedBytes);
  const lengthOf = (index: number): number => {
    const { from, to } = fileChunkAt(paddedBytes, index);
    return to - from;
  };
  let index = 0;
  /** What of a chunk came in parts that hold no whole one. */
  let begun: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let taken = 0;
  for await (const part of content) {
    taken += part.length;
    if (taken > sizeBytes) throw new FileSizeError();
    for (let at = 0; at < part.length;) {
      const length = lengthOf(index);
      if (begun === undefined && part.length - at >= length) {
        // No copy: WebCrypto makes its own before anything else happens. It is never of memory that is shared.
        yield part.subarray(at, at + length) as Uint8Array<ArrayBuffer>;
        at += length;
        index++;
        continue;
      }
      begun ??= new Uint8Array(length);
      const some = part.subarray(at, at + length - filled);
      begun.set(some, filled);
      filled += some.length;
      at += some.length;
      if (filled < length) continue;
      yield begun;
      [begun, filled, index] = [undefined, 0, index + 1];
    }
  }
  if (taken !== sizeBytes) throw new FileSizeError();
  // What is behind the file is zeros.
  for (; index < chunks; index++) {
    yield begun ?? new Uint8Array(lengthOf(index));
    begun = undefined;
  }
}
