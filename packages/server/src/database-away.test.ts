// A server whose PostgreSQL is away: it says so, to those who ask and to who runs it, goes on by itself, and tells nobody a secret or a value.
import { toHex } from "@latchkey/codec";
import { inspect } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { answerAdmin } from "./admin/router.ts";
import { diagnose } from "./doctor/diagnose.ts";
import { StoreError } from "./errors.ts";
import { startServer } from "./server.ts";
import type { RunningServer } from "./server.ts";
import { host, startProcess } from "./testing/crashing-process.ts";
import { createLog, createTestLog, entryBytes, openLog, readMetrics, register, runServer, temporaryDirectory } from "./testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres, startStandby } from "./testing/postgres.ts";
import type { TestPostgres } from "./testing/postgres.ts";
import { TestClient } from "./testing/test-client.ts";

const password = "correct-horse-battery";

/** What `/healthz` says: a status, and the codes of what is wrong. */
async function healthOf(serverUrl: string): Promise<{ status: number; codes: string[]; text: string }> {
  const response = await fetch(`${serverUrl}/healthz`);
  const text = await response.text();
  const { reasons = [] } = JSON.parse(text) as { reasons?: { code: string }[] };
  return { status: response.status, codes: reasons.map(({ code }) => code), text };
}

describe.skipIf(findPostgres() === undefined)("a server whose database is away", () => {
  let postgres: TestPostgres;
  /** With a password, which nobody is to see. */
  let url: string;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
    url = postgres.url.replace("latchkey@", `latchkey:${password}@`);
  });
  afterAll(() => postgres.stop());

  test("refuses as passing, is red with a sentence, goes on when it is back, and its log has a line and no secret", async () => {
    const server = await startProcess(
      temporaryDirectory(),
      undefined,
      { TEST_DATABASE: JSON.stringify({ at: url, acceptLoss: true }) },
      "warn",
    );
    const { client: device } = await register({ url: server.url, host }, "alice");
    const log = createTestLog();
    const client = await TestClient.connect(server.url, "log");
    await createLog(client, log);
    await openLog(client, log);
    const append = (blob: Uint8Array) => client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
    expect(await append(entryBytes(300))).toMatchObject({ kind: "accepted", seq: 1 });

    await postgres.kill();
    // What it was already asked for it may still do.
    let stored = 1;
    const blob = entryBytes(300);
    while ((await append(entryBytes(300))).kind === "accepted") stored += 1;
    for (let count = 0; count < 20; count++) expect(await append(blob)).toMatchObject({ kind: "error", code: "unavailable" });
    expect(await device.ask({ kind: "reserve", username: "bert", invitation: "", token: new Uint8Array() })).toMatchObject({
      kind: "error",
      code: "unavailable",
    });
    expect((await fetch(`${server.url}/v1/directory/checkpoint`)).status).toBe(503);
    const lookup = await TestClient.connect(server.url, "lookup");
    expect(await lookup.ask({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 })).toMatchObject({
      kind: "error",
      code: "unavailable",
    });
    const red = await healthOf(server.url);
    expect(red).toMatchObject({ status: 503, codes: ["database"] });
    expect(red.text).toContain("See that");

    await postgres.start();
    // Nobody asks for anything meanwhile.
    await expect.poll(() => healthOf(server.url), { timeout: 15_000 }).toMatchObject({ status: 200, codes: [] });
    // The connections of before go on.
    expect(await append(blob)).toMatchObject({ kind: "accepted", seq: stored + 1 });
    expect(await device.outcome({ kind: "reserve", username: "bert", invitation: "", token: new Uint8Array() })).toBe("reserved");
    expect(await lookup.outcome({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 })).toBe("account");

    server.kill("SIGTERM");
    const { code, log: written } = await server.ended;
    expect(code).toBe(0);
    const lines = written.split("\n").filter((line) => line !== "");
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      expect.stringContaining("The database"),
      "The database does what it is asked for again.",
    ]);
    for (const secret of [password, "alice", "bert", "postgresql:", toHex(log.logId), toHex(blob)]) expect(written).not.toContain(secret);
    expect(red.text).not.toContain(password);
  }, 60_000);

  test("starts with one line where it is away, which holds nothing of the address", async () => {
    const database = { at: url.replace(/:\d+\//, ":9/"), acceptLoss: true };
    const failure: unknown = await startServer({ port: 0, logLevel: "silent", host, dataDirectory: temporaryDirectory(), database }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: "database_failed",
      message: expect.stringMatching(/^[^\n]*check that PostgreSQL runs[^\n]*$/) as string,
    });
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toContain(password);
  });

  test("one that has too few connections left is told as that, wherever the start meets it, and what to do", async () => {
    const small = await startPostgres({
      ...keptSettings,
      max_connections: "14",
      superuser_reserved_connections: "0",
      max_wal_senders: "0",
    });
    onTestFinished(() => small.stop());
    const others: pg.Client[] = [];
    onTestFinished(() => Promise.all(others.map((client) => client.end())).then(() => undefined));
    const dataDirectory = temporaryDirectory();
    const database = { at: small.url, acceptLoss: true };
    const start = async (): Promise<unknown> => {
      const server = await startServer({ port: 0, logLevel: "silent", host, dataDirectory, database }).catch((error: unknown) => error);
      if (server instanceof Error) return server;
      await (server as RunningServer).close();
      return undefined;
    };
    const connect = async (): Promise<void> => {
      const client = new pg.Client({ connectionString: small.url });
      client.on("error", () => {});
      await client.connect();
      others.push(client);
    };
    for (let taken = 0; taken < 8; taken++) await connect();
    const messages = new Set<string>();
    // Those of the start before may be there for a moment.
    while (others.length < 14) {
      const failure = await start();
      if (failure instanceof Error) messages.add(failure.message);
      await expect.poll(() => connect().catch((error: unknown) => error)).toBeUndefined();
    }
    expect([...messages]).toEqual([expect.stringMatching(/no connection left .* raise max_connections/)]);
  }, 60_000);

  test("its figures, its status and the doctor say what is known", async () => {
    const dataDirectory = temporaryDirectory();
    const options = { host, dataDirectory, port: 0, database: { at: url, acceptLoss: true, schema: "figures" } };
    const server = await runServer(options);
    await register(server, "alice");
    const bytes = /^latchkey_store_bytes\{kind="database"\} (\d+)$/m;
    expect(Number(bytes.exec(await readMetrics(server))?.[1])).toBeGreaterThan(100_000);
    await server.close();
    const topics = async (): Promise<Map<string, string>> =>
      new Map((await diagnose(options)).map(({ topic, state, message }) => [topic, `${state}: ${message}`]));
    expect((await topics()).get("database")).toBe("ok: PostgreSQL answers and is set as it has to be.");
    expect((await topics()).get("backup")).toContain("Latchkey makes none of PostgreSQL");
    const forgotten = await diagnose({ ...options, database: undefined } as never);
    expect(forgotten.find(({ topic }) => topic === "database")?.message).toContain("--database");

    const again = await runServer(options);
    await postgres.kill();
    try {
      expect(await readMetrics(again)).not.toMatch(bytes);
      expect((await topics()).get("database")).toMatch(/^todo: The database does not answer/);
      for (const text of [await readMetrics(again), inspect(await topics())]) expect(text).not.toContain(password);
    } finally {
      await postgres.start();
    }
    await expect.poll(() => readMetrics(again), { timeout: 15_000 }).toMatch(bytes);
  }, 60_000);
});

test.skipIf(findPostgres() === undefined)(
  "a server whose standby is away sends nothing and reads on, says so, and goes on with it",
  async () => {
    const primary = await startPostgres({ ...keptSettings, synchronous_standby_names: "ANY 1 (second)" });
    onTestFinished(() => primary.stop());
    const standby = await startStandby(primary, "second", keptSettings);
    onTestFinished(() => standby.stop());
    const server = await runServer({ database: { at: primary.url, acceptLoss: false } });
    const log = createTestLog();
    const client = await TestClient.connect(server.url, "log");
    await createLog(client, log);
    await openLog(client, log);
    const append = (blob: Uint8Array) => client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
    expect(await append(entryBytes(300))).toMatchObject({ kind: "accepted", seq: 1 });

    await standby.kill();
    const blob = entryBytes(300);
    expect(await append(blob)).toMatchObject({ kind: "error", code: "unavailable" });
    const red = await healthOf(server.url);
    expect(red).toMatchObject({ status: 503, codes: ["database"] });
    expect(red.text).toContain("The database writes nothing");
    const reader = await TestClient.connect(server.url, "log");
    expect(await openLog(reader, log)).toBe("opened");
    expect(await reader.take(1)).toMatchObject([{ kind: "entry", seq: 1 }]);

    await standby.start();
    await expect.poll(() => healthOf(server.url), { timeout: 60_000 }).toMatchObject({ status: 200, codes: [] });
    // It was stored here all the time, and is acknowledged once it is there.
    expect(await append(blob)).toMatchObject({ kind: "accepted", seq: 2 });
  },
);

test("a command of the operator that the database did not answer is told so, and is no bug", async () => {
  const bugs: unknown[] = [];
  const commands = { status: () => Promise.reject(new StoreError("unavailable")) };
  const answer = await answerAdmin(commands, { method: "POST", path: "/status", body: "" }, (error) => bugs.push(error));
  expect(answer).toMatchObject({ status: 409, body: { code: "not_now", message: expect.stringContaining("database") as string } });
  expect(bugs).toEqual([]);
});
