import { openNodeClient } from "@latchkey/client/node";
import type { Client, ClientOptions } from "@latchkey/client";
import { afterEach, beforeEach } from "vitest";
import { createFolder, freePort, startServerProcess } from "./processes.ts";
import type { ServerProcess, TemporaryFolder } from "./processes.ts";

/** A server for the test that runs, and clients of it in this process. */
export interface ClientsOfEachTest {
  readonly folder: TemporaryFolder;
  readonly server: ServerProcess;
  /** Starts the server again that was stopped, where it was. */
  restart(): Promise<void>;
  /** The client with this profile, new or of before. Most people here accept whoever writes to them. */
  open(name: string, options?: Pick<ClientOptions, "transcribe">): Promise<Client>;
  /** A new account of that username. */
  register(name: string): Promise<Client>;
  /** Closes a client, and opens its profile again. */
  reopen(client: Client, name: string): Promise<Client>;
  /** Everybody has sent and read everything. */
  settleAll(): Promise<void>;
}

/** A server of its own for each test of the file that calls this, with a folder; all of it is gone after the test. */
export function clientsOfEachTest(): ClientsOfEachTest {
  let folder: TemporaryFolder;
  let server: ServerProcess;
  let opened: readonly Client[] = [];

  beforeEach(async () => {
    folder = createFolder();
    opened = [];
    server = await startServerProcess({ data: folder.at("data"), port: await freePort() });
  });
  afterEach(async () => {
    for (const client of opened) await client.close();
    await server[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const open: ClientsOfEachTest["open"] = async (name, { transcribe } = {}) => {
    const client = await openNodeClient({
      home: folder.at(name),
      serverUrl: server.url,
      requests: "accept",
      ...(transcribe === undefined ? {} : { transcribe }),
    });
    opened = [...opened, client];
    return client;
  };
  return {
    get folder() {
      return folder;
    },
    get server() {
      return server;
    },
    async restart() {
      server = await startServerProcess({ data: folder.at("data"), port: Number(new URL(server.url).port) });
    },
    open,
    async register(name) {
      const client = await open(name);
      await client.register({ username: name });
      return client;
    },
    async reopen(client, name) {
      await client.close();
      opened = opened.filter((one) => one !== client);
      return await open(name);
    },
    async settleAll() {
      // Twice: what one sends while it settles is read by the others.
      for (const client of [...opened, ...opened]) await client.settle({ timeoutMs: 60_000 });
    },
  };
}
