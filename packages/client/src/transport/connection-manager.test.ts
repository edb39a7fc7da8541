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
