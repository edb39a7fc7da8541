import { createNodePlatform, nodeFiles, openNodeStore } from "@latchkey/client/node";
import { createClient } from "@latchkey/client";
import type { AttachedFile, Client, Message, NewFile } from "@latchkey/client";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { ServerOfAllTests } from "./server.testing.ts";

/** How much sooner than elsewhere what failed is tried again: how often and in which order it is counts, not how long lies between. */
const sooner = 8;

/** What becomes of what a client does, besides its HTTP requests: throwing, that fails. */
export interface Failing {
  /** A piece is read from its store. */
  readonly onPiece?: () => void;
  /** Something is written. */
  readonly onWrite?: () => void;
  /** Timers that are shorter run out sooner; longer ones bound how long an answer may take. */
  readonly longMs?: number;
}

/** As `server.open`, with what becomes of its HTTP requests on their way. */
export async function openWith(
  { folder, url }: ServerOfAllTests,
  name: string,
  onRequest: (method: string, path: string) => Response | undefined,
  { onPiece = () => undefined, onWrite = () => undefined, longMs = 9000 }: Failing = {},
): Promise<Client> {
  const home = join(folder, name);
  const opened = await openNodeStore(home);
  const store: typeof opened = {
    ...opened,
    transact: async (mode, run) => {
      if (mode === "write") onWrite();
      return await opened.transact(mode, run);
    },
  };
  const files = nodeFiles(home);
  const node = createNodePlatform();
  const platform: typeof node = {
    ...node,
    setTimer: (delayMs, run) => node.setTimer(delayMs < longMs ? delayMs / sooner : delayMs, run),
    files: async () => {
      const place = await files();
      const piece: typeof place.store.piece = async (id, index) => {
        onPiece();
        return await place.store.piece(id, index);
      };
      return { ...place, store: { ...place.store, piece } };
    },
    // Only texts are asked for here.
    fetch: async (input: Parameters<typeof fetch>[0], init?: RequestInit) =>
      onRequest(init?.method ?? "GET", new URL(input as string).pathname) ?? (await fetch(input, init)),
  };
  const client = await createClient({ store, platform, serverUrl: url, requests: "accept" });
  onTestFinished(() => client.close());
  return client;
}

/** A file of these bytes, which come in uneven parts. */
export function fileOf(name: string, bytes: Uint8Array, over: Partial<NewFile> = {}): NewFile {
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 100_003) yield bytes.subarray(at, at + 100_003);
  }
  return { name, mediaType: "application/octet-stream", sizeBytes: bytes.length, content: parts(), ...over };
}

/** The bytes of a file, or of a part of it. */
export async function read(client: Client, message: Message, file: AttachedFile, range?: { from?: number; to?: number }): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of client.readFile(message.conversationId, message.id, file.id, range)) parts.push(part);
  return Buffer.concat(parts);
}

/** The message of this text, once it is there. */
export async function messageOf(client: Client, id: string, text: string): Promise<Message> {
  let found: Message | undefined;
  const look = async (): Promise<boolean> => {
    const messages = await client.messages(id, { limit: 50 }).catch(() => []);
    found = messages.find(({ body }) => body.kind === "text" && body.text === text);
    return found !== undefined;
  };
  await expect.poll(look, { timeout: 30_000 }).toBe(true);
  if (found === undefined) throw new Error("polled");
  return found;
}

/** What was said last in a conversation, the oldest first. */
export async function texts(client: Client, id: string): Promise<string[]> {
  return (await client.messages(id, { limit: 20 })).flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
}

/** What lies in the store of somebody's files. */
export function storedIn({ folder }: ServerOfAllTests, name: string): string[] {
  return readdirSync(join(folder, name, "files")).filter((file) => file !== ".gitignore");
}
