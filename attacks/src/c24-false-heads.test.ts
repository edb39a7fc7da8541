// C24 | one false head stops everybody for good and makes n squared notices | D
// Source: E-1
// Counter-measure: L-10 settled by L-11
import { randomBytes } from "node:crypto";
import { createTextContent } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { otherView, publishHeads } from "./testing/branches.ts";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const falseMessages = 10;

describe("C24 false heads", () => {
  test("a member who says of each message that they saw another log stops nobody: the public record shows it, they are named, and removed", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd, dan, mal] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("cyd"),
      await scene.person("dan"),
      await scene.person("mal"),
    ];
    const honest = [ada, ben, cyd, dan];
    const { id } = await ada.client.startConversation({ to: ["ben", "cyd", "dan", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, cyd, dan, mal]) await hear(person, id, "hello");
    await settle(...honest, mal);

    const since = scene.mark;
    const texts = Array.from({ length: falseMessages }, (_, at) => `false ${at}`);
    const falsely = texts.map((text) => ({
      plaintext: createTextContent({ text, salt: randomBytes(16), sentAtMs: Date.now() }),
      head: randomBytes(32),
    }));
    await writeAs(scene, mal, id, falsely);
    for (const person of honest) await hear(person, id, `false ${falseMessages - 1}`);
    await publishHeads(scene, []);
    for (const person of honest) await otherView(person, id, mal);
    await settle(...honest);

    for (const person of honest) {
      expect((await person.client.details(id)).conversation.status).toBe("active");
      expect(await person.alarms()).toEqual([]);
      // What somebody says causes no notice to anybody, and one line.
      expect(scene.operator.posts(person.name, since)).toBe(0);
      const lines = await person.client.messages(id, { limit: 100 });
      expect(lines.filter(({ body }) => body.kind === "other_view")).toHaveLength(1);
      expect(lines.filter(({ body }) => body.kind === "alarm" || body.kind === "misnumbered")).toEqual([]);
    }
    await say(ben, id, "it goes on");
    for (const person of [ada, cyd, dan]) await hear(person, id, "it goes on");

    await ada.client.removeMembers(id, [mal.accountId]);
    await eventually(async () => (await dan.client.details(id)).members.length === honest.length, "they are out");
    await say(cyd, id, "without them");
    await hear(dan, id, "without them");
    shows(context, "a line: the device of mal spoke of another version of this conversation; it goes on");
  });
});
