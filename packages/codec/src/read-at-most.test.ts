import { expect, test } from "vitest";
import { readAtMost } from "./read-at-most.ts";

/** Chunks of so many bytes without end; `given` counts them. */
function endless(size: number): { given: number; hasEnded: boolean; stream: AsyncIterable<Uint8Array> } {
  const source = { given: 0, hasEnded: false, stream: chunks() };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        source.given += 1;
        yield new Uint8Array(size);
      }
    } finally {
      source.hasEnded = true;
    }
  }
  return source;
}

async function* of(...chunks: number[][]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Uint8Array.from(chunk);
}

test("what comes in parts is one, to the last byte that may come; without a body there is nothing", async () => {
  expect(await readAtMost(of([1, 2], [], [3]), 3)).toEqual(Uint8Array.of(1, 2, 3));
  expect(await readAtMost(of([1, 2], [3]), 2)).toBeUndefined();
  async function* drops(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < 300_000; at++) yield Uint8Array.of(at);
  }
  expect((await readAtMost(drops(), 300_000))?.subarray(299_998)).toEqual(Uint8Array.from([299_998, 299_999]));
  expect(await readAtMost(null, 0)).toEqual(new Uint8Array());
});

test("what comes byte by byte takes no more memory than its bytes: no part is held", async () => {
  async function* drips(): AsyncGenerator<Uint8Array> {
    const part = new Uint8Array(1);
    for (let at = 0; at < 1000; at++) {
      part[0] = at;
      yield part;
    }
  }
  expect(await readAtMost(drips(), 1000)).toEqual(Uint8Array.from({ length: 1000 }, (_, at) => at));
});

test("a stream without end is read no further than its bound, and told to end", async () => {
  const source = endless(10);
  expect(await readAtMost(source.stream, 95)).toBeUndefined();
  expect([source.given, source.hasEnded]).toEqual([10, true]);
});

test("what the stream throws is the caller's", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
    throw new Error("broke off");
  }
  await expect(readAtMost(broken(), 9)).rejects.toThrow("broke off");
});
