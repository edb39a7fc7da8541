// A server in a process of its own, for tests that kill it: `node crashing-server.ts DIRECTORY HOST [LEVEL]`, with further limits as JSON in TEST_LIMITS, a bucket of
// blobs in TEST_BLOBS, and the place of a database as JSON in TEST_DATABASE.
import { startServerWith } from "../server.ts";
import type { DatabasePlace, LogLevel, ServerLimits } from "../config.ts";

const [, , dataDirectory = "", host = "", logLevel = "silent"] = process.argv;
const limits = { publicationIntervalMs: 0, ...(JSON.parse(process.env["TEST_LIMITS"] ?? "{}") as Partial<ServerLimits>) };
const at = process.env["TEST_BLOBS"];
const blobs = at === undefined ? {} : { blobs: { at, environment: process.env } };
const place = process.env["TEST_DATABASE"];
const database = place === undefined ? {} : { database: JSON.parse(place) as DatabasePlace };
const server = await startServerWith(
  { port: 0, dataDirectory, host, logLevel: logLevel as LogLevel, limits, ...blobs, ...database },
  { bucketPatience: { aloneMs: 0 } },
);
process.stdout.write(`${server.port}\n`);
process.on("SIGTERM", () => void server.close());
void server.failed.then(() => {
  process.exitCode = 1;
});
