import { expect, test } from "vitest";
import { createConnections } from "./connection-manager.ts";
import { createFakeServer, settle } from "./fake-server.testing.ts";

test("nobody is called offline while the server is heard on another connection", async () => {
  const server = createFakeServer("manager");
  const connections = createConnections({ platform: server.platform, serverUrl: "https://chat.example" });
  const session = { onOpen: () => undefined, onEvent: () => undefined, onClose: () => undefined };
  connections.keep("device", "chat.example", session);
  await settle();
  expect(connections.state()).toEqual({ kind: "online" });
  server.unreachable = true;
  connections.keep("log", "chat.example", session);
  await settle();
  expect(connections.state()).toEqual({ kind: "connecting" });
  for (const connection of server.connections) connection.end();
  await settle();
  expect(connections.state().kind).toBe("offline");
  await connections.close();
});

test("[O-5] an end waits for no server: what is for one use ends with it, also before its hello, and asks nobody why", async () => {
  const server = createFakeServer("ends");
  server.autoHello = false;
  const connections = createConnections({ platform: server.platform, serverUrl: "https://chat.example", ownHost: "chat.example" });
  const uses = [1, 2].map(() => connections.once("lookup", "chat.example", async (open) => await open.request({ kind: "ping" })));
  const ends = Promise.allSettled(uses);
  await settle();
  server.last().hello();
  await settle();
  await connections.close();
  expect(await ends).toMatchObject([{ reason: { code: "closed" } }, { reason: { code: "offline" } }]);
  expect([server.connections.map(({ closedByClient }) => closedByClient), server.fetched]).toEqual([[1000, 1000], []]);
});
