// C40 | a member gives somebody who joins an altered history: other words, other authors, another order, with something left out, of another joining, too large, or without the right to | P
// Source: FEATURES.md R-5; shared room keys in Matrix authenticate no author
// Counter-measure: every message comes with what its author signed, every entry with its link of the chain up to where the joiner came in; the rest is counted (R-5, E-120 to E-122)
import type { Message } from "@latchkey/client";
import { createNodePlatform } from "@latchkey/client/node";
import { maxArchiveBlobBytes } from "@latchkey/client/testing";
import type { HistoryArchive } from "@latchkey/client/testing";
import { signWithLabel } from "@latchkey/mls";
import { httpPaths } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { giveAs } from "./testing/hostile-giver.ts";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** What a person has of a conversation, oldest first. */
async function linesOf(person: Person, id: string): Promise<readonly Message[]> {
  return await person.client.messages(id, { limit: 500 });
}

const kindsOf = async (person: Person, id: string): Promise<string[]> => (await linesOf(person, id)).map(({ body }) => body.kind);

/** What is told to be missing: how many, and how many of them did not hold. */
async function missingOf(person: Person, id: string): Promise<number[][]> {
  return (await linesOf(person, id)).flatMap(({ body }) => (body.kind === "left_out" ? [[body.count, body.unproven]] : []));
}

/** Somebody was given something, and has looked at it. */
async function given(person: Person, id: string, kind: Message["body"]["kind"] = "left_out"): Promise<void> {
  await eventually(async () => {
    const isIn = (await person.client.conversations()).some((conversation) => conversation.id === id);
    return isIn && (await kindsOf(person, id)).includes(kind);
  }, `${person.name} has looked at what was given`);
  await settle(person);
}

/** The seq of the commit by which somebody joined: a line's place is sixteen times its entry's. */
async function joinedSeqOf(person: Person, id: string): Promise<number> {
  const line = (await linesOf(person, id)).find(({ body }) => body.kind === "added");
  if (line === undefined) throw new Error(`${person.name} joined`);
  return line.order / 16;
}

/** A group of ada, ben and mal in which everything is for joiners, four things were said, and nobody but its owner gives it to them. */
async function talked(scene: Scene): Promise<{ ada: Person; ben: Person; mal: Person; id: string }> {
  const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
  const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
  await ada.client.changeSettings(id, { rights: { history: "30_days", add: "everyone", shareHistory: "owner" } });
  await settle(ada, ben, mal);
  for (const [person, text] of [
    [ada, "one"],
    [ben, "two"],
    [ada, "three"],
    [ben, "four"],
  ] as const) {
    await say(person, id, text);
    for (const other of [ada, ben, mal]) await hear(other, id, text);
  }
  await settle(ada, ben, mal);
  return { ada, ben, mal, id };
}

/** From now on everybody may give joiners what was said. */
async function letEverybodyGive(ada: Person, id: string, ...others: readonly Person[]): Promise<void> {
  await ada.client.changeSettings(id, { rights: { shareHistory: "everyone" } });
  await settle(ada, ...others);
}

/** The messages of an archive that say this, or not. */
function saying(archive: HistoryArchive, text: string): HistoryArchive["messages"] {
  return archive.messages.filter(({ content }) => Buffer.from(content).includes(text));
}

describe("C40 altered history", { timeout: 180_000 }, () => {
  test("what honest members give is what everybody has, marked with who gave it", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await say(ada, id, "before it was on");
    await hear(ben, id, "before it was on");
    await ada.client.changeSettings(id, { rights: { history: "30_days" } });
    await settle(ada, ben);
    await say(ada, id, "one");
    await hear(ben, id, "one");
    await say(ben, id, "two");
    await hear(ada, id, "two");
    const one = (await linesOf(ada, id)).find(({ body }) => body.kind === "text" && body.text === "one");
    if (one === undefined) throw new Error("it is there");
    await ben.client.react(id, one.id, "👍");
    await ada.client.edit(id, one.id, "won");
    await settle(ada, ben);
    await ada.client.addMembers(id, ["cyd"]);
    await hear(cyd, id, "won");
    await settle(ada, ben, cyd);
    const shown = (await linesOf(cyd, id)).filter(({ body }) => body.kind === "text");
    expect(await cyd.texts(id)).toEqual(["won", "two"]);
    expect(shown.map(({ sharedBy }) => sharedBy?.username)).toEqual(["ada", "ada"]);
    expect(shown[0]?.reactions?.map(({ emoji }) => emoji)).toEqual(["👍"]);
    expect(shown.map((message) => message.order)).toEqual(
      (await linesOf(ada, id)).flatMap(({ body, order }) => (body.kind === "text" && body.text !== "before it was on" ? [order] : [])),
    );
    for (const person of [ada, ben, cyd])
      expect((await linesOf(person, id)).some(({ body }) => body.kind === "history_given" && body.people[0]?.username === "cyd")).toBe(
        true,
      );
    expect((await linesOf(cyd, id)).some(({ body }) => body.kind === "left_out")).toBe(false);
    expect((await cyd.client.conversations())[0]?.unreadCount).toBe(0);
    // What is done later to what was said before they came is done for them too.
    await ben.client.react(id, one.id, "🎉");
    await eventually(async () => (await linesOf(cyd, id)).some(({ reactions = [] }) => reactions.length === 2), "cyd sees it");
    expect(await cyd.alarms()).toEqual([]);
    shows(context, "two messages, marked as given by ada");
  });

  test("two who add somebody at once each give it to those whom they added, to all of their devices; who comes back is given what was said meanwhile", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd, dan] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("cyd"),
      await scene.person("dan"),
    ];
    const cydsPhone = await scene.device(cyd, "cydphone");
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await ada.client.changeSettings(id, { rights: { history: "100_messages", add: "everyone", shareHistory: "everyone" } });
    await settle(ada, ben);
    await say(ada, id, "one");
    await hear(ben, id, "one");
    await Promise.all([ada.client.addMembers(id, ["cyd"]), ben.client.addMembers(id, ["dan"])]);
    for (const person of [cyd, cydsPhone, dan]) await hear(person, id, "one");
    await settle(ada, ben, cyd, cydsPhone, dan);
    for (const [person, giver] of [
      [cyd, "ada"],
      [cydsPhone, "ada"],
      [dan, "ben"],
    ] as const) {
      const [one] = (await linesOf(person, id)).filter(({ body }) => body.kind === "text");
      expect(one?.sharedBy?.username).toBe(giver);
      expect(await missingOf(person, id)).toEqual([]);
    }
    const givenLines = (await linesOf(ben, id)).flatMap(({ body, author }) =>
      body.kind === "history_given" ? [`${author?.username ?? ""} ${body.people.map(({ username }) => username).join()}`] : [],
    );
    expect(givenLines.toSorted()).toEqual(["ada cyd", "ben dan"]);
    // Who is out, and comes back, is given what was said meanwhile, and has the rest from before.
    await ada.client.removeMembers(id, [dan.accountId]);
    await settle(ada, ben, dan);
    await say(ben, id, "while dan was out");
    await hear(ada, id, "while dan was out");
    await settle(ada, ben);
    await ada.client.addMembers(id, ["dan"]);
    await eventually(
      async () => (await dan.client.conversations()).some((conversation) => conversation.id === id && conversation.invitations.length > 0),
      "dan is asked",
    );
    await dan.client.acceptInvitation(id, ada.accountId);
    await hear(dan, id, "while dan was out");
    expect(await dan.texts(id)).toEqual(["one", "while dan was out"]);
    shows(context, "“ada gave cyd what was said before”, “ben gave dan what was said before”");
  });

  test("other words, others' names, another order and a message that was kept back are not shown, and counted in their places", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await talked(scene);
    const [cyd, dan, eve] = [await scene.person("cyd"), await scene.person("dan"), await scene.person("eve")];
    await ben.client.addMembers(id, ["cyd", "dan", "eve"]);
    await settle(ben, cyd, dan, eve, ada, mal);
    const joinedSeq = await joinedSeqOf(cyd, id);
    await letEverybodyGive(ada, id, ben, mal, cyd, dan, eve);
    const { random, crypto } = createNodePlatform();
    await giveAs(scene, mal, id, joinedSeq, async (honest, insider) => {
      const { suite } = insider.group;
      const [two, three] = [saying(honest, "two"), saying(honest, "three")];
      const [first] = two;
      if (first === undefined || three[0] === undefined) throw new Error("they are there");
      // "two" in other words, and signed by a key of mal's that is said to be ben's.
      const content = first.content.slice();
      content.set(Buffer.from("TWO"), Buffer.from(content).indexOf("two"));
      const keys = await crypto.suite(insider.state.suiteId).generateSignatureKeyPair(random);
      const epoch = honest.epochs[first.epoch];
      const author = honest.authors[first.author];
      if (epoch === undefined || author === undefined) throw new Error("they are there");
      const signed = new Uint8Array([...content, ...epoch.context]);
      const signature = await signWithLabel(suite, { secretKey: keys.secretKey, label: "FramedContentTBS", content: signed });
      const forged = { ...author, signaturePublicKey: keys.publicKey };
      const altered = (message: HistoryArchive["messages"][number]): HistoryArchive["messages"][number] => {
        if (message === first) return { ...message, content, signature, author: honest.authors.length };
        return three.includes(message) ? { ...message, author: first.author } : message;
      };
      const reply = { authors: [...honest.authors, forged], messages: honest.messages.map((message) => altered(message)) };
      // "three", which had seen "two", in the place of "two", and the other way.
      const places = new Map([
        [first, three[0].at],
        [three[0], first.at],
      ]);
      const exchanged = honest.messages
        .map((message) => ({ ...message, at: places.get(message) ?? message.at }))
        .toSorted((a, b) => a.at - b.at);
      const kept = honest.messages.filter((message) => message !== first);
      return [
        { to: [cyd], joinedSeq, archive: { ...honest, ...reply } },
        { to: [dan], joinedSeq, archive: { ...honest, messages: exchanged } },
        { to: [eve], joinedSeq, archive: { ...honest, messages: kept } },
      ];
    });
    for (const person of [cyd, dan, eve]) await given(person, id);
    expect(await cyd.texts(id)).toEqual(["one", "four"]);
    expect(await missingOf(cyd, id)).toEqual([[2, 2]]);
    // The earlier of both that is out of place is not shown.
    expect(await dan.texts(id)).not.toEqual(["one", "three", "two", "four"]);
    expect((await dan.texts(id)).indexOf("three")).toBe(-1);
    expect(await missingOf(dan, id)).toEqual([[1, 1]]);
    expect(await eve.texts(id)).toEqual(["one", "three", "four"]);
    expect(await missingOf(eve, id)).toEqual([[1, 0]]);
    for (const person of [cyd, dan, eve]) expect(await person.alarms()).toEqual([]);
    // Everybody goes on.
    await say(ben, id, "welcome");
    for (const person of [ada, cyd, dan, eve]) await hear(person, id, "welcome");
    shows(context, "“mal left out 2 messages or changes here”, and never the other words");
  });

  test("a message passed off as something else, another joining's archive, one that is too large, and bytes that are none are refused with a line; by who may not nothing is fetched", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await talked(scene);
    const [cyd, dan, eve, fay] = [
      await scene.person("cyd"),
      await scene.person("dan"),
      await scene.person("eve"),
      await scene.person("fay"),
    ];
    await ben.client.addMembers(id, ["cyd"]);
    await settle(ben, cyd, ada, mal);
    const joinedSeq = await joinedSeqOf(cyd, id);
    await ben.client.addMembers(id, ["dan", "eve", "fay"]);
    await settle(ben, dan, eve, fay, ada, mal, cyd);
    const later = await joinedSeqOf(dan, id);
    await letEverybodyGive(ada, id, ben, mal, cyd, dan, eve, fay);
    await giveAs(scene, mal, id, joinedSeq, (honest) => {
      const [two] = saying(honest, "two");
      const hidden = honest.entries.map((entry, at) => (at === two?.at ? { ...entry, kind: "complaint" as const } : entry));
      return [
        { to: [cyd], joinedSeq, archive: { ...honest, entries: hidden, messages: honest.messages.filter((message) => message !== two) } },
        // What cyd would have been given, again for somebody who came later.
        { to: [dan], joinedSeq: later, archive: honest },
        { to: [eve], joinedSeq: later, archive: new Uint8Array(maxArchiveBlobBytes) },
        { to: [fay], joinedSeq: later, archive: new Uint8Array(1000).fill(7) },
      ];
    });
    for (const person of [cyd, dan, eve, fay]) {
      await given(person, id, "unreadable");
      expect(await person.texts(id)).toEqual([]);
      expect(await missingOf(person, id)).toEqual([]);
      expect(await person.alarms()).toEqual([]);
    }
    const reasons = await Promise.all(
      [cyd, dan, eve, fay].map(async (person) =>
        (await linesOf(person, id)).flatMap(({ body, author }) =>
          body.kind === "unreadable" ? [`${author?.username ?? ""}: ${body.reason}`] : [],
        ),
      ),
    );
    expect(reasons.flat().map((reason) => reason.replace(/ of earlier messages/, ""))).toEqual([
      "mal: What was given is not what the log says: nothing of it is shown.",
      "mal: What was given is not what the log says: nothing of it is shown.",
      "mal: What was given is more than an archive may hold.",
      "mal: What was given is damaged.",
    ]);
    await say(ben, id, "welcome");
    for (const person of [ada, cyd, dan, eve, fay]) await hear(person, id, "welcome");
    shows(context, "“What was given of earlier messages is not what the log says: nothing of it is shown.”");
  });

  test("[E-15] what the server refuses to give now comes later; what it says three times is not there is told, and nothing is held up by it", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    await scene.person("dan");
    const { id } = await ada.client.startConversation({ to: ["dan"], name: "Allotment" });
    await ada.client.changeSettings(id, { rights: { history: "100_messages" } });
    await settle(ada);
    await say(ada, id, "one");
    let refused = 0;
    scene.operator.override({
      get(person, path) {
        if (!path.startsWith(httpPaths.blobs) || (person !== "ben" && person !== "cyd")) return undefined;
        refused++;
        if (person === "ben") return refused > 2 ? undefined : new Response(undefined, { status: 503 });
        return new Response(undefined, { status: 404 });
      },
    });
    await ada.client.addMembers(id, ["ben"]);
    await given(ben, id, "history_given");
    expect(await ben.texts(id)).toEqual([]);
    await eventually(async () => {
      await ben.jump(60_000);
      return (await ben.texts(id)).length > 0;
    }, "ben is given it once the server gives it out");
    expect(await ben.texts(id)).toEqual(["one"]);
    // The clock that is put forward may end one that is slow, which is asked for again.
    const before = refused;
    expect(before).toBeGreaterThanOrEqual(3);
    await ada.client.addMembers(id, ["cyd"]);
    await given(cyd, id, "history_given");
    await say(ada, id, "welcome");
    await hear(cyd, id, "welcome");
    await eventually(async () => {
      await cyd.jump(3000);
      return (await kindsOf(cyd, id)).includes("unreadable");
    }, "cyd is told that it is not there");
    const told = (await linesOf(cyd, id)).flatMap(({ body }) => (body.kind === "unreadable" ? [body.reason] : []));
    expect(told).toEqual(["What was said before cannot be had from the server any more."]);
    expect(refused - before).toBeGreaterThanOrEqual(3);
    shows(context, "“What was said before cannot be had from the server any more.”");
  });

  test("a member who may not give anything is told of, and nothing is fetched of theirs", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await talked(scene);
    const cyd = await scene.person("cyd");
    await ben.client.addMembers(id, ["cyd"]);
    await settle(ben, cyd, ada, mal);
    const joinedSeq = await joinedSeqOf(cyd, id);
    await giveAs(scene, mal, id, joinedSeq, (honest) => [{ to: [cyd], joinedSeq, archive: honest }]);
    for (const person of [ada, ben, cyd]) {
      await given(person, id, "unpermitted");
      const told = (await linesOf(person, id)).filter(({ body }) => body.kind === "unpermitted");
      expect(told.map(({ author }) => author?.username)).toEqual(["mal"]);
    }
    expect(await cyd.texts(id)).toEqual([]);
    expect((await kindsOf(cyd, id)).filter((kind) => kind === "left_out" || kind === "unreadable")).toEqual([]);
    shows(context, "“mal wrote something, and may not write here”");
  });
});
