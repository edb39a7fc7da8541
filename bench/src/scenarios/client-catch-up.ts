import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leaveOnceIn, openReader, openWriter, settled, someText, write } from "../client/people.ts";
import { catchUp } from "../client/reader-process.ts";
import type { CaughtUp } from "../client/reader-process.ts";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

/** A device of the real client comes back to conversations of the real server, in a process of its own: its CPU seconds. */
export const clientCatchUp: Scenario = {
  name: "client-catch-up",
  summary: "a device comes back to 10,000 messages in 50 groups: CPU of the client alone, and how often it tells of its progress",
  async run({ isQuick }) {
    const readers = isQuick ? 1 : 5;
    const groups = isQuick ? 5 : 50;
    const perGroup = isQuick ? 20 : 200;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-readers-"));
    await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 } } });
    const serverUrl = server.url.replace(/^ws/, "http");
    try {
      const writer = await openWriter(serverUrl);
      const away = await Promise.all(Array.from({ length: readers }, () => openReader(serverUrl, folder)));
      const ids: string[] = [];
      for (let count = 0; count < groups; count++) {
        const { id } = await writer.startConversation({ to: away.map(({ username }) => username), name: `Group ${String(count)}` });
        ids.push(id);
      }
      await settled(writer);
      await leaveOnceIn(away, groups);
      await Promise.all(
        ids.map((id) =>
          write(
            writer,
            id,
            Array.from({ length: perGroup }, () => someText()),
          ),
        ),
      );
      await writer.close();
      const found: CaughtUp[] = [];
      for (const { home } of away) found.push(await catchUp({ home, serverUrl }));
      for (const { messages } of found) {
        if (messages !== groups * perGroup) throw new Error(`${String(messages)} messages came of ${String(groups * perGroup)}`);
      }
      if (!isQuick && found.some(({ progress }) => progress.length === 0)) throw new Error("nothing was told of it");
      return {
        parameters: { groups, messagesInEach: perGroup, members: readers + 1 },
        figures: [
          { name: "client CPU", unit: "CPU s", target: 8, ...summarize(found.map(({ cpuSeconds }) => cpuSeconds)) },
          { name: "until everything was read", unit: "s", ...summarize(found.map(({ seconds }) => seconds)) },
          { name: "progress told", unit: "times", ...summarize(found.map(({ progress }) => progress.length)) },
          { name: "most memory of the process", unit: "MiB", ...summarize(found.map(({ peakBytes }) => peakBytes / 2 ** 20)) },
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
