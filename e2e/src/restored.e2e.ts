import { cpSync, renameSync, rmSync } from "node:fs";
import type { Client, Conversation, Message } from "@latchkey/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, receiveText, registerPerson, sendAndWait, textsOf } from "./testing/people.ts";
import { createFolder, latchkey, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let clients: Client[];

beforeEach(async () => {
  folder = createFolder();
  clients = [];
  server = await startServerProcess({ data: folder.at("data") });
});
afterEach(async () => {
  for (const client of clients) await client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function register(username: string): Promise<Client> {
  const { client } = await registerPerson({ home: folder.at(username), server: server.url, username });
  clients.push(client);
  await client.settle();
  return client;
}

/** Stops the server, does something to its data, and starts it at the same address. */
async function restart(between: () => void | Promise<void>, data = folder.at("data"), args: readonly string[] = []): Promise<void> {
  const { port } = server;
  await server.stop();
  await between();
  server = await startServerProcess({ data, port, args });
  for (const client of clients) client.wake();
}

async function conversationOf(client: Client, id: string): Promise<Conversation> {
  const found = (await client.conversations()).find((conversation) => conversation.id === id);
  if (found === undefined) throw new Error("the conversation is not in the list");
  return found;
}

async function stopped(client: Client, id: string): Promise<string> {
  return await eventually(client, async () => (await conversationOf(client, id)).stop?.failure.code, "the conversation says why it stands");
}

const people = async (client: Client, id: string): Promise<string[]> =>
  (await client.details(id)).members.map(({ person, role }) => `${person.username} ${role}`).toSorted();

describe("a server that was restored from a backup", () => {
  test("[M-9] one message old: two people go on with one call each, the history above; what waited goes along", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await sendAndWait(ada, id, "first");
    await receiveText(ben, id, "first");
    await restart(() => cpSync(folder.at("data"), folder.at("backup"), { recursive: true }));
    await sendAndWait(ada, id, "in no backup");
    await receiveText(ben, id, "in no backup");
    await restart(() => {
      rmSync(folder.at("data"), { recursive: true });
      cpSync(folder.at("backup"), folder.at("data"), { recursive: true });
    });

    expect(await stopped(ada, id)).toBe("conversation_unavailable");
    expect(await stopped(ben, id)).toBe("conversation_unavailable");
    expect((await conversationOf(ada, id)).status).toBe("active");
    await ada.send(id, "does not get through");
    const { conversation, unreachable } = await ada.continueConversation(id);
    expect(unreachable).toEqual([]);
    expect(conversation.id).not.toBe(id);
    await ada.settle();
    // Between two people it is the same conversation by the Welcome alone.
    await receiveText(ben, conversation.id, "does not get through");
    for (const client of [ada, ben]) {
      expect((await client.conversations()).map((one) => one.id)).toEqual([conversation.id]);
      expect(await textsOf(client, conversation.id)).toEqual(["first", "in no backup", "does not get through"]);
      expect(await client.alarms()).toEqual([]);
    }
    // What is still open under its old name arrives as well.
    await ben.send(id, "and back");
    await receiveText(ada, conversation.id, "and back");
    const all = await ada.messages(conversation.id, { limit: 100 });
    expect(all.map(({ order }) => order)).toEqual(all.map(({ order }) => order).toSorted((a, b) => a - b));
    const page = await ada.messages(conversation.id, { limit: 2, beforeOrder: all.at(-1)?.order ?? 0 });
    expect(page.map(({ id: messageId }) => messageId)).toEqual(all.slice(-3, -1).map(({ id: messageId }) => messageId));
  });

  test("[M-9] a group goes on with its name and roles; the others are asked, and it is not continued behind their backs", async () => {
    const [ada, ben, cyd] = [await register("ada"), await register("ben"), await register("cyd")];
    const { id } = await ada.startConversation({ to: ["ben", "cyd"], name: "Allotment" });
    await sendAndWait(ada, id, "first");
    for (const client of [ben, cyd]) {
      await receiveText(client, id, "first");
    }
    await restart(() => cpSync(folder.at("data"), folder.at("backup"), { recursive: true }));
    await sendAndWait(ada, id, "in no backup");
    for (const client of [ben, cyd]) await receiveText(client, id, "in no backup");
    await restart(() => {
      rmSync(folder.at("data"), { recursive: true });
      cpSync(folder.at("backup"), folder.at("data"), { recursive: true });
    });
    for (const client of [ada, ben, cyd]) await stopped(client, id);
    // A plain member goes on; the owner stays the owner.
    const { conversation } = await ben.continueConversation(id);
    await ben.settle();
    expect(conversation).toMatchObject({ title: "Allotment", kind: "group" });
    for (const client of [ada, cyd]) {
      const offer = await eventually(client, async () => (await conversationOf(client, id)).offers[0], "it is offered");
      expect(offer).toMatchObject({ conversationId: conversation.id, from: { username: "ben" } });
      const gone = await client.continueConversation(id, { into: offer.conversationId });
      expect(gone.conversation.id).toBe(conversation.id);
    }
    await sendAndWait(cyd, conversation.id, "here");
    await receiveText(ada, conversation.id, "here");
    expect(await textsOf(ada, conversation.id)).toEqual(["first", "in no backup", "here"]);
    for (const client of [ada, ben, cyd]) {
      expect(await people(client, conversation.id)).toEqual(["ada owner", "ben member", "cyd member"]);
      expect((await client.conversations()).map((one) => one.id)).toEqual([conversation.id]);
    }
    await expect(ada.continueConversation(conversation.id)).rejects.toMatchObject({ code: "not_permitted" });
  });

  test("[E-82] by latchkey restore with its journal says so: where nothing is missing people may go on elsewhere at once, or write on", async () => {
    const journal = ["--journal", folder.at("journal")];
    await restart(() => rmSync(folder.at("data"), { recursive: true }), folder.at("data"), journal);
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await sendAndWait(ada, id, "first");
    await receiveText(ben, id, "first");
    // What comes after the copy would show that Ben is here, perhaps before anybody looked.
    const hasArrived = async (): Promise<true | undefined> =>
      (await conversationOf(ada, id)).receipts.some(({ deliveredThrough }) => deliveredThrough > 0) || undefined;
    await eventually(ada, hasArrived, "Ada's message came to Ben");
    await ben.settle();
    const run = async (...args: string[]): Promise<void> => {
      const { status, stderr } = await latchkey(args);
      expect([status, stderr]).toEqual([0, ""]);
    };
    await run("backup", folder.at("copies"), "--data", folder.at("data"), "--no-keys");
    const cyd = await register("cyd");
    await restart(
      async () => {
        renameSync(folder.at("data"), folder.at("lost"));
        await run("restore", folder.at("copies"), "--data", folder.at("data"), ...journal, "--keys", folder.at("lost", "directory"));
      },
      folder.at("data"),
      journal,
    );
    for (const client of [ada, ben]) {
      // That the log ends too early may be known before the server's own word is.
      const isSaid = async (): Promise<true | undefined> => ((await stopped(client, id)) === "server_restored" ? true : undefined);
      await eventually(client, isSaid, "the conversation says that the server was restored");
      expect((await conversationOf(client, id)).status).toBe("active");
      expect(await client.alarms()).toEqual([]);
    }
    // Whoever reads what another writes knows that they are here.
    await sendAndWait(ben, id, "still here");
    await receiveText(ada, id, "still here");
    expect((await conversationOf(ada, id)).stop).toBeUndefined();
    const { conversation } = await ben.continueConversation(id);
    await ben.settle();
    await sendAndWait(ben, conversation.id, "and here");
    await receiveText(ada, conversation.id, "and here");
    expect(await textsOf(ada, conversation.id)).toEqual(["first", "still here", "and here"]);
    // Who registered after the copy is known, by the journal.
    const { id: late } = await ada.startConversation({ to: ["cyd"] });
    await sendAndWait(ada, late, "hello");
    await receiveText(cyd, late, "hello");
  });

  test("[E-11] started once on an empty data folder: the conversation says so, and goes on by itself when the data are back", async () => {
    const [ada, ben] = [await register("ada"), await register("ben")];
    const { id } = await ada.startConversation({ to: ["ben"] });
    await sendAndWait(ada, id, "first");
    await receiveText(ben, id, "first");
    await restart(() => undefined, folder.at("empty"));
    for (const client of [ada, ben]) expect(await stopped(client, id)).toBe("conversation_unavailable");
    const { id: waiting } = await ada.send(id, "waits for the data");
    await restart(() => undefined);
    await receiveText(ben, id, "waits for the data");
    for (const client of [ada, ben]) expect(await conversationOf(client, id)).toMatchObject({ status: "active", stop: undefined });
    // Ben may have it before Ada hears that it is in the log.
    const ofAda = async (): Promise<Message | undefined> => (await ada.messages(id, { limit: 1 }))[0];
    await eventually(ada, async () => (await ofAda())?.delivery?.kind === "accepted" || undefined, "the log has it");
    expect(await ofAda()).toMatchObject({ id: waiting });
  });
});
