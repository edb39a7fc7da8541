// C20 | a committer swaps the credential in its own leaf: speaks as the owner, removes the owner | P
// Source: found by trying, 2026-11-27
// Counter-measure: a leaf's identity and key never change in place (M-7)
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { eventually, foundTrio, hear, say, Scene } from "./testing/scene.ts";
import { shows, skipped } from "./testing/shown.ts";

describe("C20 a plain member commits a path with the owner's identity and its own key", () => {
  test("nobody follows it: the owner stays the owner, one quiet line names who did it, and the conversation goes on", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    const identity = insider.identityOf(ada);
    expect((await insider.post(await insider.forge({ identity }))).kind).toBe("accepted");
    for (const person of [ada, ben]) {
      await eventually(async () => (await skipped(person, id)).length === 1, "the commit is skipped");
      expect(await skipped(person, id)).toEqual(["mal"]);
      const { members } = await person.client.details(id);
      expect(members.map((member) => member.role).toSorted()).toEqual(["member", "member", "owner"]);
      expect(members.find((member) => member.role === "owner")?.person.accountId).toBe(ada.accountId);
      expect(members.every(({ deviceCount }) => deviceCount === 1)).toBe(true);
      expect(await person.alarms()).toEqual([]);
    }
    await say(ben, id, "the beans are up");
    await hear(ada, id, "the beans are up");
    // And it is the owner who removes.
    await ada.client.removeMembers(id, [mal.accountId]);
    await say(ada, id, "without mal");
    await hear(ben, id, "without mal");
    expect((await ben.client.details(id)).members).toHaveLength(2);
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });
});
