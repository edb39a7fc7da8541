import { toHex } from "@latchkey/codec";
import { epochAuthenticator, exportSecret } from "@latchkey/mls";
import { describe, expect, it } from "vitest";
import { closeEpoch } from "./closed-epochs.ts";
import { epochKeys } from "./keys.ts";
import { SimWorld } from "./sim.testing.ts";

const dayMs = 86_400_000;

describe("[L-1] the keys of an epoch", () => {
  it("come from its exporter, are the same for all members, and new with each epoch", async () => {
    const world = await SimWorld.create("keys", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("no device");
    await ada.found([ben, cyd]);
    await world.settle();
    const group = ada.state?.group;
    const before = ada.state?.epoch;
    if (group === undefined || before === undefined) throw new Error("no epoch");
    expect(toHex(before.access)).toBe(toHex(exportSecret(group, "latchkey access", world.logId, 32)));
    expect(toHex(before.envelope)).toBe(toHex(exportSecret(group, "latchkey envelope", world.logId, 32)));
    expect(toHex(before.access)).not.toBe(toHex(before.envelope));
    for (const device of [ben, cyd]) expect(device.state?.epoch).toEqual(before);

    await ada.change([], [cyd]);
    await world.settle();
    const after = ada.state?.epoch;
    expect(ben.state?.epoch).toEqual(after);
    expect(toHex(after?.access ?? before.access)).not.toBe(toHex(before.access));
    expect(toHex(after?.envelope ?? before.envelope)).not.toBe(toHex(before.envelope));
    expect(toHex(epochAuthenticator(group))).not.toBe(toHex(before.access));
  });

  it("another log gets other keys from the same group state", async () => {
    const world = await SimWorld.create("keys of logs", ["ada", "ben"]);
    const [ada, ben] = world.devices;
    if (ada === undefined || ben === undefined) throw new Error("no device");
    await ada.found([ben]);
    await world.settle();
    const group = ada.state?.group;
    if (group === undefined) throw new Error("no group");
    expect(epochKeys(group, new Uint8Array(32), 1)).not.toEqual(epochKeys(group, world.logId, 1));
  });
});

describe("[L-4] keys of closed epochs", () => {
  it("are kept for seven days and no longer", () => {
    const keys = (epochId: number) => ({ epochId, access: new Uint8Array(32), envelope: new Uint8Array(32), view: new Uint8Array(32) });
    const by = (nowMs: number) => ({
      nowMs,
      child: 1,
      childAuthor: new Uint8Array(32),
      kept: new Uint8Array(1),
      keptCount: 0,
      unheard: new Uint8Array(0),
    });
    const first = closeEpoch([], keys(0), by(0));
    const second = closeEpoch(first, keys(5), by(6 * dayMs));
    expect(second.map((epoch) => epoch.epochId)).toEqual([0, 5]);
    expect(closeEpoch(second, keys(9), by(8 * dayMs)).map((epoch) => epoch.epochId)).toEqual([5, 9]);
  });
});
