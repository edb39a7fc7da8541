import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { arriving } from "./arriving.ts";
import type { Waiting } from "./arriving.ts";

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** The portions, and how they ended. */
async function takeAll(
  stream: PassThrough,
  each: () => Promise<void> = async () => {},
  waiting: Waiting = { bytes: 0 },
): Promise<{ text: string; end: string }> {
  let text = "";
  try {
    for await (const portion of arriving(stream, waiting)) {
      text += Buffer.concat(portion).toString();
      await each();
    }
    return { text, end: "end" };
  } catch (error) {
    return { text, end: (error as Error).message };
  }
}

test("what came before a stream broke off is given out, then it is thrown; an end is an end", async () => {
  const broken = new PassThrough();
  const taking = takeAll(broken, () => nextTurn());
  for (const piece of ["a", "b", "c"]) broken.write(piece);
  setImmediate(() => broken.destroy(new Error("gone")));
  expect(await taking).toEqual({ text: "abc", end: "gone" });
  const closed = new PassThrough();
  const other = takeAll(closed);
  closed.write("x");
  setImmediate(() => closed.destroy());
  expect(await other).toEqual({ text: "x", end: "broke off" });
  const whole = new PassThrough();
  whole.end("all");
  expect(await takeAll(whole)).toEqual({ text: "all", end: "end" });
  expect(await takeAll(whole)).toEqual({ text: "", end: "end" });
  expect(await takeAll(new PassThrough().destroy())).toEqual({ text: "", end: "broke off" });
  // Whoever sends parts of one upload side by side ends their own requests: that is no fault to report.
  await expect(arriving(new PassThrough().destroy(), { bytes: 0 }).next()).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("what comes byte by byte is put together: of many pieces few are held", async () => {
  const stream = new PassThrough({ highWaterMark: 1_000_000 });
  const sent = Buffer.alloc(50_000, "what comes byte by byte ");
  for (const at of sent.keys()) stream.write(sent.subarray(at, at + 1));
  stream.write(Buffer.alloc(2000, "x"));
  stream.end("!");
  const pieces: number[] = [];
  let text = "";
  for await (const portion of arriving(stream, { bytes: 0 })) {
    pieces.push(portion.length);
    text += Buffer.concat(portion).toString();
  }
  expect(text).toBe(`${sent.toString()}${"x".repeat(2000)}!`);
  expect(Math.max(...pieces)).toBeLessThan(20);
});

test.each([
  ["little", 0, 40],
  ["less where much waits in all", 16_777_216, 20],
] as const)("who takes slowly makes the sender wait: %s is held", async (_what, heldBytes, mostSent) => {
  const waiting = { bytes: heldBytes };
  const stream = new PassThrough({ highWaterMark: 16_384 });
  const go = Promise.withResolvers<void>();
  let sent = 0;
  const taking = takeAll(stream, () => go.promise, waiting);
  const send = async (): Promise<void> => {
    for (let at = 0; at < 100; at++) {
      if (!stream.write(Buffer.alloc(16_384, "x"))) await new Promise((resolve) => stream.once("drain", resolve));
      sent += 1;
    }
    stream.end();
  };
  const sending = send();
  for (let turns = 0; turns < 200; turns++) await nextTurn();
  expect(sent).toBeLessThan(mostSent);
  expect(sent).toBeGreaterThan(mostSent / 4);
  go.resolve();
  await sending;
  expect((await taking).text).toHaveLength(1_638_400);
  expect(waiting.bytes).toBe(heldBytes);
});
