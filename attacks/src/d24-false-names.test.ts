// D24 | a member goes by a name that imitates another person, the app or the server, that is blank, or that turns the text around | D
// Source: Unicode UTS 39; found by trying, 2026-11-27
// Counter-measure: names are cleaned; taken ones fall back to the username; where two look alike the address stands beside both (E-63)
import { createTextContent } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, hear, say, Scene } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const named = (displayName: string, text: string): { plaintext: Uint8Array } => ({
  plaintext: createTextContent({ salt: crypto.getRandomValues(new Uint8Array(16)), sentAtMs: Date.now(), text, displayName }),
});

/** Ada, with mal and ben in a group, whose names mal chooses. */
async function scene(mal: string): Promise<{ scene: Scene; ada: Person; mal: Person; id: string }> {
  const opened = await Scene.open();
  const [ada, ben, other] = [await opened.person("ada"), await opened.person("ben"), await opened.person(mal)];
  const { id } = await ada.client.startConversation({ to: ["ben", mal], name: "Allotment" });
  await say(ada, id, "hello");
  await hear(ben, id, "hello");
  await hear(other, id, "hello");
  return { scene: opened, ada, mal: other, id };
}

describe("D24 names that lie", () => {
  test("You, the app, the server, somebody's username, nothing to be seen: the username is shown in their place", async (context) => {
    const { scene: opened, ada, mal, id } = await scene("mallory");
    await using _ = opened;
    const names = ["You", "Y\u200Bo\u0443", "L\u0430tchkey", "chat.example", "ben", "b\u0435n", "Support", "\u202E\u2066", "\u3164", " "];
    await writeAs(
      opened,
      mal,
      id,
      names.map((name, at) => named(name, `text ${String(at)}`)),
    );
    for (const at of names.keys()) {
      await hear(ada, id, `text ${String(at)}`);
      const { members } = await ada.client.details(id);
      expect(members.find(({ person }) => person.username === "mallory")?.person.displayName, JSON.stringify(names[at])).toBe("mallory");
    }
    shows(context, "mallory");
  });

  test("the look-alike of another member's name: the address stands beside both, wherever they stand", async (context) => {
    const { scene: opened, ada, mal, id } = await scene("mallory");
    await using _ = opened;
    await writeAs(opened, mal, id, [named("\u202EA\u0412C\u202C \u0301choir", "first")]);
    await hear(ada, id, "first");
    const shown = async (): Promise<readonly (string | undefined)[][]> =>
      (await ada.client.details(id)).members.map(({ person }) => [person.username, person.displayName, person.besideName]);
    expect(await shown()).toContainEqual(["mallory", "A\u0412C choir", undefined]);
    const cyd = await opened.person("cyd");
    await ada.client.addMembers(id, ["cyd"]);
    await eventually(async () => (await cyd.client.conversations()).some((one) => one.id === id), "Cyd is in it");
    await writeAs(opened, cyd, id, [named("ABC Choir", "I am the choir")]);
    await hear(ada, id, "I am the choir");
    expect(await shown()).toEqual(
      expect.arrayContaining([
        ["mallory", "A\u0412C choir", "mallory"],
        ["cyd", "ABC Choir", "cyd"],
      ]),
    );
    const authors = (await ada.client.messages(id, { limit: 20 })).flatMap(({ author, body }) => (body.kind === "text" ? [author] : []));
    expect(authors.find((author) => author?.username === "mallory")?.besideName).toBe("mallory");
    shows(context, "ABC Choir (cyd), A\u0412C choir (mallory)");
  });
});
