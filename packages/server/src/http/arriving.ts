import type { Readable } from "node:stream";

/** So much waits to be taken before the sender is. */
const waitingBytes = 65_536;

/**
 * What comes by a stream, in portions: each is all that has come since the one before. What came is given out before it is thrown that the
 * stream broke off; its own iterator would drop it.
 */
export async function* arriving(stream: Readable): AsyncGenerator<readonly Uint8Array[]> {
  if (stream.readableEnded) return;
  let portion: Uint8Array[] = [];
  let bytes = 0;
  let news = Promise.withResolvers<void>();
  const end: { isEnded: boolean; error?: Error } = { isEnded: false };
  const onData = (chunk: Uint8Array): void => {
    portion.push(chunk);
    bytes += chunk.length;
    if (bytes >= waitingBytes) stream.pause();
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
  // Where nothing else tells that it broke off.
  const onClose = (): void => {
    if (!end.isEnded) onError(new Error("broke off"));
  };
  // What it tells after the end is nobody's error.
  stream.on("data", onData).once("end", onEnd).on("error", onError).once("close", onClose);
  if (stream.destroyed) onClose();
  try {
    for (;;) {
      await news.promise;
      news = Promise.withResolvers<void>();
      if (bytes > 0) {
        const taken = portion;
        portion = [];
        bytes = 0;
        stream.resume();
        yield taken;
      }
      if (bytes > 0) news.resolve();
      else if (end.error !== undefined) throw end.error;
      else if (end.isEnded) return;
    }
  } finally {
    stream.off("data", onData).off("end", onEnd).off("close", onClose);
    stream.pause();
  }
}
