import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { createEditContent, createTextContent } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { maxUndoMs } from "../api/limits.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Outgoing } from "./types.ts";

/** Two people who talk. */
async function talking(seed: string): Promise<{ readonly world: SimWorld; readonly ada: SimDevice; readonly ben: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben"]);
  const [ada, ben] = world.devices;
  if (ada === undefined || ben === undefined) throw new Error("two devices");
  await ada.found([ben]);
  await world.settle();
  return { world, ada, ben };
}

/** Writes a text that can be taken back for so long; its id. */
async function write(device: SimDevice, text: string, undoMs?: number): Promise<string> {
  const { random, nowMs } = device.context;
  const id = toBase64Url(Uint8Array.of(1, ...random(31)));
  const content = createTextContent({ text, salt: random(16), sentAtMs: nowMs });
  await device.input({ kind: "compose", id, purpose: "text", text, content, undoMs });
  return id;
}

/** Is served, and decides nothing by its clock. */
async function follow(...devices: readonly SimDevice[]): Promise<void> {
  for (const device of devices) await device.connect();
  for (let round = 0; round < 20; round++) {
    for (const device of devices) {
      device.serve();
      device.stream();
      await device.receive();
    }
  }
}

function waiting({ state }: SimDevice): readonly Outgoing[] {
  return state?.outgoing ?? [];
}

describe("a message that can be taken back", () => {
  it("is not sealed before its time, and goes out by itself then, with what was said after it behind it", async () => {
    const { world, ada, ben } = await talking("undo-time");
    await write(ada, "first", 5000);
    await write(ada, "second");
    await follow(ada, ben);
    expect(waiting(ada).map(({ text, sealed }) => [text, sealed])).toEqual([
      ["first", undefined],
      ["second", undefined],
    ]);
    expect(ada.timers.get("undo")).toBeGreaterThan(4000);
    expect(ben.texts().size).toBe(0);
    ada.jump(5000);
    await ada.input({ kind: "timer", name: "undo" });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["first", "second"]);
    expect([...ada.texts().values()]).toEqual(["first", "second"]);
  });

  it("taken back stands in the draft again, before what was written since; nobody else ever has it", async () => {
    const { world, ada, ben } = await talking("undo-take");
    const id = await write(ada, "not yet", 5000);
    await ada.input({ kind: "draft", text: "and more" });
    await follow(ada, ben);
    await ada.input({ kind: "take_back", id });
    expect(waiting(ada)).toEqual([]);
    expect(ada.state?.draft).toBe("not yet\nand more");
    ada.jump(10_000);
    await world.settle();
    expect(ben.texts().size).toBe(0);
    // What is gone is gone: a second time does nothing.
    await ada.input({ kind: "take_back", id });
    expect(ada.state?.draft).toBe("not yet\nand more");
  });

  it("taken back stands in the draft as it was changed since, and the change goes with it", async () => {
    const { world, ada, ben } = await talking("undo-edited");
    const id = await write(ada, "wrnog", 5000);
    const { random, nowMs } = ada.context;
    for (const text of ["wrong", "right"]) {
      const content = createEditContent({ replaces: fromBase64Url(id), text, salt: random(16), sentAtMs: nowMs });
      await ada.input({ kind: "compose", id: toBase64Url(random(32)), purpose: "change", text: "", content });
    }
    await ada.input({ kind: "take_back", id });
    expect([ada.state?.draft, waiting(ada)]).toEqual(["right", []]);
    ada.jump(10_000);
    await world.settle();
    expect(ben.texts().size).toBe(0);
  });

  it("waits on over a restart, and goes out once", async () => {
    const { world, ada, ben } = await talking("undo-restart");
    const id = await write(ada, "kept", 5000);
    await ada.restart(0);
    expect(waiting(ada).map((item) => [item.id, item.undoUntilMs > 0, item.sealed])).toEqual([[id, true, undefined]]);
    await follow(ada, ben);
    expect(ben.texts().size).toBe(0);
    ada.jump(5000);
    await ada.restart(0);
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["kept"]);
    await ada.restart(0);
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["kept"]);
  });

  it("is sent at once where its author says so; what is sealed is not taken back", async () => {
    const { world, ada, ben } = await talking("undo-now");
    const id = await write(ada, "now", 5000);
    await follow(ada, ben);
    await ada.input({ kind: "retry", id });
    expect(waiting(ada)[0]?.sealed).toBeDefined();
    await ada.input({ kind: "take_back", id });
    expect(ada.state?.draft).toBe("");
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["now"]);
  });

  it("holds nothing up: not a clock that was set back, not whoever leaves, no longer than a minute", async () => {
    const { world, ada, ben } = await talking("undo-clock");
    await write(ada, "back", 5000);
    await follow(ada, ben);
    ada.jump(-86_400_000);
    await ada.input({ kind: "timer", name: "undo" });
    await follow(ada, ben);
    expect([...ben.texts().values()]).toEqual(["back"]);
    await write(ada, "long", Number.MAX_SAFE_INTEGER);
    expect((waiting(ada)[0]?.undoUntilMs ?? 0) - ada.context.nowMs).toBeLessThanOrEqual(maxUndoMs);
    await ada.leave();
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["back", "long"]);
    expect(ada.state?.phase.kind).toBe("left");
  });
});
