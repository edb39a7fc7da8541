// A device that sends a large file, or reads one: tells what that took and how its memory grew.
import { createHash } from "node:crypto";
import { openNodeClient } from "@latchkey/client/node";
import type { FileMoved, FileTask } from "./client-process.ts";

const [argument] = process.argv.slice(2);
if (argument === undefined || process.send === undefined) throw new Error("started by the benchmarks only");
// Written by client-process.ts.
const { home, serverUrl, conversationId, sendBytes } = JSON.parse(argument) as FileTask;
const partBytes = 1 << 20;

const client = await openNodeClient({ home, serverUrl, requests: "accept", share: false });
await client.settle({ timeoutMs: 600_000 });
// What opening took is not the file's.
globalThis.gc?.();
const restBytes = process.memoryUsage().rss;
let peakBytes = restBytes;
const watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), 20);
const startedMs = performance.now();
const before = process.cpuUsage();
const hash = createHash("sha256");
let stagedSeconds = 0;

async function* content(bytes: number): AsyncGenerator<Uint8Array> {
  const part = new Uint8Array(partBytes).map((_, at) => (at * 31) & 0xff);
  for (let at = 0; at < bytes; at += partBytes) {
    new DataView(part.buffer).setFloat64(0, at);
    hash.update(part);
    // Who takes it may keep it.
    yield part.slice();
  }
}

if (sendBytes === undefined) {
  const message = (await client.messages(conversationId, { limit: 10 })).findLast(({ files }) => files !== undefined);
  const [file] = message?.files ?? [];
  if (message === undefined || file === undefined) throw new Error("there is no file");
  for await (const part of client.readFile(conversationId, message.id, file.id)) hash.update(part);
} else {
  const file = { name: "large.bin", mediaType: "application/octet-stream", sizeBytes: sendBytes, content: content(sendBytes) };
  await client.send(conversationId, "a large file", { files: [file] });
  stagedSeconds = (performance.now() - startedMs) / 1000;
  await client.settle({ timeoutMs: 600_000 });
}
const { user, system } = process.cpuUsage(before);
clearInterval(watch);
const result: FileMoved = {
  cpuSeconds: (user + system) / 1e6,
  seconds: (performance.now() - startedMs) / 1000,
  stagedSeconds,
  grownBytes: peakBytes - restBytes,
  digest: hash.digest("hex"),
};
await client.close();
process.send(result);
process.disconnect?.();
