// D19 | one inbox item blocks an inbox | P
// Source: found by trying it
// Counter-measure: what cannot be dealt with is put aside and tried again, strangers' at a bounded rate (I-3)
import { describe, expect, test } from "vitest";
import { equalBytes, fromBase64Url } from "@latchkey/codec";
import { eventually, hear, say, Scene } from "./testing/scene.ts";
import { cardOf, postTo, sealUnsigned } from "./testing/stranger.ts";

describe("D19 one item blocks an inbox", () => {
  test("junk, senders that are nobody, and one of whom nothing can be learned: friends and strangers behind them come through", async () => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben", { requests: "ask" })];
    const mal = await scene.person("mal");
    const direct = await ben.client.startConversation({ to: ["ada"] });
    await say(ben, direct.id, "we know each other");
    // Of one account the server never answers: whoever waits for that waits for ever.
    const malId = fromBase64Url(mal.accountId);
    scene.operator.override({
      request: ({ person }, body) =>
        person === "ben" && body.kind === "lookup_account" && equalBytes(body.accountId, malId) ? "drop" : "pass",
    });
    const card = await cardOf(scene, ben);
    await postTo(scene, card, await sealUnsigned(card, { senderAccountId: malId }));
    await mal.client.startConversation({ to: ["ben"] });
    for (let count = 0; count < 30; count++) await postTo(scene, card, await sealUnsigned(card, {}));
    for (const size of [512, 1024, 4096, 16_384]) await postTo(scene, card, crypto.getRandomValues(new Uint8Array(size)));

    const group = await ada.client.startConversation({ to: ["ben"], name: "Choir" });
    await say(ada, group.id, "are you there?");
    await hear(ben, group.id, "are you there?");
    await say(ben, group.id, "I am");
    await hear(ada, group.id, "I am");
    // Everything was taken out of the inbox: nothing is delivered anew for ever.
    const held = await eventually(async () => {
      const { json } = await ben.client.inspect();
      return json.includes('"inbox_items": []') || /"inbox_items":\s*\{\s*"count":\s*0|"inbox_items":\s*\[\s*\]/.test(json);
    }, "the inbox is empty");
    expect(held).toBe(true);
    expect((await ben.client.requests()).list).toEqual([]);
    expect(await ben.alarms()).toEqual([]);
  });

  test("a stranger behind them is asked about, and comes as a request", async () => {
    await using scene = await Scene.open();
    const ben = await scene.person("ben", { requests: "ask" });
    const cyd = await scene.person("cyd");
    const card = await cardOf(scene, ben);
    for (let count = 0; count < 15; count++) await postTo(scene, card, await sealUnsigned(card, {}));
    await cyd.client.startConversation({ to: ["ben"] });
    const { list } = await eventually(async () => {
      const requests = await ben.client.requests();
      return requests.list.length > 0 && requests;
    }, "the request comes");
    expect(list).toMatchObject([{ person: { username: "cyd" }, state: "asks" }]);
    const lookups = scene.operator.seen.filter(({ person, kind }) => person === "ben" && kind === "lookup_account");
    expect(lookups.length).toBeLessThanOrEqual(20);
  });
});
