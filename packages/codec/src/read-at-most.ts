/**
 * All that a stream brings, such as the body of an HTTP message; none for `null`, which is a message without one. `undefined` as soon as it
 * is more than `maxBytes`: the rest is not read, and the stream is told to end. @throws what the stream throws
 */
export async function readAtMost(stream: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  // Not concatBytes: a body may come in more parts than a call has arguments.
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
