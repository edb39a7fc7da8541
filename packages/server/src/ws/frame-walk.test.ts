import { seededRandom } from "@latchkey/testkit";
import { expect, test } from "vitest";
import { FrameWalk } from "./frame-walk.ts";

/** A masked frame as clients send it. */
function frame(params: { opcode: number; isFinal: boolean; size: number }): Uint8Array {
  const { opcode, isFinal, size } = params;
  const length =
    size < 126 ? [size] : size < 65_536 ? [126, size >> 8, size & 0xff] : [127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 0xff, size & 0xff];
  const [first = 0, ...more] = length;
  return new Uint8Array([(isFinal ? 0x80 : 0) | opcode, 0x80 | first, ...more, 1, 2, 3, 4, ...new Uint8Array(size).fill(0x81)]);
}

const message = (size: number): Uint8Array => frame({ opcode: 2, isFinal: true, size });
const first = (size: number): Uint8Array => frame({ opcode: 2, isFinal: false, size });
const middle = (size: number): Uint8Array => frame({ opcode: 0, isFinal: false, size });
const last = (size: number): Uint8Array => frame({ opcode: 0, isFinal: true, size });
const ping = (): Uint8Array => frame({ opcode: 9, isFinal: true, size: 5 });
const goodbye = (): Uint8Array => frame({ opcode: 8, isFinal: true, size: 2 });

test("whole messages hold nothing, of any size and however they are cut", () => {
  const random = seededRandom("whole messages");
  const stream = Buffer.concat([
    message(0),
    message(125),
    ping(),
    message(126),
    first(10),
    ping(),
    middle(0),
    last(5),
    message(65_535),
    message(70_000),
    ping(),
  ]);
  for (let round = 0; round < 200; round++) {
    const walk = new FrameWalk();
    for (let at = 0; at < stream.length;) {
      const size = 1 + (((random(2)[0] ?? 0) * 256 + (random(1)[0] ?? 0)) % (round % 2 === 0 ? 40_000 : 3000));
      const chunk = stream.subarray(at, at + size);
      expect(walk.walk(chunk, Infinity).bytes).toBe(chunk.length);
      at += chunk.length;
      if (at < stream.length && walk.heldBytes > 0) expect(walk.heldBytes).toBeGreaterThanOrEqual(1);
    }
    expect([walk.heldBytes, walk.messages]).toEqual([0, 6]);
  }
});

test("what is not finished holds the buffers that it came in, and something for each of its parts", () => {
  const walk = new FrameWalk();
  walk.walk(first(100), Infinity);
  const one = walk.heldBytes;
  expect(one).toBeGreaterThan(100);
  walk.walk(Buffer.concat([middle(1), middle(1), middle(1)]), Infinity);
  expect(walk.heldBytes).toBeGreaterThan(one + 3 * 256);
  // A finished message in front keeps its buffer in memory as long as the beginning of the next one.
  const other = new FrameWalk();
  other.walk(Buffer.concat([message(60_000), first(10).subarray(0, 3)]), Infinity);
  expect(other.heldBytes).toBeGreaterThan(60_000);
  other.walk(first(10).subarray(3), Infinity);
  other.walk(last(1), Infinity);
  expect(other.heldBytes).toBe(0);
});

test("it stops after so many frames, at the end of one, and reads nothing after a goodbye", () => {
  const walk = new FrameWalk();
  const stream = Buffer.concat([message(10), ping(), message(20), goodbye(), message(30)]);
  const start = walk.walk(stream, 2);
  expect(start).toEqual({ bytes: message(10).length + ping().length, frames: 2 });
  const rest = walk.walk(stream.subarray(start.bytes), Infinity);
  expect([rest.frames, walk.isClosed, walk.messages]).toEqual([2, true, 2]);
  expect(walk.walk(message(5), Infinity).bytes).toBe(0);
});
