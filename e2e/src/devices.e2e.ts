import type { Client, ClientEvent, LinkState } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { holdingsText } from "@latchkey/client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, joinedConversation, personOf, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let alice: TestPerson;
let bob: TestPerson;
/** Alice's second device. */
let second: Client;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  alice = await registerPerson({ home: folder.at("alice"), server: server.url, username: "alice", displayName: "Alice A." });
  bob = await registerPerson({ home: folder.at("bob"), server: server.url, username: "bob" });
  second = await openNodeClient({ home: folder.at("alice-2"), serverUrl: server.url, requests: "accept" });
});

afterAll(async () => {
  await second.close();
  await alice[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Resolves at the first state of a linking that `is` accepts. */
function linkState<K extends LinkState["kind"]>(client: Client, kind: K): Promise<Extract<LinkState, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const stop = client.subscribe((event: ClientEvent) => {
      if (event.kind !== "link") return;
      const { state } = event;
      // The kind was just compared.
      if (state.kind === kind) resolve(state as Extract<LinkState, { kind: K }>);
      else if (state.kind === "failed") reject(new Error(`${state.failure.code}: ${state.failure.message}`));
      else return;
      stop();
    });
  });
}

async function link(existing: Client, added: Client, deviceName: string, form: "code" | "words" = "code"): Promise<void> {
  const offer = await added.offerLink({ deviceName });
  const compared = [linkState(existing, "compare"), linkState(added, "compare")];
  const done = [linkState(existing, "done"), linkState(added, "done")];
  await existing.acceptLink(form === "code" ? offer.code : offer.words.join(" "));
  const [here, there] = await Promise.all(compared);
  expect(here?.digits).toMatch(/^\d{6}$/);
  expect(there?.digits).toBe(here?.digits);
  expect(here?.deviceName).toBe(deviceName);
  await Promise.all([existing.confirmLink(true), added.confirmLink(true)]);
  await Promise.all(done);
}

describe("an account with several devices", () => {
  test("[A-7] a second device is linked by its code and has every conversation with its history", async () => {
    const direct = await alice.client.startConversation({ to: ["bob"] });
    const group = await alice.client.startConversation({ to: ["bob"], name: "Garden" });
    await joinedConversation(bob.client, "Garden");
    for (const text of ["one", "two", "three"]) await sendAndWait(alice.client, group.id, text);
    await sendAndWait(bob.client, group.id, "four");
    await sendAndWait(alice.client, direct.id, "only for you");
    await receiveText(alice.client, group.id, "four");

    // So much to be told that an account alone would not fit the entries of a linking.
    const draft = "To be said later. ".repeat(800);
    for (const { id } of [direct, group]) await alice.client.saveDraft(id, draft);
    await link(alice.client, second, "Tablet");
    for (const { id } of [direct, group]) {
      // Said before the conversation was there, it waits for it.
      const draftOf = async (): Promise<string | undefined> => (await second.conversations()).find((one) => one.id === id)?.draft;
      await expect.poll(draftOf).toBe(draft);
    }
    for (const { id } of [direct, group]) await alice.client.saveDraft(id, "");

    expect(await second.account()).toMatchObject({ username: "alice", displayName: "Alice A.", hasRecoveryPhrase: false });
    expect((await second.conversations()).map(({ title }) => title).toSorted()).toEqual(["Garden", "bob"]);
    expect(await textsOf(second, group.id)).toEqual(["one", "two", "three", "four"]);
    expect(await textsOf(second, direct.id)).toEqual(["only for you"]);
    expect((await alice.client.devices()).map(({ name, isThisDevice }) => [name, isThisDevice])).toEqual([
      ["", true],
      ["Tablet", false],
    ]);
    expect(await second.devices()).toHaveLength(2);
    const { members } = await eventually(
      bob.client,
      async () => {
        const details = await bob.client.details(group.id);
        return details.members.some(({ deviceCount }) => deviceCount === 2) ? details : undefined;
      },
      "the second device is in the group",
    );
    expect(members.map(({ person, deviceCount }) => [person.username, deviceCount]).toSorted()).toEqual([
      ["alice", 2],
      ["bob", 1],
    ]);
    const lines = await bob.client.messages(group.id, { limit: 50 });
    expect(lines.map(({ body }) => body.kind)).toContain("device_added");
    // In the list stands what was said last.
    for (const client of [bob.client, alice.client, second]) {
      expect((await joinedConversation(client, "Garden")).lastMessage?.body).toEqual({ kind: "text", text: "four" });
    }
  });

  test("[A-8] messages of both devices are one's own on both, and what is read on one is read on the other", async () => {
    const group = await joinedConversation(second, "Garden");
    const readUpTo = (await alice.client.messages(group.id, { limit: 1 }))[0];
    await alice.client.markRead(group.id, readUpTo?.order ?? 0);
    await sendAndWait(second, group.id, "from the tablet");
    await receiveText(alice.client, group.id, "from the tablet");
    await receiveText(bob.client, group.id, "from the tablet");
    const seen = (await alice.client.messages(group.id, { limit: 10 })).at(-1);
    expect(seen).toMatchObject({ author: { isSelf: true }, delivery: { kind: "accepted" } });
    expect((await joinedConversation(alice.client, "Garden")).unreadCount).toBe(0);
    expect((await bob.client.messages(group.id, { limit: 1 }))[0]?.author?.displayName).toBe("Alice A.");

    await sendAndWait(bob.client, group.id, "did you see?");
    await receiveText(second, group.id, "did you see?");
    await receiveText(alice.client, group.id, "did you see?");
    expect((await joinedConversation(second, "Garden")).unreadCount).toBeGreaterThan(0);
    const last = (await alice.client.messages(group.id, { limit: 1 }))[0];
    await alice.client.markRead(group.id, last?.order ?? 0);
    await eventually(
      second,
      async () => ((await joinedConversation(second, "Garden")).unreadCount === 0 ? true : undefined),
      "it is read on the second device",
    );
  });

  test("[A-8] a safety number that was compared on one device is marked on both", async () => {
    const group = await joinedConversation(second, "Garden");
    const { accountId } = (await bob.client.account()) ?? { accountId: "" };
    const { code } = await bob.client.safetyNumber((await alice.client.account())?.accountId ?? "");
    expect(await second.scanSafetyNumber(accountId, code)).toBe("match");
    const marked = async (): Promise<true | undefined> =>
      (await alice.client.verification(group.id)).members.some(({ person, mark }) => person.accountId === accountId && mark === "verified")
        ? true
        : undefined;
    await eventually(alice.client, marked, "it is marked on the first device");
    await alice.client.markVerified(accountId, false);
    const taken = async (): Promise<true | undefined> =>
      (await second.verification(group.id)).members.every(({ mark }) => mark === "none") ? true : undefined;
    await eventually(second, taken, "it is taken back on the second");
  });

  test("[A-8] a conversation that either device or somebody else begins has all devices", async () => {
    const begun = await second.startConversation({ to: ["bob"], name: "Begun on the tablet" });
    await sendAndWait(second, begun.id, "hello from the tablet");
    await receiveText(alice.client, begun.id, "hello from the tablet");
    expect((await alice.client.details(begun.id)).members.map(({ deviceCount }) => deviceCount).toSorted()).toEqual([1, 2]);
    const invited = await bob.client.startConversation({ to: ["alice"], name: "By Bob" });
    await sendAndWait(bob.client, invited.id, "for all of you");
    await receiveText(alice.client, invited.id, "for all of you");
    await receiveText(second, invited.id, "for all of you");
  });

  test("[A-7] a third device is linked by words; a device that is removed loses everything at once", async () => {
    const third = await openNodeClient({ home: folder.at("alice-3"), serverUrl: server.url, requests: "accept" });
    try {
      await link(second, third, "Old phone", "words");
      expect((await third.devices()).map(({ name }) => name)).toEqual(["", "Tablet", "Old phone"]);
      // Whoever talked the person into it is seen on every other device (attack B2).
      const warned = async (): Promise<true | undefined> =>
        (await alice.client.alarms()).some(({ failure }) => failure.code === "device_added") ? true : undefined;
      await eventually(alice.client, warned, "the other devices are told");
      const group = await joinedConversation(third, "Garden");
      const { deviceId } = (await third.account()) ?? { deviceId: "" };
      const removedAtMs = Date.now();
      await alice.client.removeDevice(deviceId);
      const told = async (): Promise<true | undefined> =>
        (await third.alarms()).some(({ failure }) => failure.code === "device_removed") ? true : undefined;
      await eventually(third, told, "the removed device is told");
      await expect(third.send(group.id, "still here")).rejects.toMatchObject({ code: "device_removed" });
      expect(await textsOf(third, group.id)).toContain("from the tablet");
      await eventually(
        bob.client,
        async () => {
          const { members } = await bob.client.details(group.id);
          return members.every(({ deviceCount }) => deviceCount <= 2) ? true : undefined;
        },
        "the removed device is out of the group",
      );
      expect(await alice.client.devices()).toHaveLength(2);
      // What it knew lets nobody into the others' inboxes any more (spec I-1).
      const generations = async (): Promise<number[]> => {
        const { devices } = JSON.parse(await holdingsText(alice.client)) as {
          devices: { inbox_capability: { generation: number } | null }[];
        };
        return devices.map(({ inbox_capability: capability }) => capability?.generation ?? 0);
      };
      await expect.poll(async () => (await generations()).filter((generation) => generation > removedAtMs).length).toBe(2);
      await sendAndWait(bob.client, group.id, "not for the old phone");
      await receiveText(second, group.id, "not for the old phone");
      expect(await textsOf(third, group.id)).not.toContain("not for the old phone");
    } finally {
      await third.close();
    }
  });

  test("[A-7] a linking that one side breaks off, or whose digits differ, leaves nothing on either", async () => {
    const fresh = await openNodeClient({ home: folder.at("alice-fresh"), serverUrl: server.url, requests: "accept" });
    try {
      const offer = await fresh.offerLink({ deviceName: "Not mine" });
      const failed = new Promise<LinkState>((resolve) => {
        fresh.subscribe((event) => event.kind === "link" && event.state.kind === "failed" && resolve(event.state));
      });
      await alice.client.acceptLink(offer.code);
      await fresh.confirmLink(true);
      await alice.client.confirmLink(false);
      expect(await failed).toMatchObject({ failure: { code: "link_refused" } });
      expect(await fresh.account()).toBeUndefined();
      expect(await alice.client.devices()).toHaveLength(2);
      await expect(alice.client.acceptLink(offer.code)).rejects.toMatchObject({ code: "link_expired" });
      await expect(alice.client.acceptLink("twelve words that nobody ever made up in any order at all")).rejects.toMatchObject({
        code: "invalid_code",
      });
      // The same profile can be linked all the same.
      expect((await fresh.offerLink({ deviceName: "Not mine" })).words).toHaveLength(12);
    } finally {
      await fresh.close();
    }
  });

  test("[A-7] the existing device ends right after it published: the new device is finished when it is back", async () => {
    const home = folder.at("carol");
    let carol = await registerPerson({ home, server: server.url, username: "carol" });
    const group = await carol.client.startConversation({ to: ["bob"], name: "Carol's" });
    await sendAndWait(carol.client, group.id, "before the linking");
    const added = await openNodeClient({ home: folder.at("carol-2"), serverUrl: server.url, requests: "accept" });
    try {
      const offer = await added.offerLink({ deviceName: "Second" });
      const moving = linkState(added, "moving");
      const done = linkState(added, "done");
      await carol.client.acceptLink(offer.code);
      await Promise.all([carol.client.confirmLink(true), added.confirmLink(true)]);
      await moving;
      await carol.client.close();
      carol = personOf(await openNodeClient({ home, serverUrl: server.url }), "carol");
      await done;
      expect(await textsOf(added, group.id)).toEqual(["before the linking"]);
    } finally {
      await added.close();
      await carol[Symbol.asyncDispose]();
    }
  });
});

describe("the recovery phrase", () => {
  test("[A-1] [A-4] brings an account back with one device; the others are out, and contacts are told", async () => {
    const dora = await registerPerson({ home: folder.at("dora"), server: server.url, username: "dora" });
    const group = await dora.client.startConversation({ to: ["bob"], name: "Dora's" });
    await sendAndWait(dora.client, group.id, "hello");
    const words = (await dora.client.recoveryPhrase()) ?? [];
    expect(words).toHaveLength(24);
    await dora.client.forgetRecoveryPhrase();
    expect(await dora.client.recoveryPhrase()).toBeUndefined();
    expect(await dora.client.account()).toMatchObject({ hasRecoveryPhrase: false });

    const found = await openNodeClient({ home: folder.at("dora-2"), serverUrl: server.url, requests: "accept" });
    try {
      const phrase = words.join(" ");
      await expect(found.recover({ username: "dora", phrase: words.slice(1).join(" ") })).rejects.toMatchObject({ code: "invalid_phrase" });
      await expect(found.recover({ username: "bob", phrase })).rejects.toMatchObject({ code: "invalid_phrase" });
      await expect(found.recover({ username: "nobody-here", phrase })).rejects.toMatchObject({ code: "unknown_user" });
      expect(await found.account()).toBeUndefined();
      const account = await found.recover({ username: "dora", phrase: `  ${phrase.toUpperCase()} `, deviceName: "New phone" });
      expect(account).toMatchObject({ username: "dora", accountId: (await dora.client.account())?.accountId });
      expect((await found.devices()).map(({ name }) => name)).toEqual(["New phone"]);
      const told = async (): Promise<true | undefined> =>
        (await dora.client.alarms()).some(({ failure }) => failure.code === "device_removed") ? true : undefined;
      await eventually(dora.client, told, "the old device is told");
      const direct = await found.startConversation({ to: ["bob"] });
      await sendAndWait(found, direct.id, "I am back");
      await receiveText(bob.client, direct.id, "I am back");
    } finally {
      await found.close();
      await dora[Symbol.asyncDispose]();
    }
  });
});

describe("a direct conversation with a recovered account", () => {
  /** Somebody who wrote to bob and then recovered their account on a new device. */
  async function recovered(username: string): Promise<{ found: Client; directId: string; end: () => Promise<void> }> {
    const before = await registerPerson({ home: folder.at(username), server: server.url, username });
    const direct = await before.client.startConversation({ to: ["bob"] });
    await sendAndWait(before.client, direct.id, `hello from ${username}`);
    await receiveText(bob.client, direct.id, `hello from ${username}`);
    const phrase = ((await before.client.recoveryPhrase()) ?? []).join(" ");
    const found = await openNodeClient({ home: folder.at(`${username}-2`), serverUrl: server.url, requests: "accept" });
    await found.recover({ username, phrase, deviceName: "New phone" });
    return {
      found,
      directId: direct.id,
      async end() {
        await found.close();
        await before[Symbol.asyncDispose]();
      },
    };
  }

  const told = async (id: string): Promise<true | undefined> =>
    (await bob.client.messages(id, { limit: 20 })).some(({ body }) => body.kind === "recovered") ? true : undefined;
  const seen = async (id: string): Promise<void> => {
    const [last] = await bob.client.messages(id, { limit: 1 });
    await bob.client.markRead(id, last?.order ?? 0);
  };

  test.each([1, 2, 3])(
    "[L-12] [A-1] begun by them again, it goes on whatever its id, and the old one stays to be read (round %i)",
    async (round) => {
      const { found, directId, end } = await recovered(`fay-${round}`);
      try {
        const again = await found.startConversation({ to: ["bob"] });
        await sendAndWait(found, again.id, "I am back");
        await receiveText(bob.client, again.id, "I am back");
        await eventually(bob.client, () => told(again.id), "the recovery stands in the conversation that goes on");
        await seen(again.id);
        // What he writes into the old one goes to the one that reaches her.
        await bob.client.send(directId, "good to have you");
        await receiveText(found, again.id, "good to have you");
        expect((await bob.client.conversations()).map(({ id }) => id)).toEqual(expect.arrayContaining([directId, again.id]));
        const old = await bob.client.messages(directId, { limit: 20 });
        expect(old.some(({ body }) => body.kind === "text" && body.text === `hello from fay-${round}`)).toBe(true);
      } finally {
        await end();
      }
    },
  );

  test("[L-12] [A-1] written into by the other side, another one is made, and nothing goes before the person saw the recovery", async () => {
    const { found, directId, end } = await recovered("gil");
    try {
      // Her old device has no keys at the server any more: so he hears of it, and is told before anything goes.
      await bob.client.startConversation({ to: ["gil"], name: "A group with gil" });
      await eventually(bob.client, () => told(directId), "the recovery is told");
      const sent = await bob.client.send(directId, "are you there?");
      expect(sent.delivery).toEqual({ kind: "pending" });
      expect(sent.conversationId).not.toBe(directId);
      await eventually(bob.client, () => told(sent.conversationId), "the recovery is told in the new one");
      await seen(sent.conversationId);
      await receiveText(found, sent.conversationId, "are you there?");
    } finally {
      await end();
    }
  });
});

describe("a device that logs out", () => {
  test("[A-2] has told the others when it is erased: it is out of the account and its conversations, and that is nobody's alarm", async () => {
    const flora = await registerPerson({ home: folder.at("flora"), server: server.url, username: "flora" });
    const { id } = await flora.client.startConversation({ to: ["bob"] });
    const tablet = await openNodeClient({ home: folder.at("flora-2"), serverUrl: server.url, requests: "accept" });
    await link(flora.client, tablet, "Tablet");
    await tablet.settle();
    await flora.client.settle();
    const alarms: ClientEvent[] = [];
    flora.client.subscribe((event) => {
      if (event.kind === "alarm") alarms.push(event);
    });
    await tablet.erase();
    await tablet.close();
    const isAlone = async (): Promise<true | undefined> => {
      const { members } = await flora.client.details(id);
      return (await flora.client.devices()).length === 1 && members.every(({ deviceCount }) => deviceCount === 1) ? true : undefined;
    };
    await eventually(flora.client, isAlone, "it is out");
    // A change that nobody told of would be one by a thief, a minute after it is seen.
    expect(alarms).toEqual([]);
    await flora[Symbol.asyncDispose]();
  });
});

describe("an account that is deleted", () => {
  test("[A-1] [A-3] is gone for everybody: its profile is empty, its name stays reserved", async () => {
    const emil = await registerPerson({ home: folder.at("emil"), server: server.url, username: "emil" });
    const group = await emil.client.startConversation({ to: ["bob"], name: "Emil's" });
    await sendAndWait(emil.client, group.id, "goodbye");
    await joinedConversation(bob.client, "Emil's");
    await emil.client.deleteAccount();
    expect(await emil.client.account()).toBeUndefined();
    expect(await emil.client.conversations()).toEqual([]);
    await expect(emil.client.register({ username: "emil" })).rejects.toMatchObject({ code: "username_taken" });
    await expect(alice.client.resolve("emil")).rejects.toMatchObject({ code: "unknown_user" });
    const alone = async (): Promise<true | undefined> =>
      (await bob.client.details(group.id)).members.some(({ person }) => person.username === "emil") ? undefined : true;
    await eventually(bob.client, alone, "he is out of the group");
    // The profile can be used for another account.
    expect(await emil.client.register({ username: "emil-2" })).toMatchObject({ username: "emil-2" });
    await emil[Symbol.asyncDispose]();
  });
});
