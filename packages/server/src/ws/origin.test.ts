import { socketPath } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { runServer } from "../testing/fixtures.ts";
import { isOwnOrigin } from "./origin.ts";

test.each([
  [undefined, "chat.example", true],
  ["https://chat.example", "chat.example", true],
  ["https://chat.example", "chat.example:443", true],
  ["https://chat.example", "127.0.0.1:8080", true],
  ["https://chat.example", undefined, true],
  ["http://192.0.2.7:8080", "192.0.2.7:8080", true],
  ["http://[2001:db8::1]:8080", "[2001:db8::1]:8080", true],
  ["https://chat.example:8443", "chat.example", false],
  ["https://chat.example.evil.example", "chat.example", false],
  ["https://evil.example", "chat.example", false],
  ["https://evil.example", undefined, false],
  ["null", "chat.example", false],
  ["", "chat.example", false],
  ["file://", "chat.example", false],
  ["chrome-extension://chat.example", "chat.example", false],
  ["https://evil.example/@chat.example", "chat.example", false],
  ["https://a https://b", "chat.example", false],
])("a page of %s that asks %s: %s", (origin, asked, isOwn) => {
  expect(
    isOwnOrigin({ ...(origin === undefined ? {} : { origin }), ...(asked === undefined ? {} : { host: asked }) }, "chat.example"),
  ).toBe(isOwn);
});

describe("upgrades", () => {
  /** 101, or the status that refuses it. */
  async function upgrade(url: string, origin?: string): Promise<number | undefined> {
    const socket = new WebSocket(
      `${url.replace("http", "ws")}${socketPath("lookup")}`,
      ["latchkey.1"],
      origin === undefined ? {} : { origin },
    );
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (request, response) => {
      request.destroy();
      resolve(response.statusCode);
    });
    socket.on("error", reject);
    try {
      return await promise;
    } finally {
      socket.on("error", () => undefined);
      socket.terminate();
    }
  }

  test("another site's page gets no WebSocket; the server's own page and command lines do", async () => {
    const server = await runServer({ host: "chat.example" });
    expect(await upgrade(server.url)).toBe(101);
    expect(await upgrade(server.url, server.url)).toBe(101);
    expect(await upgrade(server.url, "https://chat.example")).toBe(101);
    expect(await upgrade(server.url, "https://evil.example")).toBe(403);
    expect(await upgrade(server.url, "null")).toBe(403);
  });
});
