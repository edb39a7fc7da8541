// C26 | a leaf, an item or an address that names a foreign host: clients connect to it | P
// Source: found by trying it
// Counter-measure: one host; every other is refused before anything is sent (M-7, E-2)
import { describe, expect, test } from "vitest";
import { hear, refusal, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";
import { cardOf, postTo, sealUnsigned, setTrap } from "./testing/stranger.ts";

describe("C26 a foreign host", () => {
  test("an item that names it as its sender's, and an address on it: nobody comes there, nothing is held", async (context) => {
    await using scene = await Scene.open();
    await using trap = await setTrap();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben", { requests: "ask" })];
    const { id } = await ben.client.startConversation({ to: ["ada"] });
    const card = await cardOf(scene, ben);
    for (const kind of [1, 2, 3, 4, 5]) await postTo(scene, card, await sealUnsigned(card, { kind, senderHost: trap.host }));
    await postTo(scene, card, await sealUnsigned(card, { senderHost: "169.254.169.254" }));
    await settle(ben);
    await say(ben, id, "nothing is held");
    await hear(ada, id, "nothing is held");
    for (const name of [`mal@${trap.host}`, "mal@10.0.0.1", "mal@other.example"]) {
      const failure = await refusal(ben.client.startConversation({ to: [name] }));
      expect(failure.code).toBe("other_server");
      shows(context, failure);
    }
    expect((await ben.client.requests()).list).toEqual([]);
    expect(trap.visits).toBe(0);
  });
});
