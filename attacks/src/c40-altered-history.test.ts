// C40 | a member gives somebody who joins an altered history: other words, other authors, another order, with something left out, of another group | P
// Source: FEATURES.md R-5; shared room keys in Matrix authenticate no author
// Counter-measure: every message comes with what its author signed, every entry with its link of the chain up to where the joiner came in (R-5, E-120, E-121)
import type { Message } from "@latchkey/client";
import { describe, expect, test } from "vitest";
import { hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** What a person has of a conversation, oldest first. */
async function linesOf(person: Person, id: string): Promise<readonly Message[]> {
  return await person.client.messages(id, { limit: 500 });
}

describe("C40 altered history", () => {
  test("what honest members give is what everybody has, marked with who gave it", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await say(ada, id, "before it was on");
    await hear(ben, id, "before it was on");
    await ada.client.changeSettings(id, { rights: { history: "30_days" } });
    await settle(ada, ben);
    await say(ada, id, "one");
    await hear(ben, id, "one");
    await say(ben, id, "two");
    await hear(ada, id, "two");
    const one = (await linesOf(ada, id)).find(({ body }) => body.kind === "text" && body.text === "one");
    if (one === undefined) throw new Error("it is there");
    await ben.client.react(id, one.id, "👍");
    await ada.client.edit(id, one.id, "won");
    await settle(ada, ben);
    await ada.client.addMembers(id, ["cyd"]);
    await hear(cyd, id, "won");
    await settle(ada, ben, cyd);
    const shown = (await linesOf(cyd, id)).filter(({ body }) => body.kind === "text");
    expect(await cyd.texts(id)).toEqual(["won", "two"]);
    expect(shown.map(({ sharedBy }) => sharedBy?.username)).toEqual(["ada", "ada"]);
    expect(shown[0]?.reactions?.map(({ emoji }) => emoji)).toEqual(["👍"]);
    expect(shown.map((message) => message.order)).toEqual(
      (await linesOf(ada, id)).flatMap(({ body, order }) => (body.kind === "text" && body.text !== "before it was on" ? [order] : [])),
    );
    for (const person of [ada, ben, cyd])
      expect((await linesOf(person, id)).some(({ body }) => body.kind === "history_given" && body.people[0]?.username === "cyd")).toBe(
        true,
      );
    expect((await linesOf(cyd, id)).some(({ body }) => body.kind === "left_out")).toBe(false);
    expect((await cyd.client.conversations())[0]?.unreadCount).toBe(0);
    shows(context, "two messages, marked as given by ada");
  });
});
