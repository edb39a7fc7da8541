import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, HistoryBackup } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { openReader, openWriter, settled } from "../client/people.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { accountOf, fill } from "./client-search.ts";

/** Of a day, over all conversations. */
const messagesADay = 200;

/** What the backup of a long history costs: its size, what a day adds, and the work of writing and reading it. */
export const historyBackup: Scenario = {
  name: "history-backup",
  summary:
    "the backup of 100,000 messages in 50 conversations: size, what a day with 200 messages adds, CPU of writing and of reading it back",
  async run({ isQuick }) {
    const conversations = isQuick ? 2 : 50;
    const perConversation = isQuick ? 250 : 2000;
    const days = isQuick ? 1 : 5;
    const aDay = Math.max(1, messagesADay / conversations);
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-backup-"));
    await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 } } });
    const serverUrl = server.url.replace(/^ws/, "http");
    try {
      const writer = await openWriter(serverUrl);
      const { client: first, home, username } = await openReader(serverUrl, folder);
      const accountId = accountOf(await first.account());
      const phrase = ((await first.recoveryPhrase()) ?? []).join(" ");
      for (let count = 0; count < conversations; count++)
        await writer.startConversation({ to: [username], name: `Group ${String(count)}` });
      await settled(writer);
      while ((await first.conversations()).length < conversations) await settled(first);
      const ids = (await first.conversations()).map(({ id }) => id);
      await settled(first);
      await first.close();
      await writer.close();
      await fill(home, { ids, perConversation, accountId });

      const [writeCpu, writeMs, added]: [number[], number[], number[]] = [[], [], []];
      let whole = 0;
      for (let day = 0; day <= days; day++) {
        if (day > 0) await fill(home, { ids, perConversation: aDay, accountId, from: perConversation + (day - 1) * aDay });
        const client = await openNodeClient({ home, serverUrl, share: false });
        await settled(client);
        if (day === 0) await client.keepHistoryBackup();
        const { state, cpuS, ms } = await costOf(() => client.writeHistoryBackup());
        const size = state.written?.sizeBytes ?? 0;
        if (day === 0) {
          writeCpu.push(cpuS);
          writeMs.push(ms);
          whole = size;
        } else added.push(((size - whole - added.reduce((sum, part) => sum + (part * whole) / 100, 0)) / whole) * 100);
        await client.close();
      }

      const fresh = await openNodeClient({ home: join(folder, "fresh"), serverUrl, share: false });
      await fresh.recover({ username, phrase });
      const read = await costOf(() => fresh.restoreHistoryBackup());
      const total = conversations * (perConversation + days * aDay);
      await check(fresh, read.state, total);
      await fresh.close();
      return {
        parameters: { messages: conversations * perConversation, conversations, days, messagesADay: aDay * conversations },
        figures: [
          { name: "size at the server", unit: "MiB", ...summarize([whole / 1_048_576]) },
          { name: "what a day adds", unit: "% of the size", target: 1, ...summarize(added) },
          { name: "the first writing", unit: "CPU s", ...summarize(writeCpu) },
          { name: "the first writing", unit: "s", ...summarize(writeMs.map((ms) => ms / 1000)) },
          { name: "reading it back", unit: "CPU s", ...summarize([read.cpuS]) },
          { name: "reading it back", unit: "s", ...summarize([read.ms / 1000]) },
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** User and system time of this process, and how long it took. */
async function costOf(
  work: () => Promise<HistoryBackup>,
): Promise<{ readonly state: HistoryBackup; readonly cpuS: number; readonly ms: number }> {
  const [before, startMs] = [process.cpuUsage(), performance.now()];
  const state = await work();
  const { user, system } = process.cpuUsage(before);
  return { state, cpuS: (user + system) / 1_000_000, ms: performance.now() - startMs };
}

/** @throws Error where not all of it came back */
async function check(client: Client, { found }: HistoryBackup, total: number): Promise<void> {
  if (found?.stage !== "done" || found.missing > 0 || found.restored < total)
    throw new Error(`${String(found?.restored)} of ${String(total)} messages came back`);
  const [newest] = await client.conversations();
  if (newest === undefined || (await client.messages(newest.id, { limit: 10 })).length === 0) throw new Error("nothing can be read");
}
