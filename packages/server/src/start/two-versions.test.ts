// Servers of two versions on one database (decision 0043): those of the older one go on while the newer one changes the schemas under them.
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningServer } from "../server.ts";
import {
  createLog,
  createTestLog,
  entryBytes,
  none,
  openLog,
  random,
  register,
  runServer,
  temporaryDirectory,
} from "../testing/fixtures.ts";
import { bringFurther } from "../testing/next-version.ts";
import { askPostgres, findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { compare, playSession } from "../testing/session.ts";
import type { RecordedSession } from "../testing/session.ts";
import { TestClient } from "../testing/test-client.ts";

const session = JSON.parse(readFileSync(new URL("../testing/sessions/v1.json", import.meta.url), "utf8")) as RecordedSession;
const answers = session.steps.filter((step) => "receive" in step).length;

describe.skipIf(findPostgres() === undefined)("servers of two versions on one database", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  const newSchema = (): { schema: string; schemas: { logs: string; accounts: string } } => {
    const { logs, accounts } = postgres.schemasOf(temporaryDirectory());
    return { schema: logs.replace(/_logs$/, ""), schemas: { logs, accounts } };
  };

  test.each([0.1, 0.3, 0.5, 0.7, 0.9])(
    "one that runs goes on where the next version changes the schemas after %d of a session: byte for byte",
    async (part) => {
      const { schema, schemas } = newSchema();
      const database = { at: postgres.url, acceptLoss: true, schema };
      const server = await runServer({ host: session.host, database }, { nowMs: () => session.nowMs });
      let left = Math.round(answers * part);
      await playSession(server.url, session, async (step, frame) => {
        compare(step, frame);
        if (--left === 0) await bringFurther(postgres.url, schemas);
      });
      expect(left).toBeLessThanOrEqual(0);
    },
  );

  test("[L-3] two go on, one that is started again too, and what is written at one is read at the other", async () => {
    const { schema, schemas } = newSchema();
    const folders = [temporaryDirectory(), temporaryDirectory()] as const;
    const start = (dataDirectory: string): Promise<RunningServer> =>
      runServer({ host: "nodes.example.org", dataDirectory, database: { at: postgres.url, acceptLoss: true, schema } });
    const here = await start(folders[0]);
    cpSync(join(folders[0], "directory"), join(folders[1], "directory"), { recursive: true });
    let there = await start(folders[1]);
    const log = createTestLog();
    let last = 0;
    const exchange = async (): Promise<void> => {
      const clients = [await TestClient.connect(here.url, "log"), await TestClient.connect(there.url, "log")];
      if (last === 0) for (const client of clients.slice(0, 1)) await createLog(client, log);
      for (const client of clients) expect(await openLog(client, log, 0, last)).toBe("opened");
      for (const writer of clients) {
        const blob = entryBytes(300);
        const append = { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob } as const;
        expect(await writer.ask(append)).toMatchObject({ seq: ++last });
        for (const reader of clients) expect(await reader.take(1)).toMatchObject([{ kind: "entry", seq: last, blob }]);
      }
      for (const server of [here, there]) await register(server, `at-${String(server.port)}-${String(last)}`);
      for (const client of clients) await client.close();
    };
    await exchange();
    await bringFurther(postgres.url, schemas);
    await exchange();
    await there.close();
    there = await start(folders[1]);
    await exchange();
  });

  test("[L-6] what people write and read while the next version changes the schemas is stored once, in its order, or refused as passing", async () => {
    const { schema, schemas } = newSchema();
    const server = await runServer({ database: { at: postgres.url, acceptLoss: true, schema } });
    const logs = Array.from({ length: 4 }, () => createTestLog());
    const clients = await Promise.all(logs.map(() => TestClient.connect(server.url, "log")));
    const sent = logs.map((): Uint8Array[] => []);
    let isOver = false;
    const write = async (at: number): Promise<void> => {
      const [log, client] = [logs[at], clients[at]];
      if (log === undefined || client === undefined) throw new Error("a log");
      await createLog(client, log);
      while (!isOver) {
        const blob = entryBytes(300);
        const append = { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob } as const;
        let outcome = await client.outcome(append);
        while (outcome === "unavailable") outcome = await client.outcome(append);
        expect(outcome).toBe("accepted");
        sent[at]?.push(blob);
      }
    };
    const look = async (): Promise<void> => {
      const client = await TestClient.connect(server.url, "lookup");
      while (!isOver) {
        const reply = await client.ask({ kind: "lookup_username", username: "nobody", fromVersion: 0, knownSize: 0 });
        if (reply.kind === "error") expect(reply.code).toBe("unavailable");
      }
    };
    const all = Promise.all([...logs.map((_, at) => write(at)), look()]);
    const soFar = (): number => sent.reduce((sum, { length }) => sum + length, 0);
    await expect.poll(soFar).toBeGreaterThan(40);
    await bringFurther(postgres.url, schemas);
    const before = soFar();
    await expect.poll(() => soFar() - before).toBeGreaterThan(40);
    isOver = true;
    await all;
    for (const [at, log] of logs.entries()) {
      const reader = await TestClient.connect(server.url, "log");
      await openLog(reader, log);
      const entries: unknown[] = [];
      while (entries.length < (sent[at]?.length ?? 0)) entries.push(...(await reader.take(1)));
      expect(entries).toMatchObject((sent[at] ?? []).map((blob, index) => ({ kind: "entry", seq: index + 1, blob })));
    }
  });

  test("one that cannot go on with what was made ends no more than its requests, says what to do, and does not start", async () => {
    const { schema, schemas } = newSchema();
    const options = { database: { at: postgres.url, acceptLoss: true, schema } };
    const server = await runServer(options);
    await register(server, "alice");
    await bringFurther(postgres.url, schemas);
    await askPostgres(
      postgres.url,
      // As the version after the next one would.
      `UPDATE ${schemas.logs}.schema_version SET usable_from = version`,
      `UPDATE ${schemas.accounts}.schema_version SET usable_from = version`,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^latchkey (logs|accounts) '",
    );
    const client = await TestClient.connect(server.url, "log");
    expect(await client.ask({ kind: "create", logId: random(32), accessHash: random(32), token: none })).toMatchObject({
      kind: "error",
      code: "unavailable",
    });
    await expect.poll(async () => await (await fetch(`${server.url}/healthz`)).text()).toContain("update Latchkey on this machine");
    await expect(runServer(options)).rejects.toMatchObject({ code: "data_newer" });
  });
});
