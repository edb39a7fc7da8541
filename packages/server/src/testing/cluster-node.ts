// A node in a process of its own, for tests that stop and kill it: `node cluster-node.ts NAME OPTIONS`, the options of the server as JSON.
import type { ServerOptions } from "../config.ts";
import { startServerWith } from "../server.ts";

const [, , name = "", options = "{}"] = process.argv;
// Whoever plays a witness wants to know which node asks.
const send = globalThis.fetch;
globalThis.fetch = (input, init = {}) => send(input, { ...init, headers: { "x-node": name } });

const server = await startServerWith(JSON.parse(options) as ServerOptions, {});
process.stdout.write(`${server.port}\n`);
process.on("SIGTERM", () => void server.close());
