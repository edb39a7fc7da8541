/**
 * All that a stream brings, such as the body of an HTTP message; none for `null`, which is a message without one. `undefined` as soon as it
 * is more than `maxBytes`: the rest is not read, and the stream is told to end. @throws what the stream throws
 */
export async function readAtMost(stream: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<Uint8Array | undefined> {
  let whole = new Uint8Array(0);
  let size = 0;
  for await (const chunk of stream ?? []) {
    const end = size + chunk.length;
    if (end > maxBytes) return undefined;
    if (end > whole.length) {
      const larger = new Uint8Array(Math.min(maxBytes, Math.max(end, 2 * whole.length)));
      larger.set(whole);
      whole = larger;
    }
    // None of them is held: a byte that comes by itself takes some hundred of memory.
    whole.set(chunk, size);
    size = end;
  }
  return size === whole.length ? whole : whole.slice(0, size);
}
