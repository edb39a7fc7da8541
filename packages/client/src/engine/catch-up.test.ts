import { describe, expect, test } from "vitest";
import type { CatchUp } from "../api.ts";
import type { ConversationState, Link } from "../core/types.ts";
import { CatchUpProgress } from "./catch-up.ts";

function device() {
  const clock = { nowMs: 1000 };
  const told: (CatchUp | undefined)[] = [];
  const progress = new CatchUpProgress({ nowMs: () => clock.nowMs, tell: (one) => told.push(one) });
  const moved = (id: string, seq: number, readUpTo: number, kind: Link["kind"] = "following"): void => {
    clock.nowMs += 100;
    // Of a state this reads no more.
    progress.moved({ id, chain: { seq }, link: { kind, readUpTo }, phase: { kind: "active" } } as unknown as ConversationState);
  };
  return { told, moved, clock };
}

describe("[E-118] how much is read of what came meanwhile", () => {
  test("counts the entries of all conversations, is told now and then, and when nothing is left", () => {
    const { told, moved } = device();
    moved("a", 10, 310);
    moved("b", 0, 700);
    moved("a", 110, 310);
    moved("a", 210, 310);
    moved("a", 310, 310);
    moved("a", 310, 310);
    expect(told).toEqual([
      { read: 0, of: 300 },
      { read: 200, of: 1000 },
    ]);
    moved("b", 700, 700);
    expect(told.at(-1)).toBeUndefined();
    // What comes later one by one is no catching up.
    const before = told.length;
    for (let seq = 701; seq < 720; seq++) moved("b", seq, seq);
    expect(told).toHaveLength(before);
  });

  test("of a handful of entries nothing is told", () => {
    const { told, moved } = device();
    moved("a", 0, 60);
    moved("a", 30, 60);
    moved("a", 60, 60);
    expect(told).toEqual([]);
  });

  test("a log of which a server claims too much, or that it serves no more, ends with its stream, and hides nothing of the others", () => {
    const { told, moved } = device();
    moved("false", 0, 2 ** 40);
    moved("a", 0, 500);
    moved("a", 200, 500);
    moved("a", 500, 500);
    expect(told.at(-1)).toMatchObject({ read: 500 });
    moved("false", 0, 2 ** 40, "stalled");
    expect(told.at(-1)).toBeUndefined();
    moved("a", 500, 900, "up");
    moved("a", 500, 900);
    moved("a", 500, 900, "down");
    expect(told.slice(-2)).toEqual([{ read: 0, of: 400 }, undefined]);
  });

  test("a clock that is put back does not keep it silent", () => {
    const { told, moved, clock } = device();
    moved("a", 0, 500);
    clock.nowMs -= 1_000_000;
    moved("a", 100, 500);
    expect(told).toEqual([
      { read: 0, of: 500 },
      { read: 100, of: 500 },
    ]);
  });
});
