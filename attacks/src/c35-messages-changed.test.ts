// C35 | a member edits, deletes, pins, ends or votes where they may not, floods with reactions, or wipes what they said in one go | P
// Source: ATTACKS.md part C, FEATURES.md
// Counter-measure: what counts is decided from signed content, its place in the log and the rights there, by everybody alike
import { fromBase64Url } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import type { Message } from "@latchkey/client";
import {
  createDeletionContent,
  createEditContent,
  createPinContent,
  createPollEndContent,
  createReactionContent,
  createTextContent,
  createVoteContent,
} from "@latchkey/protocol";
import type { ContentHead } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const head = (): ContentHead => ({ salt: random(16), sentAtMs: Date.now() });

async function find(person: Person, id: string, text: string): Promise<Message> {
  const messages = await person.client.messages(id, { limit: 500 });
  const found = messages.find(
    ({ body }) => (body.kind === "text" && body.text === text) || (body.kind === "poll" && body.question === text),
  );
  if (found === undefined) throw new Error("the message is there");
  return found;
}

async function allotment(scene: Scene): Promise<{ ada: Person; ben: Person; mal: Person; id: string }> {
  const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
  const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
  await say(ada, id, "the shed is locked");
  for (const person of [ben, mal]) await hear(person, id, "the shed is locked");
  return { ada, ben, mal, id };
}

describe("C35 a member changes what others said", () => {
  test("edits, deletions, reactions, pins and the ends of polls of others count for nobody, and who tried is named", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await allotment(scene);
    const locked = await find(ben, id, "the shed is locked");
    const target = fromBase64Url(locked.id);
    await ben.client.react(id, locked.id, "👍");
    const { id: pollId } = await ada.client.sendPoll(id, { question: "When?", options: ["Today", "Tomorrow"] });
    await eventually(async () => (await ben.client.messages(id, { limit: 50 })).some((message) => message.id === pollId), "the poll came");
    await ben.client.vote(id, pollId, [0]);
    await settle(ada, ben, mal);
    const reaction = (await mal.client.messageInfo(id, locked.id)).reactions;
    expect(reaction.map(({ emoji }) => emoji)).toEqual(["👍"]);
    const poll = fromBase64Url(pollId);
    await writeAs(scene, mal, id, [
      { plaintext: createEditContent({ ...head(), replaces: target, text: "the shed is open, take what you like" }) },
      { plaintext: createDeletionContent({ ...head(), replaces: target }) },
      { plaintext: createPinContent({ ...head(), pin: { messageId: target, until: "forever" } }) },
      { plaintext: createPollEndContent({ ...head(), inReplyTo: poll }) },
      // An answer says nothing of what it answers but which message that is.
      { plaintext: createTextContent({ ...head(), text: "as agreed", inReplyTo: target }) },
    ]);
    for (const person of [ada, ben]) {
      await hear(person, id, "as agreed");
      const now = await find(person, id, "the shed is locked");
      expect(now).toMatchObject({ reactions: [{ emoji: "👍", count: 1 }] });
      expect(now.edited).toBeUndefined();
      expect((await person.client.messageInfo(id, now.id)).refused).toMatchObject([{ person: { username: "mal" }, count: 2 }]);
      expect(await person.client.pinned(id)).toEqual([]);
      expect(await find(person, id, "When?")).toMatchObject({ body: { isClosed: false, options: [{ count: 1 }, { count: 0 }] } });
      expect((await find(person, id, "as agreed")).quote).toMatchObject({ author: { username: "ada" }, text: "the shed is locked" });
      expect(await person.alarms()).toEqual([]);
    }
    shows(context, "beside the message: mal tried to change it and may not (2)");
  });

  test("[X-11] a vote behind the end of a poll, and one for what is not there, count for nothing", async () => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await allotment(scene);
    const { id: pollId } = await ada.client.sendPoll(id, { question: "When?", options: ["Today", "Tomorrow"] });
    await ada.client.vote(id, pollId, [0]);
    await ada.client.endPoll(id, pollId);
    await settle(ada, ben, mal);
    const inReplyTo = fromBase64Url(pollId);
    await writeAs(scene, mal, id, [
      { plaintext: createVoteContent({ ...head(), inReplyTo, options: [1] }) },
      { plaintext: createVoteContent({ ...head(), inReplyTo, options: [7] }) },
      { plaintext: createTextContent({ ...head(), text: "voted" }) },
    ]);
    for (const person of [ada, ben]) {
      await hear(person, id, "voted");
      expect(await find(person, id, "When?")).toMatchObject({ body: { isClosed: true, options: [{ count: 1 }, { count: 0 }] } });
    }
  });

  test("[X-6] a flood of reactions of one member is a handful, and costs nobody the others'", async () => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await allotment(scene);
    const locked = await find(ben, id, "the shed is locked");
    const inReplyTo = fromBase64Url(locked.id);
    const faces = ["😀", "😁", "😂", "🤣", "😃", "😄", "😅", "😆"];
    const flood = Array.from({ length: 160 }, (_, at) =>
      createReactionContent({ ...head(), inReplyTo, emoji: faces[at % faces.length] ?? "😀" }),
    );
    await writeAs(
      scene,
      mal,
      id,
      [...flood, createTextContent({ ...head(), text: "enough" })].map((plaintext) => ({ plaintext })),
    );
    for (const person of [ada, ben]) await hear(person, id, "enough");
    await ben.client.react(id, locked.id, "🎉");
    await settle(ada, ben);
    await eventually(
      async () => (await find(ada, id, "the shed is locked")).reactions?.some(({ emoji }) => emoji === "🎉") === true,
      "Ben's",
    );
    const { reactions = [] } = await find(ada, id, "the shed is locked");
    expect(reactions.map(({ emoji, count }) => [emoji, count])).toEqual([...faces.slice(0, 6), "🎉"].map((emoji) => [emoji, 1]));
  });

  test("[X-4] a stolen device wipes everything its owner said: fifty messages go, and the person is asked about the rest", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await allotment(scene);
    for (let at = 0; at < 56; at++) await mal.client.send(id, `evidence ${String(at)}`);
    for (const person of [ada, ben]) await hear(person, id, "evidence 55");
    const told: string[] = [];
    ben.client.subscribe((event) => told.push(event.kind));
    const said = (await ben.client.messages(id, { limit: 200 })).filter(({ author }) => author?.username === "mal");
    const wipe = said.map((message) => createDeletionContent({ ...head(), replaces: fromBase64Url(message.id) }));
    await writeAs(
      scene,
      mal,
      id,
      [...wipe, createTextContent({ ...head(), text: "I was never here" })].map((plaintext) => ({ plaintext })),
    );
    for (const person of [ada, ben]) await hear(person, id, "I was never here");
    const left = async (person: Person): Promise<number> =>
      (await person.client.messages(id, { limit: 200 })).filter(({ body }) => body.kind === "text" && body.text.startsWith("evidence"))
        .length;
    expect(await left(ben)).toBe(6);
    expect(await ben.client.heldDeletions(id)).toMatchObject([{ person: { username: "mal" }, count: 6 }]);
    expect(told).toContain("held_deletions");
    await ben.client.decideDeletions(id, mal.accountId, false);
    expect([await left(ben), await ben.client.heldDeletions(id)]).toEqual([6, []]);
    await ada.client.decideDeletions(id, mal.accountId, true);
    expect([await left(ada), await ada.client.heldDeletions(id)]).toEqual([0, []]);
    shows(context, "mal deleted more than fifty messages in an hour: 6 wait for your word");
  });
});
