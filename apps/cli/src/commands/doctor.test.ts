import { startServer } from "@latchkey/server";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "../run.testing.ts";
import type { Run } from "../run.testing.ts";

interface Place {
  readonly data: string;
  doctor(...args: string[]): Promise<Run>;
  start(): Promise<{ close(): Promise<void> }>;
}

function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-doctor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  const webRoot = join(folder, "web");
  mkdirSync(webRoot);
  writeFileSync(join(webRoot, "index.html"), "page");
  writeFileSync(join(folder, "latchkey.config.json"), JSON.stringify({ data, "web-root": webRoot }));
  return {
    data,
    doctor: (...args) => runWith(folder, ["doctor", ...args]),
    async start() {
      const server = await startServer({ port: 0, dataDirectory: data, logLevel: "silent", webRoot });
      onTestFinished(() => server.close());
      return server;
    },
  };
}

test("a server that runs is asked, reached by HTTP and WebSocket, and only its backup is missing", async () => {
  const { data, doctor, start } = place();
  await start();
  const { status, stdout, stderr } = await doctor();
  expect(stdout).toMatch(/^ {2}server +The server runs and is well\.$/m);
  expect(stdout).toMatch(/^ {2}reachability +http:\/\/localhost:\d+ is reached from here, by HTTP and by WebSocket\.$/m);
  expect(stdout).toMatch(/^- witnesses +No witnesses watch/m);
  expect(stdout).toMatch(/^! backup +There is no backup: /m);
  expect([status, stderr]).toEqual([1, "latchkey: needs_attention: one thing needs doing: see above\n"]);
  writeFileSync(join(data, "last-backup.json"), JSON.stringify({ timeMs: Date.now(), path: "/backup" }));
  const again = await doctor("--json");
  expect([again.status, again.stderr]).toEqual([0, ""]);
  expect(JSON.parse(again.stdout)).toMatchObject({
    findings: expect.arrayContaining([{ topic: "keys", state: "ok", message: expect.any(String) }]),
  });
});

test("of one that is down it looks at what lies there, with the server's own settings, and changes nothing", async () => {
  const { data, doctor, start } = place();
  expect((await doctor()).stdout).toMatch(/^! server +There is no data folder/m);
  await (await start()).close();
  const before = readdirSync(data);
  const first = await doctor();
  expect(readdirSync(data)).toEqual(before);
  expect(first.status).toBe(1);
  expect(first.stdout).toMatch(/^! server +No server runs on this data folder/m);
  expect(first.stdout).toMatch(/^ {2}database +accounts\.sqlite opens\.$/m);
  expect(first.stdout).toMatch(/^ {2}web app +The web app is there\.$/m);
  chmodSync(join(data, "directory", "log.key"), 0o644);
  rmSync(join(data, "directory", "vrf.key"));
  writeFileSync(join(data, "accounts.sqlite"), "x".repeat(8192));
  const broken = (await doctor()).stdout;
  expect(broken).toMatch(/^! keys +The key directory\/log\.key can be read by others/m);
  expect(broken).toMatch(/^! keys +The key directory\/vrf\.key is missing/m);
  expect(broken).toMatch(/^! database +accounts\.sqlite cannot be opened/m);
});

test("options that cannot be are named", async () => {
  const { doctor } = place();
  const { status, stderr } = await doctor("--config", "nowhere.json");
  expect([status, stderr]).toEqual([2, expect.stringContaining("nowhere.json")]);
});
