// A server in a process of its own, for tests that kill it: `node crashing-server.ts DIRECTORY HOST`.
import { startServer } from "../server.ts";

const [, , dataDirectory = "", host = ""] = process.argv;
const server = await startServer({ port: 0, dataDirectory, host, logLevel: "silent", limits: { publicationIntervalMs: 0 } });
process.stdout.write(`${server.port}\n`);
process.on("SIGTERM", () => void server.close());
