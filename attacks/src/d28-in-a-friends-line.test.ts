// D28 | items that name a friend and that nobody signed: the friend's own invitation waits behind them and is dropped | P
// Source: found by trying, 2026-11-28
// Counter-measure: until its signature holds an item is a stranger's, whomever it names: in bounds, order, look-ups and what goes first (E-43, I-3)
import { describe, expect, test } from "vitest";
import { fromBase64Url } from "@latchkey/codec";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { cardOf, postTo, sealUnsigned } from "./testing/stranger.ts";

describe("D28 in a friend's line", () => {
  /** 700 unsigned items that name the one or the other, before and after a friend's Welcome: how many accounts are looked up meanwhile. */
  async function floodIn(whose: "a friend's" | "one's own"): Promise<number> {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben", { requests: "ask" })];
    const direct = await ben.client.startConversation({ to: ["ada"] });
    await say(ben, direct.id, "we know each other");
    await hear(ada, direct.id, "we know each other");
    await settle(ada, ben);
    const card = await cardOf(scene, ben);
    // A look-up takes as long as over a telephone's network.
    scene.operator.override({
      request: async ({ person }, body) => {
        if (person === "ben" && body.kind === "lookup_account") await delay(100);
        return "pass" as const;
      },
    });
    const { mark } = scene;
    const senderAccountId = fromBase64Url(whose === "a friend's" ? ada.accountId : ben.accountId);
    const flood = async (count: number): Promise<void> => {
      for (let sent = 0; sent < count; sent += 20) {
        const post = async (): Promise<void> => postTo(scene, card, await sealUnsigned(card, { senderAccountId }));
        await Promise.all(Array.from({ length: 20 }, post));
      }
    };
    await flood(200);
    const group = await ada.client.startConversation({ to: ["ben"], name: "Choir" });
    await ada.client.settle({ timeoutMs: 20_000 });
    await flood(500);
    await eventually(async () => (await ben.client.conversations()).some(({ id }) => id === group.id), "the friend's group is there");
    await say(ben, group.id, "here I am");
    await hear(ada, group.id, "here I am");
    const asked = scene.operator.seen.slice(mark).filter(({ person, kind }) => person === "ben" && kind === "lookup_account");
    expect(await ben.client.requests()).toEqual({ list: [], dropped: 0 });
    expect(await ben.alarms()).toEqual([]);
    return asked.length;
  }

  test("[E-43] a friend's Welcome is followed at once among 700 items that name the friend, and look-ups stay few", async () => {
    expect(await floodIn("a friend's")).toBeLessThanOrEqual(30);
  });

  test("[E-43] and among 700 that name oneself", async () => {
    expect(await floodIn("one's own")).toBeLessThanOrEqual(30);
  });
});
