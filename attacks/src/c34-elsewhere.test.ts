// C34 | another conversation in the place of the one that people went on in: by a member, later, or where the machine stops in between | P
// Source: found by trying, 2026-11-28
// Counter-measure: nobody is moved from where something was said; of two made at once all end up in one, with history and drafts (M-9, E-16)
import { cpSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { createClient } from "@latchkey/client";
import type { Client } from "@latchkey/client";
import { createNodePlatform, openNodeStore } from "@latchkey/client/node";
import { describe, expect, test } from "vitest";
import { eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { cardOf } from "./testing/stranger.ts";

/** A program of somebody who chooses the id of the next log that they make. */
function choosing(): { armed: Uint8Array | undefined; tamper: (random: (size: number) => Uint8Array) => (size: number) => Uint8Array } {
  const choice = {
    armed: undefined as Uint8Array | undefined,
    tamper: (random: (size: number) => Uint8Array) => (size: number) => {
      const { armed } = choice;
      if (armed === undefined || size !== 32) return random(size);
      choice.armed = undefined;
      return armed.slice();
    },
  };
  return choice;
}

/** The server says that it does not have this log any more. */
function lose(scene: Scene, id: string): void {
  const logId = fromBase64Url(id);
  scene.operator.override({
    request: (_, body) =>
      body.kind === "open" && equalBytes(body.logId, logId) ? { answer: { kind: "error", code: "unknown_log", retryAfterMs: 0 } } : "pass",
  });
  scene.operator.cut();
}

async function stops(id: string, ...people: readonly Person[]): Promise<void> {
  for (const { client } of people)
    await eventually(async () => (await client.details(id)).conversation.stop !== undefined, "it says that it has stopped");
}

/** Groups that go on for somebody. */
async function live({ client }: { readonly client: Client }): Promise<readonly string[]> {
  return (await client.conversations())
    .filter(({ status, kind }) => kind === "group" && status === "active")
    .map(({ id }) => id)
    .toSorted();
}

describe("C34 two that go on with the same conversation", () => {
  test("three go on at once: all three end up in one, the same for each", async () => {
    await using scene = await Scene.open();
    const choices = [choosing(), choosing(), choosing()];
    const people: Person[] = [];
    for (const [at, name] of ["ada", "ben", "cyd"].entries()) {
      const tamper = choices[at]?.tamper;
      people.push(await scene.person(name, tamper === undefined ? {} : { tamper }));
    }
    const [ada, ben, cyd] = people;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
    const { id } = await ada.client.startConversation({ to: ["ben", "cyd"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, cyd]) await hear(person, id, "hello");
    await settle(...people);
    lose(scene, id);
    await stops(id, ...people);
    // The Welcomes wait on their way until each has made its own; Ben's arrive first.
    const gates = new Map(people.map(({ name }) => [name, Promise.withResolvers<void>()]));
    scene.operator.override({
      async request({ person }, body) {
        if (body.kind === "post") await gates.get(person)?.promise;
        return "pass" as const;
      },
    });
    for (const [at, first] of [0x30, 0x20, 0x10].entries()) {
      const choice = choices[at];
      if (choice !== undefined) choice.armed = new Uint8Array(32).fill(first);
    }
    const made = await Promise.all(people.map(({ client }) => client.continueConversation(id)));
    expect(made.map(({ conversation }) => conversation.id)).toEqual(
      [0x30, 0x20, 0x10].map((first) => toBase64Url(new Uint8Array(32).fill(first))),
    );
    for (const { name } of [ben, ada, cyd]) {
      gates.get(name)?.resolve();
      await delay(1500);
    }
    await settle(...people);
    await delay(500);
    const where = await Promise.all(people.map((person) => live(person)));
    const lowest = made[2]?.conversation.id ?? "";
    expect(where).toEqual([[lowest], [lowest], [lowest]]);
  }, 90_000);

  test("two go on at once, and the server takes its time with one of them: both end up in one", async () => {
    await using scene = await Scene.open();
    const choices = [choosing(), choosing()];
    const people = [
      await scene.person("ada", { tamper: (random) => choices[0]?.tamper(random) ?? random }),
      await scene.person("ben", { tamper: (random) => choices[1]?.tamper(random) ?? random }),
      await scene.person("cyd"),
    ] as const;
    const [ada, ben, cyd] = people;
    const { id } = await ada.client.startConversation({ to: ["ben", "cyd"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, cyd]) await hear(person, id, "hello");
    await settle(...people);
    lose(scene, id);
    await stops(id, ...people);
    const gate = Promise.withResolvers<void>();
    scene.operator.override({
      async request({ person }, body) {
        if (person === "ada" && body.kind === "create") await gate.promise;
        return "pass" as const;
      },
    });
    for (const [at, first] of [0x20, 0x10].entries()) {
      const choice = choices[at];
      if (choice !== undefined) choice.armed = new Uint8Array(32).fill(first);
    }
    const hers = (await ada.client.continueConversation(id)).conversation.id;
    const his = (await ben.client.continueConversation(id)).conversation.id;
    await settle(ben);
    await eventually(async () => (await ada.client.conversations()).some((other) => other.id === his), "his reaches ada");
    gate.resolve();
    await settle(...people);
    await eventually(async () => (await live(ada)).length === 1, "ada is in one");
    expect(await Promise.all([ada, ben].map((person) => live(person)))).toEqual([[his], [his]]);
    expect(hers).not.toBe(his);
  }, 90_000);

  test("[M-9] long after all went on together, one member puts nobody somewhere else without their consent", async () => {
    await using scene = await Scene.open();
    const people = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")] as const;
    const [ada, ben, mal] = people;
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, mal]) await hear(person, id, "hello");
    await settle(...people);
    lose(scene, id);
    await stops(id, ...people);
    // Mal keeps what her profile is now.
    await mal.client.close();
    cpSync(join(scene.folder, "people", "mal"), join(scene.folder, "people", "mal-then"), { recursive: true });
    const open = async (folder: string, choice = choosing()): Promise<Client> => {
      const platform = createNodePlatform();
      return await createClient({
        store: await openNodeStore(join(scene.folder, "people", folder)),
        platform: { ...platform, random: choice.tamper((size) => platform.random(size)) },
        serverUrl: scene.operator.url("mal"),
        requests: "accept",
      });
    };
    const now = await open("mal");
    const next = (await ada.client.continueConversation(id)).conversation.id;
    for (const client of [ben.client, now]) {
      await eventually(async () => (await client.details(id)).conversation.offers.length > 0, "it is offered");
      await client.continueConversation(id, { into: next });
    }
    await say(ada, next, "we are all here");
    await hear(ben, next, "we are all here");
    await say(ben, next, "so we are");
    await hear(ada, next, "so we are");
    await now.close();
    await settle(ada, ben);
    expect(await live(ada)).toEqual([next]);
    expect(await live(ben)).toEqual([next]);
    // However much later: the program of then goes on with the conversation of then; to Ben it sends no Welcome.
    const { inboxId } = await cardOf(scene, ben);
    scene.operator.override({
      request: ({ person }, body) => (person === "mal" && body.kind === "post" && equalBytes(body.inboxId, inboxId) ? "drop" : "pass"),
    });
    const choice = choosing();
    const then = await open("mal-then", choice);
    await eventually(async () => (await then.details(id)).conversation.stop !== undefined, "it has stopped there");
    choice.armed = new Uint8Array(32);
    const trap = (await then.continueConversation(id)).conversation.id;
    expect(trap).toBe(toBase64Url(new Uint8Array(32)));
    await then.settle({ timeoutMs: 3000 }).catch(() => undefined);
    await eventually(async () => (await ada.client.conversations()).some((other) => other.id === trap), "it reaches ada");
    await settle(ada);
    // Ada writes where she always wrote.
    await ada.client.send(next, "meet at nine");
    await settle(ada);
    await settle(ben);
    await delay(1500);
    await then.close();
    const shown = (await ada.client.messages(next, { limit: 50 })).concat(await ada.client.messages(trap, { limit: 50 }));
    const told = shown
      .filter(({ body }) => body.kind === "text" && body.text === "meet at nine")
      .map(({ delivery, conversationId }) => [delivery?.kind, conversationId]);
    const heard = await Promise.all((await ben.client.conversations()).map(({ id: other }) => ben.texts(other)));
    // What has a tick at Ada's is read by Ben, or it waits for her word.
    expect({ told, heard: heard.flat().includes("meet at nine") }).toEqual({ told: [["accepted", next]], heard: true });
    expect(await live(ada)).toContain(next);
  }, 110_000);

  test("one that has stopped takes the place of none that goes on", async () => {
    await using scene = await Scene.open();
    const choices = [choosing(), choosing()];
    const ada = await scene.person("ada", { tamper: (random) => choices[0]?.tamper(random) ?? random });
    const ben = await scene.person("ben", { tamper: (random) => choices[1]?.tamper(random) ?? random });
    const cyd = await scene.person("cyd");
    const people = [ada, ben, cyd] as const;
    const { id } = await ada.client.startConversation({ to: ["ben", "cyd"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, cyd]) await hear(person, id, "hello");
    await settle(...people);
    lose(scene, id);
    await stops(id, ...people);
    for (const [at, first] of [0x10, 0x20].entries()) {
      const choice = choices[at];
      if (choice !== undefined) choice.armed = new Uint8Array(32).fill(first);
    }
    // Ada goes on; her new one is lost too. Then Ben goes on from where he was, and Cyd with him.
    const hers = (await ada.client.continueConversation(id)).conversation.id;
    await settle(ada);
    lose(scene, hers);
    await stops(hers, ada);
    const his = (await ben.client.continueConversation(id)).conversation.id;
    expect(his > hers).toBe(true);
    await settle(ben);
    await eventually(
      async () => (await cyd.client.details(id)).conversation.offers.some(({ from }) => from.username === "ben"),
      "cyd is offered his",
    );
    await cyd.client.continueConversation(id, { into: his });
    await eventually(async () => {
      const all = await ada.client.details(his).catch(() => undefined);
      return all !== undefined;
    }, "his reaches ada");
    await settle(ada);
    expect((await ada.client.details(his)).conversation.status).toBe("active");
  }, 110_000);

  test("what a person was about to say goes along", async () => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await settle(ada, ben);
    lose(scene, id);
    await stops(id, ada);
    await ada.client.saveDraft(id, "a long letter, half written");
    const { conversation } = await ada.client.continueConversation(id);
    const drafts = (await ada.client.conversations()).map(({ draft }) => draft);
    expect(drafts).toContain("a long letter, half written");
    expect((await ada.client.details(conversation.id)).conversation.draft).toBe("a long letter, half written");
  }, 60_000);

  test("[E-16] the offer that a person looked at is the one that is taken", async () => {
    await using scene = await Scene.open();
    const people = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")] as const;
    const [ada, ben, mal] = people;
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, mal]) await hear(person, id, "hello");
    await settle(...people);
    lose(scene, id);
    await stops(id, ...people);
    await mal.client.close();
    cpSync(join(scene.folder, "people", "mal"), join(scene.folder, "people", "mal-then"), { recursive: true });
    const open = async (folder: string): Promise<Client> =>
      await createClient({
        store: await openNodeStore(join(scene.folder, "people", folder)),
        platform: createNodePlatform(),
        serverUrl: scene.operator.url("mal"),
        requests: "accept",
      });
    const one = await open("mal");
    await eventually(async () => (await one.details(id)).conversation.stop !== undefined, "it has stopped there");
    await one.continueConversation(id);
    await one.settle({ timeoutMs: 5000 }).catch(() => undefined);
    await one.close();
    const looked = await eventually(async () => (await ada.client.details(id)).conversation.offers[0], "it is offered");
    expect(looked.missing).toEqual([]);
    // While she looks, Mal offers another one, without Ben.
    const two = await open("mal-then");
    await eventually(async () => (await two.details(id)).conversation.stop !== undefined, "it has stopped there");
    await two.continueConversation(id, { without: [ben.accountId] });
    await two.settle({ timeoutMs: 5000 }).catch(() => undefined);
    await eventually(
      async () => (await ada.client.details(id)).conversation.offers[0]?.conversationId !== looked.conversationId,
      "another one",
    );
    await two.close();
    const taken = (await ada.client.continueConversation(id, { into: looked.conversationId }).catch(() => undefined))?.conversation.id;
    // Either that one, or none.
    expect([looked.conversationId, undefined]).toContain(taken);
  }, 100_000);

  test("two who go on at once in a direct conversation keep its history, also where the server takes its time with one of them", async () => {
    await using scene = await Scene.open();
    const choices = [choosing(), choosing()];
    const ada = await scene.person("ada", { tamper: (random) => choices[0]?.tamper(random) ?? random });
    const ben = await scene.person("ben", { tamper: (random) => choices[1]?.tamper(random) ?? random });
    const { id } = await ada.client.startConversation({ to: ["ben"] });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await settle(ada, ben);
    lose(scene, id);
    await stops(id, ada, ben);
    for (const [at, first] of [0x20, 0x10].entries()) {
      const choice = choices[at];
      if (choice !== undefined) choice.armed = new Uint8Array(32).fill(first);
    }
    const gate = Promise.withResolvers<void>();
    scene.operator.override({
      async request({ person }, body) {
        if (person === "ada" && body.kind === "create") await gate.promise;
        return "pass" as const;
      },
    });
    const hers = (await ada.client.continueConversation(id)).conversation.id;
    const his = (await ben.client.continueConversation(id)).conversation.id;
    expect(his < hers).toBe(true);
    await settle(ben);
    await eventually(async () => (await ada.client.conversations()).some((other) => other.id === his), "his reaches ada");
    gate.resolve();
    await settle(ada, ben);
    const shown = await Promise.all((await ada.client.conversations()).map((other) => ada.texts(other.id)));
    expect(shown.flat()).toContain("hello");
  }, 60_000);
});

describe("C34 a machine that stops between", () => {
  test.each(["group", "direct"] as const)(
    "is not lost where the machine stops right after it was joined: %s",
    async (kind) => {
      await using scene = await Scene.open();
      const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
      const { id } = await ada.client.startConversation({ to: ["ben"], ...(kind === "group" ? { name: "Allotment" } : {}) });
      await say(ada, id, "hello");
      await hear(ben, id, "hello");
      await settle(ada, ben);
      const logId = fromBase64Url(id);
      scene.operator.override({
        request: (_, body) =>
          body.kind === "open" && equalBytes(body.logId, logId)
            ? { answer: { kind: "error", code: "unknown_log", retryAfterMs: 0 } }
            : "pass",
      });
      scene.operator.cut();
      for (const { client } of [ada, ben])
        await eventually(async () => (await client.details(id)).conversation.stop !== undefined, "it has stopped");
      await ben.client.close();
      const { id: next } = (await ada.client.continueConversation(id)).conversation;
      await settle(ada);
      // Ben's machine stops once the new conversation is on its disk.
      const folder = join(scene.folder, "people", "ben");
      const store = await openNodeStore(folder);
      let isDead = false;
      const dies: typeof store = {
        ...store,
        async transact(mode, run) {
          if (isDead) return await new Promise(() => undefined);
          let isLast = false;
          const result = await store.transact(mode, (tx) =>
            run({
              get: (key) => tx.get(key),
              put(key, value) {
                if (key === `conversation/${next}`) isLast = true;
                tx.put(key, value);
              },
              delete: (key) => tx.delete(key),
              scan: (range) => tx.scan(range),
            }),
          );
          if (!isLast) return result;
          isDead = true;
          return await new Promise(() => undefined);
        },
        close: async () => undefined,
      };
      const open = async (on: typeof store): Promise<Client> =>
        await createClient({ store: on, platform: createNodePlatform(), serverUrl: scene.operator.url("ben"), requests: "accept" });
      void open(dies).catch(() => undefined);
      await eventually(async () => isDead, "it stops");
      await store.close();
      scene.operator.cut(({ person }) => person === "ben");
      scene.operator.setUnreachable("ben", true);
      await delay(300);
      scene.operator.setUnreachable("ben", false);
      const again = await open(await openNodeStore(folder));
      try {
        await again.settle({ timeoutMs: 5000 }).catch(() => undefined);
        await delay(2000);
        const { conversation } = await again.details(id);
        if (kind === "group") expect(conversation.offers.map(({ conversationId }) => conversationId)).toEqual([next]);
        else expect(conversation.continuedIn).toBe(next);
      } finally {
        await again.close();
      }
    },
    60_000,
  );

  test("[M-9] going on elsewhere oneself: where the machine stops in between, there are not two", async () => {
    await using scene = await Scene.open();
    const [ada, ben] = [await scene.person("ada"), await scene.person("ben")];
    const { id } = await ada.client.startConversation({ to: ["ben"], name: "Allotment" });
    await say(ada, id, "hello");
    await hear(ben, id, "hello");
    await settle(ada, ben);
    const logId = fromBase64Url(id);
    scene.operator.override({
      request: (_, body) =>
        body.kind === "open" && equalBytes(body.logId, logId)
          ? { answer: { kind: "error", code: "unknown_log", retryAfterMs: 0 } }
          : "pass",
    });
    scene.operator.cut();
    await eventually(async () => (await ada.client.details(id)).conversation.stop !== undefined, "it has stopped");
    await ada.client.close();
    const folder = join(scene.folder, "people", "ada");
    const known = new Set([id]);
    let isArmed = false;
    let isDead = false;
    const store = await openNodeStore(folder);
    const dies: typeof store = {
      ...store,
      async transact(mode, run) {
        if (isDead) return await new Promise(() => undefined);
        let isLast = false;
        const result = await store.transact(mode, (tx) =>
          run({
            get: (key) => tx.get(key),
            put(key, value) {
              const [kind, name = ""] = key.split("/");
              if (kind === "conversation" && !known.has(name)) {
                if (isArmed) isLast = true;
                known.add(name);
              }
              tx.put(key, value);
            },
            delete: (key) => tx.delete(key),
            scan: (range) => tx.scan(range),
          }),
        );
        if (!isLast) return result;
        isDead = true;
        return await new Promise(() => undefined);
      },
      close: async () => undefined,
    };
    const open = async (on: typeof store): Promise<Client> =>
      await createClient({ store: on, platform: createNodePlatform(), serverUrl: scene.operator.url("ada"), requests: "accept" });
    const dying = await open(dies);
    await eventually(async () => (await dying.details(id)).conversation.stop !== undefined, "it has stopped");
    await dying.send(id, "who has the spade?");
    isArmed = true;
    void dying.continueConversation(id).catch(() => undefined);
    await eventually(async () => isDead, "it stops");
    await store.close();
    scene.operator.setUnreachable("ada", true);
    await delay(300);
    scene.operator.setUnreachable("ada", false);
    const again = await open(await openNodeStore(folder));
    try {
      await delay(1000);
      await eventually(async () => {
        const { stop, continuedIn } = (await again.details(id)).conversation;
        return stop !== undefined || continuedIn !== undefined;
      }, "it is shown");
      await again.continueConversation(id);
      await again.settle({ timeoutMs: 8000 }).catch(() => undefined);
      const groups = (await again.conversations()).filter(({ kind, status }) => kind === "group" && status === "active");
      expect(groups).toHaveLength(1);
    } finally {
      await again.close();
    }
  }, 60_000);
});
