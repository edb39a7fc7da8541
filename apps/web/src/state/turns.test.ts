import { expect, test } from "vitest";
import { takeTurn } from "./turns.ts";

test("who takes a turn waits for all before them in the same conversation, in whatever order these end, and for nobody else", async () => {
  const came: string[] = [];
  const turns = ["a 1", "a 2", "b 1", "a 3"].map((name) => {
    const turn = takeTurn(name.slice(0, 1));
    if (turn.comes === undefined) came.push(name);
    else void turn.comes.then(() => came.push(name));
    return turn;
  });
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  await settle();
  expect(came).toEqual(["a 1", "b 1"]);
  turns[1]?.end();
  await settle();
  expect(came).toEqual(["a 1", "b 1"]);
  turns[0]?.end();
  turns[0]?.end();
  await settle();
  expect(came).toEqual(["a 1", "b 1", "a 2", "a 3"]);
  for (const turn of turns) turn.end();
  await settle();
  expect(takeTurn("a").comes).toBeUndefined();
});
