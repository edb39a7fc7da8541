import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@latchkey/client";
import { leaveOnceIn, openReader, openWriter, settled, someText, write } from "../client/people.ts";
import { catchUp } from "../client/reader-process.ts";
import type { CaughtUp } from "../client/reader-process.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const emojis = ["👍", "❤️", "😂", "🎉", "😮"];
const pageLimit = 60;

/** A device of the real client comes back to a group in which nearly all is reactions, and shows its newest page. */
export const clientReactions: Scenario = {
  name: "client-reactions",
  summary: "a device comes back to 10,000 reactions on 100 messages, and reads a page of messages with replies, edits and reactions",
  async run({ isQuick }) {
    const readers = isQuick ? 1 : 5;
    const writers = isQuick ? 2 : 20;
    const count = isQuick ? pageLimit : 100;
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
      const first = await write(
        author,
        id,
        Array.from({ length: count / 2 }, () => someText()),
      );
      // Half of them are answers, and every tenth was edited.
      const answers: string[] = [];
      for (const message of first) answers.push((await author.send(id, someText(), { inReplyTo: message.id })).id);
      const ids = [...first.map((message) => message.id), ...answers];
      for (const messageId of ids.filter((_, at) => at % 10 === 0)) await author.edit(id, messageId, someText());
      await settled(author);
      for (const writer of [author, ...others]) await react(writer, id, ids);
      await Promise.all([author, ...others].map((writer) => writer.close()));
      const found: CaughtUp[] = [];
      for (const { home } of away)
        found.push(await catchUp({ home, serverUrl, page: { conversationId: id, limit: pageLimit, times: 30 } }));
      return {
        parameters: { messages: count, reactions: count * writers * emojis.length, members: writers + readers, page: pageLimit },
        figures: [
          { name: "client CPU", unit: "CPU s", target: 3, ...summarize(found.map(({ cpuSeconds }) => cpuSeconds)) },
          { name: "until everything was read", unit: "s", ...summarize(found.map(({ seconds }) => seconds)) },
          { name: "a page, each time", unit: "ms", target: 10, ...summarize(found.flatMap(({ pageMs }) => pageMs)) },
          { name: "the first page", unit: "ms", ...summarize(found.map(({ pageMs }) => pageMs[0] ?? Number.NaN)) },
          { name: "most memory of the process", unit: "MiB", ...summarize(found.map(({ peakBytes }) => peakBytes / 2 ** 20)) },
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Every emoji to every message, as far as they are known by then. */
async function react(writer: Client, id: string, messageIds: readonly string[]): Promise<void> {
  await settled(writer);
  for (const messageId of messageIds) {
    for (const emoji of emojis) await writer.react(id, messageId, emoji);
  }
  await settled(writer);
}
