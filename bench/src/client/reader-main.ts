// A device that comes back: opens its profile, reads everything, and tells what that took.
import type { ClientEvent } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import type { CaughtUp } from "./reader-process.ts";

const [argument] = process.argv.slice(2);
if (argument === undefined || process.send === undefined) throw new Error("started by the benchmarks only");
// Written by reader-process.ts.
const { home, serverUrl, page } = JSON.parse(argument) as {
  home: string;
  serverUrl: string;
  page?: { conversationId: string; limit: number; times: number };
};

let messages = 0;
const progress: CaughtUp["progress"][number][] = [];
const startedMs = performance.now();
const before = process.cpuUsage();
const client = await openNodeClient({ home, serverUrl, requests: "accept", share: false });
client.subscribe((event: ClientEvent) => {
  if (event.kind === "message" && event.isNew) messages++;
  if (event.kind === "catch_up" && event.progress !== undefined) progress.push(event.progress);
});
await client.settle({ timeoutMs: 600_000 });
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - startedMs) / 1000;
const pageMs: number[] = [];
for (let count = 0; page !== undefined && count < page.times; count++) {
  const readMs = performance.now();
  const found = await client.messages(page.conversationId, { limit: page.limit });
  if (found.length !== page.limit) throw new Error("a page is full");
  pageMs.push(performance.now() - readMs);
}
const result: CaughtUp = {
  cpuSeconds: (user + system) / 1e6,
  seconds,
  messages,
  progress,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  pageMs,
};
await client.close();
process.send(result);
process.disconnect?.();
