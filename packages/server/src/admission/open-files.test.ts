import { connect } from "node:net";
import type { Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../config.ts";
import { crashing, startProcess } from "../testing/crashing-process.ts";
import { openRaw } from "../testing/hostile-sockets.ts";
import { TestClient } from "../testing/test-client.ts";
import { createLog, createTestLog, entryBytes, temporaryDirectory } from "../testing/fixtures.ts";
import { openFilesAllowed, withinOpenFiles } from "./open-files.ts";

test("no more connections are taken than the system has files for, two files beside each that is no WebSocket", () => {
  expect(withinOpenFiles(defaultLimits, { allowed: 262_144, reserved: 256 })).toBe(defaultLimits);
  expect(withinOpenFiles(defaultLimits, { allowed: Infinity, reserved: 0 })).toBe(defaultLimits);
  for (const allowed of [224, 400, 1024, 4096, 65_536, 100_000]) {
    const { maxConnections, maxHttpSockets, maxConnectionsPerAddress, ...others } = withinOpenFiles(defaultLimits, {
      allowed,
      reserved: 0,
    });
    expect(maxConnections + 3 * maxHttpSockets).toBeLessThanOrEqual(allowed - 160);
    expect(maxConnections + 3 * maxHttpSockets).toBeGreaterThan(allowed - 160 - 4);
    expect(maxHttpSockets).toBeGreaterThanOrEqual(10);
    expect(maxConnectionsPerAddress).toBeLessThanOrEqual(Math.ceil(maxConnections / 4));
    expect({ ...defaultLimits, ...others }).toEqual(defaultLimits);
  }
  const few = { ...defaultLimits, maxConnections: 10, maxHttpSockets: 10 };
  expect(withinOpenFiles(few, { allowed: 224, reserved: 0 })).toBe(few);
  expect(() => withinOpenFiles(defaultLimits, { allowed: 400, reserved: 256 })).toThrow(/400 files open, and 480 are the least/);
  expect(openFilesAllowed()).toBeGreaterThan(64);
});

test.skipIf(process.platform === "win32")(
  "a server that may have few files open says so at its start, and goes on serving while strangers hold all that they get",
  async () => {
    const command = ["sh", "-c", 'ulimit -n 260; exec "$@"', "sh", ...crashing];
    const server = await startProcess(temporaryDirectory(), command, { LATCHKEY_TEST_LIMITS: '{"minFreeBytes":1}' }, "warn");
    const port = Number(new URL(server.url).port);
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);

    // 16 other connections and 52 WebSockets, a quarter of these by one address.
    const held: Socket[] = [];
    onTestFinished(() => held.forEach((socket) => void socket.destroy()));
    const refused: string[] = [];
    for (let network = 2; network < 7; network++) {
      for (let count = 0; count < 15; count++) {
        await openRaw(port, "lookup", `127.0.0.${network}`).then(
          ({ socket }) => held.push(socket),
          (error: Error) => refused.push(error.message),
        );
      }
    }
    expect(held).toHaveLength(51);
    expect(new Set(refused)).toEqual(new Set(["HTTP/1.1 429 Too Many Requests", "HTTP/1.1 503 Service Unavailable"]));
    for (let count = 0; count < 100; count++) {
      const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.1.${1 + (count % 30)}` });
      socket.on("error", () => undefined);
      held.push(socket);
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    }

    const append = { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(900) } as const;
    expect(await client.outcome(append)).toBe("accepted");
    const url = `${server.url}${blobPath(toBase64Url(randomBytes(32)))}`;
    const content = randomBytes(100_000);
    expect((await fetch(url, { method: "PUT", body: content })).status).toBe(201);
    expect(content.equals(Buffer.from(await (await fetch(url)).arrayBuffer()))).toBe(true);
    expect(await (await fetch(`${server.url}/healthz`)).json()).toMatchObject({ status: "ok" });
    server.kill();
    const { code, log: written } = await server.ended;
    expect(code).toBe(0);
    expect(written.trim().split("\n")).toEqual([expect.stringMatching(/260 files open: at most 52 WebSockets and 16 other connections/)]);
  },
);
