import { openNodeClient } from "@latchkey/client/node";
import type { Client, Conversation, Message } from "@latchkey/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFolder, freePort, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// Clients of the SDK against a real server process: what people do, and what goes wrong meanwhile.

let folder: TemporaryFolder;
let server: ServerProcess;
let port: number;
let open: Client[];

beforeEach(async () => {
  folder = createFolder();
  open = [];
  port = await freePort();
  server = await startServerProcess({ data: folder.at("data"), port });
});

afterEach(async () => {
  for (const client of open) await client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function openProfile(name: string): Promise<Client> {
  const client = await openNodeClient({ home: folder.at(name), serverUrl: server.url, requests: "accept" });
  open.push(client);
  return client;
}

async function register(name: string, displayName?: string): Promise<Client> {
  const client = await openProfile(name);
  await client.register({ username: name, ...(displayName === undefined ? {} : { displayName }) });
  return client;
}

function textOf(message: Message): string[] {
  return message.body.kind === "text" ? [message.body.text] : [];
}

async function texts(client: Client, id: string): Promise<string[]> {
  return (await client.messages(id, { limit: 5000 })).flatMap((message) => textOf(message));
}

async function only(client: Client): Promise<Conversation> {
  const conversations = await client.conversations();
  const [conversation] = conversations;
  if (conversations.length !== 1 || conversation === undefined) throw new Error(`${conversations.length} conversations, not one`);
  return conversation;
}

/** Everybody has sent and read everything. */
async function settleAll(...clients: Client[]): Promise<void> {
  // Twice: what one sends while it settles is read by the others.
  for (let round = 0; round < 2; round++) for (const client of clients) await client.settle({ timeoutMs: 60_000 });
}

describe("conversations", () => {
  test("[P5] two people talk, one is closed, misses a lot and catches up, in the same order, once", async () => {
    const [ada, ben] = [await register("ada", "Ada L."), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await ada.send(id, "hello");
    await settleAll(ada, ben);
    const { peer, unreadCount } = await only(ben);
    expect(peer).toMatchObject({ username: "ada", displayName: "Ada L." });
    expect(unreadCount).toBe(1);
    await ben.send(id, "hello to you");
    await settleAll(ben, ada);
    await ben.close();
    const missed = Array.from({ length: 1200 }, (_, at) => `missed ${at}`);
    await Promise.all(missed.map((text) => ada.send(id, text)));
    await ada.settle({ timeoutMs: 60_000 });
    const again = await openProfile("ben");
    await again.settle({ timeoutMs: 60_000 });
    expect(await texts(again, id)).toEqual(["hello", "hello to you", ...missed]);
    expect(await texts(ada, id)).toEqual(await texts(again, id));
    expect((await only(again)).unreadCount).toBe(1201);
    const [last] = (await again.messages(id, { limit: 1 })).slice(-1);
    await again.markRead(id, last?.order ?? 0);
    expect((await only(again)).unreadCount).toBe(0);
  });

  test("what was read stays read while one looks at it again: what came since is all that is not", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    for (const text of ["one", "two", "three"]) await ada.send(id, text);
    await settleAll(ada, ben);
    const orderOf = async (text: string): Promise<number> =>
      (await ben.messages(id, { limit: 50 })).find((message) => textOf(message).includes(text))?.order ?? 0;
    await ben.markRead(id, await orderOf("three"));
    await ada.send(id, "four");
    await settleAll(ada, ben);
    await ben.markRead(id, await orderOf("one"));
    expect((await only(ben)).unreadCount).toBe(1);
    await ben.markRead(id, await orderOf("four"));
    expect((await only(ben)).unreadCount).toBe(0);
  });

  test("[L-12] two who write to each other at the same moment end in one conversation", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const [fromAda, fromBen] = await Promise.all([ada.startConversation({ to: ["ben"] }), ben.startConversation({ to: ["ada"] })]);
    await Promise.all([ada.send(fromAda.id, "from ada"), ben.send(fromBen.id, "from ben")]);
    await settleAll(ada, ben);
    // The half that lost stays readable for what was said in it, and nothing new is written there.
    const active = async (client: Client): Promise<string[]> =>
      (await client.conversations()).filter(({ status }) => status === "active").map(({ id }) => id);
    for (const client of [ada, ben]) await expect.poll(async () => (await active(client)).length).toBe(1);
    const [id = ""] = await active(ada);
    expect(await active(ben)).toEqual([id]);
    expect([fromAda.id, fromBen.id]).toContain(id);
    // Whichever half they still have open, what they write arrives in the one that counts.
    await ada.send(fromAda.id, "later from ada");
    await ben.send(fromBen.id, "later from ben");
    await settleAll(ada, ben);
    expect((await texts(ada, id)).filter((text) => text.startsWith("later")).toSorted()).toEqual(["later from ada", "later from ben"]);
    expect(await texts(ben, id)).toEqual(await texts(ada, id));
  });

  test("a group: somebody is added, removed, added again; another leaves", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben"], name: "Allotment" });
    await ada.send(id, "before cyd");
    await settleAll(ada, ben);
    await ada.addMembers(id, ["cyd"]);
    await settleAll(ada, cyd);
    await ada.send(id, "with cyd");
    await settleAll(ada, ben, cyd);
    expect((await only(cyd)).title).toBe("Allotment");
    expect(await texts(cyd, id)).toEqual(["with cyd"]);
    await expect(ben.addMembers(id, ["cyd"])).rejects.toMatchObject({ code: "already_member" });
    const cydId = (await cyd.account())?.accountId ?? "";
    await expect(ben.removeMembers(id, [cydId])).rejects.toMatchObject({ code: "not_permitted" });
    await ada.removeMembers(id, [cydId]);
    await ada.send(id, "without cyd");
    await settleAll(ada, ben, cyd);
    expect((await only(cyd)).status).toBe("removed");
    await expect(cyd.send(id, "no")).rejects.toMatchObject({ code: "not_a_member" });
    await ada.addMembers(id, ["cyd"]);
    await settleAll(ada, cyd);
    // Nobody is put back unasked (spec M-9).
    const adaId = (await ada.account())?.accountId ?? "";
    expect(await only(cyd)).toMatchObject({ status: "removed", invitations: [{ from: { accountId: adaId }, wasMember: true }] });
    await cyd.acceptInvitation(id, adaId);
    await settleAll(ada, cyd);
    await cyd.send(id, "back again");
    await settleAll(cyd, ada, ben);
    expect(await texts(cyd, id)).toEqual(["with cyd", "back again"]);
    await ben.leave(id);
    await settleAll(ben);
    expect((await only(ben)).status).toBe("removed");
    await expect.poll(async () => (await ada.details(id)).members.length).toBe(2);
    await ada.send(id, "the two of us");
    await settleAll(ada, cyd);
    expect((await texts(cyd, id)).at(-1)).toBe("the two of us");
    expect(await texts(ben, id)).toEqual(["before cyd", "with cyd", "without cyd", "back again"]);
  });

  test("[L-7] the server is killed under load: what was accepted is there, what was not is sent again, nothing twice", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await settleAll(ada, ben);
    const sent = Array.from({ length: 300 }, (_, at) => `message ${at}`);
    const sending = Promise.all(sent.map((text) => ada.send(id, text)));
    await server.kill();
    await sending;
    // A restart of the client in between: the queue is on its disk.
    await ada.close();
    server = await startServerProcess({ data: folder.at("data"), port });
    const again = await openProfile("ada");
    ben.wake();
    await settleAll(again, ben);
    expect(await texts(ben, id)).toEqual(sent);
    expect(await texts(again, id)).toEqual(sent);
  });

  test("notes to oneself, drafts and mistakes", async () => {
    const ada = await register("ada");
    const { id } = await ada.startConversation({ to: ["ada"] });
    await ada.send(id, "milk");
    await ada.saveDraft(id, "bread");
    await ada.settle();
    expect(await texts(ada, id)).toEqual(["milk"]);
    expect((await only(ada)).draft).toBe("bread");
    await expect(ada.startConversation({ to: ["nobody-here"] })).rejects.toMatchObject({ code: "unknown_user" });
    await expect(ada.startConversation({ to: ["a b"] })).rejects.toMatchObject({ code: "invalid_address" });
    await expect(ada.send("unknown", "x")).rejects.toMatchObject({ code: "unknown_conversation" });
    await expect(ada.send(id, "x".repeat(70_000))).rejects.toMatchObject({ code: "message_too_large" });
    await expect(ada.register({ username: "other" })).rejects.toMatchObject({ code: "account_exists" });
    await ada.close();
    await expect(ada.conversations().then(() => ada.send(id, "x"))).rejects.toMatchObject({ code: "closed" });
  });
});
