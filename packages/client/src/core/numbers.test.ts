import { describe, expect, it } from "vitest";
import { countMessage } from "./numbers.ts";
import type { Numbered } from "./numbers.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Spoken } from "./said.ts";
import type { ConversationState } from "./types.ts";

const mark = (number: number): Uint8Array => new Uint8Array(32).fill(number);
const message = (number: number): Numbered => ({ number, previous: mark(number - 1), mark: mark(number) });

/** What is told of messages with these numbers; `unread` entries before each. */
function count(
  numbers: readonly (number | Numbered)[],
  unread: readonly number[] = [],
): { lost: number; isFalse: number; spoken: Spoken | undefined } {
  let spoken: Spoken | undefined;
  let lost = 0;
  let isFalse = 0;
  for (const [at, next] of numbers.entries()) {
    const counted = countMessage(spoken, typeof next === "number" ? message(next) : next, unread[at] ?? 0);
    spoken = { ...counted.spoken, toldAtMs: 0 };
    lost += counted.lost;
    isFalse += counted.isFalse ? 1 : 0;
  }
  return { lost, isFalse, spoken };
}

describe("[L-10] the numbers of a device's messages", () => {
  it("[E-38] that follow one another say nothing, from whichever this device read first", () => {
    expect(count([1, 2, 3])).toMatchObject({ lost: 0, isFalse: 0 });
    expect(count([41, 42, 40, 43])).toMatchObject({ lost: 0, isFalse: 0 });
  });

  it("[E-38] may overtake each other: what is missing is told when it cannot come any more", () => {
    expect(count([1, 2, 5, 3, 4, 6])).toMatchObject({ lost: 0, isFalse: 0, spoken: { absent: [] } });
    expect(count([1, 3])).toMatchObject({ lost: 0, spoken: { absent: [2] } });
    expect(count([1, 3, 65])).toMatchObject({ lost: 0, spoken: { absent: [2, ...Array.from({ length: 61 }, (_, at) => 4 + at)] } });
    expect(count([1, 3, 66]).lost).toBe(1);
    // However far a device jumps, what is kept of it is bounded.
    const far = count([1, 2 ** 32 - 1]);
    expect(far.lost + (far.spoken?.absent.length ?? 0)).toBe(2 ** 32 - 3);
    expect(far.spoken?.absent.length).toBeLessThan(64);
  });

  it("[E-38] may have stood in entries that this device could not read", () => {
    expect(count([1, 4], [0, 2])).toMatchObject({ lost: 0, spoken: { absent: [] } });
    expect(count([1, 5], [0, 2])).toMatchObject({ lost: 0, spoken: { absent: [4] } });
  });

  it("[E-38] that come twice, are none, or name another message before them cannot be", () => {
    expect(count([1, 2, 2])).toMatchObject({ isFalse: 1 });
    expect(count([1, 2, 1])).toMatchObject({ isFalse: 1 });
    expect(count([0])).toMatchObject({ isFalse: 1 });
    expect(count([1, 0])).toMatchObject({ isFalse: 1 });
    expect(count([1, { ...message(2), previous: mark(9) }])).toMatchObject({ isFalse: 1 });
    // What could not be named before says nothing.
    expect(
      count([
        { ...message(1), mark: new Uint8Array(32) },
        { ...message(2), previous: mark(9) },
      ]),
    ).toMatchObject({ isFalse: 0 });
  });
});

function stateOf(device: SimDevice): ConversationState {
  if (device.state === undefined) throw new Error("no conversation");
  return device.state;
}

describe("[L-10] a conversation", () => {
  it("[E-38] tells of a device that numbers falsely, in one line a day, and goes on; and of what never came when the epoch ends", async () => {
    const world = await SimWorld.create("numbers", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    const told = (device: SimDevice): unknown[] =>
      [...device.lines.values()].filter(({ body }) => body.kind === "misnumbered").map(({ author, body }) => ({ author, body }));
    await ada.found([ben, cyd]);
    await world.settle();
    for (const text of ["one", "two"]) {
      await ben.say(text);
      await world.settle();
    }
    await ben.restart(0);
    await ada.restart(0);
    await world.settle();
    await ben.say("three");
    await world.settle();
    for (const device of [ada, cyd]) expect(told(device)).toEqual([]);
    expect(stateOf(ben).own.number).toBe(3);
    expect([...stateOf(ada).spoken.values()]).toMatchObject([{ number: 3, absent: [] }]);

    const { own } = stateOf(ben);
    for (const number of [own.number - 1, own.number - 1]) {
      ben.state = { ...stateOf(ben), own: { ...own, number } };
      await ben.say("again");
      await world.settle();
    }
    const author = ben.self.accountId;
    expect(told(ada)).toEqual([{ author, body: { kind: "misnumbered", missing: 0 } }]);

    ben.state = { ...stateOf(ben), own: { ...own, number: 9 } };
    await ben.say("after a gap");
    await world.settle();
    cyd.jump(2 * 86_400_000);
    expect(told(cyd)).toHaveLength(1);
    await ada.change([], [ben]);
    await world.settle();
    expect(told(cyd)).toEqual([
      { author, body: { kind: "misnumbered", missing: 0 } },
      { author, body: { kind: "misnumbered", missing: 6 } },
    ]);
    expect(stateOf(cyd)).toMatchObject({ phase: { kind: "active" }, spoken: new Map() });
  });
});
