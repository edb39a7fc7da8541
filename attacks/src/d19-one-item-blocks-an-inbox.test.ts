// D19 | one inbox item blocks an inbox | P
// Source: found by trying it
// Counter-measure: what cannot be dealt with is put aside and tried again, strangers' at a bounded rate (I-3); at the server strangers have a part of the inbox to themselves (I-1)
import { describe, expect, test } from "vitest";
import { holdingsText } from "@latchkey/client/testing";
import { equalBytes, fromBase64Url } from "@latchkey/codec";
import type { DeviceCard } from "@latchkey/transparency";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import { cardOf, postTo, sealUnsigned, tryToPost } from "./testing/stranger.ts";

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
      return /"inbox_items":\s*\[\s*\]/.test(await holdingsText(ben.client));
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

  describe("whoever fills the inbox of somebody who is away", () => {
    const bounds = { maxStrangerItems: 20, maxInboxItems: 20 };

    /** Junk until the server takes no more. */
    async function fill(scene: Scene, card: DeviceCard, capability?: Uint8Array): Promise<number> {
      for (let count = 0; count < 50; count++) {
        if ((await tryToPost(scene, card, capability === undefined ? {} : { capability })) === "inbox_full") return count;
      }
      throw new Error("it was never full");
    }

    /** What somebody's client showed when it last posted. */
    function shownBy(scene: Scene, person: string): Uint8Array | undefined {
      const post = scene.operator.seen.findLast((request) => request.person === person && request.kind === "post")?.body;
      return post?.kind === "post" ? post.capability : undefined;
    }

    test("[E-48] a contact's Welcome comes through, a stranger's waits until there is room", async () => {
      await using scene = await Scene.open(bounds);
      const [ada, ben] = [await scene.person("ada"), await scene.person("ben", { requests: "ask" })];
      const mal = await scene.person("mal");
      const direct = await ben.client.startConversation({ to: ["ada"] });
      await say(ben, direct.id, "we know each other");
      await hear(ada, direct.id, "we know each other");
      // What is said in a group is said to whoever is in it.
      const club = await ada.client.startConversation({ to: ["ben", "mal"], name: "Club" });
      await say(ada, club.id, "welcome");
      await hear(ben, club.id, "welcome");
      await say(ben, club.id, "hello everybody");
      await hear(mal, club.id, "hello everybody");
      const card = await cardOf(scene, ben);
      scene.operator.setUnreachable("ben", true);
      expect(await fill(scene, card)).toBe(20);
      // A guess is as good as none.
      expect(await tryToPost(scene, card, { capability: crypto.getRandomValues(new Uint8Array(32)) })).toBe("inbox_full");

      const group = await ada.client.startConversation({ to: ["ben"], name: "Choir" });
      await say(ada, group.id, "are you there?");
      await mal.client.startConversation({ to: ["ben"] });
      await eventually(async () => shownBy(scene, "mal") !== undefined, "the stranger has posted");
      expect(shownBy(scene, "mal")).toEqual(new Uint8Array(32));
      scene.operator.setUnreachable("ben", false);
      await hear(ben, group.id, "are you there?");
      await say(ben, group.id, "I am");
      await hear(ada, group.id, "I am");
      const { list } = await eventually(async () => {
        const requests = await ben.client.requests();
        return requests.list.length > 0 && requests;
      }, "the stranger's request comes once there is room");
      expect(list).toMatchObject([{ person: { username: "mal" } }]);
      expect(await ben.alarms()).toEqual([]);
    });

    test("[E-48] somebody who was blocked is a stranger from then on, and fills nothing that contacts need; those know the new one", async () => {
      await using scene = await Scene.open(bounds);
      const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
      for (const friend of [ada, mal]) {
        const { id } = await ben.client.startConversation({ to: [friend.name] });
        await say(ben, id, "we know each other");
        await hear(friend, id, "we know each other");
      }
      await mal.client.startConversation({ to: ["ben"], name: "Trap" });
      const capability = await eventually(async () => shownBy(scene, "mal"), "what the contact's client shows");
      expect(capability).not.toEqual(new Uint8Array(32));
      const before = ben.client;
      await before.block(mal.accountId);
      await settle(ben, ada);
      const card = await cardOf(scene, ben);
      scene.operator.setUnreachable("ben", true);
      expect(await fill(scene, card, capability)).toBe(20);
      const group = await ada.client.startConversation({ to: ["ben"], name: "Choir" });
      await say(ada, group.id, "are you there?");
      await settle(ada);
      expect(shownBy(scene, "ada")).not.toEqual(new Uint8Array(32));
      expect(await fill(scene, card)).toBe(0);
      scene.operator.setUnreachable("ben", false);
      await hear(ben, group.id, "are you there?");
      expect(await ben.alarms()).toEqual([]);
    });

    test("[E-48] a device that is linked later shows what its account was told, and is not kept out either", async () => {
      await using scene = await Scene.open(bounds);
      const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
      const direct = await ben.client.startConversation({ to: ["ada"] });
      await say(ben, direct.id, "we know each other");
      await hear(ada, direct.id, "we know each other");
      await settle(ada, ben);
      const tablet = await scene.device(ada, "ada-tablet");
      await settle(ada, tablet, ben);
      scene.operator.setUnreachable("ben", true);
      expect(await fill(scene, await cardOf(scene, ben))).toBe(20);
      const group = await tablet.client.startConversation({ to: ["ben"], name: "Choir" });
      await say(tablet, group.id, "from the tablet");
      await settle(tablet);
      expect(shownBy(scene, "ada-tablet")).not.toEqual(new Uint8Array(32));
      scene.operator.setUnreachable("ben", false);
      await hear(ben, group.id, "from the tablet");
    });

    test("[E-49] the answer is lost, or it claims a later one for ever: the new one counts, and no more than one a day is made for the server's word", async () => {
      await using scene = await Scene.open(bounds);
      const { operator } = scene;
      const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
      for (const friend of [ada, mal]) {
        const { id } = await ben.client.startConversation({ to: [friend.name] });
        await say(ben, id, "we know each other");
        await hear(friend, id, "we know each other");
      }
      /** What the server has of Ben's device. */
      const held = async (): Promise<number | undefined> => {
        const json = await holdingsText(ben.client);
        return (JSON.parse(json) as { devices: { inbox_capability: { generation: number } | null }[] }).devices[0]?.inbox_capability
          ?.generation;
      };
      const made = (): number[] => [
        ...new Set(
          operator.seen.flatMap(({ person, body }) => (person === "ben" && body?.kind === "set_inbox_capability" ? [body.generation] : [])),
        ),
      ];
      const before = await eventually(held, "the server has one");
      const honest = operator.override({
        reply: (line, body) => (line.person === "ben" && body.kind === "inbox_capability" ? undefined : body),
      });
      await ben.client.block(mal.accountId);
      await eventually(async () => ((await held()) ?? 0) > before, "the new one counts though no answer comes");
      honest();
      operator.cut(({ person }) => person === "ben");
      await settle(ben, ada);
      expect(await held()).toBeGreaterThan(before);

      const count = made().length;
      operator.override({
        reply: (line, body) =>
          line.person === "ben" && body.kind === "inbox_capability" ? { ...body, generation: Number.MAX_SAFE_INTEGER } : body,
      });
      const reconnect = async (): Promise<void> => {
        const since = scene.mark;
        operator.cut(({ person }) => person === "ben");
        await eventually(
          async () => operator.seen.slice(since).some(({ person, kind }) => person === "ben" && kind === "set_inbox_capability"),
          "it is told again",
        );
        await settle(ben, ada);
      };
      for (let times = 0; times < 3; times++) await reconnect();
      expect(made()).toHaveLength(count);
      await ben.jump(30 * 3_600_000);
      for (let times = 0; times < 3; times++) await reconnect();
      expect(made().length).toBeLessThanOrEqual(count + 1);
      const { id } = await ada.client.startConversation({ to: ["ben"] });
      await say(ada, id, "still there?");
      await hear(ben, id, "still there?");
      expect(await ben.alarms()).toEqual([]);
    });
  });
});
