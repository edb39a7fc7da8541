import { describe, expect, it } from "vitest";
import { isStopped } from "../engine/shown.ts";
import { isLeftOpen, removableLeaves, unjudged } from "./proven.ts";
import { HostileMember } from "./hostile.testing.ts";
import { roles } from "./rights.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { ConversationState } from "./types.ts";

function stateOf({ state }: SimDevice): ConversationState {
  return state ?? expect.fail("a conversation");
}

/** Of three, where Ben finds out nothing of Cyd's account. */
async function groupOf(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  world.untold.add(cyd.self.account);
  await ada.found([ben, cyd]);
  await world.settle([ada]);
  await ben.join();
  await ben.connect();
  await told(ben);
  return { world, ada, ben, cyd };
}

/** Whatever is on its way to a device arrives. */
async function told(device: SimDevice): Promise<void> {
  while (device.serve() || device.stream() || (await device.receive())) {
    // Until nothing is.
  }
}

/** After how long it asks again; that time passes, and the answer comes. */
async function wait(device: SimDevice): Promise<number> {
  const delayMs = device.timers.get("verify") ?? expect.fail("it asks again");
  device.timers.delete("verify");
  device.jump(delayMs);
  await device.input({ kind: "timer", name: "verify" });
  await told(device);
  return delayMs;
}

describe("[E-69] a leaf of which nothing can be found out", () => {
  it("is asked about less and less often, stops the conversation after minutes, and no more once it is told", async () => {
    const { world, ben, cyd } = await groupOf("asked");
    await ben.say("hello?");
    const delays: number[] = [];
    for (let tries = 1; tries < 5; tries++) {
      expect(isStopped(stateOf(ben))).toBe(false);
      delays.push(await wait(ben));
    }
    expect(stateOf(ben).unverified).toMatchObject([{ tries: 5, refused: false, accountId: cyd.self.accountId }]);
    expect(isStopped(stateOf(ben))).toBe(true);
    for (let more = 0; more < 3; more++) delays.push(await wait(ben));
    expect(delays.map((ms) => Math.round(ms / 1000))).toEqual([30, 60, 120, 240, 480, 600, 600]);
    expect(ben.alarms).toEqual([]);
    expect(stateOf(ben)).toMatchObject({ outgoing: [{ sealed: undefined }], phase: { kind: "active" } });
    world.untold.clear();
    await wait(ben);
    expect(stateOf(ben)).toMatchObject({ unverified: [], outgoing: [] });
    expect(isStopped(stateOf(ben))).toBe(false);
  });

  it("[E-3] whoever is offline is not told of it, and asks as soon as they are not", async () => {
    const { world, ben } = await groupOf("offline");
    const [leaf] = stateOf(ben).unverified;
    if (leaf === undefined) throw new Error("a leaf");
    expect(leaf.tries).toBe(1);
    await ben.disconnect(0);
    ben.jump(3_600_000);
    ben.timers.clear();
    for (const _ of [1, 2, 3, 4, 5, 6]) {
      await ben.input({ kind: "timer", name: "verify" });
      // Nobody was asked.
      expect(await ben.receive()).toBe(false);
      await ben.input({ kind: "verified", verdicts: [{ ...leaf, verdict: "unknown" }] });
    }
    expect(stateOf(ben).unverified).toMatchObject([{ tries: 1 }]);
    expect(ben.timers.size).toBe(0);
    world.untold.clear();
    await ben.connect();
    await told(ben);
    expect(stateOf(ben).unverified).toEqual([]);
  });

  it("an answer that comes early counts once, and a clock that was set back makes nobody wait", async () => {
    const { ben } = await groupOf("early");
    const [leaf] = stateOf(ben).unverified;
    if (leaf === undefined) throw new Error("a leaf");
    await ben.input({ kind: "verified", verdicts: [{ ...leaf, verdict: "unknown" }] });
    expect(stateOf(ben).unverified).toMatchObject([{ tries: 1 }]);
    ben.jump(-86_400_000);
    await ben.input({ kind: "timer", name: "verify" });
    await told(ben);
    expect(stateOf(ben).unverified).toMatchObject([{ tries: 2 }]);
  });

  it("the most asked about come first: of very many some are told of in time", async () => {
    const { ben } = await groupOf("many");
    const state = stateOf(ben);
    const [leaf] = state.unverified;
    if (leaf === undefined) throw new Error("a leaf");
    const tried = [0, 3, 1].map((tries) => ({ ...leaf, tries, askedAtMs: 0 }));
    ben.state = { ...state, unverified: tried };
    const { step } = await import("./step.ts");
    const result = await step(ben.context, ben.state, { kind: "timer", name: "verify" });
    const effects = result.kind === "next" ? result.effects : [];
    const asked = effects.flatMap((effect) => (effect.kind === "verify" ? effect.leaves.map(({ tries }) => tries) : []));
    expect(asked).toEqual([3, 1, 0]);
  });

  it("may be taken out by whoever manages the group", async () => {
    const { ada, ben } = await groupOf("out");
    for (const [device, count] of [
      [ada, 1],
      [ben, 0],
    ] as const) {
      const state = stateOf(device);
      const leaf = [...(state.roster?.leaves.values() ?? [])].find(({ leafIndex }) => leafIndex === 2) ?? expect.fail("a leaf");
      const removable = (tries: number): number => removableLeaves({ ...state, unverified: [{ ...unjudged(leaf), tries }] }).length;
      expect([removable(4), removable(5)]).toEqual([0, count]);
    }
    expect(isLeftOpen({ ...unjudged(stateOf(ada).roster?.own ?? expect.fail("in")), tries: 5, refused: true })).toBe(false);
  });
});

describe("[G-8] a leaf that is refused, in whose place another device comes", () => {
  it.each(["another one", "one of that name"])(
    "what was known of it is not held against that device: the true one is added in the commit that takes it out, %s",
    async (which) => {
      const world = await SimWorld.create(`place ${which}`, ["ada", "ben", "dee"]);
      const [ada, ben, dee] = world.devices;
      if (ada === undefined || ben === undefined || dee === undefined) throw new Error("three");
      await ada.found([ben], {
        roles: [
          { accountId: ada.self.accountId, role: roles.owner },
          { accountId: ben.self.accountId, role: roles.administrator },
        ],
      });
      await world.settle([ada, ben]);
      const { host, accountId } = dee.self;
      const deviceId = which === "another one" ? world.random(16) : dee.self.deviceId;
      const none = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
      world.ghosts.add(dee.self.account);
      const ghost = await new HostileMember(world, ada).joiner({ host, accountId, deviceId });
      await ada.input({ kind: "change", change: { ...none, id: "ghost", adds: [ghost] } });
      await ada.connect();
      await told(ada);
      await told(ben);
      await told(ada);
      await told(ben);
      expect(stateOf(ben).unverified).toMatchObject([{ refused: true }]);
      // Nobody holds the ghost's keys.
      dee.inbox.length = 0;
      world.ghosts.delete(dee.self.account);
      const place = stateOf(ben).unverified[0]?.leafIndex;
      const change = { ...none, id: "dee", adds: [await dee.joiner()], removeDevices: [{ accountId, deviceId }] };
      await ada.input({ kind: "change", change });
      await world.settle();
      expect(
        stateOf(ben)
          .roster?.accounts.get(dee.self.account)
          ?.map(({ leafIndex }) => leafIndex),
      ).toEqual([place]);
      expect([stateOf(ben).unverified, isStopped(stateOf(ben)), removableLeaves(stateOf(ben))]).toEqual([[], false, []]);
      await ben.say("to dee");
      await world.settle();
      expect([...dee.texts().values()]).toEqual(["to dee"]);
    },
  );
});
