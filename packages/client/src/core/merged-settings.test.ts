import { describe, expect, it } from "vitest";
import { mergedEdit } from "./merged-settings.ts";
import { roles } from "./rights.ts";
import type { SettingsEdit } from "./settings-edit.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { WantedChange } from "./types.ts";

async function scene(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  await ada.found([ben, cyd]);
  await world.settle();
  return { world, ada, ben, cyd };
}

let made = 0;
const wanted = (settings: SettingsEdit): WantedChange => ({
  id: `set ${String(made++)}`,
  adds: [],
  removes: [],
  removeDevices: [],
  proofs: new Uint8Array(0),
  update: false,
  settings,
});

async function wait(device: SimDevice, edits: readonly SettingsEdit[]): Promise<void> {
  await device.disconnect(0);
  for (const settings of edits) await device.input({ kind: "change", change: wanted(settings) });
}

describe("[X-19] settings that wait together", () => {
  it("are one commit: of one thing the later counts, nothing is lost, and whoever asked for each is told", async () => {
    const { world, ada, ben, cyd } = await scene("together");
    const seq = ada.state?.chain.seq ?? 0;
    const before = ada.outcomes.length;
    await wait(ada, [
      { name: "Choir", timerS: 60 },
      { rights: { post: "administrators", pin: "everyone" } },
      { name: "Chamber choir", description: "On Tuesdays", rights: { pin: "owner" } },
    ]);
    await ada.connect();
    await world.settle();
    expect(ada.state?.chain.seq).toBe(seq + 1);
    expect(ada.outcomes.slice(before)).toEqual(["done", "done", "done"]);
    for (const device of [ada, ben, cyd])
      expect(device.state?.opening.settings).toMatchObject({
        name: "Chamber choir",
        description: "On Tuesdays",
        timerS: 60,
        rights: { post: "administrators", pin: "owner" },
      });
  });

  it("[X-24] of who is kept out the later counts too, of each person, and all members have the same list", async () => {
    const { world, ada, ben, cyd } = await scene("kept out");
    const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    await wait(ada, [
      { keptOut: [one, two].map((accountId) => ({ accountId, isKept: true })) },
      { keptOut: [{ accountId: one, isKept: false }] },
    ]);
    await ada.connect();
    await world.settle();
    for (const device of [ada, ben, cyd]) expect(device.state?.opening.settings).toMatchObject({ format: 4, keptOut: [two] });
    await ada.input({ kind: "change", change: wanted({ keptOut: [{ accountId: two, isKept: false }] }) });
    await world.settle();
    for (const device of [ada, ben, cyd]) expect(device.state?.opening.settings).toMatchObject({ format: 3, keptOut: [] });
  });

  it("are kept over a restart between being made and being answered", async () => {
    const { world, ada, ben } = await scene("restart");
    const seq = ada.state?.chain.seq ?? 0;
    await wait(ada, [{ name: "Choir" }, { description: "On Tuesdays" }]);
    await ada.connect();
    while (ada.state?.staged === undefined && (ada.serve() || ada.stream() || (await ada.receive()))) {
      // Until it is made.
    }
    expect(ada.state?.staged?.change.settings).toMatchObject({ name: "Choir", description: "On Tuesdays" });
    await ada.restart(0);
    await ada.connect();
    await world.settle();
    expect(ben.state?.opening.settings).toMatchObject({ name: "Choir", description: "On Tuesdays" });
    expect(ben.state?.chain.seq).toBe(seq + 1);
  });

  it("are made one by one where together they would not count: what one may not set takes nothing along", async () => {
    const { world, ada, ben, cyd } = await scene("apart");
    const before = ben.outcomes.length;
    await wait(ben, [{ name: "By Ben" }, { timerS: 60 }, { description: "Also by Ben" }]);
    await ben.connect();
    await world.settle();
    expect(ben.outcomes.slice(before).toSorted()).toEqual(["done", "done", "not_permitted"]);
    for (const device of [ada, ben, cyd])
      expect(device.state?.opening.settings).toMatchObject({ name: "By Ben", description: "Also by Ben", timerS: 0 });
  });

  it("lose a race together, and are made again on top of it together", async () => {
    const { world, ada, ben, cyd } = await scene("race");
    const before = ben.outcomes.length;
    await wait(ben, [{ name: "By Ben" }, { description: "Also by Ben" }]);
    await ada.input({ kind: "change", change: wanted({ timerS: 60 }) });
    await world.settle([ada, cyd]);
    await ben.connect();
    await world.settle();
    expect(ben.outcomes.slice(before)).toEqual(["done", "done"]);
    for (const device of [ada, ben, cyd])
      expect(device.state?.opening.settings).toMatchObject({ name: "By Ben", description: "Also by Ben", timerS: 60 });
  });

  it("name each account's role once, as it was given last", () => {
    const [ann, ben] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const earlier: SettingsEdit = { roles: [ann, ben].map((accountId) => ({ accountId, role: roles.administrator })) };
    const later: SettingsEdit = { roles: [{ accountId: ann, role: roles.member }] };
    expect(mergedEdit(earlier, later).roles).toEqual([
      { accountId: ben, role: roles.administrator },
      { accountId: ann, role: roles.member },
    ]);
    expect(mergedEdit({ name: "A" }, {})).toMatchObject({ name: "A", roles: undefined, rights: undefined });
  });
});
