import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, SearchPage } from "@latchkey/client";
import { openNodeClient, openNodeStore } from "@latchkey/client/node";
import { Timeline } from "@latchkey/client/testing";
import { openReader, openWriter, settled } from "../client/people.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const words = 20_000;
const atOnce = 250;
/** Said once, in the first message of all. */
const rare = "needleinahaystack";

interface Question {
  readonly name: string;
  readonly query: string;
  /** Messages of the first page. */
  readonly found: number;
}

/** `most` is the most that a page has. */
const questions: readonly Question[] = [
  { name: "a common word", query: wordAt(0), found: 200 },
  { name: "two words", query: `${wordAt(1)} ${wordAt(2)}`, found: 200 },
  { name: "a part of a word", query: wordAt(40).slice(1, 4), found: 200 },
  { name: "Arabic", query: "كتاب", found: 200 },
  { name: "who wrote it and a link", query: "from:me has:link", found: 200 },
  { name: "a word said once, long ago", query: rare, found: 1 },
  { name: "what nobody said", query: "xqzj xqzk", found: 0 },
];

/** What a person waits for who looks for something, in the real client, on a profile on the disk. */
export const clientSearch: Scenario = {
  name: "client-search",
  summary: "the first 200 messages found of 100,000 in 50 conversations: CPU of a client just opened, and of one that has searched before",
  async run({ isQuick }) {
    const conversations = isQuick ? 2 : 50;
    const perConversation = 2000;
    const rounds = isQuick ? 1 : 5;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-search-"));
    await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 } } });
    const serverUrl = server.url.replace(/^ws/, "http");
    try {
      const writer = await openWriter(serverUrl);
      const { client: reader, home, username } = await openReader(serverUrl, folder);
      const accountId = accountOf(await reader.account());
      for (let count = 0; count < conversations; count++)
        await writer.startConversation({ to: [username], name: `Group ${String(count)}` });
      await settled(writer);
      while ((await reader.conversations()).length < conversations) await settled(reader);
      const ids = (await reader.conversations()).map(({ id }) => id);
      await settled(reader);
      await reader.close();
      await writer.close();
      await fill(home, { ids, perConversation, accountId });
      const cold = new Map<string, number[]>();
      const warm = new Map<string, number[]>();
      for (let round = 0; round < rounds; round++) {
        for (const question of questions) {
          const client = await openNodeClient({ home, serverUrl, share: false });
          await settled(client);
          note(cold, question, await cpuOf(client, question, isQuick));
          await client.close();
        }
        const client = await openNodeClient({ home, serverUrl, share: false });
        await settled(client);
        for (const question of questions) await ask(client, question.query);
        for (const question of questions) note(warm, question, await cpuOf(client, question, isQuick));
        await client.close();
      }
      return {
        parameters: { messages: conversations * perConversation, conversations, rounds, foundAtMost: 200 },
        figures: [...figures("just opened", cold), ...figures("searched before", warm)],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function figures(when: string, found: ReadonlyMap<string, readonly number[]>): readonly Figure[] {
  return [...found].map(([name, values]) => ({ name: `${name}, ${when}`, unit: "CPU ms", target: 50, ...summarize(values) }));
}

function note(all: Map<string, number[]>, { name }: Question, value: number): void {
  all.set(name, [...(all.get(name) ?? []), value]);
}

/** User and system time of the process until the first page is there, all that it takes. @throws Error where another number was found */
async function cpuOf(client: Client, { name, query, found }: Question, isQuick: boolean): Promise<number> {
  const before = process.cpuUsage();
  const count = await ask(client, query);
  const { user, system } = process.cpuUsage(before);
  if (isQuick ? count > found : count !== found) throw new Error(`${String(count)} messages were found by "${name}"`);
  return (user + system) / 1000;
}

async function ask(client: Client, query: string): Promise<number> {
  let page: SearchPage = await client.search(query);
  let count = page.found.length;
  // What is looked through for a page is bounded.
  while (page.cursor !== undefined && count < 200) {
    page = await client.search("", { cursor: page.cursor, limit: 200 - count });
    count += page.found.length;
  }
  return count;
}

/** Puts messages into a profile as if they had come; `from` is the place of the first of them. */
export async function fill(
  home: string,
  {
    ids,
    perConversation,
    accountId,
    from = 0,
  }: { readonly ids: readonly string[]; readonly perConversation: number; readonly accountId: Uint8Array; readonly from?: number },
): Promise<void> {
  const store = await openNodeStore(home);
  const nowMs = Date.now();
  const random = numbers();
  let count = from * ids.length;
  for (let at = from; at < from + perConversation; at += atOnce) {
    for (const conversationId of ids) {
      await store.transact("write", async (tx) => {
        const timeline = new Timeline({
          tx,
          conversationId,
          self: accountId,
          nowMs,
          onSegment: () => undefined,
          onFilesGone: () => undefined,
        });
        for (let one = 0; one < Math.min(atOnce, from + perConversation - at); one++) {
          count += 1;
          const id = new Uint8Array(32);
          new DataView(id.buffer).setUint32(0, count);
          const atMs = nowMs - ((from + perConversation) * ids.length - count) * 1000;
          await timeline.take({
            order: (1000 + at + one) * 16,
            id,
            author: accountId,
            device: undefined,
            claimedAtMs: atMs,
            sentAtMs: atMs,
            arrivedAtMs: atMs,
            acceptedAtMs: atMs,
            body: { kind: "text", text: count === 1 ? `${rare} once` : sentence(random) },
            inReplyTo: undefined,
            forwardedHops: 0,
            mentions: { accounts: [], all: false },
            may: { post: true, pin: false, deleteOthers: false },
          });
        }
        await timeline.flush();
      });
    }
  }
  await store.close();
}

/** About 35 characters: words, common ones more often; every tenth in Arabic, every twentieth with a link. */
function sentence(random: () => number): string {
  if (random() < 0.1) return "قرأت هذا الكِتاب أمس في القطار";
  const length = 3 + Math.floor(random() * 8);
  const text = Array.from({ length }, () => wordAt(Math.floor(words ** random()) - 1)).join(" ");
  return random() < 0.05 ? `${text} https://example.org/${wordAt(Math.floor(random() * words))}` : text;
}

/** One of 20,000 words, the first of them the shortest. */
function wordAt(at: number): string {
  const syllables = ["ka", "lo", "mi", "ter", "su", "ban", "ce", "vor", "du", "pel", "ni", "gra"];
  let word = "";
  for (let left = at + syllables.length; left > 0; left = Math.floor(left / syllables.length))
    word += syllables[left % syllables.length] ?? "";
  return word;
}

/** The same numbers in every run. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The id of an account in bytes. */
export function accountOf(account: { readonly accountId: string } | undefined): Uint8Array {
  if (account === undefined) throw new Error("there is an account");
  return Uint8Array.fromBase64(account.accountId, { alphabet: "base64url" });
}
