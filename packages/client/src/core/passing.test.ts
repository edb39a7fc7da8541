import { describe, expect, it } from "vitest";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { readOn } from "./stranded.testing.ts";

/** A message of Ada's on its way: what she asked the server never arrives there. */
async function onItsWay(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; entryId: Uint8Array }> {
  const world = await SimWorld.create(seed, ["ada", "ben"]);
  const [ada, ben] = world.devices;
  if (ada === undefined || ben === undefined) throw new Error("devices");
  await ada.found([ben]);
  await world.settle();
  await ada.disconnect(0);
  await ada.connect();
  await readOn(ada);
  await ada.say("three megabytes");
  const entryId = ada.state?.outgoing[0]?.sealed?.entryId;
  if (entryId === undefined) throw new Error("not sealed");
  return { world, ada, ben, entryId };
}

describe("a message whose blob something in between refuses", () => {
  for (const failure of ["way_blocked", "server_down"] as const)
    for (const way of ["after a minute", "with the next connection"])
      it(`[E-79] says ${failure}, keeps its place, and goes out ${way}`, async () => {
        const { world, ada, ben, entryId } = await onItsWay(`${failure} ${way}`);
        const refused = { kind: "refused", request: "append", entryId, code: "internal", retryAfterMs: 60_000, failure } as const;
        await ada.input(refused);
        expect(ada.state?.outgoing[0]).toMatchObject({ failure });
        if (way === "after a minute") await ada.input({ kind: "timer", name: "retry" });
        else {
          await ada.disconnect(0);
          await ada.connect();
        }
        expect(ada.state?.outgoing[0]?.failure).toBeUndefined();
        await world.settle([ada, ben]);
        expect(ada.state?.outgoing).toEqual([]);
        expect([...ben.texts().values()]).toContain("three megabytes");
      });
});

describe("a message that the server cannot store now, as while its database is away", () => {
  const refusal = { kind: "refused", request: "append", code: "unavailable" } as const;

  it("[L-6] is not overtaken by what is said meanwhile: that waits until it is tried again", async () => {
    const { world, ada, ben, entryId } = await onItsWay("not overtaken");
    await ada.input({ ...refusal, entryId, retryAfterMs: 5000 });
    await ada.say("behind it");
    expect(ada.state?.outgoing.map(({ sealed }) => sealed !== undefined)).toEqual([true, false]);
    await ada.input({ kind: "timer", name: "retry" });
    await world.settle([ada, ben]);
    expect(ada.state?.outgoing).toEqual([]);
    expect([...ben.texts().values()].slice(-2)).toEqual(["three megabytes", "behind it"]);
  });

  it("[L-13] holds up nothing where it has to wait for long", async () => {
    const { world, ada, ben, entryId } = await onItsWay("overtaken");
    await ada.input({ ...refusal, code: "rate_limited", entryId, retryAfterMs: 3_600_000 });
    await ada.say("behind it");
    await world.settle([ada, ben]);
    expect([...ben.texts().values()]).toContain("behind it");
  });

  it("[L-6] is tried again when its time comes, and lets go on what is behind it, though another one has to wait for long", async () => {
    const { world, ada, ben } = await onItsWay("for long and not for long");
    await ada.say("a large one");
    const [first, second] = (ada.state?.outgoing ?? []).map(({ sealed }) => sealed?.entryId);
    await ada.input({ ...refusal, entryId: first, retryAfterMs: 5000 });
    await ada.input({ ...refusal, code: "rate_limited", entryId: second, retryAfterMs: 3_600_000 });
    await ada.say("behind both");
    expect(ada.timers.get("retry")).toBe(5000);
    await ada.input({ kind: "timer", name: "retry" });
    await world.settle([ada, ben]);
    expect([...ben.texts().values()].slice(-3)).toEqual(["three megabytes", "a large one", "behind both"]);
  });
});
