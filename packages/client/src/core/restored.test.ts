import { expect, it } from "vitest";
import { isStopped } from "../engine/shown.ts";
import { restoredSentence } from "../engine/restored-servers.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { ConversationState } from "./types.ts";

function stateOf(device: SimDevice): ConversationState {
  if (device.state === undefined) throw new Error("no conversation");
  return device.state;
}

it("[E-82] a restored server's word stops nothing: the way on is offered until somebody else writes here", async () => {
  const world = await SimWorld.create("restored", ["ada", "ben"]);
  const [ada, ben] = world.devices;
  if (ada === undefined || ben === undefined) throw new Error("two devices");
  await ada.found([ben]);
  await world.settle();
  for (const device of [ada, ben]) {
    await device.input({ kind: "server_restored", copiedMs: 1_700_000_000_000 });
    expect(isStopped(stateOf(device))).toBe(true);
    expect(stateOf(device).phase.kind).toBe("active");
  }
  await ada.say("still here");
  await world.settle();
  expect([...ben.lines.values()].some(({ body }) => body.kind === "text" && body.text === "still here")).toBe(true);
  // One's own words say nothing of the others.
  expect(isStopped(stateOf(ada))).toBe(true);
  expect(isStopped(stateOf(ben))).toBe(false);
  await ben.say("me too");
  await world.settle();
  expect(isStopped(stateOf(ada))).toBe(false);
  expect(restoredSentence(1_700_000_000_000)).toContain("2023-11-14 22:13 (UTC)");
});
