import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createClient } from "@latchkey/client";
import type { Client, Message } from "@latchkey/client";
import { createNodePlatform, openNodeClient } from "@latchkey/client/node";
import { createMemoryStore } from "@latchkey/client/testing";

/** Somebody who writes, in this process and in memory: only what readers need is measured. */
export async function openWriter(serverUrl: string): Promise<Client> {
  const client = await createClient({ store: createMemoryStore(), platform: createNodePlatform(), serverUrl, requests: "accept" });
  await client.register({ username: nameOf("writer") });
  return client;
}

/** A device whose profile lies on the disk, in `home`. */
export interface Reader {
  readonly home: string;
  readonly username: string;
  readonly client: Client;
}

/** Registers somebody who is to be away later: whoever closes their client sends them away. */
export async function openReader(serverUrl: string, folder: string): Promise<Reader> {
  const username = nameOf("reader");
  const home = join(folder, username);
  const client = await openNodeClient({ home, serverUrl, requests: "accept", share: false });
  await client.register({ username });
  return { home, username, client };
}

/** Resolves when they are in so many conversations, and have all of them; then they go. */
export async function leaveOnceIn(readers: readonly Reader[], conversations: number): Promise<void> {
  for (const { client } of readers) {
    while ((await client.conversations()).length < conversations) await settled(client);
    await settled(client);
    await client.close();
  }
}

/** Sends texts one after the other; resolves with them when the server has all. */
export async function write(writer: Client, conversationId: string, texts: readonly string[]): Promise<readonly Message[]> {
  const sent: Message[] = [];
  for (const text of texts) sent.push(await writer.send(conversationId, text));
  await settled(writer);
  return sent;
}

/** Resolves when the server has everything that was written, however long it takes. */
export async function settled(client: Client): Promise<void> {
  await client.settle({ timeoutMs: 600_000 });
}

/** A text as people write them: so long, and no two alike. */
export function someText(length = 80): string {
  return randomBytes(length).toString("base64").slice(0, length);
}

function nameOf(what: string): string {
  return `${what}${randomBytes(6).toString("hex")}`;
}
