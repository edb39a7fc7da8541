import { toHex, utf8Bytes } from "@latchkey/codec";
import { entryHead, joinEntry } from "@latchkey/protocol";
import type { NamedBlob } from "@latchkey/protocol";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import type { ServerOptions } from "../config.ts";
import { sha256 } from "../hash.ts";
import { startServerWith } from "../server.ts";
import type { RunningServer } from "../server.ts";
import type { ServerParts } from "../start/parts.ts";
import { none, random } from "./accounts.ts";
import type { TestClient } from "./test-client.ts";

export {
  connectDevice,
  createAccount,
  createDevice,
  deviceEntry,
  nextState,
  none,
  random,
  register,
  signBinding,
  signCard,
  signPop,
  signState,
  zeros,
} from "./accounts.ts";
export type { TestAccount, TestDevice } from "./accounts.ts";

/** Bytes of an entry that names these blobs, and has so many in all. */
export function entryBytes(size: number, blobs: readonly NamedBlob[] = []): Uint8Array {
  const head = entryHead(blobs);
  return joinEntry(head, random(size - head.length));
}

/** A directory that is removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Whether this is a run of tests on PostgreSQL: what looks into the databases of a data folder, or puts some there, is skipped. */
export const isOnPostgres: boolean = postgresOfRun() !== undefined;

function postgresOfRun(): string | undefined {
  try {
    return inject("postgres");
  } catch {
    // No test: what measures uses some of this too.
    return undefined;
  }
}

/** The database of a run of tests on PostgreSQL: what belongs to a folder lies in schemas of their own. */
export function databaseOf(directory: string): Pick<ServerOptions, "database"> {
  if (!isOnPostgres) return {};
  return { database: { at: inject("postgres"), acceptLoss: true, schema: `t${toHex(sha256(utf8Bytes(directory)).subarray(0, 8))}` } };
}

/** A server of the test's own on a free port, stopped after it. */
export async function runServer(options: Partial<ServerOptions> = {}, parts: ServerParts = {}): Promise<RunningServer> {
  const dataDirectory = options.dataDirectory ?? temporaryDirectory();
  // Publications as they come: the second between two of them is what the publisher's own tests are about.
  // What costs tokens is what their own tests are about, too.
  const limits = { publicationIntervalMs: 0, tokensPerDay: 0, ...options.limits };
  const database = parts.openStore === undefined ? databaseOf(dataDirectory) : {};
  const server = await startServerWith(
    { port: 0, metricsPort: 0, logLevel: "silent", ...database, ...options, limits, dataDirectory },
    parts,
  );
  onTestFinished(() => server.close());
  return server;
}

/** The figures of a server of `runServer`, as Prometheus text. */
export async function readMetrics({ metricsUrl }: RunningServer): Promise<string> {
  return (await fetch(metricsUrl ?? "")).text();
}

/** A log with its keys: what a group's members share. */
export interface TestLog {
  readonly logId: Uint8Array;
  readonly access: Uint8Array;
}

export function createTestLog(): TestLog {
  return { logId: random(32), access: random(32) };
}

export async function createLog(client: TestClient<"log">, log: TestLog): Promise<void> {
  const reply = await client.ask({ kind: "create", logId: log.logId, accessHash: sha256(log.access), token: none });
  if (reply.kind !== "opened") throw new Error(`not created: ${JSON.stringify(reply)}`);
}

export async function openLog(client: TestClient<"log">, log: TestLog, epochId: number = 0, afterSeq: number = 0): Promise<string> {
  return client.outcome({ kind: "open", logId: log.logId, epochId, access: log.access, afterSeq, closed: [] });
}
