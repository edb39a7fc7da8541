// A server in a process of its own, for tests of what it takes: `node bounded-server.ts DIRECTORY LIMITS`, LIMITS as JSON. Tells its
// address, and how much memory it has when it is asked.
import { defaultLimits } from "../config.ts";
import type { ServerLimits } from "../config.ts";
import { startServer } from "../server.ts";

const [, , dataDirectory = "", text = "{}"] = process.argv;
// Written by the test that started this process.
const limits = JSON.parse(text) as Partial<ServerLimits>;
const rates = { ...defaultLimits.rates, ...limits.rates };
const server = await startServer({ port: 0, dataDirectory, logLevel: "error", limits: { ...limits, rates } });
let peakBytes = 0;
const watch = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 20);
watch.unref();
process.on("message", () => process.send?.({ peakBytes: Math.max(peakBytes, process.memoryUsage.rss()) }));
process.on("disconnect", () => process.exit(1));
process.on("SIGTERM", () => void server.close().then(() => process.exit(0)));
process.send?.({ url: server.url, port: server.port });
