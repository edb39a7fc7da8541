import { toBase64Url } from "@latchkey/codec";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { ServerLimits } from "../config.ts";
import { dayMs, dayOf, dayText } from "../days.ts";
import { startServer } from "../server.ts";
import type { RunningServer } from "../server.ts";
import { answer, ask } from "../testing/ask-admin.ts";
import {
  connectDevice,
  createAccount,
  isOnPostgres,
  nextState,
  none,
  random,
  register,
  runServer,
  signBinding,
  signCard,
  temporaryDirectory,
  zeros,
} from "../testing/fixtures.ts";
import type { TestAccount } from "../testing/fixtures.ts";
import { readHoldings } from "../testing/fetch-holdings.ts";
import { TestClient } from "../testing/test-client.ts";
import { Rules } from "./rules.ts";

const monthMs = 20 * 86_400_000;

/** An account with an inbox and a key package, its connection, and what others ask of it. */
async function reachable(server: RunningServer, username: string): Promise<Reachable> {
  const { account, client } = await register(server, username);
  const inboxId = random(32);
  const card = await signCard(account.device, inboxId);
  expect(await client.outcome({ kind: "card", card })).toBe("done");
  expect(await publishKeys(client)).toBe("key_packages");
  return reach(server, { account, username, client, card, inboxId });
}

/** The same as others ask of it, on connections of their own. */
async function reach(
  server: RunningServer,
  parts: { account: TestAccount; username: string; client: TestClient<"device">; card: Uint8Array; inboxId: Uint8Array },
): Promise<Reachable> {
  const { account, username, inboxId } = parts;
  const lookup = await TestClient.connect(server.url, "lookup");
  const post = await TestClient.connect(server.url, "post");
  const { accountId, device } = account;
  return {
    ...parts,
    take: () => lookup.outcome({ kind: "take_key_package", accountId, deviceId: device.deviceId, token: none }),
    post: () => post.outcome({ kind: "post", inboxId, capability: zeros, blob: random(100), token: none }),
    find: () => lookup.outcome({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 }),
  };
}

/** The same with a server that was started anew. */
async function again(server: RunningServer, before: Reachable): Promise<Reachable> {
  const client = await TestClient.connect(server.url, "device");
  expect(await connectDevice(client, before.account.accountId, before.account.device)).toBe("done");
  return reach(server, { ...before, client });
}

interface Reachable {
  readonly account: TestAccount;
  readonly username: string;
  readonly inboxId: Uint8Array;
  readonly client: TestClient<"device">;
  readonly card: Uint8Array;
  take(): Promise<string>;
  post(): Promise<string>;
  find(): Promise<string>;
}

function publishKeys(client: TestClient<"device">): Promise<string> {
  const request = { kind: "publish_key_packages", lastResort: false, notAfterMs: Date.now() + monthMs } as const;
  return client.outcome({ ...request, keyPackages: [random(300), random(300)] });
}

describe("suspension", () => {
  test("[A-9] a suspended account gets nothing new; it goes on reading, sees that it is suspended, and resumed is as before", async ({
    skip,
  }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    const options = { port: 0, dataDirectory, logLevel: "silent", limits: { publicationIntervalMs: 0, tokensPerDay: 0 } } as const;
    const first = await startServer(options);
    const alice = await reachable(first, "alice");
    const bobby = await reachable(first, "bobby");
    expect([await alice.take(), await alice.post(), await alice.find()]).toEqual(["key_package", "done", "account"]);

    const { does, doesNot, ...said } = await answer(dataDirectory, "suspend", { name: "alice" });
    expect(said).toEqual({ username: "alice", isSuspended: true });
    expect([does, doesNot]).toEqual([expect.stringContaining("nobody can begin"), expect.stringContaining("ends no conversation")]);
    // At once, on the connection that is open.
    expect([await alice.take(), await alice.post(), await alice.find()]).toEqual(["no_key_package", "inbox_full", "account"]);
    expect(await publishKeys(alice.client)).toBe("account_suspended");
    expect(await alice.client.outcome({ kind: "count_key_packages" })).toBe("account_suspended");
    expect(await alice.client.outcome({ kind: "card", card: alice.card })).toBe("account_suspended");
    expect(await alice.client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
    expect([await bobby.take(), await bobby.post()]).toEqual(["key_package", "done"]);
    await first.close();

    // It is stored.
    const server = await runServer({ ...options, host: first.host });
    const client = await TestClient.connect(server.url, "device");
    expect(await connectDevice(client, alice.account.accountId, alice.account.device)).toBe("done");
    expect(await publishKeys(client)).toBe("account_suspended");
    const post = await TestClient.connect(server.url, "post");
    const { json } = await holdings(server, client);
    const inboxId = Buffer.from(json.devices[0]?.inbox_id ?? "", "base64url");
    const item = { kind: "post", inboxId: new Uint8Array(inboxId), capability: zeros, token: none } as const;
    expect(await post.outcome({ ...item, blob: random(100) })).toBe("inbox_full");
    expect(json.suspended_since).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(await answer(dataDirectory, "accounts")).toMatchObject({ accounts: [{ isSuspended: true }, { isSuspended: false }] });

    await answer(dataDirectory, "resume", { name: "alice" });
    expect(await publishKeys(client)).toBe("key_packages");
    expect(await post.outcome({ ...item, blob: random(100) })).toBe("done");
    expect((await holdings(server, client)).json.suspended_since).toBeNull();
    expect(await ask(dataDirectory, "suspend", { name: "nobody1" })).toMatchObject({ status: 404 });
  });

  test("[A-9] it takes no other name, removes devices all the same, and can delete itself", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const { account, client } = await register(server, "alice");
    await answer(dataDirectory, "suspend", { name: "alice" });
    const { accountId, device } = account;
    const by = { seed: device.seed, signer: { kind: "device", deviceId: device.deviceId } } as const;
    const renamed = await nextState(account, { username: "alice2" }, by);
    expect(await client.outcome({ kind: "reserve", username: "alice2", invitation: "", token: none })).toBe("reserved");
    const bindings = await Promise.all([
      signBinding({ username: "alice2", host: server.host, accountId, status: "bound", device }),
      signBinding({ username: "alice", host: server.host, accountId, status: "released", device }),
    ]);
    const publish = { kind: "publish", pops: [] } as const;
    expect(await client.outcome({ ...publish, state: renamed.signedState, bindings })).toBe("account_suspended");
    const deleted = await nextState(account, { status: "deleted" }, by);
    expect(await client.outcome({ ...publish, state: deleted.signedState, bindings: [] })).toBe("published");
    expect(await answer(dataDirectory, "accounts")).toMatchObject({ count: 0 });
  });
});

describe("restrictions", () => {
  /** As a decision of the desk leaves them: until the day after the server's first. */
  function decide(dataDirectory: string, untilDay: number, whats: readonly string[]): void {
    const database = new DatabaseSync(join(dataDirectory, "accounts.sqlite"));
    for (const what of whats) {
      database
        .prepare("INSERT INTO restrictions SELECT account, ?, 'desk', ?, ? FROM usernames WHERE username = 'alice'")
        .run(what, untilDay - 1, untilDay);
    }
    database.close();
  }

  const taken = [
    ["key-packages", ["no_key_package", "done", "account"]],
    ["invitations", ["key_package", "inbox_full", "account"]],
    ["name-look-up", ["key_package", "done", "not_found"]],
    ["suspended", ["no_key_package", "inbox_full", "account"]],
  ] as const;

  test("[A-10] that and nothing else is taken, until the day that was said", async ({ skip }) => {
    skip(isOnPostgres);
    for (const [what, outcomes] of taken) {
      const dataDirectory = temporaryDirectory();
      const clock = { nowMs: Date.now() };
      const parts = { nowMs: () => clock.nowMs, passedMs: () => clock.nowMs };
      const options = { dataDirectory, limits: { publicationIntervalMs: 0 } as ServerLimits };
      const first = await runServer(options, parts);
      const before = await reachable(first, "alice");
      const lastResort = { kind: "publish_key_packages", lastResort: true, notAfterMs: clock.nowMs + monthMs } as const;
      expect(await before.client.outcome({ ...lastResort, keyPackages: [random(300)] })).toBe("key_packages");
      const { host, port } = first;
      await first.close();
      const untilDay = dayOf(clock.nowMs) + 1;
      decide(dataDirectory, untilDay, [what]);
      const server = await runServer({ ...options, host, port }, parts);
      const alice = await again(server, before);
      expect([await alice.take(), await alice.post(), await alice.find()]).toEqual(outcomes);
      const { json } = await holdings(server, alice.client);
      expect(json.restrictions).toEqual([{ what, by: "desk", since: dayText(untilDay - 1), until: dayText(untilDay) }]);
      const listed = await answer(dataDirectory, "suspended");
      const shown = { username: "alice", what, by: "desk", sinceDay: dayText(untilDay - 1), untilDay: dayText(untilDay) };
      expect(listed).toEqual(what === "suspended" ? { accounts: [shown], restricted: [] } : { accounts: [], restricted: [shown] });
      // The operator's own suspension is another one: it neither ends this nor is ended by it.
      await answer(dataDirectory, "suspend", { name: "alice" });
      await answer(dataDirectory, "resume", { name: "alice" });
      expect([await alice.take(), await alice.post(), await alice.find()]).toEqual(outcomes);
      clock.nowMs = untilDay * dayMs - 1;
      expect([await alice.take(), await alice.post(), await alice.find()]).toEqual(outcomes);
      clock.nowMs = untilDay * dayMs;
      expect([await alice.take(), await alice.post(), await alice.find()]).toEqual(["key_package", "done", "account"]);
    }
  });

  test("[A-10] who gets no invitations gets none into another inbox either", async ({ skip }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    const first = await runServer({ dataDirectory });
    const before = await reachable(first, "alice");
    const { host, port } = first;
    await first.close();
    decide(dataDirectory, dayOf(Date.now()) + 9, ["invitations"]);
    const server = await runServer({ dataDirectory, host, port });
    const alice = await again(server, before);
    const inboxId = random(32);
    expect(await alice.client.outcome({ kind: "card", card: await signCard(alice.account.device, inboxId) })).toBe("done");
    const moved = await reach(server, { ...alice, inboxId });
    expect([await alice.post(), await moved.post()]).toEqual(["not_found", "inbox_full"]);
  });

  test("what is taken from accounts is read again after a store that failed once", async () => {
    const accountId = random(32);
    const holds = { accountId, username: "alice", what: "suspended", by: "operator", sinceDay: 1, untilDay: undefined } as const;
    let answers = [[], [], "fails", [holds]];
    const admin = {
      rules: () => {
        const [restricted = [], ...rest] = answers;
        answers = rest;
        if (restricted === "fails") return Promise.reject(new Error("the disk"));
        return Promise.resolve({ reservedNames: [], settings: {}, restricted });
      },
      setRestrictions: () => Promise.resolve(),
    };
    // Only what rules ask for.
    const store = { admin, accountHead: () => Promise.resolve(undefined) } as unknown as Parameters<typeof Rules.load>[0];
    const rules = await Rules.load(store, () => 2);
    await expect(rules.restrict({ accountId, restrictions: [] })).rejects.toThrow("the disk");
    expect(rules.isSuspended(accountId)).toBe(false);
    await rules.restrict({ accountId, restrictions: [] });
    expect(rules.isSuspended(accountId)).toBe(true);
  });

  test("[A-10] tokens: it is issued none, and nothing else is taken", async ({ skip }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    const limits = { publicationIntervalMs: 0, tokensPerDay: 10 } as ServerLimits;
    const first = await runServer({ dataDirectory, limits });
    const before = await reachable(first, "alice");
    const { host, port } = first;
    const ask = (client: TestClient<"device">): Promise<string> =>
      client.outcome({ kind: "issue_tokens", blinded: [ristretto255_oprf.voprf.blind(random(32)).blinded] });
    expect(await ask(before.client)).toBe("tokens");
    await first.close();
    decide(dataDirectory, dayOf(Date.now()) + 9, ["tokens"]);
    const server = await runServer({ dataDirectory, limits, host, port });
    const alice = await again(server, before);
    expect(await ask(alice.client)).toBe("account_suspended");
    expect(await publishKeys(alice.client)).toBe("key_packages");
    expect(await alice.client.outcome({ kind: "count_key_packages" })).toBe("key_packages");
    expect(await alice.find()).toBe("account");
  });

  test("[A-10] a machine's clock that jumps ahead ends nothing", async ({ skip }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    const clock = { wallMs: Date.now(), passedMs: 0 };
    const parts = { nowMs: () => clock.wallMs, passedMs: () => clock.passedMs };
    const first = await runServer({ dataDirectory }, parts);
    const before = await reachable(first, "alice");
    const { host, port } = first;
    await first.close();
    decide(dataDirectory, dayOf(clock.wallMs) + 2, ["key-packages"]);
    const server = await runServer({ dataDirectory, host, port }, parts);
    const alice = await again(server, before);
    expect(await alice.take()).toBe("no_key_package");
    clock.wallMs += 60 * dayMs;
    expect(await alice.take()).toBe("no_key_package");
    // The same by time that passed.
    clock.passedMs += 3 * dayMs;
    expect(await alice.take()).toBe("key_package");
  });
});

/** What the server holds about who is connected. */
async function holdings(
  server: RunningServer,
  client: TestClient<"device">,
): Promise<{ json: { suspended_since: string | null; restrictions: unknown; devices: { inbox_id: string }[] } }> {
  return { json: JSON.parse(await readHoldings(server.url, client)) as Awaited<ReturnType<typeof holdings>>["json"] };
}

describe("quotas", () => {
  test("accounts at most: one more is refused, also when several come at once, and one that is deleted makes room", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    expect(await answer(dataDirectory, "quota")).toEqual({ quotas: { "max-accounts": 0, "blob-megabytes-per-day": 0 } });
    expect(await answer(dataDirectory, "quota", { name: "max-accounts", value: 2 })).toMatchObject({ quotas: { "max-accounts": 2 } });
    const names = ["alice", "bobby", "carol", "david"];
    const outcomes = await Promise.all(
      names.map(async (username) => {
        const client = await TestClient.connect(server.url, "device");
        await client.ask({ kind: "reserve", username, invitation: "", token: none });
        const account = await createAccount(username, server.host);
        return client.outcome({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
      }),
    );
    expect(outcomes.filter((outcome) => outcome === "published")).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === "registration_closed")).toHaveLength(2);
    expect(await ask(dataDirectory, "quota", { name: "max-accounts", value: -1 })).toMatchObject({ status: 400 });
    expect(await ask(dataDirectory, "quota", { name: "colour", value: 1 })).toMatchObject({ status: 400 });
    expect(await ask(dataDirectory, "quota", { name: "max-accounts" })).toMatchObject({ status: 400 });
  });

  test("files of a day: what goes beyond is refused and leaves nothing; what was refused takes no room; the next day begins anew", async () => {
    let nowMs = Date.now();
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory }, { nowMs: () => nowMs });
    await answer(dataDirectory, "quota", { name: "blob-megabytes-per-day", value: 1 });
    const put = async (bytes: number): Promise<number> => {
      const response = await fetch(`${server.url}/v1/blobs/${toBase64Url(random(32))}`, { method: "PUT", body: random(bytes).slice() });
      await response.arrayBuffer();
      return response.status;
    };
    expect(await put(600_000)).toBe(201);
    expect(await put(600_000)).toBe(507);
    expect(await put(390_000)).toBe(201);
    expect(await put(20_000)).toBe(507);
    nowMs += 86_400_000;
    expect(await put(600_000)).toBe(201);
    await answer(dataDirectory, "quota", { name: "blob-megabytes-per-day", value: 0 });
    expect(await put(600_000)).toBe(201);
  });
});

test("an announcement is one clean line in what the server says of itself, over a restart and until it is taken back", async ({ skip }) => {
  skip(isOnPostgres);
  const dataDirectory = temporaryDirectory();
  const options = { port: 0, dataDirectory, logLevel: "silent" } as const;
  const before = await startServer(options);
  const announced = async ({ url }: RunningServer): Promise<unknown> =>
    ((await (await fetch(`${url}/v1/info`)).json()) as { announcement: unknown }).announcement;
  expect(await announced(before)).toBe("");
  expect(await answer(dataDirectory, "announce", { text: " Down on Sunday,\n\u202Efrom 8\u0007 " })).toEqual({
    text: "Down on Sunday, from 8",
  });
  expect(await announced(before)).toBe("Down on Sunday, from 8");
  await before.close();
  const server = await runServer({ ...options, host: before.host });
  expect(await announced(server)).toBe("Down on Sunday, from 8");
  expect(await ask(dataDirectory, "announce", { text: "x".repeat(281) })).toMatchObject({ status: 400 });
  expect(await answer(dataDirectory, "announce", { text: "" })).toEqual({ text: "" });
  expect(await announced(server)).toBe("");
});

test("a new key for the public log is made once, announced at once, and signs beside the old one", async () => {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  const signatures = async (): Promise<number> => {
    const note = await (await fetch(`${server.url}/v1/directory/checkpoint`)).text();
    return note.split("\n").filter((line) => line.startsWith("— ")).length;
  };
  expect(await signatures()).toBe(1);
  expect(await answer(dataDirectory, "rotate")).toMatchObject({ isNew: true });
  expect(existsSync(join(dataDirectory, "directory", "log-next.key"))).toBe(true);
  const key = readFileSync(join(dataDirectory, "directory", "log-next.key"));
  await expect.poll(signatures).toBe(2);
  await expect.poll(async () => (await answer(dataDirectory, "status"))["directory"]).toMatchObject({ entries: 2, servedEntries: 2 });
  expect(await answer(dataDirectory, "rotate")).toMatchObject({ isNew: false });
  expect(readFileSync(join(dataDirectory, "directory", "log-next.key")).equals(key)).toBe(true);
});
