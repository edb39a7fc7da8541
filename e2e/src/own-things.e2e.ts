import type { Client, LinkState, OwnSettings } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let alice: TestPerson;
let bob: TestPerson;
let second: Client;
let id: string;

const openSecond = (): Promise<Client> => openNodeClient({ home: folder.at("alice-2"), serverUrl: server.url, requests: "accept" });

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  alice = await registerPerson({ home: folder.at("alice"), server: server.url, username: "alice" });
  bob = await registerPerson({ home: folder.at("bob"), server: server.url, username: "bob" });
  second = await openSecond();
});

afterAll(async () => {
  await second.close();
  await alice[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function link(existing: Client, added: Client): Promise<void> {
  const reached = (client: Client, kind: LinkState["kind"]): Promise<void> =>
    new Promise((resolve) => {
      client.subscribe((event) => {
        if (event.kind === "link" && event.state.kind === kind) resolve();
      });
    });
  const { code } = await added.offerLink({ deviceName: "Second" });
  const compared = [reached(existing, "compare"), reached(added, "compare")];
  const done = [reached(existing, "done"), reached(added, "done")];
  await existing.acceptLink(code);
  await Promise.all(compared);
  await Promise.all([existing.confirmLink(true), added.confirmLink(true)]);
  await Promise.all(done);
}

const nothingSet: OwnSettings = {
  mutedUntil: undefined,
  isArchived: false,
  pinnedPlace: undefined,
  isMarkedUnread: false,
  isDeleted: false,
  otherDraft: "",
};

const of = async (client: Client): Promise<Awaited<ReturnType<Client["conversations"]>>[number]> => {
  const found = (await client.conversations()).find((one) => one.id === id);
  if (found === undefined) throw new Error("the conversation is not here");
  return found;
};

/** Waits until both devices show the conversation so. */
async function both(is: (conversation: Awaited<ReturnType<typeof of>>) => boolean, what: string): Promise<void> {
  for (const client of [alice.client, second]) await eventually(client, async () => (is(await of(client)) ? true : undefined), what);
}

/** How both show it. */
const shown = async (): Promise<OwnSettings[]> => [(await of(alice.client)).own, (await of(second)).own];

const idOfBob = async (): Promise<string> => (await bob.client.conversations())[0]?.id ?? "";

const starredOn = async (client: Client): Promise<string[]> =>
  (await client.starred()).map(({ body }) => (body.kind === "text" ? body.text : body.kind));

describe("[X-18] two devices of one person", () => {
  test("a device that is added has what was set before", async () => {
    ({ id } = await alice.client.startConversation({ to: ["bob"] }));
    const { id: messageId } = await sendAndWait(alice.client, id, "the address");
    await sendAndWait(alice.client, id, "never mind");
    await alice.client.star(id, messageId);
    await alice.client.mute(id, "always");
    await alice.client.pinConversation(id, 0);
    await alice.client.saveDraft(id, "before the second");
    await link(alice.client, second);
    await both(({ own, draft }) => own.mutedUntil === "always" && own.pinnedPlace === 0 && draft === "before the second", "both have it");
    await eventually(second, async () => ((await starredOn(second)).join() === "the address" ? true : undefined), "the star is there");
    expect((await shown())[1]).toEqual((await shown())[0]);
  });

  test("what one sets, the other shows, also after a restart", async () => {
    await second.mute(id, undefined);
    await second.pinConversation(id, undefined);
    await second.markUnread(id);
    const quiet = { friday: { fromMinute: 1350, toMinute: 420 } };
    await second.setQuietHours(quiet);
    await eventually(
      alice.client,
      async () => ((await alice.client.quietHours()).friday === undefined ? undefined : true),
      "both are quiet",
    );
    expect(await alice.client.quietHours()).toEqual(quiet);
    await both(({ own }) => own.mutedUntil === undefined && own.pinnedPlace === undefined && own.isMarkedUnread, "both have it");
    const [starred] = await second.starred(id);
    await second.star(id, starred?.id ?? "", false);
    await eventually(alice.client, async () => ((await starredOn(alice.client)).length === 0 ? true : undefined), "the star is gone");
    await second.settle();
    await second.close();
    await alice.client.mute(id, Date.now() + 3_600_000);
    await alice.client.settle();
    second = await openSecond();
    await both(({ own }) => typeof own.mutedUntil === "number" && own.isMarkedUnread, "both have it");
    await alice.client.markRead(id, (await of(alice.client)).lastMessage?.order ?? 0);
    await both(({ own }) => !own.isMarkedUnread, "reading takes the mark away on both");
    await alice.client.mute(id, undefined);
    await both(({ own }) => own.mutedUntil === undefined, "both have it");
    expect(await shown()).toEqual([nothingSet, nothingSet]);
  });

  test("an archived conversation comes back on both with a message, unless it is muted", async () => {
    await alice.client.archive(id);
    await both(({ own }) => own.isArchived, "both archived it");
    await sendAndWait(bob.client, await idOfBob(), "hello again");
    await both(({ own }) => !own.isArchived, "it is back on both");
    await second.mute(id, "always");
    await second.archive(id);
    await both(({ own }) => own.isArchived && own.mutedUntil === "always", "both archived it");
    await sendAndWait(bob.client, await idOfBob(), "are you there?");
    for (const client of [alice.client, second]) await receiveText(client, id, "are you there?");
    await both(({ own }) => own.isArchived, "it stays away");
    await alice.client.mute(id, undefined);
    await alice.client.archive(id, false);
    await both(({ own }) => !own.isArchived, "it is taken out again");
    expect(await shown()).toEqual([nothingSet, nothingSet]);
  });
});

describe("[X-16] drafts of two devices", () => {
  test("go over, and none that was written is lost", async () => {
    await alice.client.saveDraft(id, "");
    await both(({ draft }) => draft === "", "both are empty");
    await alice.client.saveDraft(id, "from the first");
    await both(({ draft }) => draft === "from the first", "it is on both");
    // Written on at once on both: each keeps its own, and is offered the other's.
    await Promise.all([alice.client.saveDraft(id, "from the first, on"), second.saveDraft(id, "from the second")]);
    await eventually(
      alice.client,
      async () => ((await of(alice.client)).own.otherDraft === "from the second" ? true : undefined),
      "offered",
    );
    await eventually(second, async () => ((await of(second)).own.otherDraft === "from the first, on" ? true : undefined), "offered");
    expect((await of(alice.client)).draft).toBe("from the first, on");
    expect((await of(second)).draft).toBe("from the second");
    await alice.client.decideDraft(id, true);
    await both(({ draft, own }) => draft === "from the second" && own.otherDraft === "", "both have the one that was taken");
    await sendAndWait(alice.client, id, "from the second");
    await both(({ draft }) => draft === "", "it is sent");
  });
});

describe("[X-18] a conversation that one person deletes", () => {
  const messagesOn = async (client: Client): Promise<string[]> => await textsOf(client, id);
  const isListedOn = async (client: Client): Promise<boolean> => (await client.conversations()).some((one) => one.id === id);

  test("is gone on all of their devices, also on one that was away, and comes back with the next message alone", async () => {
    await sendAndWait(bob.client, await idOfBob(), "before");
    await receiveText(second, id, "before");
    await second.settle();
    await second.close();
    await sendAndWait(bob.client, await idOfBob(), "while the second is away");
    await receiveText(alice.client, id, "while the second is away");
    await alice.client.deleteConversation(id);
    expect(await isListedOn(alice.client)).toBe(false);
    expect(await messagesOn(alice.client)).toEqual([]);
    await alice.client.settle();
    second = await openSecond();
    await eventually(second, async () => ((await isListedOn(second)) ? undefined : true), "the second has it no more");
    await second.settle();
    expect(await messagesOn(second)).toEqual([]);
    await sendAndWait(bob.client, await idOfBob(), "after");
    for (const client of [alice.client, second]) {
      await receiveText(client, id, "after");
      expect(await isListedOn(client)).toBe(true);
      expect(await messagesOn(client)).toEqual(["after"]);
      expect((await of(client)).unreadCount).toBe(1);
    }
    expect(await textsOf(bob.client, await idOfBob())).toContain("before");
  });
});
