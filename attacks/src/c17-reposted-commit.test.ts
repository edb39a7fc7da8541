// C17 | honest commit reposted with a broken confirmation tag to blame its author | P
// Source: RFC 9420 (the tag is not signed)
// Counter-measure: such a commit is void, and nobody is removed for it (G-6, G-7)
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { eventually, foundTrio, hear, say, Scene } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

describe("C17 a commit whose confirmation tag is broken, though its author signed the rest", () => {
  test("everybody complains, it is void, the group goes on without it, and its author stays a member", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    const adds = [await insider.keyPackage({ ...insider.own, deviceId: new Uint8Array(16).fill(4) })];
    const created = await insider.forge({ adds });
    expect((await insider.post({ ...created, message: insider.breakConfirmation(created.message) })).kind).toBe("accepted");
    for (const person of [ada, ben]) {
      await eventually(async () => (await linesOf(person, id, "skipped")).length === 1, "the commit is void");
    }
    await say(ben, id, "all the same");
    await hear(ada, id, "all the same");
    await say(ada, id, "as before");
    await hear(ben, id, "as before");
    for (const person of [ada, ben]) {
      const { members, conversation } = await person.client.details(id);
      expect(members.map(({ person: { username }, deviceCount }) => [username, deviceCount]).toSorted()).toEqual([
        ["ada", 1],
        ["ben", 1],
        ["mal", 1],
      ]);
      expect(conversation.status).toBe("active");
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "A change by mal cannot be read by ben");
    shows(context, "mal sent a change that nobody can use; nothing came of it");
  });
});
