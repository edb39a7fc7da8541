// F8 | what a stranger sends is parsed before the person accepted them | P
// Source: CVE-2019-3568
// Counter-measure: of a stranger's item the fixed head alone; nothing is parsed, fetched or connected to before acceptance (I-2, I-4)
import { setTimeout as delay } from "node:timers/promises";
import { equalBytes, fromBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { begun, eventually, hear, messageOf, say, Scene, settle } from "./testing/scene.ts";

describe("F8 a stranger's bundle", () => {
  test("waits unopened: one look-up of who sent it, no log opened, nothing fetched, nothing shown; accepting opens it", async () => {
    await using scene = await Scene.open();
    const [mal, ben] = [await scene.person("mal"), await scene.person("ben", { requests: "ask" })];
    await ben.client.settle();
    const since = scene.mark;
    const fetched: string[] = [];
    scene.operator.override({
      get(person, path) {
        if (person === "ben") fetched.push(path);
        return undefined;
      },
    });
    const { id } = await mal.client.startConversation({ to: ["ben"] });
    await say(mal, id, "open me");
    const [asked] = await eventually(async () => {
      const { list } = await ben.client.requests();
      return list.length > 0 && list;
    }, "the request comes");
    await delay(1500);
    const bens = scene.operator.seen.slice(since).filter(({ person }) => person === "ben");
    const malId = fromBase64Url(mal.accountId);
    expect(bens.filter(({ body }) => body?.kind === "lookup_account" && equalBytes(body.accountId, malId))).toHaveLength(1);
    expect(bens.filter(({ role, kind }) => role === "log" && kind !== "ping")).toEqual([]);
    expect(fetched.filter((path) => path.startsWith("/v1/blobs"))).toEqual([]);
    expect(await ben.client.conversations()).toEqual([]);
    expect(asked).toMatchObject({ person: { username: "mal", displayName: "mal" }, count: 1, state: "asks" });
    // The stranger sees what they would see of anybody: the server has it.
    expect(await ben.alarms()).toEqual([]);

    const joined = await ben.client.acceptRequest(asked?.id ?? "");
    expect(joined?.id).toBe(id);
    await hear(ben, id, "open me");
    await say(ben, id, "hello");
    await hear(mal, id, "hello");
  });

  test("of a blocked person nothing comes any more, in no new group either; they see nothing of it, and unblocking lets them in again", async () => {
    await using scene = await Scene.open();
    const [mal, ben, cyd] = [await scene.person("mal"), await scene.person("ben", { requests: "ask" }), await scene.person("cyd")];
    const direct = await ben.client.startConversation({ to: ["mal"] });
    await say(ben, direct.id, "hello");
    await hear(mal, direct.id, "hello");
    const shared = await ben.client.startConversation({ to: ["mal", "cyd"], name: "Shared" });
    await say(ben, shared.id, "all of us");
    await hear(mal, shared.id, "all of us");
    await ben.client.block(mal.accountId);
    const { id: messageId } = await mal.client.send(direct.id, "are you angry?");
    await eventually(async () => (await messageOf(mal, direct.id, messageId))?.delivery?.kind === "accepted", "the server has it");
    await mal.client.startConversation({ to: ["ben"], name: "A new group" });
    // A group that both are in goes on.
    await say(mal, shared.id, "still here");
    await hear(ben, shared.id, "still here");
    await delay(1500);
    expect(await ben.texts(direct.id)).toEqual(["hello"]);
    expect((await ben.client.conversations()).map(({ title, isBlocked, unreadCount }) => [title, isBlocked, unreadCount > 0])).toEqual(
      expect.arrayContaining([["mal", true, false]]),
    );
    expect((await ben.client.conversations()).some(({ title }) => title === "A new group")).toBe(false);
    expect((await ben.client.requests()).list).toEqual([]);
    await expect(ben.client.send(direct.id, "no")).rejects.toMatchObject({ code: "blocked" });
    await ben.client.unblock(mal.accountId);
    await say(mal, direct.id, "and now?");
    await hear(ben, direct.id, "and now?");
    expect(cyd.accountId).not.toBe(mal.accountId);
  });

  test("[I-4] what was written to somebody and not sent yet when the person blocked them is not sent while they are", async () => {
    await using scene = await Scene.open();
    const [ada, mal] = [await scene.person("ada"), await scene.person("mal")];
    const id = await begun([ada, mal]);
    await ada.client.send(id, "regretted", { undoMs: 3000 });
    await ada.client.block(mal.accountId);
    await delay(4000);
    await settle(ada, mal);
    expect(await mal.texts(id)).toEqual(["hello"]);
    await ada.client.unblock(mal.accountId);
    await hear(mal, id, "regretted");
  });
});
