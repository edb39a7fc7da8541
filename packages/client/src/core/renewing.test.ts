import { describe, expect, it } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

async function scene(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  await ada.found([ben, cyd]);
  await world.settle();
  return { world, ada, ben, cyd };
}

const seqOf = (device: SimDevice): number => device.state?.chain.seq ?? -1;

/** Time goes by for all, and what waits for it happens. */
async function pass(world: SimWorld, durationMs: number): Promise<void> {
  for (const device of world.devices) device.jump(durationMs);
  for (const device of world.devices) {
    // As a clock would wake it.
    if (device.state !== undefined) await device.input({ kind: "timer", name: "renew" });
  }
  await world.settle();
}

describe("[R-6] leaves that are renewed in a group", () => {
  it("one an hour once they are due, the oldest first, and none sooner", async () => {
    const { world, ada, ben, cyd } = await scene("hours");
    const seq = seqOf(ada);
    await pass(world, 5 * dayMs);
    expect(seqOf(ada)).toBe(seq);
    const oldest = [...(ada.state?.renewal.order ?? [])];
    for (let count = 1; count <= 3; count += 1) {
      await pass(world, count === 1 ? 3 * dayMs : hourMs);
      expect(seqOf(ada)).toBe(seq + count);
    }
    await pass(world, hourMs);
    expect(seqOf(ada)).toBe(seq + 3);
    for (const device of [ada, ben, cyd]) {
      expect(device.state?.phase.kind).toBe("active");
      expect(device.state?.renewal.order.toSorted()).toEqual(oldest.toSorted());
      expect(device.state?.renewal.order).toEqual(ada.state?.renewal.order);
    }
    // What nobody asked for makes no line.
    expect([...ben.lines.values()].map(({ body }) => body.kind)).toEqual(["added"]);
  });

  it("two whose turns come at once: one is taken, and the other does not do it again in this hour", async () => {
    const { world, ada, ben, cyd } = await scene("race");
    const seq = seqOf(ada);
    for (const device of [ada, ben, cyd]) device.jump(8 * dayMs);
    for (const device of [ada, ben]) await device.input({ kind: "timer", name: "renew" });
    expect(ada.state?.staged).toBeDefined();
    expect(ben.state?.staged).toBeDefined();
    await world.settle();
    expect(seqOf(cyd)).toBe(seq + 1);
    for (const device of [ada, ben]) expect(device.state).toMatchObject({ staged: undefined, changes: [] });
  });

  it("is known again after a restart, and over when one leaves", async () => {
    const { world, ada, ben } = await scene("restart");
    await pass(world, 8 * dayMs);
    const { renewal } = ada.state ?? expect.fail("in");
    await ada.restart(0);
    expect(ada.state?.renewal).toEqual(renewal);
    await ada.connect();
    await world.settle();
    await ben.input({ kind: "leave", id: "bye" });
    await world.settle();
    expect(ben.state).toMatchObject({ phase: { kind: "left" }, renewal: { order: [] } });
    expect(ada.state?.renewal.order).toHaveLength(2);
  });

  it("while one's own account stands changed by somebody else nothing is renewed", async () => {
    const { world, ada } = await scene("held");
    const seq = seqOf(ada);
    for (const device of world.devices) device.isHeld = true;
    await pass(world, 8 * dayMs);
    expect(seqOf(ada)).toBe(seq);
  });

  it("[M-8] a member's commit that does nothing else is followed whether it was due or not, and whoever is due has a turn all the same", async () => {
    const { world, ada, ben, cyd } = await scene("churn");
    const hostile = new HostileMember(world, cyd);
    const seq = seqOf(ada);
    const created = await hostile.forge();
    hostile.post(created);
    await world.settle([ada, ben]);
    for (const device of [ada, ben]) {
      expect(seqOf(device)).toBe(seq + 1);
      expect(device.state).toMatchObject({ phase: { kind: "active" }, lastCommitSeq: 0 });
      expect(device.state?.renewal.order.at(-1)).toBe(cyd.state?.roster?.own?.leafIndex);
      device.jump(8 * dayMs);
    }
    await ben.input({ kind: "timer", name: "renew" });
    await world.settle([ada, ben]);
    expect(seqOf(ada)).toBe(seq + 2);
  });
});
