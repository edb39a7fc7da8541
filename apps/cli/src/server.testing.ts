import type { Client } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";
import { startServer } from "@latchkey/server";
import type { ServerOptions } from "@latchkey/server";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";

/** A server for all tests of a file. */
export interface ServerOfAllTests {
  /** Where they keep things. */
  readonly folder: string;
  /** Of the server, once the tests begin. */
  readonly url: string;
  /** The client of this person, who is registered the first time; it is closed with the test. */
  open(name: string): Promise<Client>;
}

/** Starts one before the tests of the file that calls this, with what `further` answers then; it is gone after them, and the folder with it. */
export function serverOfAllTests(further: () => Promise<Partial<ServerOptions>> = () => Promise.resolve({})): ServerOfAllTests {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-cli-"));
  let url = "";
  let stop = (): Promise<void> => Promise.resolve();

  beforeAll(async () => {
    const server = await startServer({ dataDirectory: join(folder, "data"), port: 0, logLevel: "error", ...(await further()) });
    url = server.url;
    stop = () => server.close();
  }, 60_000);
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    get url() {
      return url;
    },
    async open(name) {
      const client = await openNodeClient({ home: join(folder, name), serverUrl: url, requests: "accept" });
      if ((await client.account()) === undefined) await client.register({ username: name });
      onTestFinished(() => client.close());
      return client;
    },
  };
}
