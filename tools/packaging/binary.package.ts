import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { productVersion } from "../version.js";
import { exchange, freePort, runToEnd, startPackaged } from "./packaged.testing.js";

const program = inject("program");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-packaged-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An environment without the project's Node.js and packages: nothing outside the file is needed. */
const bare = { PATH: "/usr/bin:/bin", HOME: "/nonexistent" };

test("one file without anything beside it serves the app, and two people write to each other with it", async () => {
  expect(runToEnd(program, ["--version"], { env: bare, cwd: "/" }).stdout).toBe(`latchkey ${productVersion()}\n`);
  const port = await freePort();
  const args = ["serve", "--port", String(port), "--data", join(folder, "data")];
  const server = await startPackaged(program, args, { env: bare, cwd: "/" });
  const url = `http://localhost:${port}`;
  expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ status: "ok", version: productVersion() });
  expect(runToEnd(program, ["healthcheck", "--port", String(port)], { env: bare })).toMatchObject({ status: 0, stdout: "healthy\n" });

  const page = await (await fetch(`${url}/settings`)).text();
  const [, script] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? [];
  expect(script).toBeDefined();
  const asset = await fetch(`${url}${script}`, { headers: { "accept-encoding": "br" } });
  expect(asset.status).toBe(200);
  // Compressed in the file already: no start does it again.
  expect(asset.headers.get("content-encoding")).toBe("br");
  expect((await asset.text()).length).toBeGreaterThan(10_000);

  expect(exchange({ program, url, folder, text: "from one file" })).toContain("from one file");
  // Every thread of the server is built in: the store's and the VRF's worked already, and this is the backup's.
  expect(runToEnd(program, ["backup", join(folder, "backups"), "--data", join(folder, "data"), "--no-keys"], { env: bare })).toMatchObject({
    status: 0,
  });
  expect(await server.stop()).toBe(0);
  expect(readFileSync(join(folder, "data", "directory", "log.key")).length).toBeGreaterThan(0);
});

test("a wrong option and a data folder that cannot be made are told in one line, as from the sources", () => {
  expect(runToEnd(program, ["serve", "--port", "x"], { env: bare })).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^latchkey: invalid_option: [^\n]+\n$/),
  });
  expect(runToEnd(program, ["serve", "--data", join(program, "data"), "--port", "0"], { env: bare })).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^latchkey: [a-z_]+: [^\n]+\n$/),
  });
});

test("it is executable by all and changed by its owner alone", () => {
  expect(statSync(program).mode & 0o777).toBe(0o755);
});
