// C27 | more leaves of one account than its limit | P
// Source: found by trying, 2026-11-27
// Counter-measure: at most 16 leaves an account, one for each device (M-7)
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { eventually, foundTrio, hear, say, Scene } from "./testing/scene.ts";
import { shows, skipped } from "./testing/shown.ts";

describe("C27 a member adds devices of its own account without end", () => {
  test("the seventeenth leaf is refused by everybody, and so is a device twice", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    const devices = Array.from({ length: 16 }, (_, at) => ({ ...insider.own, deviceId: new Uint8Array(16).fill(at + 1) }));
    const many = await Promise.all(devices.map((device) => insider.keyPackage(device)));
    expect((await insider.post(await insider.forge({ adds: many }))).kind).toBe("accepted");
    for (const person of [ada, ben]) {
      await eventually(async () => (await skipped(person, id)).length === 1, "the commit is skipped");
      expect(await skipped(person, id)).toEqual(["mal"]);
    }
    await say(ben, id, "three of us");
    await hear(ada, id, "three of us");
    for (const person of [ada, ben]) {
      expect((await person.client.details(id)).members.map(({ deviceCount }) => deviceCount)).toEqual([1, 1, 1]);
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });
});
