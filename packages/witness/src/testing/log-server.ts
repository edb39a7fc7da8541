import { parseTilePath } from "@latchkey/transparency";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A log over HTTP, as a server shows it: a memory directory, which may be replaced by another one while it runs. */
export interface LogServer extends AsyncDisposable {
  readonly url: string;
  /** What is served from now on. */
  directory: MemoryDirectory;
  /** Answers wait this long. */
  delayMs: number;
  /** Answers wait for this first. */
  until: Promise<void> | undefined;
  /** Paths below `/v1/directory/` that are answered with other bytes, or with 404. */
  readonly replaced: Map<string, Uint8Array | undefined>;
  /** Paths asked for so far. */
  readonly asked: string[];
}

/** Starts one. */
export async function startLogServer(directory: MemoryDirectory): Promise<LogServer> {
  const served: Pick<LogServer, "directory" | "delayMs" | "until"> = { directory, delayMs: 0, until: undefined };
  const replaced = new Map<string, Uint8Array | undefined>();
  const asked: string[] = [];
  const find = async (path: string): Promise<Uint8Array | undefined> => {
    if (replaced.has(path)) return replaced.get(path);
    if (path === "config") return served.directory.config;
    if (path === "checkpoint") return (await served.directory.head()).checkpoint;
    const transition = /^transition\/([0-9]+)$/.exec(path);
    if (transition !== null) return served.directory.transitions()[Number(transition[1])];
    // No config has taken effect but the first.
    if (path.startsWith("config-change/")) return undefined;
    parseTilePath(path);
    return await served.directory.fetchTile(path);
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace("/v1/directory/", "");
    asked.push(path);
    const answering = Promise.all([served.until, delay(served.delayMs)]).then(() => find(path));
    answering.then(
      (body) => response.writeHead(body === undefined ? 404 : 200).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is always AddressInfo.
  const { port } = server.address() as AddressInfo;
  return Object.assign(served, {
    url: `http://127.0.0.1:${String(port)}`,
    replaced,
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}
