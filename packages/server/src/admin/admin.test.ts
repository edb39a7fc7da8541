import { toBase64Url, toHex } from "@latchkey/codec";
import { productVersion } from "@latchkey/protocol";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startServer } from "../server.ts";
import {
  createAccount,
  createLog,
  createTestLog,
  isOnPostgres,
  none,
  random,
  register,
  runServer,
  signCard,
  temporaryDirectory,
  zeros,
} from "../testing/fixtures.ts";
import type { TestAccount } from "../testing/fixtures.ts";
import { answer, ask } from "../testing/ask-admin.ts";
import { TestClient } from "../testing/test-client.ts";

const dayMs = 86_400_000;

interface Invitation {
  readonly id: string;
  readonly code: string;
  readonly link: string;
  readonly usesLeft: number;
  readonly lastDay: string;
}

async function invite(dataDirectory: string, params: object = {}): Promise<Invitation> {
  return (await answer(dataDirectory, "invite-create", params)) as unknown as Invitation;
}

/** Registers as somebody with a code; answers how far that came. */
async function registerWith(client: TestClient<"device">, username: string, code: string): Promise<string> {
  const reserved = await client.outcome({ kind: "reserve", username, invitation: code, token: none });
  if (reserved !== "reserved") return reserved;
  return publish(client, await createAccount(username, client.hello.host));
}

function publish(client: TestClient<"device">, account: TestAccount): Promise<string> {
  return client.outcome({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
}

describe("the admin socket", () => {
  test("[E-93] only the server's user may open it, it is there while the server runs, and one that was left behind is replaced", async () => {
    const dataDirectory = join(temporaryDirectory(), "data");
    mkdirSync(dataDirectory, { mode: 0o700 });
    const path = join(dataDirectory, "admin.sock");
    writeFileSync(path, "left behind");
    const server = await startServer({ port: 0, dataDirectory, logLevel: "silent" });
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await answer(dataDirectory, "status")).toMatchObject({ host: server.host });
    // A second server does not touch it: the folder is locked.
    await expect(startServer({ port: 0, dataDirectory, logLevel: "silent" })).rejects.toMatchObject({ code: "data_locked" });
    expect(await answer(dataDirectory, "status")).toMatchObject({ host: server.host });
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  test("[E-93] what is no command, no parameter or no JSON is refused in one sentence", async () => {
    const dataDirectory = temporaryDirectory();
    await runServer({ dataDirectory });
    expect(await ask(dataDirectory, "dance")).toMatchObject({ status: 404, body: { code: "unknown_command" } });
    expect(await ask(dataDirectory, "constructor")).toMatchObject({ status: 404 });
    expect(await ask(dataDirectory, "status", {}, "GET")).toMatchObject({ status: 404 });
    expect(await ask(dataDirectory, "status", { colour: "red" })).toMatchObject({ status: 400, body: { code: "usage" } });
    expect(await ask(dataDirectory, "status", [])).toMatchObject({ status: 400 });
    expect(await ask(dataDirectory, "invite-create", { uses: "many" })).toMatchObject({ status: 400 });
    expect(await ask(dataDirectory, "invite-create", { uses: 0 })).toMatchObject({ status: 400 });
    expect(await ask(dataDirectory, "accounts", { after: "a".repeat(33) })).toMatchObject({ status: 400 });
    expect(await ask(dataDirectory, "status", { long: "x".repeat(20_000) })).toMatchObject({ status: 413 });
  });

  test("what lies in its place, or a path that is too long, is a line in the log and no reason not to start", async () => {
    const dataDirectory = join(temporaryDirectory(), "d".repeat(90));
    const server = await runServer({ dataDirectory });
    expect((await fetch(`${server.url}/v1/info`)).status).toBe(200);
    const blocked = temporaryDirectory();
    mkdirSync(join(blocked, "admin.sock"));
    const other = await runServer({ dataDirectory: blocked });
    expect((await fetch(`${other.url}/v1/info`)).status).toBe(200);
  });

  test("[E-93] nothing of it is reached over the network", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    for (const path of ["/status", "/accounts", "/invite-create", "/admin.sock"]) {
      expect((await fetch(`${server.url}${path}`, { method: "POST", body: "{}" })).status).toBe(404);
    }
  });
});

describe("status and accounts", () => {
  test("numbers of the whole, names and sizes; nothing joins an account to a log, an inbox or another account", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const alice = await register(server, "alice");
    const bob = await register(server, "bob");
    await alice.client.ask({ kind: "card", card: await signCard(alice.account.device, random(32)) });
    expect(await answer(dataDirectory, "status")).toMatchObject({
      version: productVersion,
      registration: "open",
      connections: { device: 2 },
      accounts: 2,
      watchedLogs: 0,
      directory: { entries: 3, servedEntries: 3, witnesses: 0, isMet: true },
      health: { isHealthy: true, reasons: [] },
    });
    const listed = await answer(dataDirectory, "accounts");
    expect(listed).toEqual({
      count: 2,
      hasMore: false,
      accounts: [
        { username: "alice", devices: 1, sizeBytes: expect.any(Number), isSuspended: false },
        { username: "bob", devices: 0, sizeBytes: expect.any(Number), isSuspended: false },
      ],
    });
    expect(await answer(dataDirectory, "accounts", { limit: 1 })).toMatchObject({ accounts: [{ username: "alice" }], hasMore: true });
    expect(await answer(dataDirectory, "accounts", { after: "alice" })).toMatchObject({ accounts: [{ username: "bob" }], hasMore: false });
    await Promise.all([alice.client.close(), bob.client.close()]);
  });
});

test("[P1] whatever the operator asks, no answer holds an id of a log, an inbox, a device or an account: nothing by which one joins another", async () => {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  const alice = await register(server, "alice");
  const inboxId = random(32);
  await alice.client.ask({ kind: "card", card: await signCard(alice.account.device, inboxId) });
  const log = createTestLog();
  const reader = await TestClient.connect(server.url, "log");
  await createLog(reader, log);
  const post = await TestClient.connect(server.url, "post");
  await post.ask({ kind: "post", inboxId, capability: zeros, blob: random(100), token: none });
  const { id } = await invite(dataDirectory);
  const asked: Record<string, object> = {
    status: {},
    accounts: {},
    "invite-create": {},
    "invite-list": {},
    "invite-revoke": { id },
    suspend: { name: "alice" },
    suspended: {},
    resume: { name: "alice" },
    "desk-start": { name: "Ada" },
    "desk-staff": {},
    "desk-code": { name: "Ada" },
    "desk-export": { year: 2026 },
    "desk-open": {},
    "desk-list": {},
    "desk-revoke": { id: "all" },
    quota: {},
    announce: { text: "hello" },
    rotate: {},
    "export-config": {},
    doctor: {},
    reserve: { name: "mayor" },
    reserved: {},
    unreserve: { name: "mayor" },
  };
  // A command that is not asked here would be one that nobody looked at.
  const { names } = await answer(dataDirectory, "commands");
  // A list of texts.
  expect(new Set(Object.keys(asked))).toEqual(new Set(names as string[]));
  let said = "";
  for (const [command, params] of Object.entries(asked)) said += JSON.stringify(await answer(dataDirectory, command, params));
  expect(said).toContain("alice");
  for (const secret of [log.logId, log.access, inboxId, alice.account.accountId, alice.account.device.deviceId]) {
    for (const form of [toHex(secret), toBase64Url(secret), Buffer.from(secret).toString("base64")]) {
      expect(said.toLowerCase()).not.toContain(form.toLowerCase().slice(0, 16));
    }
  }
});

describe("invitations", () => {
  test("a code lets one person register, and is kept nowhere", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory, host: "chat.example", registration: "invitation" });
    const client = await TestClient.connect(server.url, "device");
    expect(await registerWith(client, "alice", "")).toBe("registration_closed");
    const { id, code, link, usesLeft } = await invite(dataDirectory);
    expect(usesLeft).toBe(1);
    expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{5}(?:-[0-9a-hjkmnp-tv-z]{5}){3}$/);
    expect(link).toBe(`https://chat.example/#invitation=${code}`);
    const listed = await answer(dataDirectory, "invite-list");
    expect(listed).toMatchObject({ invitations: [{ id, usesLeft: 1 }] });
    expect(JSON.stringify(listed)).not.toContain(code);
    expect(await registerWith(client, "alice", ` ${code.toUpperCase().replaceAll("-", " ")} `)).toBe("published");
    expect(await answer(dataDirectory, "invite-list")).toEqual({ invitations: [] });
    expect(await registerWith(await TestClient.connect(server.url, "device"), "bob", code)).toBe("registration_closed");
  });

  test("spent by two at the same moment it lets in one, and the name of the other stays free", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory, registration: "invitation" });
    const { code } = await invite(dataDirectory);
    const names = ["alice", "bobby", "carol", "david"];
    const clients = await Promise.all(names.map(() => TestClient.connect(server.url, "device")));
    const reserved = clients.map((client, at) =>
      client.outcome({ kind: "reserve", username: names[at] ?? "", invitation: code, token: none }),
    );
    expect(await Promise.all(reserved)).toEqual(names.map(() => "reserved"));
    const accounts = await Promise.all(names.map((name) => createAccount(name, server.host)));
    const outcomes = await Promise.all(
      clients.map((client, at) => {
        const account = accounts[at];
        return account === undefined ? "" : publish(client, account);
      }),
    );
    expect(outcomes.filter((outcome) => outcome === "published")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "registration_closed")).toHaveLength(3);
    expect(await answer(dataDirectory, "accounts")).toMatchObject({ count: 1 });
    // A retry of the one that was let in is answered as before, and uses nothing up.
    const first = outcomes.indexOf("published");
    const [again, account] = [clients[first], accounts[first]];
    if (again === undefined || account === undefined) throw new Error("nobody was let in");
    expect(await publish(again, account)).toBe("published");
  });

  test("one of several uses counts them down; one that is revoked or past its last day lets nobody in", async () => {
    let nowMs = 20_000 * dayMs;
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory, registration: "invitation" }, { nowMs: () => nowMs });
    const two = await invite(dataDirectory, { uses: 2, days: 3 });
    expect(two.lastDay).toBe("2024-10-07");
    const connect = (): Promise<TestClient<"device">> => TestClient.connect(server.url, "device");
    expect(await registerWith(await connect(), "alice", two.code)).toBe("published");
    expect(await answer(dataDirectory, "invite-list")).toMatchObject({ invitations: [{ id: two.id, usesLeft: 1 }] });
    const revoked = await invite(dataDirectory);
    expect(await answer(dataDirectory, "invite-revoke", { id: revoked.id })).toEqual({ id: revoked.id });
    expect(await ask(dataDirectory, "invite-revoke", { id: revoked.id })).toMatchObject({ status: 404 });
    expect(await ask(dataDirectory, "invite-revoke", { id: "x" })).toMatchObject({ status: 400 });
    expect(await registerWith(await connect(), "bobby", revoked.code)).toBe("registration_closed");
    nowMs += 4 * dayMs;
    expect(await registerWith(await connect(), "bobby", two.code)).toBe("registration_closed");
    expect(await answer(dataDirectory, "invite-list")).toEqual({ invitations: [] });
  });

  test("codes of the command line go on to count, as often as one likes; a restart forgets no invitation", async ({ skip }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    const options = { port: 0, dataDirectory, logLevel: "silent", registration: "invitation", invitationCodes: ["welcome-1"] } as const;
    const before = await startServer(options);
    expect(await registerWith(await TestClient.connect(before.url, "device"), "alice", "welcome-1")).toBe("published");
    expect(await registerWith(await TestClient.connect(before.url, "device"), "bobby", "welcome-1")).toBe("published");
    const { code } = await invite(dataDirectory);
    await before.close();
    const server = await runServer({ ...options, port: 0 });
    expect(await registerWith(await TestClient.connect(server.url, "device"), "carol", code)).toBe("published");
  });
});

describe("names", () => {
  test("a reserved name, and what reads like it, is nobody's; who has it keeps it", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const { client } = await register(server, "mayor");
    expect(await answer(dataDirectory, "reserve", { name: "Mayor" })).toEqual({ name: "mayor", isReserved: true });
    await answer(dataDirectory, "reserve", { name: "press" });
    const lookup = await TestClient.connect(server.url, "lookup");
    for (const username of ["press", "pre.ss", "_press_"]) {
      expect(await registerWith(await TestClient.connect(server.url, "device"), username, "")).toBe("username_taken");
      expect(await lookup.ask({ kind: "check_username", username })).toEqual({ kind: "availability", reason: 1 });
    }
    expect(await lookup.outcome({ kind: "lookup_username", username: "mayor", fromVersion: 0, knownSize: 0 })).toBe("account");
    expect(await answer(dataDirectory, "reserved")).toEqual({ names: ["mayor", "press"] });
    await answer(dataDirectory, "unreserve", { name: "press" });
    expect(await ask(dataDirectory, "unreserve", { name: "press" })).toMatchObject({ status: 404 });
    expect(await ask(dataDirectory, "reserve", { name: "no" })).toMatchObject({ status: 400 });
    expect(await registerWith(await TestClient.connect(server.url, "device"), "press", "")).toBe("published");
    await client.close();
  });
});
