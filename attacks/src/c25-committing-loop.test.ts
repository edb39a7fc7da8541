// C25 | a loop of empty commits: cannot be removed, group mute | P
// Source: found by trying, 2026-11-27
// Counter-measure: fair turns at the server (L-13), and a removal is tried on
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { foundTrio, hear, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

describe("C25 a member that commits in a loop", () => {
  test("its removal lands within seconds, and what was written meanwhile arrives", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    let isOver = false;
    const loop = (async (): Promise<number> => {
      let made = 0;
      for (let i = 0; !isOver && i < 1000; i++) {
        const created = await insider.forge({});
        const answer = await insider.post(created);
        if (answer.kind !== "accepted") continue;
        made++;
        // It is in each epoch that it begins before anybody else is.
        insider.follow(created, answer);
      }
      return made;
    })();
    // The loop turns before anybody does something about it.
    await expect.poll(async () => (await ben.client.details(id)).epoch, { timeout: 20_000 }).toBeGreaterThan(3);
    // After many lost races its person is told that it waits; it is tried on.
    await ada.client.removeMembers(id, [mal.accountId]).catch((error: unknown) => expect(error).toMatchObject({ code: "change_waits" }));
    await expect.poll(async () => (await ada.client.details(id)).members.length, { timeout: 60_000 }).toBe(2);
    isOver = true;
    expect(await loop).toBeGreaterThan(3);
    await say(ada, id, "at last");
    await hear(ben, id, "at last");
    expect((await ben.client.details(id)).members).toHaveLength(2);
    shows(context, "mal is removed");
  });
});
