import { expect, test } from "vitest";
import { createOutbox } from "./outbox.ts";

const frame = (fill: number, sizeBytes = 3): Uint8Array => new Uint8Array(sizeBytes).fill(fill);

test("frames that one connection after the other is sent become one buffer, made once; others, their prefix and large ones do not", () => {
  const { join } = createOutbox({ isShared: false, isLittleAbout: false });
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

test("in company a few connections send in a turn, one address after the other; alone all do", () => {
  let turn: (() => void) | undefined;
  const runTurn = (): string[] => {
    const run = turn;
    turn = undefined;
    run?.();
    return sent.splice(0);
  };
  const sent: string[] = [];
  const gate = { isShared: true, isLittleAbout: false };
  const outbox = createOutbox(gate, (run) => (turn = run));
  const [crowd, other] = [{ key: "crowd" }, { key: "other" }];
  const add = (neighbours: { key: string }, name: string): void => outbox.add({ neighbours, flush: () => sent.push(name) });
  for (let index = 0; index < 100; index++) add(crowd, "crowd");
  add(other, "other");
  const first = runTurn();
  expect(first).toHaveLength(64);
  expect(first[1]).toBe("other");
  // Whoever comes later does not wait for those who wait already.
  add(other, "other");
  expect(runTurn().slice(0, 2)).toEqual(["crowd", "other"]);
  expect(turn).toBeUndefined();
  // Of who is sent much by now a few at a time, while somebody asks for little; what goes to others leaves first.
  gate.isLittleAbout = true;
  for (let index = 0; index < 30; index++) add(crowd, "crowd");
  add(other, "other");
  const small = runTurn();
  expect(small).toHaveLength(13);
  expect(small[0]).toBe("other");
  while (turn !== undefined) runTurn();
  // However many there are who are sent little.
  for (let index = 0; index < 100; index++) add({ key: `person ${index}` }, "person");
  for (let index = 0; index < 30; index++) add(crowd, "crowd");
  expect(runTurn().filter((name) => name === "crowd")).toHaveLength(12);
  while (turn !== undefined) runTurn();
  gate.isShared = false;
  for (let index = 0; index < 100; index++) add(crowd, "crowd");
  expect(runTurn()).toHaveLength(100);
  expect(turn).toBeUndefined();
});
