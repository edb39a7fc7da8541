// D26 | a message so large that no reader can keep it: none of them gets past it, in that conversation and the others | P
// Source: found by trying, 2026-11-28
// Counter-measure: one bound for what is written, read and kept (L-2); what fails in one conversation for a reason of its own is a line there, and stops nothing (E-2)
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { foundTrio, hear, say, Scene } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

describe("D26 large messages", () => {
  test("above the bound each is a line that cannot be read, and everything behind it goes on", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    const { id: direct } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, direct, "between us");
    await hear(ben, direct, "between us");
    const opened = (): number => scene.operator.seen.filter(({ person, kind }) => person === "ben" && kind === "open").length;
    const before = opened();
    // Nobody fetches the first, nobody keeps the second, and the third is as large as it may be.
    await writeAs(
      scene,
      mal,
      id,
      [2_200_000, 700_000, 520_000].map((size) => ({ plaintext: new Uint8Array(size) })),
    );
    await say(ada, id, "are you there?");
    await hear(ben, id, "are you there?");
    await say(ada, direct, "and here?");
    await hear(ben, direct, "and here?");
    for (const person of [ada, ben]) {
      expect(await linesOf(person, id, "unreadable")).toHaveLength(2);
      expect(await linesOf(person, id, "unsupported")).toHaveLength(1);
      expect(await person.alarms()).toEqual([]);
    }
    expect(opened()).toBe(before);
    shows(context, "It is damaged.");
  });
});
