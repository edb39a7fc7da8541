import { toBase64Url } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { SimDevice } from "./sim.testing.ts";
import { step } from "./step.ts";
import { commitOf, groupAround, groupOf, leftBehind, readOn } from "./stranded.testing.ts";
import { numbersIn } from "./contested.ts";
import { describe, expect, it } from "vitest";

describe("[G-5] [M-9] let in again by an answer to its complaint, nothing that the person did or had is gone without a word", () => {
  it("a change that they asked for is made, or they are told that it is not", async () => {
    const group = await leftBehind("a change waits");
    const { world, ada, ben, cyd } = group;
    const dee = await SimDevice.create(world, "dee", seededRandom("dee"));
    world.devices.push(dee);
    await cyd.change([dee], []);
    expect(cyd.state?.changes).toHaveLength(1);
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    expect(cyd.state?.changes.length === 0 ? cyd.outcomes : ["it waits"]).not.toEqual([]);
  });

  it("who said that they leave is not in it again", async () => {
    const group = await leftBehind("leaving");
    const { world, ada, ben, cyd } = group;
    await cyd.leave();
    expect(cyd.state?.phase.kind).toBe("leaving");
    await world.settle([ada, ben]);
    await readOn(cyd);
    await cyd.join();
    expect(cyd.state).toMatchObject({ stranded: undefined, phase: { kind: "leaving" } });
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.phase.kind).not.toBe("active");
    for (const other of [ada, ben]) expect(other.state?.roster?.accounts.has(cyd.self.account)).toBe(false);
  });

  it("the history of the conversation that it goes on with stays above it", async () => {
    const group = await leftBehind("history above", (cyd) => {
      if (cyd.state !== undefined) cyd.state = { ...cyd.state, continuesId: "old" };
    });
    const { world, ada, ben, cyd } = group;
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    expect(cyd.state?.continuesId).toBe("old");
  });

  it("it knows its latest epochs by name: who goes on elsewhere from the epoch in which both waited is still known by it", async () => {
    const group = await leftBehind("names");
    const { world, ada, ben, cyd } = group;
    const before = (cyd.state?.continuity ?? []).map(toBase64Url);
    const offer = { id: "elsewhere", accountId: ada.self.accountId, missing: [] };
    await cyd.input({ kind: "offered", offer });
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    expect((cyd.state?.continuity ?? []).map(toBase64Url)).toEqual(expect.arrayContaining(before));
  });

  it("an offer to go on elsewhere waits as it did", async () => {
    const group = await leftBehind("offers");
    const { world, ada, ben, cyd } = group;
    const offer = { id: "elsewhere", accountId: ada.self.accountId, missing: [] };
    await cyd.input({ kind: "offered", offer });
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    expect(cyd.state?.offers.map(({ id }) => id)).toEqual(["elsewhere"]);
  });

  it("[A-1] who was recovered holds what is sent until the person saw it", async () => {
    const group = await leftBehind("recovered");
    const { world, ada, ben, cyd } = group;
    await cyd.input({ kind: "accounts", recovered: [ada.self.accountId] });
    expect(cyd.state?.recovered).toHaveLength(1);
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    expect(cyd.state?.recovered).toHaveLength(1);
  });
});

const dayMs = 86_400_000;

describe("[E-31] [G-5] whose word where it arrived cannot be written any more does without it", () => {
  it("let in again weeks after an earlier arrival, it makes no key package for that word with each connection", async () => {
    const group = await groupOf("weeks after", 3);
    const { world, hostile } = group;
    const [ada, ben, cyd] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    hostile.post(await commitOf(group, { cheats: [cyd] }));
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    // Weeks later, with other changes in between, its conversation stops for another reason, and somebody adds it again.
    for (const device of [ada, ben, cyd]) device.jump(30 * dayMs);
    await ada.change([], [ben]);
    await world.settle([ada, ben, cyd]);
    const known = cyd.state;
    if (known === undefined) throw new Error("a conversation");
    await cyd.disconnect(0);
    cyd.state = { ...known, phase: { kind: "paused", reason: "missed_commit" } };
    cyd.agrees = true;
    const { accountId, deviceId } = cyd.self;
    const joiner = await cyd.joiner();
    const again = { adds: [joiner], removes: [], removeDevices: [{ accountId, deviceId }], proofs: new Uint8Array(0), update: false };
    await ada.input({ kind: "change", change: { id: "again", ...again } });
    await world.settle([ada]);
    await cyd.join();
    expect(cyd.isActive).toBe(true);
    await world.settle([ada, cyd]);
    let asked = 0;
    for (let connection = 0; connection < 20; connection++) {
      await cyd.disconnect(0);
      const { state } = cyd;
      if (state === undefined) throw new Error("a conversation");
      const result = await step(cyd.context, state, { kind: "connected", retentionDays: 30 });
      if (result.kind === "next") asked += result.effects.filter(({ kind }) => kind === "complain").length;
      await cyd.connect();
      await world.settle([ada, cyd]);
    }
    expect(asked).toBe(0);
  });
});

describe("[E-26] who was let in again at another leaf", () => {
  it("listens in the epochs before for everybody whom they kept, where they stand now, and by nobody else's leaf", async () => {
    const group = await groupAround("other leaf", 5);
    const { world, honest, mallory } = group;
    const [ada, ben, cyd, dee, eve] = honest;
    if (ada === undefined || ben === undefined || cyd === undefined || dee === undefined || eve === undefined) throw new Error("five");
    await ada.change([], [ben, cyd]);
    await world.settle();
    for (const device of [ada, eve]) await device.say("heard");
    await world.settle();
    const before = dee.state?.roster?.own?.leafIndex;
    // Mallory's new device takes the first free leaf, and Dee the second one.
    group.hostile.post(await commitOf(group, { cheats: [dee] }));
    await readOn(dee);
    await world.settle([ada, eve, dee]);
    const { roster, closedEpochs, arrival } = dee.state ?? {};
    expect(arrival).toMatchObject({ isWritten: true });
    expect(roster?.own?.leafIndex).not.toBe(before);
    const places = [ada, dee, eve, mallory].map(({ self }) => roster?.accounts.get(self.account)?.[0]?.leafIndex);
    const others = places.filter((leaf) => leaf !== roster?.own?.leafIndex);
    const sorted = (leaves: readonly (number | undefined)[]): readonly number[] =>
      leaves.flatMap((leaf) => leaf ?? []).toSorted((a, b) => a - b);
    const [closed] = closedEpochs ?? [];
    if (closed === undefined) throw new Error("the epoch that the change of ada's ended");
    expect(numbersIn(closed.kept)).toEqual(sorted(places));
    expect(numbersIn(closed.unheard)).toEqual(sorted(others));
  });
});
