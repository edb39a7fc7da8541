// Servers and their PostgreSQL that are killed while people write: what was acknowledged is there, once, in its order.
import { toHex } from "@latchkey/codec";
import { entryLeaf, firstHead, nextHead } from "@latchkey/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "./hash.ts";
import { startProcess } from "./testing/crashing-process.ts";
import type { CrashingProcess } from "./testing/crashing-process.ts";
import { createLog, createTestLog, entryBytes, openLog, temporaryDirectory } from "./testing/fixtures.ts";
import type { TestLog } from "./testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "./testing/postgres.ts";
import type { TestPostgres } from "./testing/postgres.ts";
import { TestClient } from "./testing/test-client.ts";

describe.skipIf(findPostgres() === undefined)("a server and its PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres(keptSettings);
  });
  afterAll(() => postgres.stop());

  test("killed again and again, together and each by itself: every acknowledged entry is there once, dense, on one chain", async () => {
    const directory = temporaryDirectory();
    const environment = { TEST_DATABASE: JSON.stringify({ at: postgres.url, acceptLoss: true, schema: "killed" }) };
    const start = (): Promise<CrashingProcess> => startProcess(directory, undefined, environment);
    let server = await start();
    const logs = [createTestLog(), createTestLog(), createTestLog()];
    const creator = await TestClient.connect(server.url, "log");
    for (const log of logs) await createLog(creator, log);
    const acknowledged = new Map<string, number>();
    let isOver = false;

    /** Writes until all is over, as a client does: what is in doubt is sent again, byte for byte, on whatever connection there is. */
    const write = async (log: TestLog): Promise<void> => {
      let client: TestClient<"log"> | undefined;
      for (let blob = entryBytes(600); !isOver || client === undefined;) {
        try {
          if (client === undefined) {
            const opened = await TestClient.connect(server.url, "log");
            if ((await openLog(opened, log)) !== "opened") continue;
            client = opened;
          }
          const reply = await client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
          if (reply.kind !== "accepted") continue;
          expect(acknowledged.has(toHex(blob))).toBe(false);
          acknowledged.set(toHex(blob), reply.seq);
          blob = entryBytes(600);
        } catch {
          client = undefined;
          // Nobody listens for a moment.
          await new Promise((resolve) => {
            setTimeout(resolve, 20);
          });
        }
      }
    };
    const writers = logs.flatMap((log) => Array.from({ length: 6 }, () => write(log)));
    const more = async (): Promise<void> => {
      const before = acknowledged.size;
      await expect.poll(() => acknowledged.size - before, { timeout: 40_000, interval: 5 }).toBeGreaterThan(150);
    };
    for (const killed of ["server", "database", "both", "database", "server"]) {
      await more();
      if (killed !== "server") await postgres.kill();
      if (killed !== "database") {
        server.kill("SIGKILL");
        await server.ended;
      }
      if (killed !== "server") await postgres.start();
      if (killed !== "database") server = await start();
    }
    await more();
    isOver = true;
    await Promise.all(writers);

    let stored = 0;
    for (const log of logs) {
      const reader = await TestClient.connect(server.url, "log");
      const opened = await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
      if (opened.kind !== "opened") throw new Error(opened.kind);
      let head = firstHead(sha256, log.logId);
      const found = new Set<string>();
      for (const [index, event] of (await reader.take(opened.lastSeq)).entries()) {
        if (event.kind !== "entry") throw new Error(event.kind);
        expect(event.seq).toBe(index + 1);
        head = nextHead(sha256, head, entryLeaf(sha256, log.logId, { ...event, kind: event.entryKind }));
        const blob = toHex(event.blob);
        expect(found.has(blob)).toBe(false);
        found.add(blob);
        if (acknowledged.has(blob)) expect(acknowledged.get(blob)).toBe(event.seq);
        stored += Number(acknowledged.has(blob));
      }
      expect(toHex(opened.head)).toBe(toHex(head));
    }
    expect(stored).toBe(acknowledged.size);
    expect(acknowledged.size).toBeGreaterThan(900);
  });
});
