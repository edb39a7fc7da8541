// A server in a process of its own that ends as a power cut would at a commit of its store: `node dying-server.ts DIRECTORY JOURNAL HOST before|after NUMBER`.
import { startServerWith } from "../server.ts";
import { openStore } from "../store/sqlite/sqlite-store.ts";
import { inProcessChannel } from "./in-process-channel.ts";

const [, , dataDirectory = "", journal = "", host = "", at = "", number = "0"] = process.argv;
let left = Number(number);
const die = (): void => {
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
};
const faults = at === "before" ? { beforeCommit: die } : { afterCommit: die };
const server = await startServerWith(
  { port: 0, dataDirectory, journal, host, logLevel: "warn", limits: { publicationIntervalMs: 0, headsIntervalMs: 1 } },
  { openStore: (directory) => openStore(inProcessChannel({ directory }, faults)) },
);
process.stdout.write(`${server.port}\n`);
process.on("SIGTERM", () => void server.close());
