import { toBase64Url } from "@latchkey/codec";
import { decodeGroupState, encodeGroupState, epoch, resumptionPsk } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { createEditContent, createReactionContent, createTextContent } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

function named(world: SimWorld, at: number): SimDevice {
  const device = world.devices[at];
  if (device === undefined) throw new Error("no such device");
  return device;
}

/** Adds somebody while the others are away. */
async function addAlone(device: SimDevice, joiner: SimDevice): Promise<void> {
  await device.change([joiner], []);
  await follow(device);
}

/** A device is served to the end, without deciding anything for its person. */
async function follow(device: SimDevice): Promise<void> {
  await device.connect();
  for (let i = 0; i < 20; i++) {
    device.serve();
    device.stream();
    await device.receive();
  }
}

describe("conversations without faults", () => {
  it("[L-6] everybody has the same messages in the same order, once", async () => {
    const world = await SimWorld.create("plain", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben, cyd]);
    await world.settle();
    for (const device of world.devices) await device.say(`hello from ${device.name}`);
    await world.settle();
    expect(ada.texts().size).toBe(3);
    expect([...ben.texts()].toSorted()).toEqual([...ada.texts()].toSorted());
    expect([...cyd.texts()].toSorted()).toEqual([...ada.texts()].toSorted());
    expect(world.devices.flatMap((device) => device.alarms)).toEqual([]);
  });

  it("[E-75] an entry of a kind that this version does not know is read over: the chain goes on, nobody is stopped or told", async () => {
    const world = await SimWorld.create("later", ["ada", "ben"]);
    const [ada, ben] = [named(world, 0), named(world, 1)];
    await ada.found([ben]);
    await world.settle();
    await ada.say("before");
    await world.settle();
    const epochId = ada.state?.epoch?.epochId ?? 0;
    const { length } = world.log.entries;
    world.log.appendLater(9, { epochId, blob: new Uint8Array(512) });
    world.log.appendLater(255, { epochId: 0, blob: new Uint8Array(0) });
    await ada.say("after");
    await ben.say("and back");
    await world.settle();
    expect(world.log.entries).toHaveLength(length + 4);
    for (const device of world.devices) {
      expect([...device.texts().values()].toSorted()).toEqual(["after", "and back", "before"]);
      expect(device.alarms).toEqual([]);
      expect(device.state?.chain.seq).toBe(length + 4);
    }
  });

  it("sending takes the draft with it, and leaves one that was begun since", async () => {
    const world = await SimWorld.create("draft", ["ada"]);
    const [ada] = world.devices;
    if (ada === undefined) throw new Error("one device");
    await ada.found([]);
    await ada.input({ kind: "draft", text: "On my w" });
    await ada.say("On my way");
    expect(ada.state?.draft).toBe("");
    await ada.input({ kind: "draft", text: "And bring bread" });
    await ada.say("I am late");
    expect(ada.state?.draft).toBe("And bring bread");
  });

  it("[M-3] who left is removed by another member, and nothing is sent before", async () => {
    const world = await SimWorld.create("leave", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben, cyd]);
    await world.settle();
    await ben.leave();
    await world.settle();
    expect(ben.state?.phase.kind).toBe("left");
    expect(ben.state?.group).toBeUndefined();
    expect(ada.state?.memberCount).toBe(2);
    await cyd.say("still here");
    await world.settle();
    expect([...ada.texts().values()]).toEqual(["still here"]);
    expect(ben.texts().size).toBe(0);
  });

  it("a removed member's keys are erased, and it is told", async () => {
    const world = await SimWorld.create("remove", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben, cyd]);
    await world.settle();
    await ada.change([], [cyd]);
    await world.settle();
    await ada.say("without cyd");
    await world.settle();
    expect(cyd.state?.phase.kind).toBe("removed");
    expect(cyd.state?.epoch).toBeUndefined();
    expect(cyd.texts().size).toBe(0);
    expect([...ben.texts().values()]).toEqual(["without cyd"]);
  });

  it("[M-2] a member who is no administrator cannot remove another", async () => {
    const world = await SimWorld.create("roles", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben, cyd]);
    await world.settle();
    await ben.change([], [cyd]);
    await world.settle();
    expect(ben.outcomes).toContain("not_permitted");
    expect(cyd.isActive).toBe(true);
  });

  it("[L-4] what was sealed and is not in the log when its epoch ends is encrypted again, for those who are left", async () => {
    const world = await SimWorld.create("sealed too early", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben, cyd]);
    await world.settle();
    await ben.say("for two");
    const before = ben.state?.outgoing[0]?.sealed;
    await ben.disconnect(0);
    await ada.change([], [cyd]);
    await world.settle([ada]);
    await ben.connect();
    while (ben.state?.epoch?.epochId === before?.epochId) {
      ben.serve();
      ben.stream();
      await ben.receive();
    }
    expect(before).toBeDefined();
    expect(ben.state?.outgoing.map(({ sealed, failure }) => [sealed, failure])).toEqual([[undefined, undefined]]);
    await world.settle();
    expect([ada, cyd].map((device) => [...device.texts().values()])).toEqual([["for two"], []]);
  });

  it("[L-4] a message composed before somebody was added waits for its author's word", async () => {
    const world = await SimWorld.create("a7", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben]);
    await world.settle();
    await ben.disconnect(0);
    await ben.say("for two");
    await addAlone(ada, cyd);
    await follow(ben);
    expect(ben.state?.outgoing[0]?.failure).toBe("members_changed");
    await ben.retryFailed();
    await world.settle();
    expect([...cyd.texts().values()]).toEqual(["for two"]);
  });

  it("[L-4] what was done to a message that waits for its author's word waits with it, and goes or is dropped with it", async () => {
    for (const decision of ["retry", "discard"] as const) {
      const world = await SimWorld.create("a7 edit", ["ada", "ben", "cyd"]);
      const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
      await ada.found([ben]);
      await world.settle();
      await ben.disconnect(0);
      const target = new Uint8Array(32).fill(1);
      const id = toBase64Url(target);
      const head = { salt: new Uint8Array(16), sentAtMs: 1_767_225_600_000 };
      await ben.input({ kind: "compose", id, purpose: "text", text: "for two", content: createTextContent({ ...head, text: "for two" }) });
      const edit = createEditContent({ ...head, replaces: target, text: "for two alone" });
      await ben.input({ kind: "compose", id: "edit", purpose: "change", text: "", content: edit });
      const reaction = createReactionContent({ ...head, inReplyTo: target, emoji: "👍" });
      await ben.input({ kind: "compose", id: "reaction", purpose: "change", text: "", content: reaction });
      await addAlone(ada, cyd);
      await follow(ben);
      const { chain } = ben.state ?? {};
      expect(ben.state?.outgoing.map((item) => [item.id, item.failure, item.sealed])).toEqual([
        [id, "members_changed", undefined],
        ["edit", undefined, undefined],
        ["reaction", undefined, undefined],
      ]);
      await ben.input({ kind: decision, id });
      await world.settle();
      expect(ben.state?.outgoing).toEqual([]);
      expect([...cyd.texts().values()]).toEqual(decision === "retry" ? ["for two"] : []);
      expect((ben.state?.chain.seq ?? 0) - (chain?.seq ?? 0)).toBe(decision === "retry" ? 3 : 0);
    }
  });

  it("[L-4] another text in the place of one, written before somebody was added, waits for its author's word too; a reaction does not", async () => {
    const world = await SimWorld.create("a7 late edit", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben]);
    await world.settle();
    await ben.disconnect(0);
    const head = { salt: new Uint8Array(16), sentAtMs: 1_767_225_600_000 };
    const target = new Uint8Array(32).fill(1);
    const edit = createEditContent({ ...head, replaces: target, text: "for two alone" });
    await ben.input({ kind: "compose", id: "edit", purpose: "change", text: "", content: edit });
    const reaction = createReactionContent({ ...head, inReplyTo: target, emoji: "👍" });
    await ben.input({ kind: "compose", id: "reaction", purpose: "change", text: "", content: reaction });
    await addAlone(ada, cyd);
    await follow(ben);
    expect(ben.state?.outgoing.map((item) => [item.id, item.failure])).toEqual([["edit", "members_changed"]]);
  });
});

describe("the keys of a group that were used", () => {
  const isErased = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

  it("are overwritten in memory once what follows is stored; a commit that waits, wins or loses its race keeps what it needs", async () => {
    const world = await SimWorld.create("erased", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben, cyd]);
    await world.settle();
    for (let i = 0; i < 3; i++) {
      for (const device of world.devices) await device.say(`${i} from ${device.name}`);
      await world.settle();
      // Two commits for one epoch: one of them is taken, the other is made again.
      await ada.input({ kind: "timer", name: "self_update" });
      await ben.input({ kind: "timer", name: "self_update" });
      await world.settle();
    }
    for (const device of world.devices) {
      const current = device.state?.group;
      if (current === undefined) throw new Error("a group");
      expect(device.texts().size).toBe(9);
      const left = device.left.filter((group) => group !== current);
      expect(left.length).toBeGreaterThan(9);
      for (const group of left) {
        if (epoch(group) !== epoch(current)) expect(isErased(resumptionPsk(group))).toBe(true);
        for (const [place, { secret }] of group.secretTree.ratchets.entries())
          expect(isErased(secret)).toBe(secret !== current.secretTree.ratchets.get(place)?.secret);
      }
      expect(isErased(resumptionPsk(current))).toBe(false);
      expect(device.alarms).toEqual([]);
    }
    // One device was started again from what it had stored.
    await cyd.restart(0);
    await cyd.connect();
    await world.settle();
    await cyd.say("again");
    await world.settle();
    expect([...ada.texts().values()]).toContain("again");
  });
});

describe("a server or a copy that lies", () => {
  async function pair(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice }> {
    const world = await SimWorld.create(seed, ["ada", "ben"]);
    const [ada, ben] = [named(world, 0), named(world, 1)];
    await ada.found([ben]);
    await world.settle();
    await ada.say("one");
    await world.settle();
    await ben.disconnect(0);
    await ada.say("two");
    await world.settle([ada]);
    await ben.connect();
    ben.serve();
    await ben.receive();
    return { world, ada, ben };
  }

  it("[G-8] a device that its account does not have stops all sending, and is told", async () => {
    const world = await SimWorld.create("ghost", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = [named(world, 0), named(world, 1), named(world, 2)];
    await ada.found([ben]);
    await world.settle();
    world.ghosts.add(cyd.self.account);
    await ada.change([cyd], []);
    await world.settle();
    expect(ben.alarms).toHaveLength(1);
    await ben.say("not for the ghost");
    await world.settle();
    expect(ben.state?.outgoing.map((message) => message.sealed)).toEqual([undefined]);
    expect(cyd.texts().size).toBe(0);
    await ada.change([], [cyd]);
    await world.settle();
    expect([...ada.texts().values()]).toEqual(["not for the ghost"]);
    expect(cyd.texts().size).toBe(0);
  });

  it("an old copy of a profile finds its own later entries before it sends", async () => {
    const { world, ada: original } = await pair("restored");
    const { state } = original;
    if (state?.group === undefined) throw new Error("a group");
    // A copy as of a disk: what the device itself leaves behind is erased.
    const records = encodeGroupState(state.group).map(({ key, value }): [string, Uint8Array] => [key, value ?? new Uint8Array(0)]);
    const old = { ...state, group: decodeGroupState(nodeCrypto.suite(state.suiteId), records) };
    await original.say("after the copy was made");
    await world.settle([original]);
    const count = world.log.entries.length;
    await original.disconnect(0);
    original.state = { ...old, link: { ...old.link, kind: "down" } };
    await original.say("must not go out");
    await original.change([], world.devices.slice(1));
    await world.settle([original]);
    expect(original.outcomes).toContain("profile_restored");
    expect(original.state?.phase).toEqual({ kind: "paused", reason: "profile_restored" });
    expect(world.log.entries).toHaveLength(count);
  });

  it("an old copy of a profile that finds a change by its own leaf stops before it sends", async () => {
    const { world, ada: original } = await pair("restored change");
    const writer = new HostileMember(world, original);
    const { host, accountId } = original.self;
    const another = await writer.keyPackage({ host, accountId, deviceId: world.random(16) });
    writer.post(await writer.forge({ adds: [another] }));
    const count = world.log.entries.length;
    await original.say("must not go out");
    await world.settle([original]);
    expect(original.state?.phase).toEqual({ kind: "paused", reason: "profile_restored" });
    expect(original.alarms).toHaveLength(1);
    expect(world.log.entries).toHaveLength(count);
  });

  it("[L-12] the half of a doubled direct conversation sends nothing new and is still read", async () => {
    const { world, ada: writer, ben } = await pair("double");
    await world.settle();
    await ben.disconnect(0);
    await ben.change([], [writer]);
    await ben.input({ kind: "supersede", by: "another" });
    expect(ben.outcomes).toEqual(["not_a_member"]);
    await ben.say("not here");
    await writer.say("still read");
    await world.settle();
    expect(ben.state?.phase.kind).toBe("superseded");
    expect([...ben.texts().values()]).toContain("still read");
    expect([...writer.texts().values()]).not.toContain("not here");
  });
});

describe("conversations with lost replies, restarts and races", () => {
  const runs = Number(process.env["SIM_RUNS"] ?? 12);
  const first = Number(process.env["SIM_FIRST"] ?? 0);
  for (let run = first; run < first + runs; run++) {
    it(`[L-6] seed ${run} ends consistent`, async () => {
      const world = await SimWorld.create(`schedule-${run}`, ["ada", "ben", "cyd", "dee"]);
      const [ada, ben, , dee] = [named(world, 0), named(world, 1), named(world, 2), named(world, 3)];
      await ada.found(world.devices.slice(1, 3));
      let said = 0;
      for (let i = 0; i < 400; i++) {
        const device = named(world, world.pick(4));
        switch (world.pick(16)) {
          case 0:
            if (device.isActive || device.state?.phase.kind === "creating") await device.say(`${device.name} ${++said}`);
            break;
          case 1:
            await device.disconnect(world.pick(3));
            break;
          case 2:
            if (world.pick(3) === 0) await device.restart(world.pick(3));
            break;
          case 3:
            if (world.pick(8) === 0 && ada.isActive) {
              const isIn = [...(ada.state?.roster?.accounts.keys() ?? [])].includes(dee.self.account);
              // Only who is out, and knows it, is added again.
              if (isIn) await ada.change([], [dee]);
              else if (dee.state === undefined || dee.state.phase.kind === "removed") await ada.change([dee], []);
            }
            break;
          case 4:
            // Commits that race: ben renews his leaf by removing nobody but himself renewed.
            if (world.pick(4) === 0 && ben.isActive)
              await ben.input({
                kind: "change",
                change: {
                  id: `u${i}`,
                  adds: [],
                  removes: [dee.self.accountId],
                  removeDevices: [],
                  proofs: new Uint8Array(0),
                  update: false,
                },
              });
            break;
          case 5:
            await device.fireTimer();
            break;
          case 6:
            await device.join();
            break;
          case 7:
          case 8:
            await device.connect();
            break;
          case 9:
          case 10:
            device.serve();
            break;
          case 11:
          case 12:
            device.stream();
            break;
          default:
            await device.receive();
        }
      }
      await world.settle();
      check(world);
    });
  }
});

/** Everybody who is in has the same texts from their joining on, and nothing waits. */
function check(world: SimWorld): void {
  expect(world.devices.flatMap((device) => device.alarms)).toEqual([]);
  const all = new Map<number, string>();
  for (const device of world.devices) for (const [order, text] of device.texts()) all.set(order, text);
  expect(new Set(all.values()).size).toBe(all.size);
  for (const device of world.devices) {
    for (const [order, text] of device.texts()) expect(all.get(order)).toBe(text);
    if (!device.isActive) continue;
    expect(device.state?.outgoing).toEqual([]);
    expect(device.state?.staged).toBeUndefined();
    expect(device.state?.chain.seq).toBe(world.log.entries.length);
    const from = (device.state?.joinedSeq ?? 0) * 16;
    for (const [order, text] of all) if (order > from) expect(device.texts().get(order)).toBe(text);
  }
}
