// C15 | junk commit stalls the group | P
// Source: mls-architecture issue 251; RFC 9750 section 5.3
// Counter-measure: a commit that fails the public check is skipped by all alike (G-3)
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { eventually, foundTrio, hear, say, Scene, settle } from "./testing/scene.ts";
import { shows, skipped } from "./testing/shown.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

describe("C15 random bytes as a commit", () => {
  test("nobody stops, a restart included; one line says that somebody sent it, and messages go through again", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    for (let i = 1; i <= 3; i++) {
      const junk = new Uint8Array(512).fill(i);
      expect((await insider.postBlob(junk, junk.slice(0, 32))).kind).toBe("accepted");
    }
    for (const person of [ada, ben]) {
      await eventually(async () => (await skipped(person, id)).length === 1, "the commits are skipped");
      expect(await skipped(person, id)).toEqual([undefined]);
    }
    // Behind a skipped commit a new connection finds its place too.
    scene.operator.cut();
    for (const person of [ada, ben]) person.client.wake();
    await say(ben, id, "still here");
    await hear(ada, id, "still here");
    await say(ada, id, "me too");
    await hear(ben, id, "me too");
    for (const person of [ada, ben]) {
      expect((await person.client.details(id)).conversation.status).toBe("active");
      expect(await person.alarms()).toEqual([]);
      expect(await skipped(person, id)).toEqual([undefined]);
    }
    shows(context, "Someone sent a change that nobody can use; nothing came of it");
  });

  test("who was removed posts one into the epoch that they knew, and speaks in the epoch that it begins: nobody waits for it", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    using insider = await Insider.take(scene, mal, id);
    await ada.client.removeMembers(id, [mal.accountId]);
    await settle(ada, ben);
    for (let i = 1; i <= 2; i++) {
      const [junk, access] = [new Uint8Array(512).fill(i), new Uint8Array(32).fill(i)];
      const began = await insider.postBlob(junk, sha256(access));
      if (began.kind !== "accepted") throw new Error(`the server takes it: ${began.kind}`);
      expect((await insider.speakIn(began.seq, access, junk)).kind).toBe("accepted");
    }
    // Those who read on, and those who come back.
    scene.operator.cut();
    for (const person of [ada, ben]) person.client.wake();
    await say(ben, id, "still here");
    await hear(ada, id, "still here");
    await say(ada, id, "me too");
    await hear(ben, id, "me too");
    for (const person of [ada, ben]) {
      const { status, stop } = (await person.client.details(id)).conversation;
      expect([status, stop]).toEqual(["active", undefined]);
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "nothing at all");
  });
});
