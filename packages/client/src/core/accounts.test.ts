import { toBase64Url } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { encodeProofs } from "../account/proofs.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

function named(world: SimWorld, at: number): SimDevice {
  const device = world.devices[at];
  if (device === undefined) throw new Error("no such device");
  return device;
}

async function group(seed: string, names: readonly string[]): Promise<{ world: SimWorld; devices: SimDevice[] }> {
  const world = await SimWorld.create(seed, names, { isProven: true });
  await named(world, 0).found(world.devices.slice(1));
  await world.settle();
  return { world, devices: world.devices };
}

const news = { kind: "accounts" as const, recovered: [] };

describe("devices that left their account", () => {
  it("[M-3] are removed by a member's client after a random time, and nobody sends before", async () => {
    const { world, devices } = await group("departed", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    world.depart(cyd);
    for (const device of [ada, ben]) await device.input(news);
    expect([ada, ben].map((device) => device.timers.has("remove_leavers"))).toEqual([true, true]);
    await ben.say("not for the device that left");
    expect(ben.state?.outgoing.map((message) => message.sealed)).toEqual([undefined]);
    await world.settle();
    expect(devices.map((device) => device.state?.phase.kind)).toEqual(["active", "active", "removed"]);
    expect(cyd.texts().size).toBe(0);
    expect([...ada.texts().values()]).toEqual(["not for the device that left"]);
    expect(ada.state?.departed).toEqual([]);
  });

  it("[M-3] of more accounts than whose records fit they go one part after the other", async () => {
    const { world } = await group(
      "many",
      Array.from({ length: 11 }, (_, at) => `p${at}`),
    );
    const [ada, ben] = [named(world, 0), named(world, 1)];
    for (const device of world.devices.slice(2)) world.depart(device);
    await ben.input(news);
    await ben.say("for who is left");
    await world.settle();
    expect([ada, ben].map(({ state }) => [state?.memberCount, state?.departed, state?.outgoing])).toEqual([
      [2, [], []],
      [2, [], []],
    ]);
    const commits = [...ada.lines.values()].filter(({ body }) => body.kind === "away").length;
    expect(commits).toBeGreaterThan(1);
  });

  it("[E-64] their people are told as being away, not as thrown out; who is thrown out is told so", async () => {
    const { world } = await group("away", ["ada", "ben", "cyd", "dee"]);
    const [ada, ben, cyd, dee] = [named(world, 0), named(world, 1), named(world, 2), named(world, 3)];
    const told = (device: SimDevice): string[] => [...device.lines.values()].map(({ body }) => body.kind).slice(1);
    world.depart(cyd);
    await ben.input(news);
    await world.settle();
    for (const device of [ada, ben, dee]) {
      expect(told(device).at(-1)).toBe("away");
      expect(told(device)).not.toContain("removed");
      expect(device.state?.away).toMatchObject([{ accountId: cyd.self.accountId, until: 0 }]);
    }
    await ada.change([], [dee]);
    await world.settle();
    expect(told(ben).at(-1)).toBe("removed");
    expect(ben.state?.away).toHaveLength(1);
    expect(dee.state).toMatchObject({ phase: { kind: "removed" }, away: [] });
  });

  it("[M-2] any member may remove them, with the record that proves it in the commit", async () => {
    const { world } = await group("anybody", ["ada", "ben", "cyd", "dee"]);
    const [ada, ben, cyd, dee] = [named(world, 0), named(world, 1), named(world, 2), named(world, 3)];
    world.depart(cyd);
    // Ben is no administrator, and nobody else has heard of it yet.
    await ben.input(news);
    await world.settle();
    for (const device of [ada, ben, dee]) {
      expect(device.state?.memberCount).toBe(3);
      expect(device.alarms).toEqual([]);
    }
    expect(cyd.state?.phase.kind).toBe("removed");
  });

  it("[M-2] without the proof it is a change that its author may not make", async () => {
    const { world } = await group("unproven", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    world.departed.add(toBase64Url(cyd.self.deviceId));
    world.records.push(cyd.account.record);
    await ben.input(news);
    await ben.fireTimer();
    await world.settle();
    expect(ben.outcomes).toContain("not_permitted");
    expect(ada.state?.memberCount).toBe(3);
    // Said, and not only waited for: the person may go on elsewhere (M-9).
    expect(ben.state?.link.cannotRemove).toBe(true);
    // Of another account, and cut off, proves nothing either.
    world.records.splice(0, 1, ada.account.moved, { ...cyd.account.moved, pops: [] });
    await ben.input({ kind: "timer", name: "remove_leavers" });
    await world.settle();
    expect(cyd.isActive).toBe(true);
    expect(encodeProofs(world.records).length).toBeGreaterThan(0);
  });

  it("[E-55] one that cannot be proven to the others keeps none in the group that can", async () => {
    const { world } = await group("one of two", ["ada", "ben", "cyd", "dee"]);
    const [ada, ben, cyd, dee] = [named(world, 0), named(world, 1), named(world, 2), named(world, 3)];
    world.depart(cyd);
    world.departed.add(toBase64Url(dee.self.deviceId));
    world.records.push(dee.account.record);
    await ben.input(news);
    await world.settle([ada, ben, cyd]);
    expect(ada.state?.memberCount).toBe(3);
    expect(cyd.state?.phase.kind).toBe("removed");
    expect(ben.state).toMatchObject({ link: { cannotRemove: true }, departed: [{ accountId: dee.self.accountId }] });
    world.records.splice(world.records.length - 1, 1, dee.account.moved);
    await ben.input(news);
    await world.settle([ada, ben]);
    expect(ben.state).toMatchObject({ link: { cannotRemove: false }, departed: [], memberCount: 2 });
  });

  it("[E-55] what cannot be proven to the others is tried again with each connection and with each record that comes, and then said no more", async () => {
    for (const again of ["connection", "record"] as const) {
      const { world } = await group(`stuck ${again}`, ["ada", "ben", "cyd"]);
      const [ben, cyd] = [named(world, 1), named(world, 2)];
      world.departed.add(toBase64Url(cyd.self.deviceId));
      world.records.push(cyd.account.record);
      await ben.input(news);
      await world.settle();
      expect(ben.state).toMatchObject({ link: { cannotRemove: true }, memberCount: 3 });
      world.records.splice(0, 1, cyd.account.moved);
      if (again === "record") await ben.input(news);
      else await ben.disconnect(0);
      await world.settle();
      expect(ben.state).toMatchObject({ link: { cannotRemove: false }, memberCount: 2, departed: [] });
    }
  });

  it("[M-3] are not waited for again once they are out", async () => {
    const { world } = await group("once", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    world.depart(cyd);
    for (const device of [ada, ben]) await device.input(news);
    await world.settle();
    const entries = world.log.entries.length;
    for (const device of [ada, ben]) await device.input(news);
    await world.settle();
    expect(world.log.entries).toHaveLength(entries);
  });
});

describe("accounts that were recovered, and one's own", () => {
  it("[A-1] a recovered account is told in the conversation, and nothing is sent before the person saw it", async () => {
    const { world } = await group("recovered", ["ada", "ben"]);
    const [ada, ben] = [named(world, 0), named(world, 1)];
    await ada.input({ kind: "accounts", recovered: [ben.self.accountId] });
    const line = [...ada.lines.values()].find((candidate) => candidate.body.kind === "recovered");
    if (line === undefined) throw new Error("it was not told");
    // It holds up what is said, and is nothing to read.
    expect(ada.state?.unread).toBe(0);
    await ada.say("waits");
    await world.settle();
    expect(ben.texts().size).toBe(0);
    await ada.input({ kind: "read", throughOrder: line.order - 1, unread: 1 });
    await world.settle();
    expect(ben.texts().size).toBe(0);
    await ada.input({ kind: "read", throughOrder: line.order, unread: 0 });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["waits"]);
  });

  it("[A-2] nothing is sent anywhere while one's own account stands changed by somebody else", async () => {
    const { world } = await group("held", ["ada", "ben"]);
    const [ada, ben] = [named(world, 0), named(world, 1)];
    ada.isHeld = true;
    await ada.say("waits");
    await world.settle();
    expect(ben.texts().size).toBe(0);
    ada.isHeld = false;
    await ada.input(news);
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["waits"]);
  });

  it("[D-5] one's own changed account goes to the group, the newest in place of one that still waits", async () => {
    const { world } = await group("announced", ["ada", "ben"]);
    const [ada, ben] = [named(world, 0), named(world, 1)];
    await ada.disconnect(0);
    const proofs = encodeProofs([ada.account.moved]);
    await ada.input({ kind: "announce", id: "one", displayName: "Ada", proofs: encodeProofs([ada.account.record]) });
    await ada.input({ kind: "announce", id: "two", displayName: "Ada", proofs });
    await world.settle();
    expect(ben.shown).toEqual([proofs]);
    expect(ben.alarms).toEqual([]);
  });
});

describe("[D-4] gossip", () => {
  it("goes with every message and commit, and what members say is handed on", async () => {
    const world = await SimWorld.create("gossip", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    ada.gossip = new Uint8Array([1, 2, 3]);
    await ada.found([ben]);
    await world.settle();
    await ada.say("with gossip");
    await ada.change([cyd], []);
    await world.settle();
    expect(ben.heard.filter((said) => said.gossip.length === 3).length).toBeGreaterThanOrEqual(2);
    expect(ben.heard[0]).toMatchObject({ accountId: ada.self.accountId, accountVersion: 0, accountChain: ada.self.accountChain });
  });
});

describe("devices that leave their account, with lost replies, restarts and races", () => {
  const runs = Number(process.env["SIM_RUNS"] ?? 10);
  const first = Number(process.env["SIM_FIRST"] ?? 0);
  for (let run = first; run < first + runs; run++) {
    it(`[M-3] seed ${run}: it is out in the end, and all others agree`, async () => {
      const { world } = await group(`departures-${run}`, ["ada", "ben", "cyd", "dee"]);
      const dee = named(world, 3);
      let said = 0;
      for (let i = 0; i < 300; i++) {
        const device = named(world, world.pick(4));
        if (i === 100) world.depart(dee);
        switch (world.pick(14)) {
          case 0:
            if (device.isActive) await device.say(`${device.name} ${++said}`);
            break;
          case 1:
            await device.disconnect(world.pick(3));
            break;
          case 2:
            if (world.pick(3) === 0) await device.restart(world.pick(3));
            break;
          case 3:
            // Some hear of it early, some late.
            if (i > 100 && device !== dee && world.pick(3) === 0) await device.input(news);
            break;
          case 4:
            await device.fireTimer();
            break;
          case 5:
            await device.input({ kind: "timer", name: "self_update" });
            break;
          case 6:
          case 7:
            await device.connect();
            break;
          case 8:
          case 9:
            device.serve();
            break;
          case 10:
          case 11:
            device.stream();
            break;
          default:
            await device.receive();
        }
      }
      const others = world.devices.slice(0, 3);
      for (const device of others) await device.input(news);
      await world.settle();
      expect(world.devices.flatMap((device) => device.alarms)).toEqual([]);
      expect(dee.state?.phase.kind).toBe("removed");
      for (const device of others) {
        expect(device.state).toMatchObject({ memberCount: 3, departed: [], outgoing: [], staged: undefined });
        expect(device.state?.chain.seq).toBe(world.log.entries.length);
        expect([...device.texts()].toSorted()).toEqual([...named(world, 0).texts()].toSorted());
      }
    });
  }
});
