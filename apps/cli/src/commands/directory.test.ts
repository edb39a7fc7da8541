import { startServer } from "@latchkey/server";
import type { RunningServer } from "@latchkey/server";
import { startWitness } from "@latchkey/witness";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../run.ts";
import { describeEvent } from "./witness.ts";

let folder: string;
let server: RunningServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-directory-"));
  // Keys of tokens would be published a moment later.
  server = await startServer({ port: 0, dataDirectory: join(folder, "data"), logLevel: "silent", limits: { tokensPerDay: 0 } });
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  const stream = (name: "stdout" | "stderr"): { write(text: string): unknown } => ({ write: (text) => (written[name] += text) });
  const status = await runCli(args, {
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    variables: { LATCHKEY_SERVER: server.url },
    homeDirectory: folder,
    workingDirectory: folder,
    readStdin: async () => "",
    readLine: async () => "",
    readSecret: async () => "",
    openClient: async () => {
      throw new Error("no account is needed");
    },
    stopRequested: async () => "SIGTERM" as const,
    isTyped: true,
    onReloadRequested: () => undefined,
  });
  return { status, ...written };
}

test("directory audit replays the record of a server, for people and for programs", async () => {
  const shown = await run("directory", "audit");
  expect([shown.status, shown.stderr]).toEqual([0, ""]);
  expect(shown.stdout).toContain(`Directory     ${server.host}/latchkey\n`);
  expect(shown.stdout).toContain("Witnesses     none\n");
  expect(shown.stdout).toMatch(/All of it holds\.\n$/);
  const { stdout } = await run("directory", "audit", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ entries: 1, size: 1, changes: 0, tiles: 1, holds: true, fault: null });
});

test("directory audit ends with 1 where something does not hold, and says what", async () => {
  const { status, stdout, stderr } = await run("directory", "audit", "--json", "--config-hash", "00".repeat(32));
  expect([status, JSON.parse(stderr)]).toMatchObject([
    1,
    { error: { code: "audit_failed", message: expect.stringMatching(/^config: .+ \(D-2\)$/) } },
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ holds: false, fault: { where: "config", rule: "D-2" } });
  await server.close();
  expect(await run("directory", "audit")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^latchkey: unreachable: http:[^\n]+\n$/),
  });
});

test("directory show proves that nobody has a name", async () => {
  const { status, stdout } = await run("directory", "show", "nobody", "--json");
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { kind: "absent", isReleased: false, username: "nobody", head: { size: 1 } }]);
  expect((await run("directory", "show", "nobody")).stdout).toMatch(/^Nobody has this name, and nobody had\nRecord {5}entry [01] /);
});

test("directory and witness say how they are used", async () => {
  for (const args of [
    ["directory"],
    ["directory", "show"],
    ["directory", "elsewhere"],
    ["directory", "audit", "more"],
    ["directory", "audit", "--config-hash", "x"],
    ["witness"],
  ]) {
    expect(await run(...args)).toMatchObject({ status: 2, stdout: "", stderr: expect.stringMatching(/^latchkey: usage: [^\n]+\n$/) });
  }
  expect(await run("witness", "--key", "key")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^latchkey: invalid_options: [^\n]*--name/),
  });
});

test("witness prints what serve --witness takes, and keeps its key for itself", async () => {
  const { status, stdout, stderr } = await run("witness", "--key", "keys/witness", "--name", "w.example", "--listen", "127.0.0.1:0");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+ w\.example\+[0-9a-f]{8}\+\S+ w\.example\/latchkey-map\+[0-9a-f]{8}\+\S+\n$/);
  const { stdout: again } = await run("witness", "--key", "keys/witness", "--listen", "127.0.0.1:0", "--json");
  expect(JSON.parse(again)).toMatchObject({ kind: "running", name: "w.example", origin: `${server.host}/latchkey` });
  expect(stdout).toContain(String(JSON.parse(again).logKey));
  await using witness = await startWitness({ serverUrl: server.url, keyPath: join(folder, "keys/witness"), listen: "127.0.0.1:0" });
  expect(stdout).toContain(witness.mapKey);
});

test("each event of a witness has one line", () => {
  const lines = [
    describeEvent({ kind: "waiting", code: "unreachable", message: "m" }),
    describeEvent({ kind: "behind", code: "unreachable", message: "m" }),
    describeEvent({ kind: "fault", rule: "D-3", message: "m" }),
    describeEvent({ kind: "refused", status: 422 }),
    describeEvent({ kind: "bug", name: "TypeError" }),
  ];
  expect(new Set(lines).size).toBe(5);
  for (const line of lines) expect(line).not.toContain("\n");
});
