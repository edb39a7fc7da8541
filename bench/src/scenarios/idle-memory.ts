import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { connectPeer, createLog, openLog } from "../wire.ts";
import type { Peer } from "../wire.ts";

/** Memory of the server for each connection on which nothing happens. */
export const idleMemory: Scenario = {
  name: "server-idle-memory",
  summary: "5,000 idle connections: resident memory of the server for each, after a garbage collection",
  async run({ isQuick }) {
    const connections = isQuick ? 500 : 5000;
    const flags = ["--max-semi-space-size=1"];
    await using server = await startServerProcess({ flags });
    // What the first connections load and allocate once is not theirs.
    const first = await connectMany(server.url, 100);
    const log = await createLog(first[0] ?? (await connectPeer(server.url, "log")));
    const before = await server.residentBytes();
    const peers = await connectMany(server.url, connections);
    const connected = await server.residentBytes();
    for (const peer of peers) await openLog(peer, log);
    const opened = await server.residentBytes();
    await Promise.all([...first, ...peers].map((peer) => peer.close()));
    return {
      parameters: { connections, flags },
      figures: [
        { name: "idle connection", unit: "bytes", target: 8192, ...summarize([(connected - before) / connections]) },
        { name: "idle connection following a log", unit: "bytes", ...summarize([(opened - before) / connections]) },
      ],
    };
  },
};

async function connectMany(url: string, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  while (peers.length < count) {
    const batch = Math.min(100, count - peers.length);
    peers.push(...(await Promise.all(Array.from({ length: batch }, () => connectPeer(url, "log")))));
  }
  return peers;
}
