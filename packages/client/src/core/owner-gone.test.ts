import { describe, expect, it } from "vitest";
import { encode } from "@latchkey/codec";
import { encodeRatchetTree, joinGroup } from "@latchkey/mls";
import type { AccountRecord } from "@latchkey/protocol";
import { signedCodec } from "@latchkey/transparency";
import { epochKeys } from "./keys.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { HostileMember } from "./hostile.testing.ts";
import { removableLeaves } from "./proven.ts";
import { manages, roles } from "./rights.ts";
import { rosterOf } from "./roster.ts";
import { groupOf } from "./stranded.testing.ts";

describe("[E-55] [G-8] [C12] [C32] a group whose owner has left, in which everybody manages", () => {
  it("is not stopped, and not taken over, by a leaf that a member puts under the owner's account", async () => {
    const group = await groupOf("ghost owner", 3);
    const { world, hostile, mallory } = group;
    const [ada, ben, cyd] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    await ada.leave();
    await world.settle();
    expect(ben.state?.roster?.accounts.has(ada.self.account)).toBe(false);
    expect(manages(ben.state?.roster ?? expect.fail("in"), ben.self.account)).toBe(true);
    // Mallory adds a device of keys of her own in Ada's name, who owns the group by its settings.
    world.ghosts.add(ada.self.account);
    const { host, accountId } = ada.self;
    const fresh = new HostileMember(world, mallory);
    const created = await fresh.forge({ adds: [await hostile.keyPackage({ host, accountId, deviceId: world.random(16) })] });
    fresh.post(created);
    await world.settle([ben, cyd]);
    const { roster, unverified } = ben.state ?? {};
    if (roster === undefined || ben.state === undefined) throw new Error("in");
    // Either the change counts for nobody, or somebody can take the leaf out again.
    const isIn = roster.accounts.has(ada.self.account);
    expect({
      isIn,
      refused: unverified?.map(({ refused }) => refused),
      removable: removableLeaves(ben.state).length,
      manages: manages(roster, ben.self.account),
    }).toEqual(isIn ? { isIn, refused: [true], removable: 1, manages: true } : { isIn, refused: [], removable: 0, manages: true });
    // And they talk.
    if (!isIn) {
      await ben.say("here");
      await world.settle([ben, cyd]);
      expect([...cyd.texts().values()]).toContain("here");
    }
  });

  it("the leaf throws out whom it likes: whoever put it there would own the group", async () => {
    const group = await groupOf("ghost owner rules", 3);
    const { world, hostile, mallory } = group;
    const [ada, ben, cyd] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    await ada.leave();
    await world.settle();
    world.ghosts.add(ada.self.account);
    const { host, accountId } = ada.self;
    const deviceId = world.random(16);
    const made = await hostile.createKeyPackage({ host, accountId, deviceId });
    const fresh = new HostileMember(world, mallory);
    const created = await fresh.forge({ adds: [made.keyPackage] });
    const seq = fresh.post(created);
    await world.settle([ben, cyd]);
    const [welcome] = created.welcomes;
    if (welcome === undefined) throw new Error("a Welcome");
    const { suite } = fresh.state.group;
    const { state } = await joinGroup({ suite, welcome, ...made, ratchetTree: encodeRatchetTree(created.next) });
    const there = { ...fresh.state, group: state, epoch: epochKeys(state, world.logId, seq), roster: rosterOf(state, fresh.state.opening) };
    const self = { ...ada.self, deviceId };
    const ghost = new HostileMember(world, { self, state: there, evidence: new Map() } as unknown as SimDevice);
    const leaf = ben.state?.roster?.own?.leafIndex;
    if (leaf === undefined) throw new Error("in");
    ghost.post(await ghost.forge({ removes: [leaf] }));
    await world.settle([ben, cyd]);
    expect(cyd.state?.roster?.accounts.has(ben.self.account)).toBe(true);
    expect(ben.state?.phase.kind).not.toBe("removed");
  });

  it("[E-64] whoever adds the owner's true device shows that it stands in the account, and the owner manages again", async () => {
    const world = await SimWorld.create("owner back", ["ada", "ben", "cyd"], { isProven: true });
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    await ada.found([ben, cyd]);
    await world.settle();
    await ada.leave();
    await world.settle();
    // Without what proves it nobody would follow: it is not sent.
    await ben.change([ada], []);
    await world.settle();
    expect(ben.outcomes.at(-1)).toBe("not_permitted");
    world.records.push(ada.account.record);
    await ben.change([ada], []);
    await world.settle();
    for (const device of [ada, ben, cyd]) {
      const roster = device.state?.roster ?? expect.fail("in");
      expect(roster.accounts.has(ada.self.account)).toBe(true);
      expect([manages(roster, ada.self.account), manages(roster, ben.self.account)]).toEqual([true, false]);
    }
    await ada.say("back again");
    await world.settle();
    expect([...cyd.texts().values()]).toContain("back again");
  });

  it.each([false, true])(
    "[E-64] the owner is added along with others, however long their histories are; somebody goes: %s",
    async (goes) => {
      const world = await SimWorld.create("long histories", ["ada", "ben", "cyd", "dan", "eve", "fay"], { isProven: true });
      const [ada, ben, cyd, ...friends] = world.devices;
      if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("six");
      await ada.found([ben, cyd]);
      await world.settle([ada, ben, cyd]);
      await ada.leave();
      await world.settle([ada, ben, cyd]);
      // As a directory takes them (spec A-6): a MiB each.
      const state = encode(signedCodec, { body: new Uint8Array(4000), signature: new Uint8Array(64) });
      const long = ({ account: { record } }: SimDevice): AccountRecord => ({
        ...record,
        states: [...record.states, ...Array.from({ length: 250 }, () => state)],
      });
      world.records.push(ada.account.record, ...friends.map(long));
      await ben.change([ada, ...friends], goes ? [cyd] : []);
      await world.settle(world.devices.filter((device) => !goes || device !== cyd));
      expect(ben.outcomes.at(-1)).toBe("done");
      for (const device of [ada, ben, ...friends]) expect(device.state?.memberCount).toBe(goes ? 5 : 6);
    },
  );

  it("[M-9] a plain member who goes on with a large group adds all who manage it at last, and at once", async () => {
    const names = Array.from({ length: 102 }, (_, at) => `d${String(at)}`);
    const world = await SimWorld.create("many", names, { isProven: true });
    const [founder, ...others] = world.devices;
    // Where they stand among the others does not matter.
    const [owner, administrator] = [others[10], others[60]];
    if (founder === undefined || owner === undefined || administrator === undefined) throw new Error("devices");
    world.records.push(owner.account.record, administrator.account.record);
    const leaders = [
      { accountId: owner.self.accountId, role: roles.owner },
      { accountId: administrator.self.accountId, role: roles.administrator },
    ];
    await founder.found(others, { roles: leaders });
    await founder.connect();
    while (founder.serve() || founder.stream() || (await founder.receive())) {
      // Until its own commits are in the log.
    }
    expect(founder.state?.memberCount).toBe(102);
    const roster = founder.state?.roster ?? expect.fail("in");
    expect([owner, administrator, founder].map(({ self }) => manages(roster, self.account))).toEqual([true, true, false]);
  });
});
