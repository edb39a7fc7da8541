import { describe, expect, it } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import { maxLeavesPerAccount } from "./public-check.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Change, Joiner } from "./types.ts";

interface Group {
  readonly world: SimWorld;
  /** The owner. */
  readonly ada: SimDevice;
  readonly ben: SimDevice;
}

async function groupOf(seed: string): Promise<Group> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben] = world.devices;
  if (ada === undefined || ben === undefined) throw new Error("devices");
  await ada.found(world.devices.slice(1));
  await world.settle();
  return { world, ada, ben };
}

function changeOf(change: Partial<Change>): Omit<Change, "order" | "attempts"> {
  return { id: "change", adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false, ...change };
}

function commitsIn({ world }: Group): number {
  return world.log.entries.filter(({ entryKind }) => entryKind === "commit").length;
}

describe("[E-20] a commit of one's own is judged as others will judge it", () => {
  it("before it is sent: what nobody would follow fails with its reason, and the log holds nothing of it", async () => {
    const group = await groupOf("before");
    const { world, ada, ben } = group;
    const before = commitsIn(group);
    const maker = new HostileMember(world, ben);
    const { host, accountId } = ben.self;
    const device = (): Promise<Joiner> => maker.joiner({ host, accountId, deviceId: world.random(16) });
    const many = await Promise.all(Array.from({ length: maxLeavesPerAccount }, device));
    const cases: readonly (readonly [Partial<Change>, string])[] = [
      [{ removes: [ada.self.accountId] }, "not_permitted"],
      [{ adds: [await maker.joiner({ host, accountId: world.random(32), deviceId: world.random(16) })] }, "not_permitted"],
      [{ adds: many }, "invalid_key_package"],
      [{ adds: [await maker.joiner({ host: "other.example", accountId, deviceId: world.random(16) })] }, "invalid_key_package"],
      [{ adds: [{ ...(await device()), keyPackage: world.random(90) }] }, "invalid_key_package"],
    ];
    for (const [change, code] of cases) {
      await ben.input({ kind: "change", change: changeOf(change) });
      expect(ben.outcomes.splice(0)).toEqual([code]);
    }
    await world.settle();
    expect(commitsIn(group)).toBe(before);
    // What is allowed is made, by the same way.
    await ben.input({ kind: "change", change: changeOf({ adds: [await device()] }) });
    expect(ben.state?.staged).toBeDefined();
  });

  it.each([
    ["behind a commit that it was not made after", { lastCommitSeq: 1 }],
    ["by a leaf of which a commit is void here", { barred: [0] }],
  ])("when it is seen in the log: one %s is skipped, as by everybody, and made again", async (_name, changed) => {
    const group = await groupOf("seen");
    const { world, ada, ben } = group;
    await ada.change([], [ben]);
    expect(ada.state?.staged).toBeDefined();
    const { state } = ada;
    if (state === undefined) throw new Error("a member");
    ada.state = { ...state, ...changed };
    ada.serve();
    ada.stream();
    await ada.receive();
    await ada.receive();
    expect(ada.state.epoch?.epochId).toBe(state.epoch?.epochId);
    expect(ada.state.lastCommitSeq).toBe(2);
    expect(ada.state.memberCount).toBe(3);
    expect([...ada.lines.values()].filter(({ body }) => body.kind === "skipped")).toHaveLength(1);
    expect(world.log.entries).toHaveLength(2);
  });

  it("[G-6] of whom a commit is void here makes none in this epoch: the change waits for the next one", async () => {
    const group = await groupOf("barred");
    const { world, ada, ben } = group;
    const { state } = ada;
    const own = state?.roster?.own;
    if (state === undefined || own === undefined) throw new Error("a member");
    ada.state = { ...state, barred: [own.leafIndex] };
    await ada.change([], [ben]);
    expect(ada.state).toMatchObject({ staged: undefined, changes: [{ attempts: 0 }] });
    expect(commitsIn(group)).toBe(1);
    ada.state = { ...ada.state, barred: [] };
    await ada.disconnect(0);
    await world.settle();
    // The founding is a change too.
    expect([commitsIn(group), ada.outcomes, ada.state.memberCount]).toEqual([2, ["done", "done"], 2]);
  });
});
