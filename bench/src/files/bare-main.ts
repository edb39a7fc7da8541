// What any server has to do at least: takes the parts of a file by HTTP, writes them, and answers when they are on disk. Nothing is checked, hashed or remembered.
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";

const directory = process.argv[2];
if (directory === undefined || process.send === undefined) throw new Error("started by the benchmarks only");

async function take(request: IncomingMessage): Promise<void> {
  const file = await open(join(directory ?? "", request.url?.slice(1) ?? ""), "a");
  try {
    // The request's body is made of buffers.
    for await (const chunk of request as AsyncIterable<Uint8Array>) await file.write(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

const server = createServer((request, response) => {
  take(request).then(
    () => response.writeHead(204).end(),
    () => response.writeHead(500).end(),
  );
});
process.on("message", (message) => {
  if (message !== "memory") return;
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const status = readFileSync("/proc/self/status", "utf8");
  process.send?.({ residentBytes: Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]) * 1024 });
});
process.once("SIGTERM", () => process.exit(0));
process.once("disconnect", () => process.exit(1));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.send?.({ url: `http://127.0.0.1:${String(address.port)}` });
});
