import { encodeRatchetTree, unmergedLeafCount } from "@latchkey/mls";
import { maxInlineTreeBytes } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `device-${at}`);

/** A group that the first device founds with all others; nobody has joined yet, the Welcomes lie in the inboxes. */
async function found(world: SimWorld): Promise<SimDevice> {
  const [founder, ...others] = world.devices;
  if (founder === undefined) throw new Error("no device");
  await founder.found(others);
  await founder.connect();
  while (founder.serve() || founder.stream() || (await founder.receive())) {
    // Until its own commit is in the log.
  }
  return founder;
}

describe("[M-5] large groups", () => {
  it("a small tree travels in the bundle, a large one in an encrypted blob", async () => {
    for (const [count, kind] of [
      [3, "inline"],
      [90, "blob"],
    ] as const) {
      const world = await SimWorld.create(`tree ${count}`, names(count));
      const founder = await found(world);
      const group = founder.state?.group;
      if (group === undefined) throw new Error("no group");
      expect(encodeRatchetTree(group).length > maxInlineTreeBytes).toBe(kind === "blob");
      for (const device of world.devices.slice(1)) expect(device.inbox.map(({ post }) => post.tree.kind)).toEqual([kind]);
    }
  });

  it("above a hundred members are added fifty at a time", async () => {
    const world = await SimWorld.create("batches", names(121));
    const founder = await found(world);
    expect(founder.state?.memberCount).toBe(121);
    // 120 joiners: 50, 50 and 20, each batch welcomed by the commit that added it.
    const batches = new Map<number, number>();
    for (const device of world.devices) for (const { post } of device.inbox) batches.set(post.seq, (batches.get(post.seq) ?? 0) + 1);
    expect([...batches.values()]).toEqual([50, 50, 20]);
    expect(founder.outcomes).toEqual(["done"]);
  });

  it("joiners renew their paths, one after the other, until few have not", async () => {
    const world = await SimWorld.create("updates", names(22));
    const founder = await found(world);
    const group = founder.state?.group;
    if (group === undefined) throw new Error("no group");
    expect(unmergedLeafCount(group)).toBeGreaterThan(16);
    await world.settle();
    const settled = world.devices.map((device) => device.state?.group).filter((state) => state !== undefined);
    expect(settled.length).toBe(22);
    for (const state of settled) expect(unmergedLeafCount(state)).toBeLessThanOrEqual(16);
    // As many commits as were needed, not one for each joiner.
    expect(founder.state?.chain.seq).toBeLessThan(12);
  });
});
