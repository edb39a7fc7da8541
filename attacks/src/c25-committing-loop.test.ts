// C25 | a loop of empty commits: cannot be removed, group mute | P
// Source: found by trying, 2026-11-27
// Counter-measure: a commit for nothing does not count (M-5), fair turns at the server (L-13), and a removal is tried on
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
      for (let i = 0; !isOver && i < 200; i++) {
        const { kind } = await insider.post(await insider.forge({}));
        if (kind === "accepted") made++;
      }
      return made;
    })();
    const begun = performance.now();
    await ada.client.removeMembers(id, [mal.accountId]);
    const tookMs = performance.now() - begun;
    isOver = true;
    expect(await loop).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(20_000);
    await say(ada, id, "at last");
    await hear(ben, id, "at last");
    expect((await ben.client.details(id)).members).toHaveLength(2);
    shows(context, "mal is removed");
  });
});
