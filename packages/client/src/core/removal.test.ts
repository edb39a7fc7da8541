import { describe, expect, it } from "vitest";
import { removalDelayMs } from "./removal.ts";
import { SimWorld } from "./sim.testing.ts";

describe("[R-7] a removal that every member may make", () => {
  it("is made by the first in rank, 2 s before the next: from the eleventh on a minute later", () => {
    expect([0, 1, 9, 10, 11].map((rank) => removalDelayMs(rank))).toEqual([200, 2200, 18_200, 80_200, 82_200]);
  });

  it("has a rank of its own for each member who stays, the same ranks by everybody's reckoning, and others in another epoch", async () => {
    const names = Array.from({ length: 12 }, (_, at) => `device-${String(at)}`);
    const world = await SimWorld.create("ranks", names);
    const [founder, ...others] = world.devices;
    const [leaver, another] = others;
    if (founder === undefined || leaver === undefined || another === undefined) throw new Error("twelve");
    await founder.found(others);
    await world.settle();
    const orders: string[] = [];
    for (const gone of [leaver, another]) {
      const stay = world.devices.filter((device) => device !== gone && device.isActive);
      await gone.leave();
      const everybody = [gone, ...stay];
      for (let round = 0; round < 40; round++)
        for (const device of everybody) {
          device.serve();
          device.stream();
          await device.receive();
        }
      const delays = stay.map((device) => device.timers.get("remove_leavers"));
      expect(delays.toSorted((a = 0, b = 0) => a - b)).toEqual(stay.map((_, rank) => removalDelayMs(rank)));
      orders.push(delays.map(String).slice(0, 8).join());
      await world.settle(stay);
      expect(founder.state?.memberCount).toBe(stay.length);
    }
    expect(orders[0]).not.toBe(orders[1]);
  });
});
