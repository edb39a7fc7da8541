// C29 | a member encrypts what another one signed once more, under that member's next key, which every member has | P
// Source: found by trying, 2026-11-28
// Counter-measure: the author signs which key it is for; under another one it is told as a copy, and uses up nothing (L-10, E-39)
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { foundTrio, hear, say, Scene, settle } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

describe("C29 somebody else's ratchet", () => {
  test("it is shown once and nobody is named for it; its author's app goes on, and loses no message that it sealed meanwhile", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    await say(ben, id, "yes, pay it");
    for (const person of [ada, mal]) await hear(person, id, "yes, pay it");
    await settle(ada, ben, mal);
    const line = (await linesOf(mal, id, "text")).find(({ body }) => body.kind === "text" && body.text === "yes, pay it");
    using insider = await Insider.take(scene, mal, id);
    const kept = await Insider.keptIn(scene, mal, id, line?.order ?? 0);
    // What Ben seals now waits on its way to the server, behind the copies.
    const gate = Promise.withResolvers<void>();
    const stop = scene.operator.override({
      async request({ person }, body) {
        if (person === "ben" && body.kind === "append") await gate.promise;
        return "pass" as const;
      },
    });
    await ben.client.send(id, "but not before Monday");
    await insider.copy(kept, 3);
    gate.resolve();
    stop();
    await hear(ada, id, "but not before Monday");
    await say(ben, id, "and by the usual way");
    await hear(ada, id, "and by the usual way");
    await settle(ada, ben);
    for (const person of [ada, ben]) {
      expect(await person.texts(id)).toEqual(["hello", "yes, pay it", "but not before Monday", "and by the usual way"]);
      expect((await person.client.conversations())[0]?.stop).toBeUndefined();
      expect(await linesOf(person, id, "misnumbered")).toEqual([]);
      expect(await person.alarms()).toEqual([]);
    }
    expect((await linesOf(ada, id, "unreadable")).map(({ body }) => body)).toEqual(
      Array.from({ length: 3 }, () => ({ kind: "unreadable", reason: "It is a copy of another message, or stands in its place." })),
    );
    shows(context, "a message that cannot be read, three times: it is a copy of another one, or stands in its place");
  });
});
