import type { Client, ClientEvent, LinkState } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, joinedConversation, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
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
  second = await openNodeClient({ home: folder.at("alice-2"), serverUrl: server.url });
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

    await link(alice.client, second, "Tablet");

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
  });

  test("[A-8] messages of both devices are one's own on both, and what is read on one is read on the other", async () => {
    const group = await joinedConversation(second, "Garden");
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
    const third = await openNodeClient({ home: folder.at("alice-3"), serverUrl: server.url });
    try {
      await link(second, third, "Old phone", "words");
      expect((await third.devices()).map(({ name }) => name)).toEqual(["", "Tablet", "Old phone"]);
      const group = await joinedConversation(third, "Garden");
      const { deviceId } = (await third.account()) ?? { deviceId: "" };
      await alice.client.removeDevice(deviceId);
      await eventually(
        third,
        async () =>
          third.send(group.id, "still here").then(
            () => undefined,
            (error: unknown) => error,
          ),
        "the removed device stops",
      ).then((error) => expect(error).toMatchObject({ code: "device_removed" }));
      await eventually(
        bob.client,
        async () => {
          const { members } = await bob.client.details(group.id);
          return members.every(({ deviceCount }) => deviceCount <= 2) ? true : undefined;
        },
        "the removed device is out of the group",
      );
      expect(await alice.client.devices()).toHaveLength(2);
      await sendAndWait(bob.client, group.id, "not for the old phone");
      await receiveText(second, group.id, "not for the old phone");
      expect(await textsOf(third, group.id)).not.toContain("not for the old phone");
    } finally {
      await third.close();
    }
  });
});
