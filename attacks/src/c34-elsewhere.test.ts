// C34 | another conversation in the place of the one that people went on in: by a member, later, or where the machine stops in between | P
// Source: found by trying, 2026-11-28
// Counter-measure: nobody is moved from where they went on; between two people one counts, with history and drafts (M-9, E-16, L-12)
import { cpSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { Client, Store } from "@latchkey/client";
import { openNodeStore } from "@latchkey/client/node";
import { describe, expect, test } from "vitest";
import { begun, eventually, hear, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { cardOf } from "./testing/stranger.ts";

type Random = (size: number) => Uint8Array;

/** A program of somebody who chooses the id of the next log that they make. */
class Choice {
  armed: Uint8Array | undefined;

  readonly tamper =
    (random: Random): Random =>
    (size) => {
      const { armed } = this;
      if (armed === undefined || size !== 32) return random(size);
      this.armed = undefined;
      return armed.slice();
    };
}

/** A log id that stands before others the lower `first` is. */
const idOf = (first: number): Uint8Array => new Uint8Array(32).fill(first);

/** The server says that it does not have this log any more. */
function lose(scene: Scene, id: string): void {
  const logId = fromBase64Url(id);
  scene.operator.override({
    request: (_, body) =>
      body.kind === "open" && equalBytes(body.logId, logId) ? { answer: { kind: "error", code: "unknown_log", retryAfterMs: 0 } } : "pass",
  });
  scene.operator.cut();
}

async function stops(client: Client, id: string): Promise<void> {
  await eventually(async () => (await client.details(id)).conversation.stop !== undefined, "it says that it has stopped");
}

/** People in a conversation that has stopped, a group where it has a name; `choose`: the ids of the logs that they make next. */
async function stopped<const Names extends readonly string[]>(
  scene: Scene,
  names: Names,
  title = "Allotment",
): Promise<{ people: { [Key in keyof Names]: Person }; id: string; choose: (...firsts: number[]) => void }> {
  const choices = names.map(() => new Choice());
  const people: Person[] = [];
  for (const [at, name] of names.entries()) people.push(await scene.person(name, { tamper: choices[at]?.tamper ?? ((random) => random) }));
  const id = await begun(people, title === "" ? undefined : title);
  lose(scene, id);
  for (const { client } of people) await stops(client, id);
  const choose = (...firsts: number[]): void => {
    for (const [at, first] of firsts.entries()) Object.assign(choices[at] ?? {}, { armed: idOf(first) });
  };
  return { people: people as { [Key in keyof Names]: Person }, id, choose };
}

/** The server makes nobody's log of this person before that is called. */
function holdCreation(scene: Scene, name: string): () => void {
  const gate = Promise.withResolvers<void>();
  scene.operator.override({
    async request({ person }, body) {
      if (person === name && body.kind === "create") await gate.promise;
      return "pass" as const;
    },
  });
  return gate.resolve;
}

/** What this person's program posts to that other's inbox goes nowhere. */
async function welcomeNot(scene: Scene, { name }: Person, to: Person): Promise<void> {
  const { inboxId } = await cardOf(scene, to);
  scene.operator.override({
    request: ({ person }, body) =>
      person === name && body.kind === "post" && equalBytes(body.inboxId, inboxId) ? { answer: { kind: "done" } } : "pass",
  });
}

/** Groups that go on for somebody. */
async function live({ client }: { readonly client: Client }): Promise<readonly string[]> {
  const all = await client.conversations();
  return all.filter(({ status, kind }) => kind === "group" && status === "active").map(({ id }) => id);
}

async function offered({ client }: Person, id: string, next: string): Promise<void> {
  const isOffered = async (): Promise<boolean> =>
    (await client.details(id)).conversation.offers.some(({ conversationId }) => conversationId === next);
  await eventually(isOffered, "it is offered");
}

async function hasReached({ client }: { readonly client: Client }, id: string): Promise<void> {
  await eventually(async () => (await client.conversations()).some((other) => other.id === id), "it reaches them");
}

async function goOn(client: Client, id: string): Promise<string> {
  return (await client.continueConversation(id)).conversation.id;
}

describe("C34 two that go on with the same conversation", () => {
  test("three go on at once: nobody is moved, and what each writes in their own is read by all", async () => {
    await using scene = await Scene.open();
    const { people, id, choose } = await stopped(scene, ["ada", "ben", "cyd"]);
    choose(0x30, 0x20, 0x10);
    const made = await Promise.all(people.map(({ client }) => goOn(client, id)));
    for (const person of people) for (const next of made) await hasReached(person, next);
    for (const [at, next] of made.entries()) {
      const [writer, ...readers] = [...people.slice(at), ...people.slice(0, at)] as [Person, ...Person[]];
      await say(writer, next, `written by ${writer.name}`);
      for (const reader of readers) await hear(reader, next, `written by ${writer.name}`);
    }
    for (const [at, person] of people.entries()) {
      expect(await live(person)).toEqual(expect.arrayContaining(made));
      expect(await person.texts(made[at] ?? "")).toEqual(["hello", `written by ${person.name}`]);
      expect((await person.client.details(made[at] ?? "")).conversation.offers).toEqual([]);
    }
  }, 180_000);

  test("[M-9] the moment somebody went on, one member moves nobody into one of theirs that the others were never welcomed to", async () => {
    await using scene = await Scene.open();
    const { people, id, choose } = await stopped(scene, ["ada", "ben", "mal"]);
    const [ada, ben, mal] = people;
    const next = await goOn(ada.client, id);
    await offered(mal, id, next);
    // In the place of taking it, Mal's program goes on by itself, under the lowest id that there is, and sends no Welcome to Ben.
    await welcomeNot(scene, mal, ben);
    choose(0xff, 0xff, 0);
    const trap = await goOn(mal.client, id);
    expect(trap).toBe(toBase64Url(idOf(0)));
    await hasReached(ada, trap);
    await offered(ben, id, next);
    await ben.client.continueConversation(id, { into: next });
    await settle(ben);
    await say(ada, next, "meet at nine");
    await hear(ben, next, "meet at nine");
    await say(ben, next, "I will be there");
    await hear(ada, next, "I will be there");
    expect(await live(ada)).toContain(next);
    expect(await ada.texts(trap)).not.toContain("meet at nine");
  }, 180_000);

  test("[E-16] whoever was removed offers to go on to somebody who was away: not once they have read it, and not before", async () => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const id = await begun([ada, ben, mal], "Allotment");
    const logId = fromBase64Url(id);
    await mal.client.close();
    cpSync(scene.profileOf("mal"), scene.profileOf("mal-then"), { recursive: true });
    await ben.client.close();
    await ada.client.removeMembers(id, [mal.accountId]);
    await say(ada, id, "Mal is out");
    await settle(ada);
    // Mal's program is not told, and goes on elsewhere, with everybody; Ben's hears of that before it can read the log.
    const gate = Promise.withResolvers<void>();
    scene.operator.override({
      async request({ person, role }, body) {
        if (body.kind !== "open" || !equalBytes(body.logId, logId)) return "pass" as const;
        if (person === "mal") return { answer: { kind: "error", code: "unknown_log", retryAfterMs: 0 } } as const;
        if (person === "ben" && role === "log") await gate.promise;
        return "pass" as const;
      },
    });
    const then = await scene.reopen("mal", { profile: "mal-then" });
    await stops(then, id);
    const trap = await goOn(then, id);
    await then.settle({ timeoutMs: 5000 }).catch(() => undefined);
    const again = await scene.reopen("ben");
    await hasReached({ client: again }, trap);
    await expect(again.continueConversation(id, { into: trap })).rejects.toMatchObject({ code: "conversation_unavailable" });
    gate.resolve();
    const hasRead = async (): Promise<boolean> => {
      const lines = await again.messages(id, { limit: 20 });
      return lines.some(({ body }) => body.kind === "text" && body.text === "Mal is out");
    };
    await eventually(hasRead, "ben has read it");
    expect((await again.details(id)).conversation.offers).toEqual([]);
    await expect(again.continueConversation(id, { into: trap })).rejects.toMatchObject({ code: "not_permitted" });
  }, 180_000);

  test("in a direct conversation they keep its history, also where the server takes its time with one of them", async () => {
    await using scene = await Scene.open();
    const { people, id, choose } = await stopped(scene, ["ada", "ben"], "");
    const [ada, ben] = people;
    const release = holdCreation(scene, "ada");
    choose(0x20, 0x10);
    await goOn(ada.client, id);
    await hasReached(ada, await goOn(ben.client, id));
    release();
    await settle(ada, ben);
    const shown = await Promise.all((await ada.client.conversations()).map((other) => ada.texts(other.id)));
    expect(shown.flat()).toContain("hello");
  }, 120_000);

  test("[M-9] long after all went on together, one member puts nobody somewhere else without their consent", async () => {
    await using scene = await Scene.open();
    const { people, id } = await stopped(scene, ["ada", "ben", "mal"]);
    const [ada, ben, mal] = people;
    // Mal keeps what her profile is now.
    await mal.client.close();
    cpSync(scene.profileOf("mal"), scene.profileOf("mal-then"), { recursive: true });
    const now = await scene.reopen("mal");
    const next = await goOn(ada.client, id);
    for (const client of [ben.client, now]) {
      await eventually(async () => (await client.details(id)).conversation.offers.length > 0, "it is offered");
      await client.continueConversation(id, { into: next });
    }
    await say(ada, next, "we are all here");
    await hear(ben, next, "we are all here");
    await say(ben, next, "so we are");
    await hear(ada, next, "so we are");
    await now.close();
    for (const person of [ada, ben]) expect(await live(person)).toEqual([next]);
    // However much later: the program of then goes on with the conversation of then; to Ben it sends no Welcome.
    await welcomeNot(scene, mal, ben);
    const choice = new Choice();
    const then = await scene.reopen("mal", { profile: "mal-then", tamper: choice.tamper });
    await stops(then, id);
    choice.armed = idOf(0);
    const trap = await goOn(then, id);
    expect(trap).toBe(toBase64Url(idOf(0)));
    await hasReached(ada, trap);
    await settle(ada);
    // Ada writes where she always wrote: what has a tick there is read by Ben.
    await say(ada, next, "meet at nine");
    await hear(ben, next, "meet at nine");
    expect(await ada.texts(trap)).not.toContain("meet at nine");
    expect(await live(ada)).toContain(next);
  }, 180_000);

  test("one that has stopped takes the place of none that goes on", async () => {
    await using scene = await Scene.open();
    const { people, id, choose } = await stopped(scene, ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = people;
    choose(0x10, 0x20);
    // Ada goes on; her new one is lost too. Then Ben goes on from where he was, and Cyd with him.
    const hers = await goOn(ada.client, id);
    await settle(ada);
    lose(scene, hers);
    await stops(ada.client, hers);
    const his = await goOn(ben.client, id);
    await settle(ben);
    await offered(cyd, id, his);
    await cyd.client.continueConversation(id, { into: his });
    await hasReached(ada, his);
    await settle(ada);
    expect((await ada.client.details(his)).conversation.status).toBe("active");
  }, 180_000);

  test("what a person was about to say goes along", async () => {
    await using scene = await Scene.open();
    const { people, id } = await stopped(scene, ["ada", "ben"]);
    const [ada] = people;
    await ada.client.saveDraft(id, "a long letter, half written");
    const next = await goOn(ada.client, id);
    expect((await ada.client.details(next)).conversation.draft).toBe("a long letter, half written");
  }, 120_000);

  test("[E-16] the offer that a person looked at is the one that is taken", async () => {
    await using scene = await Scene.open();
    const { people, id } = await stopped(scene, ["ada", "ben", "mal"]);
    const [ada, ben, mal] = people;
    await mal.client.close();
    cpSync(scene.profileOf("mal"), scene.profileOf("mal-then"), { recursive: true });
    const offer = async (profile: string, without: readonly string[]): Promise<void> => {
      const client = await scene.reopen("mal", { profile });
      await stops(client, id);
      await client.continueConversation(id, { without });
      await client.settle({ timeoutMs: 5000 }).catch(() => undefined);
      await client.close();
    };
    const shown = async (): Promise<{ conversationId: string; missing: readonly unknown[] } | undefined> =>
      (await ada.client.details(id)).conversation.offers[0];
    await offer("mal", []);
    const looked = await eventually(shown, "it is offered");
    expect(looked.missing).toEqual([]);
    // While she looks, Mal offers another one, without Ben.
    await offer("mal-then", [ben.accountId]);
    await eventually(async () => (await shown())?.conversationId !== looked.conversationId, "another one");
    const taken = ada.client.continueConversation(id, { into: looked.conversationId });
    await expect(taken).rejects.toMatchObject({ code: "not_permitted" });
  }, 180_000);
});

/**
 * The machine stops once something was written under such a key: nothing is written after it, and nobody has an answer before `end`, with which
 * the test is over.
 */
function dying(store: Store, isLast: (key: string) => boolean): { store: Store; isDead: () => boolean; end: () => void } {
  const end = Promise.withResolvers<never>();
  // It may stop while nobody waits for it.
  end.promise.catch(() => undefined);
  end.promise.catch(() => undefined);
  let isDead = false;
  return {
    isDead: () => isDead,
    end: () => end.reject(new Error("the machine has stopped")),
    store: {
      ...store,
      async transact(mode, run) {
        if (isDead) return await end.promise;
        let isWritten = false;
        const result = await store.transact(mode, (tx) =>
          run({
            get: (key) => tx.get(key),
            put(key, value) {
              if (isLast(key)) isWritten = true;
              tx.put(key, value);
            },
            delete: (key) => tx.delete(key),
            eraseTraces: () => tx.eraseTraces(),
            scan: (range) => tx.scan(range),
            afterCommit: (follow) => tx.afterCommit(follow),
          }),
        );
        if (!isWritten) return result;
        isDead = true;
        return await end.promise;
      },
      close: async () => undefined,
    },
  };
}

/** It starts again. */
async function restarted(scene: Scene, name: string): Promise<Client> {
  scene.operator.setUnreachable(name, true);
  await delay(300);
  scene.operator.setUnreachable(name, false);
  return await scene.reopen(name);
}

describe("C34 a machine that stops between", () => {
  test.each(["Allotment", ""])(
    "an offer is not lost where it stops right after it was joined: %j",
    async (title) => {
      await using scene = await Scene.open();
      const { people, id } = await stopped(scene, ["ada", "ben"], title);
      const [ada, ben] = people;
      await ben.client.close();
      const next = await goOn(ada.client, id);
      await settle(ada);
      const store = await openNodeStore(scene.profileOf("ben"));
      const machine = dying(store, (key) => key === `conversation/${next}`);
      const first = await scene.reopen("ben", { store: machine.store });
      await eventually(async () => await Promise.resolve(machine.isDead()), "it stops");
      await store.close();
      const again = await restarted(scene, "ben");
      const where = async (): Promise<readonly (string | undefined)[]> => {
        const { offers, continuedIn } = (await again.details(id)).conversation;
        return title === "" ? [continuedIn] : offers.map(({ conversationId }) => conversationId);
      };
      await eventually(async () => (await where()).some((found) => found !== undefined), "it is there");
      expect(await where()).toEqual([next]);
      machine.end();
      await first.close().catch(() => undefined);
    },
    180_000,
  );

  test("[M-9] going on elsewhere oneself: where it stops in between, there are not two", async () => {
    await using scene = await Scene.open();
    const { people, id } = await stopped(scene, ["ada", "ben"]);
    const [ada] = people;
    await ada.client.close();
    const store = await openNodeStore(scene.profileOf("ada"));
    let isArmed = false;
    const machine = dying(store, (key) => isArmed && key.startsWith("conversation/") && key !== `conversation/${id}`);
    const first = await scene.reopen("ada", { store: machine.store });
    await stops(first, id);
    await first.send(id, "who has the spade?");
    isArmed = true;
    void first.continueConversation(id).catch(() => undefined);
    await eventually(async () => await Promise.resolve(machine.isDead()), "it stops");
    await store.close();
    const again = await restarted(scene, "ada");
    const next = await goOn(again, id);
    await eventually(async () => (await live({ client: again })).length > 0, "it goes on");
    expect(await live({ client: again })).toEqual([next]);
    const texts = (await again.messages(next, { limit: 50 })).flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
    expect(texts).toEqual(["hello", "who has the spade?"]);
    machine.end();
    await first.close().catch(() => undefined);
  }, 120_000);

  test("[L-12] between two people both go on at once: where it stops right after the other's was joined, there are not two", async () => {
    await using scene = await Scene.open();
    const { people, id, choose } = await stopped(scene, ["ada", "ben"], "");
    const [ada, ben] = people;
    await ada.client.close();
    const store = await openNodeStore(scene.profileOf("ada"));
    const his = toBase64Url(idOf(1));
    const machine = dying(store, (key) => key === `conversation/${his}`);
    const first = await scene.reopen("ada", { store: machine.store });
    await stops(first, id);
    const hers = await goOn(first, id);
    choose(0xff, 1);
    expect(await goOn(ben.client, id)).toBe(his);
    await eventually(async () => await Promise.resolve(machine.isDead()), "it stops");
    await store.close();
    const again = await restarted(scene, "ada");
    const active = async (): Promise<readonly string[]> =>
      (await again.conversations()).filter(({ status }) => status === "active").map(({ id: where }) => where);
    await eventually(async () => (await active()).join(" ") === his, "it goes on in his");
    await again.send(hers, "meet at nine");
    await hear(ben, his, "meet at nine");
    machine.end();
    await first.close().catch(() => undefined);
  }, 120_000);
});
