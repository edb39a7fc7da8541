// C44 | what somebody deleted on their own devices comes back with the history that they are given, also when the server holds that back until then; a group that they deleted does not come back when they are let in again; what is given is lost by the server each time | P
// Source: FEATURES.md
// Counter-measure: what a person deleted, one message or a whole conversation, is not taken from an archive either; an invitation, and the group that somebody is in again, are in the list; what was lost is given again less and less often
import { setTimeout as delay } from "node:timers/promises";
import { openNodeStore } from "@latchkey/client/node";
import { httpPaths } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

async function remembering(scene: Scene): Promise<{ ada: Person; ben: Person; cyd: Person; id: string }> {
  const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
  const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
  await ada.client.changeSettings(id, { rights: { history: "30_days" } });
  await settle(ada, ben);
  for (const text of ["one", "two"]) {
    await say(ada, id, text);
    await hear(ben, id, text);
  }
  await settle(ada, ben);
  return { ada, ben, cyd, id };
}

const isIn = async (person: Person, id: string): Promise<boolean> =>
  (await person.client.conversations()).some((conversation) => conversation.id === id);

const isGiven = async (person: Person, id: string): Promise<boolean> =>
  (await isIn(person, id)) && (await person.client.messages(id, { limit: 100 })).some(({ body }) => body.kind === "history_given");

async function joinAgain(by: Person, person: Person, id: string): Promise<void> {
  await eventually(
    async () => (await person.client.conversations()).some((one) => one.id === id && one.invitations.length > 0),
    `${person.name} is asked`,
  );
  await person.client.acceptInvitation(id, by.accountId);
  // It is to be found, whatever was deleted before.
  await eventually(() => isIn(person, id), `${person.name} has the group in the list`);
}

describe("C44 history that comes back", { timeout: 180_000 }, () => {
  test("[R-5] what was said before a person deleted the conversation is not shown by an archive that the server held back until then", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await remembering(scene);
    let isHeld = true;
    scene.operator.override({
      get: (person, path) =>
        isHeld && person === "cyd" && path.startsWith(httpPaths.blobs) ? new Response(undefined, { status: 503 }) : undefined,
    });
    await ada.client.addMembers(id, ["cyd"]);
    await eventually(() => isGiven(cyd, id), "cyd is told that it was given");
    await settle(ada, ben, cyd);
    await cyd.client.deleteConversation(id);
    isHeld = false;
    for (let minute = 0; minute < 5; minute++) await cyd.jump(60_000);
    await settle(cyd);
    expect(await cyd.texts(id)).toEqual([]);
    await say(ada, id, "three");
    await hear(cyd, id, "three");
    await settle(cyd);
    expect(await cyd.texts(id)).toEqual(["three"]);
    expect((await cyd.client.messages(id, { limit: 100 })).map(({ body }) => body.kind)).toEqual(["text"]);
    shows(context, "what was said since, and nothing else");
  });

  test("[R-5] what a person deleted for themselves, a message or all of it, stays away when they are let in again and are given what was said", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await remembering(scene);
    await ada.client.addMembers(id, ["cyd"]);
    await hear(cyd, id, "two");
    await settle(ada, ben, cyd);
    const one = (await cyd.client.messages(id, { limit: 100 })).find(({ body }) => body.kind === "text" && body.text === "one");
    await cyd.client.deleteMessages(id, [one?.id ?? ""], { forEveryone: false });
    expect(await cyd.texts(id)).toEqual(["two"]);
    await ada.client.removeMembers(id, [cyd.accountId]);
    await settle(ada, ben, cyd);
    await say(ada, id, "three");
    await hear(ben, id, "three");
    await ada.client.addMembers(id, ["cyd"]);
    await joinAgain(ada, cyd, id);
    await hear(cyd, id, "three");
    await settle(ada, ben, cyd);
    expect(await cyd.texts(id)).toEqual(["two", "three"]);
    await ada.client.removeMembers(id, [cyd.accountId]);
    await settle(ada, ben, cyd);
    await cyd.client.deleteConversation(id);
    await say(ada, id, "four");
    await hear(ben, id, "four");
    await ada.client.addMembers(id, ["cyd"]);
    await joinAgain(ada, cyd, id);
    await settle(ada, ben, cyd);
    await say(ada, id, "five");
    await hear(cyd, id, "five");
    await settle(ada, ben, cyd);
    expect(await cyd.texts(id)).toEqual(["four", "five"]);
    shows(context, "what was said since, and nothing else");
  });

  test("[R-5] a server that loses what joiners are given each time is not sent it without a pause; once it keeps it, they have it", async (context) => {
    await using scene = await Scene.open();
    const { ada, cyd, id } = await remembering(scene);
    let appends = 0;
    const stop = scene.operator.override({
      request(line, body) {
        if (line.person !== "ada" || body.kind !== "append") return "pass";
        appends += 1;
        return { answer: { kind: "error", code: "unknown_blob", retryAfterMs: 0 } };
      },
    });
    await ada.client.addMembers(id, ["cyd"]);
    await eventually(async () => appends > 0, "ada gives it");
    await delay(4000);
    expect(appends).toBe(1);
    stop();
    await eventually(async () => {
      await ada.jump(60_000);
      return (await cyd.texts(id)).length > 0;
    }, "cyd is given it once the server keeps it");
    expect(await cyd.texts(id)).toEqual(["one", "two"]);
    shows(context, "“one” and “two”, shared by ada");
  });

  test("[R-5] nothing of what a person deleted for themselves is kept of an archive, not even what proves who wrote it", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, cyd, id } = await remembering(scene);
    await say(ada, id, "better forgotten");
    await hear(ben, id, "better forgotten");
    await ada.client.addMembers(id, ["cyd"]);
    await hear(cyd, id, "better forgotten");
    await settle(ada, ben, cyd);
    const found = (await cyd.client.messages(id, { limit: 100 })).find(
      ({ body }) => body.kind === "text" && body.text === "better forgotten",
    );
    await cyd.client.deleteMessages(id, [found?.id ?? ""], { forEveryone: false });
    await ada.client.removeMembers(id, [cyd.accountId]);
    await settle(ada, ben, cyd);
    await say(ada, id, "three");
    await hear(ben, id, "three");
    await ada.client.addMembers(id, ["cyd"]);
    await joinAgain(ada, cyd, id);
    await hear(cyd, id, "three");
    await settle(ada, ben, cyd);
    expect(await cyd.texts(id)).toEqual(["one", "two", "three"]);
    await cyd.client.close();
    const store = await openNodeStore(scene.profileOf("cyd"));
    const all = await store.transact("read", (tx) => tx.scan({ prefix: "" }));
    await store.close();
    const with_ = (text: string): readonly string[] => all.flatMap(([key, value]) => (Buffer.from(value).includes(text) ? [key] : []));
    expect(with_("three").length).toBeGreaterThan(0);
    expect(with_("better forgotten")).toEqual([]);
    shows(context, "“one”, “two” and “three”");
  });
});
