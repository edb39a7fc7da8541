import { toBase64Url } from "@latchkey/codec";
import type { RoleEntry } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import { manages, roleOf, roles } from "./rights.ts";
import type { RunAs } from "./begin.ts";
import type { SettingsEdit } from "./settings-edit.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

interface Scene {
  readonly world: SimWorld;
  readonly ada: SimDevice;
  readonly ben: SimDevice;
  readonly cyd: SimDevice;
}

/** Ada owns the group; `runAs` may say otherwise. */
async function scene(seed: string, runAs?: (devices: readonly SimDevice[]) => RunAs, isProven = false): Promise<Scene> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"], { isProven });
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  await ada.found([ben, cyd], runAs?.(world.devices));
  await world.settle();
  return { world, ada, ben, cyd };
}

const role = ({ self }: SimDevice, as: number): RoleEntry => ({ accountId: self.accountId, role: as });
const led = ([ada, ben]: readonly SimDevice[]): RunAs => ({
  roles: ada === undefined || ben === undefined ? [] : [role(ada, roles.owner), role(ben, roles.administrator)],
});

/** What this device sets, once the others have read it too. */
async function setting({ world }: Scene, device: SimDevice, settings: SettingsEdit): Promise<string | undefined> {
  await device.input(changing(world, settings));
  await world.settle();
  return device.outcomes.at(-1);
}

const changing = (world: SimWorld, settings: SettingsEdit): Parameters<SimDevice["input"]>[0] => ({
  kind: "change",
  change: {
    id: toBase64Url(world.random(8)),
    adds: [],
    removes: [],
    removeDevices: [],
    proofs: new Uint8Array(0),
    update: false,
    settings,
  },
});

const settingsOf = (device: SimDevice): unknown => {
  const settings = device.state?.opening.settings;
  const of = (entry: RoleEntry): string => `${toBase64Url(entry.accountId)} ${String(entry.role)}`;
  return settings === undefined ? undefined : { ...settings, roles: settings.roles.map(of).toSorted() };
};

const roleIn = (reader: SimDevice, { self }: SimDevice): number => roleOf(reader.state?.roster ?? expect.fail("in"), self.account);

const bodies = (device: SimDevice): unknown[] => [...device.lines.values()].map(({ body }) => body);

describe("[X-13] what a member sets of a group", () => {
  it("everybody has it, in one commit, with a line for each thing; who joins later has it too", async () => {
    const s = await scene("set");
    const { ada, ben, cyd } = s;
    await ada.change([], [cyd]);
    await s.world.settle();
    const before = ada.state?.chain.seq ?? 0;
    const all = { name: "Choir", description: "On Tuesdays", timerS: 3600, slowModeS: 60, rights: { pin: "everyone" as const } };
    expect(await setting(s, ada, { ...all, roles: [role(ben, roles.administrator)] })).toBe("done");
    expect(ada.state?.chain.seq).toBe(before + 1);
    expect(settingsOf(ben)).toEqual(settingsOf(ada));
    expect(ben.state).toMatchObject({ name: "Choir", opening: { settings: { ...all, rights: { pin: "everyone", add: "everyone" } } } });
    expect(bodies(ben).slice(-6)).toEqual([
      { kind: "renamed", name: "Choir" },
      { kind: "described", description: "On Tuesdays" },
      { kind: "timer_changed", seconds: 3600 },
      { kind: "slow_mode_changed", seconds: 60 },
      { kind: "rights_changed" },
      { kind: "role_changed", account: ben.self.accountId, role: "administrator" },
    ]);
    await ada.change([cyd], []);
    await s.world.settle();
    expect(settingsOf(cyd)).toEqual(settingsOf(ada));
    // What is set already needs no commit.
    const { seq } = ada.state?.chain ?? expect.fail("a chain");
    expect(await setting(s, ada, { name: "Choir" })).toBe("done");
    expect(ada.state?.chain.seq).toBe(seq);
  });

  it("is set by who has the right: in a small group everyone names it and nobody but its owner gives roles", async () => {
    const s = await scene("rights");
    const { ada, ben, cyd } = s;
    expect(await setting(s, ben, { name: "By Ben" })).toBe("done");
    for (const edit of [{ timerS: 60 }, { slowModeS: 60 }, { rights: { add: "owner" as const } }, { roles: [role(ben, roles.owner)] }])
      expect(await setting(s, ben, edit)).toBe("not_permitted");
    expect(await setting(s, ada, { rights: { editInfo: "administrators" } })).toBe("done");
    expect(await setting(s, ben, { name: "By Ben again" })).toBe("not_permitted");
    expect([ada, ben, cyd].map((device) => device.state?.name)).toEqual(["By Ben", "By Ben", "By Ben"]);
  });

  it("survives a restart before the server answered, and is made again on top of what came first", async () => {
    const s = await scene("race");
    const { world, ada, ben, cyd } = s;
    await ben.disconnect(0);
    await ben.input(changing(world, { description: "By Ben" }));
    await ben.restart(0);
    await ada.input(changing(world, { name: "By Ada" }));
    await world.settle([ada, cyd]);
    await ben.connect();
    await world.settle();
    for (const device of [ada, ben, cyd]) expect(device.state?.opening.settings).toMatchObject({ name: "By Ada", description: "By Ben" });
  });

  it("of two commits of one epoch the first counts, and whoever was demoted by it sets nothing: all alike", async () => {
    const s = await scene("demoted", led);
    const { world, ada, ben, cyd } = s;
    await ben.connect();
    await ben.input(changing(world, { timerS: 60 }));
    // It is made, and the server has the other one first.
    await ada.input(changing(world, { roles: [role(ben, roles.member)] }));
    await ada.connect();
    while (ada.serve() || ada.stream() || (await ada.receive())) {
      // Until it is in the log.
    }
    await world.settle();
    expect(ben.outcomes).toContain("not_permitted");
    for (const device of [ada, ben, cyd]) {
      expect(roleIn(device, ben)).toBe(roles.member);
      expect(device.state?.opening.settings.timerS).toBe(0);
      expect(device.state?.phase.kind).toBe("active");
    }
  });

  it("a person adds others in a small group with what proves them, and without nobody follows", async () => {
    const world = await SimWorld.create("added by a member", ["ada", "ben", "cyd"], { isProven: true });
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    await ada.found([ben]);
    await world.settle();
    await ben.change([cyd], []);
    await world.settle();
    expect(ben.outcomes.at(-1)).toBe("not_permitted");
    world.records.push(cyd.account.record);
    await ben.change([cyd], []);
    await world.settle();
    expect(ben.outcomes.at(-1)).toBe("done");
    for (const device of [ada, ben, cyd]) expect(device.state?.memberCount).toBe(3);
  });
});

describe("[X-13] owners and administrators", () => {
  it("are named, several in one commit, and give up their own; the last owner does not", async () => {
    const s = await scene("roles");
    const { ada, ben, cyd } = s;
    expect(await setting(s, ada, { roles: [role(ben, roles.administrator), role(cyd, roles.owner)] })).toBe("done");
    expect([ada, ben, cyd].map((device) => roleIn(ben, device))).toEqual([3, 2, 3]);
    expect(await setting(s, ben, { roles: [role(ben, roles.member)] })).toBe("done");
    expect(await setting(s, ada, { roles: [role(ada, roles.administrator)] })).toBe("done");
    expect(await setting(s, cyd, { roles: [role(cyd, roles.member)] })).toBe("not_permitted");
    expect([ada, ben, cyd].map((device) => roleIn(ben, device))).toEqual([2, 1, 3]);
  });

  it("who is removed has no role when they come back", async () => {
    const s = await scene("removed", led);
    const { ada, ben, cyd } = s;
    await ada.change([], [ben]);
    await s.world.settle();
    expect(cyd.state?.opening.settings.roles.map(({ accountId }) => toBase64Url(accountId))).toEqual([ada.self.account]);
    await ada.change([ben], []);
    await s.world.settle();
    expect([ada, ben, cyd].map((device) => roleIn(device, ben))).toEqual([1, 1, 1]);
  });

  it("where the last owner's app leaves all the same, the administrator with the lowest leaf owns the group at once", async () => {
    const s = await scene("succession", led);
    const { world, ada, ben, cyd } = s;
    await ada.leave();
    await world.settle();
    for (const device of [ben, cyd]) {
      expect(device.state?.roster?.accounts.has(ada.self.account)).toBe(false);
      expect(roleIn(device, ben)).toBe(roles.owner);
      expect(roleIn(device, ada)).toBe(roles.member);
      expect(bodies(device)).toContainEqual({ kind: "role_changed", account: ben.self.accountId, role: "owner" });
    }
    expect(await setting(s, ben, { roles: [role(cyd, roles.administrator)] })).toBe("done");
  });

  it("where there is no administrator either, everybody manages and nobody owns it", async () => {
    const s = await scene("nobody");
    const { world, ada, ben, cyd } = s;
    await ada.leave();
    await world.settle();
    const roster = cyd.state?.roster ?? expect.fail("in");
    expect([ben, cyd].map(({ self }) => manages(roster, self.account))).toEqual([true, true]);
    expect(await setting(s, ben, { roles: [role(ben, roles.owner)] })).toBe("not_permitted");
  });
});

describe("[X-13] [E-81] a member who keeps to the formats and to nothing else", () => {
  it.each<readonly [string, (mallory: SimDevice, ada: SimDevice) => SettingsEdit]>([
    ["makes themself owner", (mallory) => ({ roles: [role(mallory, roles.owner)] })],
    ["takes the owner's role", (_, ada) => ({ roles: [role(ada, roles.member)] })],
    ["gives themself a right and uses it", () => ({ rights: { editInfo: "everyone" }, name: "Mine" })],
    ["renames what administrators name", () => ({ name: "Mine" })],
    ["lets messages go", () => ({ timerS: 1 })],
  ])("%s: nobody follows, and the group goes on", async (_what, edit) => {
    const s = await scene(`hostile ${_what}`, (devices) => ({ ...led(devices), rights: administratorsOnly }));
    const { world, ada, ben, cyd } = s;
    const before = settingsOf(ada);
    await new HostileMember(world, cyd).set(edit(cyd, ada));
    await world.settle([ada, ben]);
    for (const device of [ada, ben]) expect(settingsOf(device)).toEqual(before);
    await ada.say("still here");
    await world.settle([ada, ben]);
    expect([...ben.texts().values()]).toEqual(["still here"]);
  });

  it("[X-24] [E-185] adds whom the group keeps out, or takes them off the list and adds them at once: nobody follows; and an owner's app is told", async () => {
    for (const ends of [false, true]) {
      const s = await scene(`kept out ${String(ends)}`, undefined, true);
      const { world, ada, ben, cyd } = s;
      const { accountId } = ben.self;
      await ada.input({
        kind: "change",
        change: {
          id: "out",
          adds: [],
          removes: [accountId],
          removeDevices: [],
          proofs: new Uint8Array(0),
          update: false,
          settings: { keptOut: [{ accountId, isKept: true }] },
        },
      });
      await world.settle([ada, cyd]);
      for (const device of [ada, cyd]) expect(device.state?.roster?.settings.keptOut).toEqual([accountId]);
      expect(bodies(cyd).slice(-2)).toMatchObject([{ kind: "removed" }, { kind: "kept_out", accounts: [accountId] }]);
      // Ada owns the group, and forgets that the list is there; cyd is nobody there.
      for (const author of ends ? [cyd] : [ada, cyd]) {
        const hostile = new HostileMember(world, author);
        const adds = [await hostile.keyPackage(ben.self)];
        if (ends) await hostile.set({ keptOut: [{ accountId, isKept: false }] }, { adds });
        else hostile.post(await hostile.forge({ adds }));
        const others = [ada, cyd].filter((device) => device !== author);
        await world.settle(others);
        for (const device of others) expect(device.state?.roster?.accounts.has(ben.self.account)).toBe(false);
      }
    }
    const { world, ada, ben } = await scene("told");
    const out = { keptOut: [{ accountId: new Uint8Array(32).fill(9), isKept: true }] };
    expect(await setting({ world, ada, ben, cyd: ben }, ben, out)).toBe("not_permitted");
    expect(await setting({ world, ada, ben, cyd: ben }, ada, { keptOut: [{ accountId: ben.self.accountId, isKept: true }] })).toBe(
      "not_permitted",
    );
    expect(await setting({ world, ada, ben, cyd: ben }, ada, out)).toBe("done");
  });

  it("removes the last owner, with a successor of their own liking: nobody follows", async () => {
    const s = await scene("hostile removal", led);
    const { world, ada, ben, cyd } = s;
    const leaf = ada.state?.roster?.own?.leafIndex ?? expect.fail("in");
    const hostile = new HostileMember(world, ben);
    await hostile.set({ roles: [role(ada, roles.member), role(ben, roles.owner)] }, { removes: [leaf] });
    await world.settle([ada, cyd]);
    expect(ada.isActive).toBe(true);
    expect(cyd.state?.roster?.accounts.has(ada.self.account)).toBe(true);
    expect(roleIn(cyd, ada)).toBe(roles.owner);
  });

  it("shows settings that their hash does not hold, or none: nobody follows; and no joiner takes them", async () => {
    for (const shown of ["others", "none"] as const) {
      const s = await scene(`hidden ${shown}`);
      const { world, ada, ben, cyd } = s;
      const encoded = shown === "none" ? new Uint8Array(0) : undefined;
      await new HostileMember(world, cyd).set({ name: "Mine" }, {}, encoded ?? "another");
      await world.settle([ada, ben]);
      expect([ada, ben].map((device) => device.state?.name)).toEqual(["Sim", "Sim"]);
    }
  });
});

const administratorsOnly = {
  add: "administrators",
  remove: "administrators",
  post: "everyone",
  editInfo: "administrators",
  timer: "administrators",
  pin: "administrators",
  invite: "administrators",
  mentionAll: "administrators",
  deleteOthers: "administrators",
  shareHistory: "administrators",
  approval: true,
  history: "off",
} as const;

describe("[X-20] slow mode at a message's place", () => {
  it("every reader takes the author for one who waits there, or for one who manages the group and does not", async () => {
    const s = await scene("slow", led);
    const { world, ada, ben, cyd } = s;
    const waits = (reader: SimDevice): unknown => reader.said.map(({ slowModeS }) => slowModeS);
    for (const seconds of [0, 60, 0]) {
      if (seconds !== ada.state?.opening.settings.slowModeS) expect(await setting(s, ada, { slowModeS: seconds })).toBe("done");
      for (const device of [ada, ben, cyd]) {
        await device.say("hello");
        await world.settle();
      }
    }
    for (const device of [ada, ben, cyd]) expect(waits(device)).toEqual([0, 0, 0, 0, 0, 60, 0, 0, 0]);
  });
});
