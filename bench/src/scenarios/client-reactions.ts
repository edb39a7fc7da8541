import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@latchkey/client";
import { leaveOnceIn, openReader, openWriter, settled, someText, write } from "../client/people.ts";
import { catchUp } from "../client/reader-process.ts";
import type { CaughtUp } from "../client/reader-process.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const allEmojis = ["👍", "❤️", "😂", "🎉", "😮"];
const pageLimit = 60;
const pageTimes = 30;

/** What is said in a group while some of its members are away. */
interface Talk {
  readonly readers: number;
  readonly writers: number;
  /** Of these half are answers, and every tenth was edited. */
  readonly messages: number;
  /** By each writer to each message. */
  readonly emojis: readonly string[];
}

/** A device of the real client comes back to a group in which nearly all is reactions. */
export const clientReactions: Scenario = {
  name: "client-reactions",
  summary: "a device comes back to 10,000 reactions on 100 messages: CPU of the client alone, and a page with 100 of them on each",
  async run({ isQuick }) {
    const talk = isQuick
      ? { readers: 1, writers: 2, messages: pageLimit, emojis: allEmojis }
      : { readers: 5, writers: 20, messages: 100, emojis: allEmojis };
    const found = await comeBack(talk);
    return {
      parameters: parametersOf(talk),
      figures: [
        { name: "client CPU", unit: "CPU s", target: 3, ...summarize(found.map(({ cpuSeconds }) => cpuSeconds)) },
        { name: "until everything was read", unit: "s", ...summarize(found.map(({ seconds }) => seconds)) },
        ...pageFigures(found),
        { name: "most memory of the process", unit: "MiB", ...summarize(found.map(({ peakBytes }) => peakBytes / 2 ** 20)) },
      ],
    };
  },
};

/** What the app reads from the store when a conversation is opened. */
export const clientPage: Scenario = {
  name: "client-page",
  summary: "a page of 60 messages with replies, edits and five reactions each, read from the store",
  async run({ isQuick }) {
    const talk = { readers: isQuick ? 1 : 5, writers: 5, messages: pageLimit, emojis: allEmojis.slice(0, 1) };
    const found = await comeBack(talk);
    return { parameters: parametersOf(talk), figures: pageFigures(found, 10) };
  },
};

function parametersOf({ readers, writers, messages, emojis }: Talk): Readonly<Record<string, number>> {
  return { messages, reactions: messages * writers * emojis.length, members: writers + readers, page: pageLimit };
}

function pageFigures(found: readonly CaughtUp[], target?: number): readonly Figure[] {
  const first = summarize(found.map(({ pageMs }) => pageMs[0] ?? Number.NaN));
  const each = summarize(found.flatMap(({ pageMs }) => pageMs));
  return [
    { name: "a page, each time", unit: "ms", ...(target === undefined ? {} : { target }), ...each },
    { name: "the first page of a process", unit: "ms", ...first },
  ];
}

/** Has people talk while others are away, who come back one after the other. */
async function comeBack({ readers, writers, messages, emojis }: Talk): Promise<readonly CaughtUp[]> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-readers-"));
  await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 } } });
  const serverUrl = server.url.replace(/^ws/, "http");
  try {
    const [author, ...others] = await Promise.all(Array.from({ length: writers }, () => openWriter(serverUrl)));
    if (author === undefined) throw new Error("somebody writes");
    const away = await Promise.all(Array.from({ length: readers }, () => openReader(serverUrl, folder)));
    const names = await Promise.all(others.map(async (other) => (await other.account())?.username ?? ""));
    const { id } = await author.startConversation({ to: [...names, ...away.map(({ username }) => username)], name: "Reactions" });
    await settled(author);
    await leaveOnceIn(away, 1);
    const ids = await speak(author, id, messages);
    for (const writer of [author, ...others]) await react(writer, id, { ids, emojis });
    await Promise.all([author, ...others].map((writer) => writer.close()));
    const found: CaughtUp[] = [];
    for (const { home } of away)
      found.push(await catchUp({ home, serverUrl, page: { conversationId: id, limit: pageLimit, times: pageTimes } }));
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function speak(author: Client, id: string, messages: number): Promise<readonly string[]> {
  const texts = Array.from({ length: messages / 2 }, () => someText());
  const ids = (await write(author, id, texts)).map((message) => message.id);
  for (const inReplyTo of ids.slice()) ids.push((await author.send(id, someText(), { inReplyTo })).id);
  for (const messageId of ids.filter((_, at) => at % 10 === 0)) await author.edit(id, messageId, someText());
  await settled(author);
  return ids;
}

async function react(
  writer: Client,
  id: string,
  { ids, emojis }: { readonly ids: readonly string[]; readonly emojis: readonly string[] },
): Promise<void> {
  // As far as they are known by then.
  await settled(writer);
  for (const messageId of ids) {
    for (const emoji of emojis) await writer.react(id, messageId, emoji);
  }
  await settled(writer);
}
