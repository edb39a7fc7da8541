// B8 | somebody is made to link devices that are not theirs | P
// Source: GTIG, linked devices of Signal users, 2025
// Counter-measure: every device stands in the list with its date and in each conversation's lines; all others are taken out by one state, and read nothing more
import { describe, expect, test } from "vitest";
import { eventually, foundPair, hear, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("B8 devices linked under compulsion", () => {
  test("[A-11] all of them are taken out at once, without knowing which is whose; they read nothing that is said afterwards", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, id } = await foundPair(scene);
    const first = await scene.device(ben, "ben-tablet");
    const second = await scene.device(ben, "ben-unknown");
    await eventually(async () => (await ada.client.details(id)).members.some(({ deviceCount }) => deviceCount === 3), "all are in");
    await say(ada, id, "to all of ben's");
    await hear(first, id, "to all of ben's");
    await hear(second, id, "to all of ben's");
    await ben.client.removeOtherDevices();
    expect((await ben.client.devices()).map(({ isThisDevice }) => isThisDevice)).toEqual([true]);
    await eventually(async () => (await ada.client.details(id)).members.every(({ deviceCount }) => deviceCount === 1), "they are out");
    await say(ada, id, "to ben alone");
    await hear(ben, id, "to ben alone");
    for (const taken of [first, second]) {
      const texts = (await taken.client.messages(id, { limit: 50 })).map(({ body }) => (body.kind === "text" ? body.text : ""));
      expect(texts).toContain("to all of ben's");
      expect(texts).not.toContain("to ben alone");
    }
    // Alone already: nothing is published.
    await ben.client.removeOtherDevices();
    const lines = (await ada.client.messages(id, { limit: 50 })).filter(({ body }) => body.kind === "device_removed");
    expect(lines.length).toBeGreaterThan(0);
    shows(context, "a line: devices of ben left this conversation");
  });
});
