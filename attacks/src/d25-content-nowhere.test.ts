// D25 | messages whose content lies nowhere, one after the other: everybody waits for each of them | P
// Source: found by trying, 2026-11-28
// Counter-measure: what is not there holds a conversation for 10 s a minute, all together; each line says so (E-2, E-15)
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { hear, say, Scene } from "./testing/scene.ts";
import { linesOf, shows } from "./testing/shown.ts";

describe("D25 content that lies nowhere", () => {
  test("forty such messages hold nobody for longer than ten seconds, and what is said behind them is read", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, mal]) await hear(person, id, "hello");
    const beganMs = performance.now();
    await writeAs(
      scene,
      mal,
      id,
      Array.from({ length: 40 }, () => ({ plaintext: new Uint8Array(70_000), isNowhere: true })),
    );
    await say(ada, id, "behind them");
    await hear(ben, id, "behind them");
    // Each of them alone takes four seconds until it is told.
    expect(performance.now() - beganMs).toBeLessThan(30_000);
    for (const person of [ada, ben]) {
      expect(await linesOf(person, id, "unreadable")).toHaveLength(40);
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "The server does not give out its content.");
  });
});
