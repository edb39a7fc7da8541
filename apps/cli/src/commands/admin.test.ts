import { startServer } from "@latchkey/server";
import type { ServerOptions } from "@latchkey/server";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "../run.testing.ts";
import type { Run } from "../run.testing.ts";
import { exportText, writeExport } from "./admin-export.ts";
import type { CommandContext } from "./command.ts";
import { serverOptions } from "./serve.ts";

/** A server of the test's own, and `latchkey admin` beside it. */
async function running(options: Partial<ServerOptions> = {}): Promise<{ admin: (...args: string[]) => Promise<Run>; data: string }> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, "data");
  const server = await startServer({ port: 0, dataDirectory: data, logLevel: "silent", host: "chat.example", ...options });
  onTestFinished(() => server.close());
  return { data, admin: (...args) => runWith(folder, ["admin", ...args, "--data", data]) };
}

test("status and accounts, for people and as JSON", async () => {
  const { admin } = await running();
  const { status, stdout } = await admin("status");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^host +chat\.example \(https:\/\/chat\.example\)$/m);
  expect(stdout).toMatch(/^public log +1 entry, no witnesses, last 2/m);
  expect(stdout).toMatch(/^health +ok$/m);
  expect(JSON.parse((await admin("status", "--json")).stdout)).toMatchObject({ host: "chat.example", accounts: 0 });
  expect((await admin("accounts")).stdout).toBe("0 accounts\n");
  expect(JSON.parse((await admin("accounts", "--json")).stdout)).toEqual({ count: 0, accounts: [], hasMore: false });
});

test("an invitation is made with its link and a QR code, listed without its code, and revoked", async () => {
  const { admin } = await running({ registration: "invitation" });
  const { stdout } = await admin("invite", "create", "--uses", "3", "--days", "2");
  const [, code = ""] = /^https:\/\/chat\.example\/#invitation=([0-9a-z-]{23})$/m.exec(stdout) ?? [];
  expect(code).not.toBe("");
  expect(stdout).toContain("▀");
  expect(stdout).toMatch(/knows only its hash\.\n$/);
  expect(stdout).toMatch(new RegExp(`^code {2}${code}$`, "m"));
  const listed = (await admin("invite", "list")).stdout;
  expect(listed).toMatch(/^[0-9a-f]{10} {2}3 uses left, until \d{4}-\d\d-\d\d\n$/);
  expect(listed).not.toContain(code);
  const id = listed.slice(0, 10);
  expect(await admin("invite", "revoke", id)).toMatchObject({ status: 0, stdout: `revoked ${id}\n` });
  expect((await admin("invite", "list")).stdout).toBe("no invitations\n");
  expect(await admin("invite", "revoke", id)).toMatchObject({ status: 1, stderr: expect.stringMatching(/^latchkey: not_found: .*\n$/) });
});

test.each([
  ["open", /^None is needed: registration is open here\./m],
  ["closed", /^Nobody registers with it now: registration is closed here\./m],
] as const)("an invitation says what it is worth where registration is %s", async (registration, said) => {
  const { admin } = await running({ registration });
  expect((await admin("invite", "create")).stdout).toMatch(said);
  expect(JSON.parse((await admin("invite", "create", "--json")).stdout)).toMatchObject({ registration });
});

test("names are reserved and given free", async () => {
  const { admin } = await running();
  expect((await admin("reserve", "mayor")).stdout).toBe("mayor is reserved\n");
  expect((await admin("reserved")).stdout).toBe("mayor\n");
  expect((await admin("unreserve", "mayor")).stdout).toBe("mayor is free\n");
  expect((await admin("reserved")).stdout).toBe("no reserved names\n");
});

test("an account is suspended and resumed, with what that does and what it does not", async () => {
  const { admin } = await running();
  expect(await admin("suspend", "alice")).toMatchObject({ status: 1, stderr: expect.stringContaining("not_found: Nobody has this name") });
  expect(await admin("resume", "alice")).toMatchObject({ status: 1 });
});

test("bounds, an announcement and a new key are set and shown", async () => {
  const { admin } = await running();
  expect((await admin("quota")).stdout).toBe("max-accounts            no bound\nblob-megabytes-per-day  no bound\n");
  expect((await admin("quota", "set", "max-accounts", "50")).stdout).toBe("max-accounts            50\nblob-megabytes-per-day  no bound\n");
  expect((await admin("announce", "Down on Sunday")).stdout).toBe("announced: Down on Sunday\n");
  expect((await admin("announce", "")).stdout).toBe("nothing is announced\n");
  expect((await admin("rotate")).stdout).toMatch(/^A new key for the public log is made and announced/);
  expect((await admin("rotate")).stdout).toMatch(/^A new key was made before/);
});

test("the options in force are exported as a file takes them, without codes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const values = { port: "0", data: join(folder, "data"), registration: "invitation", "invitation-code": ["oak"], "rotate-log-key": "no" };
  const environment = { variables: { LATCHKEY_NAME: "Elm" }, workingDirectory: folder } as unknown as CommandContext["environment"];
  const server = await startServer({ ...serverOptions({ environment, values }), logLevel: "silent" });
  onTestFinished(() => server.close());
  const { stdout } = await runWith(folder, ["admin", "export-config", "--data", join(folder, "data")]);
  expect(JSON.parse(stdout)).toEqual({ port: "0", data: join(folder, "data"), name: "Elm", registration: "invitation" });
  // What it says is what a configuration file takes.
  writeFileSync(join(folder, "latchkey.config.json"), stdout);
  expect(serverOptions({ environment: { ...environment, variables: {} }, values: {} })).toMatchObject({ serverName: "Elm", port: 0 });
});

test.each([
  [["quota", "set", "max-accounts", "many"], "NUMBER takes a whole number"],
  [["dance"], "there is no such command"],
  [["invite"], "there is no such command"],
  [["status", "now"], "usage: latchkey admin status"],
  [["invite", "revoke"], "usage: latchkey admin invite revoke ID"],
  [["status", "--uses", "2"], '"admin status" takes no --uses'],
  [["invite", "create", "--uses", "many"], "--uses takes a whole number"],
  [["invite", "create", "--uses", "0"], "whole number from 1"],
])("%j is wrong usage, told in one line", async (args, reason) => {
  const { admin } = await running();
  const { status, stderr } = await admin(...args);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^latchkey: (?:usage|invalid_option): (?!usage:)[^\n]*\n$/);
  expect(stderr).toContain(reason);
});

test("where no server runs it says so, and what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { status, stderr } = await runWith(folder, ["admin", "status", "--data", folder]);
  expect([status, stderr]).toEqual([
    1,
    `latchkey: not_running: No server runs on ${folder}: start it, or name its data folder with --data.\n`,
  ]);
});

test("[F-11] the desk's exports are written into a folder, a file each, and nothing beside it", async () => {
  const { admin, data } = await running();
  const folder = join(data, "..", "export");
  expect(await admin("desk", "export", "2026", folder)).toMatchObject({ status: 1, stderr: expect.stringContaining("not_found") });
  await admin("desk", "start", "Ada");
  const files = ["1.1-identification.csv", "1.3-notices.csv", "1.5-complaints-and-suspensions.csv", "1.6-automated-means.csv"];
  expect((await admin("desk", "export", "2026", folder)).stdout).toBe(files.map((file) => `wrote ${file}\n`).join(""));
  expect(readdirSync(folder).toSorted()).toEqual(files);
  expect(readFileSync(join(folder, "1.1-identification.csv"), "utf8")).toContain("host,chat.example\r\n");
  expect(await admin("desk", "export", "26", folder)).toMatchObject({ status: 2 });
  expect(JSON.parse((await admin("desk", "export", "2026", folder, "--json")).stdout)).toEqual({ folder, files, heldBack: [], tooLate: 0 });
  const answer = {
    requests: [{ statements: [] }],
    heldBack: [{ puid: "p", because: ["basis: x"] }],
    tooLate: 2,
    parts: { "../beside": "x" },
  };
  expect(exportText(writeExport(folder, answer))).toBe(
    "wrote statements-1.json\nheld back p: basis: x\n2 decisions are of cases that are erased: no statement can be made of them any more",
  );
  expect(readdirSync(join(folder, "..")).includes("beside.csv")).toBe(false);
  // Of an export with fewer requests none is left of the one before.
  writeExport(folder, { ...answer, requests: [{}, {}, {}] });
  writeExport(folder, answer);
  expect(readdirSync(folder).filter((name) => name.startsWith("statements"))).toEqual(["statements-1.json"]);
});

test("the desk for reports is begun with a code that is shown once, and says who works there and what waits", async () => {
  const { admin } = await running();
  expect((await admin("desk", "staff")).stdout).toBe("nobody works at the desk: desk start NAME begins it\n");
  expect((await admin("status")).stdout).not.toContain("desk");
  const { stdout } = await admin("desk", "start", "Ada");
  const [, code = ""] = /^https:\/\/chat\.example\/desk#enrol=([a-z0-9-]{23})$/m.exec(stdout) ?? [];
  expect(stdout).toContain(`code  ${code}\nWith it Ada makes a passkey, once, within 24 hours.`);
  expect((await admin("desk", "staff")).stdout).toMatch(
    /^Ada {2}intake, moderator, reviewer, auditor, administrator {2}has no passkey yet\n$/,
  );
  expect((await admin("status")).stdout).toMatch(/^desk +nobody has come to it yet: it takes no reports$/m);
  expect((await admin("desk", "code", "Ada")).stdout).not.toContain(code);
  expect(await admin("desk", "code", "Eve")).toMatchObject({ status: 1, stderr: expect.stringContaining("not_found: Nobody at the desk") });
  expect(await admin("desk", "start", "desk")).toMatchObject({ status: 2, stderr: expect.stringContaining("usage: A name at the desk") });
});

test("the desk is opened by a link that is shown once, listed without it, and revoked", async () => {
  const { admin } = await running();
  expect((await admin("desk", "list")).stdout).toBe("the desk is closed\n");
  const { stdout } = await admin("desk", "open");
  const [, secret = ""] = /^https:\/\/chat\.example\/desk#open=([\w-]{43})$/m.exec(stdout) ?? [];
  expect(secret).not.toBe("");
  expect(stdout).toMatch(/^[0-9a-f]{10}: opens the page once, within 10 minutes, for 4 hours\./m);
  const listed = (await admin("desk", "list")).stdout;
  expect(listed).toMatch(/^[0-9a-f]{10} {2}link {2}\d+ min left\n$/);
  expect(await admin("desk", "revoke", listed.slice(0, 10))).toMatchObject({ status: 0, stdout: "revoked 1\n" });
  expect(await admin("desk", "revoke", listed.slice(0, 10))).toMatchObject({ status: 1, stderr: expect.stringContaining("not_found") });
  expect((await admin("desk", "revoke", "all")).stdout).toBe("revoked 0\n");
  expect((await admin("suspended")).stdout).toBe("nobody is suspended\n");
  expect((await admin("status")).stdout).toMatch(/^last backup +never$[\s\S]*^limits reached +none$/m);
});
