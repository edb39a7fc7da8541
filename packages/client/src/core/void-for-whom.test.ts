import { epochKeys } from "./keys.ts";
import { rosterOf } from "./roster.ts";
import { equalBytes } from "@latchkey/codec";
import { decodeKeyPackage, memberAt } from "@latchkey/mls";
import { complaintReasons } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { HostileMember } from "./hostile.testing.ts";
import { SimDevice } from "./sim.testing.ts";
import { commitOf, groupAround, groupOf, lieAbout, readOn } from "./stranded.testing.ts";
import { describe, expect, it } from "vitest";

describe("[E-26] [G-6] a change is void by those whom it keeps, and by nobody else", () => {
  it("one member, with a second device in the leaf of somebody who left since, leaves nobody behind", async () => {
    const group = await groupOf("reused leaf", 2);
    const { world, honest, mallory, hostile } = group;
    const [ada, ben] = honest;
    if (ada === undefined || ben === undefined) throw new Error("two");
    // A good change of Ada's that everybody follows: she adds Dee.
    const dee = await SimDevice.create(world, "dee", seededRandom("dee"));
    world.devices.push(dee);
    const then = mallory.state;
    if (then === undefined) throw new Error("a conversation");
    await ada.change([dee], []);
    await world.settle();
    const seq = ada.state?.closedEpochs.find(({ epochId }) => epochId === then.epoch?.epochId)?.child;
    if (seq === undefined) throw new Error("it closed");
    for (const device of [ada, ben, dee]) await device.say(`by ${device.name}`);
    await world.settle();
    // Ben goes.
    await ada.change([], [ben]);
    await world.settle([ada, ben, dee, mallory]);
    for (const other of [ben]) expect(other.state?.phase.kind).toBe("removed");
    // Mallory puts a second device of her own into the leaf that is free.
    const second = await SimDevice.create(world, "m2", seededRandom("m2"));
    const { accountId, account } = mallory.self;
    Object.assign(second, { self: { ...second.self, accountId, account } });
    const { keyPackage } = await second.joiner();
    hostile.post(await hostile.forge({ adds: [decodeKeyPackage(keyPackage)] }));
    await world.settle([ada, dee]);
    expect(ada.state?.roster?.accounts.get(mallory.self.account)?.length).toBe(2);
    // Each says of Ada's change, long followed, that it cannot follow it.
    for (const self of [mallory.self, second.self]) {
      const liar = new HostileMember(world, { self, state: then, evidence: new Map() } as unknown as SimDevice);
      await liar.complain(seq, new Uint8Array(32).fill(1));
    }
    await world.settle([ada, dee]);
    expect(ada.alarms).toEqual([]);
    expect(ada.state?.phase).toEqual({ kind: "active" });
    expect(dee.isActive).toBe(true);
  });

  it("[E-2] what a device says of an epoch that it was never in is not kept", async () => {
    const group = await groupOf("never in it", 2);
    const { world, mallory, hostile } = group;
    const [ada] = group.honest;
    const then = mallory.state;
    if (ada === undefined || then === undefined) throw new Error("ada");
    const { accountId, account } = mallory.self;
    const devices = await Promise.all(
      ["m2", "m3", "m4"].map(async (name) => {
        const device = await SimDevice.create(world, name, seededRandom(name));
        Object.assign(device, { self: { ...device.self, accountId, account } });
        return device;
      }),
    );
    const adds = await Promise.all(devices.map(async (device) => decodeKeyPackage((await device.joiner()).keyPackage)));
    const seq = hostile.post(await hostile.forge({ adds }));
    await world.settle([ada]);
    for (const { self } of devices) {
      const liar = new HostileMember(world, { self, state: then, evidence: new Map() } as unknown as SimDevice);
      await liar.complain(seq, new Uint8Array(32).fill(1), { reason: complaintReasons.arrived, at: 1 } as never);
      await liar.complain(seq, new Uint8Array(32).fill(1));
    }
    await world.settle([ada]);
    const closed = ada.state?.closedEpochs.find(({ child }) => child === seq);
    expect([closed?.arrived.length, closed?.stuck.length]).toEqual([0, 0]);
  });
});

describe("[E-26] who follows a void change is told", () => {
  it("also where one of those who complained was let in at another leaf meanwhile, and did not take it", async () => {
    const group = await groupAround("moved leaf", 5);
    const { world, honest, hostile } = group;
    const [ada, ben, cyd, dee, eve] = honest;
    if (ada === undefined || ben === undefined || cyd === undefined || dee === undefined || eve === undefined) throw new Error("five");
    // Two leaves are free: Mallory's new device takes the first.
    await ada.change([], [ben, cyd]);
    await world.settle();
    const created = await commitOf(group, { cheats: [dee, eve] });
    const seq = hostile.post(created);
    for (const device of [dee, eve]) await readOn(device);
    for (const device of [dee, eve]) expect(device.state?.stranded).toMatchObject({ seq });
    // Ada lets both in, and the Welcomes are on their way.
    await world.settle([ada]);
    expect(ada.state?.asks).toEqual([]);
    const welcomes = [dee, eve].map((device) => device.inbox.splice(0));
    expect(welcomes.flat()).toHaveLength(2);
    await lieAbout(group, created, seq);
    await world.settle([dee, eve]);
    // With Mallory's it is the word of all but Ada: void for those two, who go on without it.
    for (const device of [dee, eve]) expect(device.state?.stranded).toBeUndefined();
    for (const [at, device] of [dee, eve].entries()) device.inbox.push(...(welcomes[at] ?? []));
    await dee.say("by dee");
    await world.settle([ada, dee, eve]);
    expect([...eve.texts().values()]).toContain("by dee");
    expect([...ada.texts().values()]).not.toContain("by dee");
    expect(ada.state?.phase).toEqual({ kind: "paused", reason: "left_behind" });
  });
});

describe("[E-26] [G-6] those who are stuck and those who followed count alike", () => {
  it("who follows a change by which its author takes a device of its own out and in again is told when it is void for the others", async () => {
    const group = await groupAround("readded", 3);
    const { world, honest, hostile, mallory } = group;
    const [ada, ben, cyd] = honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    // Mallory has three devices in the group.
    const { accountId, account } = mallory.self;
    const devices: SimDevice[] = [];
    for (const name of ["m2", "m3"]) {
      const device = await SimDevice.create(world, name, seededRandom(name));
      Object.assign(device, { self: { ...device.self, accountId, account } });
      devices.push(device);
    }
    const [spare, second] = devices;
    if (spare === undefined || second === undefined) throw new Error("two more");
    const packages = await Promise.all(devices.map(async (device) => decodeKeyPackage((await device.joiner()).keyPackage)));
    const first = await hostile.forge({ adds: packages });
    hostile.post(first);
    await world.settle(honest);
    // Her own code goes on behind it.
    const before = hostile.state;
    const seqOfFirst = ada.state?.epoch?.epochId ?? 0;
    const there = {
      ...before,
      group: first.next,
      epoch: epochKeys(first.next, before.logId, seqOfFirst),
      roster: rosterOf(first.next, before.opening),
    };
    const as = (self: SimDevice["self"]): HostileMember =>
      new HostileMember(world, { self, state: there, evidence: new Map() } as unknown as SimDevice);
    const [one, two] = [as(mallory.self), as(second.self)];
    const [free, leaf] = devices.map(({ self }) =>
      there.roster.leaves.values().find(({ deviceId }) => equalBytes(deviceId, self.deviceId)),
    );
    if (free === undefined || leaf === undefined) throw new Error("they are in");
    // The one goes, and the other takes its leaf.
    const created = await one.forge({
      removes: [free.leafIndex, leaf.leafIndex],
      adds: [decodeKeyPackage((await second.joiner()).keyPackage)],
      cheats: [ben, cyd],
    });
    const seq = one.post(created);
    for (const device of [ben, cyd]) await readOn(device);
    for (const device of [ben, cyd]) expect(device.state?.stranded).toMatchObject({ seq });
    for (const liar of [one, two]) {
      const key = memberAt(first.next, leaf.leafIndex)?.leafNode.encryptionKey;
      if (key === undefined) throw new Error("a leaf");
      await liar.complain(seq, key);
    }
    await world.settle([ben, cyd]);
    // For those two it is void, and they go on without it.
    for (const device of [ben, cyd]) expect(device.state?.stranded).toBeUndefined();
    await ben.say("by ben");
    await world.settle([ben, cyd]);
    expect([...cyd.texts().values()]).toContain("by ben");
    await ada.say("by ada");
    await world.settle(honest);
    expect([...cyd.texts().values()]).not.toContain("by ada");
    expect([...ada.texts().values()]).not.toContain("by ben");
    expect(ada.state?.phase).toEqual({ kind: "paused", reason: "left_behind" });
  });
});
