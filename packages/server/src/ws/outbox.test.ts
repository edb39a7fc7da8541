import { expect, test } from "vitest";
import { createOutbox } from "./connection.ts";

const frame = (fill: number, sizeBytes = 3): Uint8Array => new Uint8Array(sizeBytes).fill(fill);

test("frames that one connection after the other is sent become one buffer, made once; others, their prefix and large ones do not", () => {
  const { join } = createOutbox();
  const [first, second, third] = [frame(1), frame(2), frame(3)];
  expect(join([first, second], 6)).toBeUndefined();
  const joined = join([first, second], 6);
  expect(joined).toEqual(Buffer.from([1, 1, 1, 2, 2, 2]));
  expect(join([first, second], 6)).toBe(joined);
  expect(join([second, first], 6)).toBeUndefined();
  expect(join([second, first, third], 9)).toBeUndefined();
  expect(join([second, first], 6)).toBeUndefined();
  const large = [frame(1, 40_000), frame(2, 40_000)];
  expect(join(large, 80_000)).toBeUndefined();
  expect(join(large, 80_000)).toBeUndefined();
});
