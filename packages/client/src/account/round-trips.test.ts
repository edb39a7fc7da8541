import { expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { createConnections } from "../transport/connection-manager.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import { createDirectory } from "./directory.ts";
import { createFakeDirectory } from "./fake-directory.testing.ts";
import { registerAccount } from "./registration.ts";

test("[A-6] an account is made in six round trips: what does not hang on an answer does not wait for it", async () => {
  const server = createFakeServer("round trips");
  createFakeDirectory(server);
  let rounds = 0;
  let inFlight = 0;
  const round = async <T>(work: Promise<T>): Promise<T> => {
    if (inFlight++ === 0) rounds++;
    try {
      return await work;
    } finally {
      // Whatever follows an answer at once goes with the next round.
      setImmediate(() => inFlight--);
    }
  };
  const { respond } = server;
  server.respond = (connection, body) => round(Promise.resolve(respond(connection, body)));
  const fetching: typeof fetch = (input, init) => round(server.platform.fetch(input, init));
  const platform = { ...server.platform, fetch: fetching };
  const store = createMemoryStore();
  const connections = createConnections({ platform, serverUrl: "https://chat.example" });
  await connections.ownHost();
  rounds = 0;
  await registerAccount({ store, platform, connections, directory: createDirectory({ store, platform, connections }), username: "ada" });
  // Further to that of the connection itself.
  expect(rounds).toBeLessThanOrEqual(5);
  await connections.close();
});
