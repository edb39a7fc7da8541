import type { Readable } from "node:stream";
import { giveUp } from "../give-up.ts";

/** What waits of all streams together to be taken, in bytes. */
export interface Waiting {
  bytes: number;
}

/** So much of a stream waits to be taken, before its sender does: large portions cost least. */
const portionBytes = 262_144;
/** Where much waits in all, portions are small. */
const muchBytes = 16_777_216;
const smallPortionBytes = 65_536;

/** Shorter pieces are put together: a byte that comes by itself takes some hundred of memory. */
const leastPieceBytes = 1024;
const blockBytes = 16_384;

/**
 * What comes by a stream, in portions: each is all that has come since the one before, and is gone when the next is asked for. What came is given out before it is thrown that the
 * stream broke off; its own iterator would drop it.
 */
export async function* arriving(stream: Readable, waiting: Waiting): AsyncGenerator<readonly Uint8Array[]> {
  if (stream.readableEnded) return;
  let portion: Uint8Array[] = [];
  let bytes = 0;
  let news = Promise.withResolvers<void>();
  const end: { isEnded: boolean; error?: Error } = { isEnded: false };
  /** The last piece of the portion is the beginning of it. */
  let block: Uint8Array | undefined;
  const put = (chunk: Uint8Array): void => {
    const used = block === undefined ? blockBytes : (portion.at(-1)?.length ?? blockBytes);
    if (chunk.length >= leastPieceBytes) {
      block = undefined;
      portion.push(chunk);
    } else if (block === undefined || used + chunk.length > block.length) {
      block = new Uint8Array(blockBytes);
      block.set(chunk);
      portion.push(block.subarray(0, chunk.length));
    } else {
      block.set(chunk, used);
      portion[portion.length - 1] = block.subarray(0, used + chunk.length);
    }
  };
  const onData = (chunk: Uint8Array): void => {
    put(chunk);
    bytes += chunk.length;
    waiting.bytes += chunk.length;
    if (bytes >= (waiting.bytes < muchBytes ? portionBytes : smallPortionBytes)) stream.pause();
    news.resolve();
  };
  const onEnd = (): void => {
    end.isEnded = true;
    news.resolve();
  };
  const onError = (error: Error): void => {
    end.error = error;
    onEnd();
  };
  // Where nothing else tells that it broke off: as the system would, so that nobody takes it for a fault of the server's.
  const onClose = (): void => {
    if (!end.isEnded) onError(Object.assign(new Error("broke off"), { code: "ECONNRESET" }));
  };
  // What it tells after the end is nobody's error.
  stream.on("data", onData).once("end", onEnd).on("error", onError).once("close", onClose);
  if (stream.destroyed) onClose();
  try {
    for (;;) {
      await news.promise;
      news = Promise.withResolvers<void>();
      if (bytes > 0) {
        const [taken, takenBytes] = [portion, bytes];
        portion = [];
        block = undefined;
        bytes = 0;
        stream.resume();
        try {
          yield taken;
        } finally {
          waiting.bytes -= takenBytes;
          for (const chunk of taken) giveUp(chunk);
        }
      }
      if (bytes > 0) news.resolve();
      else if (end.error !== undefined) throw end.error;
      else if (end.isEnded) return;
    }
  } finally {
    stream.off("data", onData).off("end", onEnd).off("close", onClose);
    stream.pause();
    waiting.bytes -= bytes;
  }
}
