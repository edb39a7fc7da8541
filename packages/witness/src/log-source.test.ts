import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { collectGarbage } from "@latchkey/testkit";
import { expect, onTestFinished, test } from "vitest";
import { httpLogSource } from "./log-source.ts";

async function startServer(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

test.each([
  ["answers nothing", () => undefined],
  ["begins and goes silent", (_, response) => response.writeHead(200).write("x")],
] satisfies [string, RequestListener][])(
  "a server that %s holds a witness up for no longer than its time, also in a process that collects its garbage meanwhile",
  async (_, answer) => {
    const source = httpLogSource({ serverUrl: await startServer(answer), timeoutMs: 400 });
    const timer = setInterval(collectGarbage, 20);
    onTestFinished(() => clearInterval(timer));
    await expect(source.config()).rejects.toMatchObject({ code: "unreachable" });
    // What follows another end, too: one of its own time, and one that comes first.
    await expect(source.tile({ level: 0, index: 0, width: 1 }, AbortSignal.timeout(60_000))).rejects.toMatchObject({ code: "unreachable" });
    const asked = new AbortController();
    setTimeout(() => asked.abort(), 50);
    const slow = httpLogSource({ serverUrl: await startServer(answer), timeoutMs: 60_000 });
    await expect(slow.checkpoint(asked.signal)).rejects.toMatchObject({ code: "unreachable" });
    await expect(slow.checkpoint(AbortSignal.timeout(200))).rejects.toMatchObject({ code: "unreachable" });
    await expect(slow.checkpoint(AbortSignal.abort())).rejects.toMatchObject({ code: "unreachable" });
  },
);
