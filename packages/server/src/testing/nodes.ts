import { cpSync } from "node:fs";
import { join } from "node:path";
import type { ServerOptions } from "../config.ts";
import type { RunningServer } from "../server.ts";
import type { ServerParts } from "../start/parts.ts";
import { runServer, temporaryDirectory } from "./fixtures.ts";
import type { TestPostgres } from "./postgres.ts";

/** A whole server that shares its database with others. */
export interface TestNode {
  readonly server: RunningServer;
  readonly dataDirectory: string;
}

/** Starts so many servers on one database of their own, each with a data folder of its own and the same keys; stopped after the test. */
export async function runNodes(
  postgres: TestPostgres,
  count: number,
  options: Partial<ServerOptions> = {},
  parts: ServerParts = {},
  /** Address of a NATS by which they hear each other; by the database where there is none. */
  nats?: string,
): Promise<TestNode[]> {
  const nodes: TestNode[] = [];
  const schema = postgres.schemasOf(temporaryDirectory()).logs.replace(/_logs$/, "");
  for (let at = 0; at < count; at++) {
    const dataDirectory = temporaryDirectory();
    const [first] = nodes;
    // The keys are made by the first.
    if (first !== undefined) cpSync(join(first.dataDirectory, "directory"), join(dataDirectory, "directory"), { recursive: true });
    const database = { at: postgres.url, acceptLoss: true, schema, ...(nats === undefined ? {} : { nats }) };
    nodes.push({ server: await runServer({ host: "nodes.example.org", database, dataDirectory, ...options }, parts), dataDirectory });
  }
  return nodes;
}
