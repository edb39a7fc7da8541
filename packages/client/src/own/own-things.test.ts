import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { ClientError } from "../errors.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { keyOf, noLog } from "./facts.ts";
import type { OwnFact, Register } from "./facts.ts";
import { OwnThings, ownPrefix } from "./own-things.ts";

const random = seededRandom("own things");
const id = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const log = new Uint8Array(8).fill(7);
const mute = (of: number, untilMs: number): OwnFact => ({ kind: "mute", logId: id(of), untilMs });
const at = (order: number, fact: OwnFact, era = 1): Register => ({ place: { era, log, order }, fact });

async function open(store: Store, isAlone = false): Promise<OwnThings> {
  const things = new OwnThings({ store, platform: { random } });
  things.isAlone = () => isAlone;
  await things.load();
  return things;
}

/** A store whose power fails before a given write, counted from 0. */
function failing(records: Map<string, Uint8Array>, before: number): Store {
  const store = createMemoryStore(records);
  let left = before;
  return {
    ...store,
    transact: (mode, run) =>
      mode === "write" && left-- <= 0 ? Promise.reject(new ClientError("storage_denied", "The power is out.")) : store.transact(mode, run),
  };
}

const shown = (things: OwnThings): (OwnFact | undefined)[] => [1, 2, 3].map((of) => things.fact(keyOf(mute(of, 0))));

describe("[X-18] [E-110] what a person sets, in the store", () => {
  test("counts at once, and waits to be told; of one thing the newest alone waits", async () => {
    const records = new Map<string, Uint8Array>();
    const things = await open(createMemoryStore(records));
    await things.say([mute(1, 5)]);
    await things.say([mute(2, 5)]);
    await things.say([mute(1, 6)]);
    expect(shown(things)).toEqual([mute(1, 6), mute(2, 5), undefined]);
    expect(things.waiting.map(({ facts }) => facts)).toEqual([[mute(2, 5), mute(1, 6)]]);
    expect(shown(await open(createMemoryStore(records)))).toEqual(shown(things));
  });

  test("what waits comes behind what others said meanwhile, and where it has its place that alone decides", async () => {
    const things = await open(createMemoryStore());
    await things.say([mute(1, 5), mute(2, 5)]);
    const told = await things.prepare(log);
    await things.take([at(10, mute(1, 1)), at(12, mute(2, 1))]);
    expect(shown(things)).toEqual([mute(1, 5), mute(2, 5), undefined]);
    await things.settle(
      told?.id ?? new Uint8Array(0),
      (told?.facts ?? []).map((fact) => at(11, fact)),
      () => undefined,
    );
    expect(things.waiting).toEqual([]);
    expect(shown(things)).toEqual([mute(1, 5), mute(2, 1), undefined]);
  });

  test("what is said while something is under way waits in a word of its own, and the word is the same when it is told again", async () => {
    const records = new Map<string, Uint8Array>();
    const things = await open(createMemoryStore(records));
    await things.say([mute(1, 5)]);
    const told = await things.prepare(log);
    await things.say([mute(1, 6)]);
    expect(things.waiting.map(({ facts }) => facts)).toEqual([[mute(1, 5)], [mute(1, 6)]]);
    expect(await (await open(createMemoryStore(records))).prepare(log)).toEqual(told);
    // In another log it is another word: behind all that is known then.
    await things.take([at(3, mute(3, 1), 4)]);
    const elsewhere = new Uint8Array(8).fill(9);
    expect(await things.prepare(elsewhere)).toMatchObject({ id: told?.id, sent: { era: 5, log: elsewhere } });
  });

  test("all of a kind come in the order in which they were said last, what waits behind what has its place", async () => {
    const things = await open(createMemoryStore());
    await things.take([at(3, mute(3, 1)), at(1, mute(1, 1)), at(2, mute(2, 1)), at(4, { kind: "unread", logId: id(1), isUnread: true })]);
    expect(things.all("mute")).toEqual([mute(1, 1), mute(2, 1), mute(3, 1)]);
    await things.say([mute(1, 2)]);
    expect(things.all("mute")).toEqual([mute(2, 1), mute(3, 1), mute(1, 2)]);
  });

  test("on an account's only device it counts without being told, before and after the devices had a log", async () => {
    const records = new Map<string, Uint8Array>();
    const things = await open(createMemoryStore(records), true);
    await things.say([mute(1, 5)]);
    await things.say([mute(1, 6)]);
    expect(things.waiting).toEqual([]);
    expect(things.state.get(keyOf(mute(1, 0)))).toMatchObject({ place: { era: 1, log: noLog, order: 2 } });
    things.isAlone = () => false;
    await things.say([mute(2, 1)]);
    await things.settleAlone();
    await things.take([at(1, mute(1, 1))]);
    expect(shown(await open(createMemoryStore(records)))).toEqual([mute(1, 6), mute(2, 1), undefined]);
  });

  test("a crash at any write leaves what was there before, or what is there after, and the rest is made up for", async () => {
    const run = async (things: OwnThings): Promise<void> => {
      if (!things.waiting.some(({ sent }) => sent !== undefined)) await things.say([mute(1, 5)]);
      const told = await things.prepare(log);
      await things.take([at(10, mute(1, 1)), at(12, mute(2, 1))]);
      if (told !== undefined) await things.settle(told.id, [at(11, mute(1, 5))], () => undefined);
      await things.say([mute(3, 3)]);
    };
    const whole = await open(createMemoryStore());
    await run(whole);
    for (let writes = 0; writes < 6; writes++) {
      const records = new Map<string, Uint8Array>();
      const crashed = await run(await open(failing(records, writes))).then(
        () => false,
        () => true,
      );
      expect(crashed).toBe(writes < 5);
      const again = await open(createMemoryStore(records));
      if (crashed) await run(again);
      expect(shown(again)).toEqual(shown(whole));
    }
  });

  test("what an earlier device left of a kind that this version does not know is passed over", async () => {
    const store = createMemoryStore(new Map([[`${ownPrefix}later/x`, new Uint8Array([1, 2, 3])]]));
    expect((await open(store)).state.size).toBe(0);
  });
});
