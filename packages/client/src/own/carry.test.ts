import { toBase64Url } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { carryOwn } from "./carry.ts";
import { OwnThings } from "./own-things.ts";
import { factOf, pinnedIds } from "./view.ts";

const id = (value: number): Uint8Array => new Uint8Array(32).fill(value);

test("[X-18] a mute and a place on top go along into the conversation that goes on, once, and never over what was set there", async () => {
  const things = new OwnThings({ store: createMemoryStore(), platform: { random: seededRandom("carry") } });
  await things.say([
    { kind: "mute", logId: id(1), untilMs: 5 },
    { kind: "pin", logId: id(1), rank: 0 },
    { kind: "pin", logId: id(3), rank: 1 },
  ]);
  for (let times = 0; times < 2; times++) {
    await carryOwn(things, id(1), id(2));
    expect(pinnedIds(things)).toEqual([2, 3].map((of) => toBase64Url(id(of))));
    expect(factOf(things, "mute", id(2))?.untilMs).toBe(5);
  }
  await things.say([{ kind: "mute", logId: id(2), untilMs: 0 }]);
  await carryOwn(things, id(1), id(2));
  expect(factOf(things, "mute", id(2))?.untilMs).toBe(0);
});
