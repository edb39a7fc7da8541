import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMemoryDirectory } from "@latchkey/transparency/testing";
import type { MemoryDirectory } from "@latchkey/transparency/testing";
import { auditDirectory, httpLogSource } from "@latchkey/witness";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";

const prefix = "/v1/directory/";

/** `latchkey directory audit`, over HTTP from a log in memory: the figure holds reading, hashing of tiles and every check. */
export const audit: Scenario = {
  name: "directory-audit",
  summary: "A whole log replayed from its beginning over HTTP, with all tiles compared",
  async run({ isQuick }) {
    const rounds = isQuick ? 1 : 7;
    // A busy server publishes once a second what came in it, an idle one each change by itself.
    const shapes = isQuick
      ? [
          { name: "100 changes an entry", entries: 20, changes: 100, target: 5000 },
          { name: "1 change an entry", entries: 300, changes: 1 },
        ]
      : [
          { name: "100 changes an entry", entries: 400, changes: 100, target: 5000 },
          { name: "1 change an entry", entries: 10_000, changes: 1 },
        ];
    const figures: Figure[] = [];
    const parameters: Record<string, number> = {};
    for (const { name, entries, changes, target } of shapes) {
      const directory = await createMemoryDirectory({ witnesses: 3, threshold: 2 });
      for (let entry = 0; entry < entries; entry++) await directory.publishFiller(changes);
      await using served = await serve(directory);
      const rates: number[] = [];
      let bytes = 0;
      for (let round = 0; round <= rounds; round++) {
        const report = await auditDirectory({ source: httpLogSource({ serverUrl: served.url, timeoutMs: 10_000 }) });
        if (report.fault !== undefined || report.changes !== entries * changes)
          throw new Error(`the audit of a good log failed: ${report.fault?.message ?? "counts"}`);
        bytes = report.bytes;
        // The first round warms the compiler.
        if (round > 0) rates.push(report.changes / (report.elapsedMs / 1000));
      }
      figures.push({
        name: `audit, ${name}`,
        unit: "changes / s",
        isFloor: true,
        ...(target === undefined ? {} : { target }),
        ...summarize(rates),
      });
      figures.push({ name: `read, ${name}`, unit: "bytes / change", ...summarize([bytes / (entries * changes)]) });
      parameters[`changes, ${name}`] = entries * changes;
    }
    return { parameters: { ...parameters, rounds }, figures };
  },
};

/** The directory's files over HTTP. */
async function serve(directory: MemoryDirectory): Promise<AsyncDisposable & { readonly url: string }> {
  const find = async (path: string): Promise<Uint8Array | undefined> => {
    if (path === "config") return directory.config;
    if (path === "checkpoint") return (await directory.head()).checkpoint;
    if (path.startsWith("transition/")) return directory.transitions()[Number(path.slice("transition/".length))];
    return await directory.fetchTile(path);
  };
  const server = createServer((request, response) => {
    find((request.url ?? "").slice(prefix.length)).then(
      (body) => response.writeHead(body === undefined ? 404 : 200).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is always AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
