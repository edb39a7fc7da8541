import { openNodeClient } from "@latchkey/client/node";
import type { Client } from "@latchkey/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFolder, freePort, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
const open: Client[] = [];

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data"), port: await freePort() });
});

afterAll(async () => {
  for (const client of open) await client.close();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function register(name: string): Promise<Client> {
  const client = await openNodeClient({ home: folder.at(name), serverUrl: server.url, requests: "accept" });
  await client.register({ username: name });
  return client;
}

describe("[R-3] a group of more than twenty", () => {
  test("its message causes no entry by itself; who has read it is told to its author who asks, by those who say what they read", async () => {
    const ada = await register("ada");
    const [ben, cyd, dan] = [await register("ben"), await register("cyd"), await register("dan")];
    open.push(ada, ben, cyd, dan);
    const absent = Array.from({ length: 18 }, (_, number) => `absent-${String(number)}`);
    for (const name of absent) await (await register(name)).close();
    const { id } = await ada.startConversation({ to: ["ben", "cyd", "dan", ...absent], name: "Village" });
    for (const client of [...open, ...open]) await client.settle({ timeoutMs: 60_000 });
    await dan.changePrivacySettings({ receipts: false });
    const { id: messageId } = await ada.send(id, "the well is dry");
    for (const client of [...open, ...open]) await client.settle({ timeoutMs: 60_000 });
    for (const reader of [ben, dan]) {
      const [last] = await reader.messages(id, { limit: 1 });
      await reader.markRead(id, last?.order ?? 0);
    }
    const readers = async (): Promise<readonly string[]> => (await ada.messageInfo(id, messageId)).readBy.map(({ username }) => username);
    expect(await readers()).toEqual([]);
    await expect(ben.whoHasRead(id, messageId)).rejects.toMatchObject({ code: "not_permitted" });
    await ada.whoHasRead(id, messageId);
    await expect(ada.whoHasRead(id, messageId)).rejects.toMatchObject({ code: "rate_limited" });
    await expect.poll(readers, { timeout: 90_000, interval: 1000 }).toEqual(["ben"]);
    // A question and an answer are no lines, and nothing that anybody has to read.
    for (const client of open) {
      await client.settle({ timeoutMs: 60_000 });
      expect((await client.messages(id, { limit: 1 }))[0]?.id).toBe(messageId);
    }
    expect((await cyd.details(id)).conversation.unreadCount).toBe(1);
  }, 300_000);
});
