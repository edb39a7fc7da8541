// The measured server: an ordinary one with the limits of a single peer lifted, since here one address plays thousands of people.
import { readFileSync } from "node:fs";
import { defaultLimits, startServer } from "@latchkey/server";
import type { BenchServerOptions } from "./server-process.ts";

const directory = process.argv[2];
if (directory === undefined || process.send === undefined) throw new Error("started by the benchmarks only");

// Written by the process that started this one.
const { limits, hasLimits, ...options } = JSON.parse(process.argv[3] ?? "{}") as BenchServerOptions;
const unlimited = { burst: 1e9, perSecond: 1e9 };
const lifted = {
  // Strangers and thousands of logs are played by peers without an account.
  tokensPerDay: 0,
  maxConnectionsPerAddress: 1e9,
  maxRequestsPerSecond: 1e9,
  appendRate: unlimited,
  connectionBytes: unlimited,
  openRate: unlimited,
  targets: {
    ...defaultLimits.targets,
    append: unlimited,
    appendInAll: unlimited,
    strangerPost: unlimited,
    strangerPostInAll: unlimited,
    takeKeyPackage: unlimited,
    takeKeyPackageInAll: unlimited,
  },
  rates: {
    ...defaultLimits.rates,
    createLog: unlimited,
    withoutToken: unlimited,
    register: unlimited,
    lookup: unlimited,
    openLog: unlimited,
    headProof: unlimited,
    storeBytes: unlimited,
    putBlob: unlimited,
    patchUpload: unlimited,
    blobBytes: { burst: 1e15, perSecond: 1e15 },
  },
};
const server = await startServer({
  ...options,
  port: 0,
  dataDirectory: directory,
  logLevel: "error",
  limits: { ...(hasLimits === true ? {} : lifted), ...limits },
});

process.on("message", (message) => {
  if (message !== "memory") return;
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const status = readFileSync("/proc/self/status", "utf8");
  const kilobytes = Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]);
  process.send?.({ residentBytes: kilobytes * 1024 });
});
process.once("SIGTERM", () => {
  void server.close().then(() => process.exit(0));
});
process.once("disconnect", () => process.exit(1));
process.send({ url: server.url });
