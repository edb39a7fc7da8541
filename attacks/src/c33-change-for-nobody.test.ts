// C33 | a change that none of those who are awake can follow, while somebody sleeps: the group stands | D
// Source: found by trying, 2026-11-28
// Counter-measure: it says at once whose change it is, and one click goes on without them, with history and roles (G-9, M-9)
import { describe, expect, test } from "vitest";
import { Insider } from "./testing/insider.ts";
import { begun, eventually, hear, say, Scene } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** A group of four in which dee sleeps and a change of mal's stops ada and ben. */
async function stopped(scene: Scene): Promise<Readonly<Record<"ada" | "ben" | "dee" | "mal", Person>> & { readonly id: string }> {
  const [ada, ben, dee, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("dee"), await scene.person("mal")];
  const id = await begun([ada, ben, dee, mal], "Allotment");
  using insider = await Insider.take(scene, mal, id);
  await dee.client.close();
  const created = await insider.forge({ adds: [await insider.keyPackage({ ...insider.own, deviceId: new Uint8Array(16).fill(3) })] });
  expect((await insider.post({ ...created, message: insider.breakConfirmation(created.message) })).kind).toBe("accepted");
  for (const person of [ada, ben]) {
    await eventually(async () => {
      const { stop } = (await person.client.details(id)).conversation;
      return stop?.failure.code === "change_unreadable" && stop.by?.username === "mal";
    }, "it says whose change stops it");
  }
  return { id, ada, ben, dee, mal };
}

describe("C33 a change that nobody who is awake can follow", () => {
  test("who made it is named, and the others go on without them; who slept is there when they wake", async (context) => {
    await using scene = await Scene.open();
    const { id, ada, ben, mal } = await stopped(scene);
    await ada.client.send(id, "who has the spade?");
    const { conversation, unreachable } = await ada.client.continueConversation(id, { without: [mal.accountId] });
    expect(unreachable).toEqual([]);
    await eventually(
      async () => (await ben.client.details(id)).conversation.offers[0]?.conversationId === conversation.id,
      "ben is offered it",
    );
    await ben.client.continueConversation(id, { into: conversation.id });
    // What waited is asked about: it was written to other people.
    const waiting = (await ada.client.messages(conversation.id, { limit: 50 })).findLast(({ delivery }) => delivery?.kind === "failed");
    if (waiting === undefined) throw new Error("it waits");
    await ada.client.retry(conversation.id, waiting.id);
    await hear(ben, conversation.id, "who has the spade?");
    const { members } = await ben.client.details(conversation.id);
    expect(members.map(({ person, role }) => `${person.username} ${role}`).toSorted()).toEqual(["ada owner", "ben member", "dee member"]);
    expect(
      (await ben.client.messages(conversation.id, { limit: 50 })).some(({ body }) => body.kind === "text" && body.text === "hello"),
    ).toBe(true);
    shows(context, "Go on without mal");
  });

  test("[M-9] who made it offers to go on with everybody elsewhere: without them is without them, and the others see who is left out", async () => {
    await using scene = await Scene.open();
    const { id, ada, ben, mal } = await stopped(scene);
    const again = await scene.reopen("mal");
    await eventually(async () => (await again.details(id)).conversation.stop !== undefined, "mal's own client stops too");
    const bad = (await again.continueConversation(id)).conversation.id;
    const offersTo = async ({ client }: Person): Promise<readonly string[]> =>
      (await client.details(id)).conversation.offers.map(({ conversationId, from }) => `${from.username} ${conversationId}`);
    await eventually(async () => (await offersTo(ada)).includes(`mal ${bad}`), "it is offered");
    const { conversation } = await ada.client.continueConversation(id, { without: [mal.accountId] });
    expect(conversation.id).not.toBe(bad);
    const namesIn = async ({ client }: Person): Promise<readonly string[]> =>
      (await client.details(conversation.id)).members.map(({ person }) => person.username).toSorted();
    expect((await namesIn(ada)).filter((name) => name === "mal")).toEqual([]);
    await eventually(async () => (await offersTo(ben)).includes(`ada ${conversation.id}`), "ben sees where ada goes on");
    const { offers } = (await ben.client.details(id)).conversation;
    expect(offers.map(({ missing }) => missing.map(({ username }) => username))).toEqual([["mal"]]);
    await ben.client.continueConversation(id, { into: conversation.id });
    await say(ada, conversation.id, "without mal");
    await hear(ben, conversation.id, "without mal");
    expect(await namesIn(ben)).toEqual(["ada", "ben", "dee"]);
    // It stays where it is, whatever mal offers.
    expect((await ada.client.details(id)).conversation.continuedIn).toBe(conversation.id);
    await expect(ben.client.continueConversation(conversation.id, { into: bad })).rejects.toMatchObject({
      code: "not_permitted",
    });
  });

  test("[M-9] who puts an offer away and goes on alone is moved by nobody, nor moves anybody: both read what is said in either", async () => {
    await using scene = await Scene.open();
    const { id, ada, ben } = await stopped(scene);
    const bens = (await ben.client.continueConversation(id)).conversation.id;
    await say(ben, bens, "anybody here?");
    const offers = async ({ client }: Person, where: string): Promise<number> => (await client.details(where)).conversation.offers.length;
    await eventually(async () => (await offers(ada, id)) === 1, "ada is offered it");
    await ada.client.declineInvitation(id, ben.accountId);
    expect(await offers(ada, id)).toBe(0);
    const adas = (await ada.client.continueConversation(id)).conversation.id;
    const places = [
      [ada, adas, bens],
      [ben, bens, adas],
    ] as const;
    for (const [person, where, other] of places) {
      await eventually(async () => (await person.client.conversations()).some((one) => one.id === other), "both are in the list");
      expect((await person.client.details(id)).conversation.continuedIn).toBe(where);
      expect(await offers(person, where)).toBe(0);
    }
    await say(ben, bens, "here or there?");
    await hear(ada, bens, "here or there?");
    await say(ada, adas, "there");
    await hear(ben, adas, "there");
  });
});
