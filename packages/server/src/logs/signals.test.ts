import type { LogReply, LogRequest } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { createLog, createTestLog, entryBytes, none, openLog, random, runServer } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { sha256 } from "../hash.ts";
import { TestClient } from "../testing/test-client.ts";
import type { ServerOptions } from "../config.ts";
import type { RunningServer } from "../server.ts";

type Client = TestClient<"log">;

function signal(log: Pick<TestLog, "logId">, epochId = 0): LogRequest & { kind: "signal" } {
  return { kind: "signal", logId: log.logId, epochId, bytes: random(256) };
}

async function readers(
  count: number,
  options: Partial<ServerOptions> = {},
): Promise<{ server: RunningServer; log: TestLog; clients: Client[] }> {
  const server = await runServer(options);
  const log = createTestLog();
  const clients: Client[] = [];
  for (let at = 0; at < count; at++) {
    const client = await TestClient.connect(server.url, "log");
    if (at === 0) await createLog(client, log);
    else await openLog(client, log);
    clients.push(client);
  }
  return { server, log, clients };
}

async function signalsOf(client: Client): Promise<LogReply[]> {
  await client.settle();
  return client.events.filter(({ kind }) => kind === "signal");
}

describe("[N-1] a signal", () => {
  test("goes to the others who have its epoch open, and is stored nowhere", async () => {
    const { server, log, clients } = await readers(3);
    const [alice, ben, cyd] = clients as [Client, Client, Client];
    const said = signal(log);
    expect(await alice.ask(said)).toEqual({ kind: "done" });
    for (const reader of [ben, cyd])
      expect(await signalsOf(reader)).toEqual([{ kind: "signal", logId: log.logId, epochId: 0, bytes: said.bytes }]);
    expect(await signalsOf(alice)).toEqual([]);
    const late = await TestClient.connect(server.url, "log");
    const opened = await late.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
    expect(opened).toMatchObject({ kind: "opened", lastSeq: 0 });
    expect(await signalsOf(late)).toEqual([]);
  });

  test("is taken from nobody who has not opened that epoch, and goes nowhere once it ended", async () => {
    const { server, log, clients } = await readers(2);
    const [alice, ben] = clients as [Client, Client];
    const stranger = await TestClient.connect(server.url, "log");
    expect(await stranger.ask(signal(log))).toMatchObject({ kind: "error", code: "unknown_log" });
    expect(await alice.ask(signal(log, 7))).toMatchObject({ kind: "error", code: "wrong_access_key" });
    const child = random(32);
    const commit = { logId: log.logId, epochId: 0, afterSeq: 0, nextAccessHash: sha256(child), blob: entryBytes(1024), token: none };
    expect(await alice.ask({ kind: "commit", ...commit })).toMatchObject({ kind: "accepted" });
    expect(await alice.ask(signal(log))).toEqual({ kind: "done" });
    expect(await signalsOf(ben)).toEqual([]);
  });

  test("of one connection that never ends is refused, of many together it goes to nobody, and so it does among many readers", async () => {
    const { log, clients } = await readers(4, {
      limits: { signalRate: { burst: 3, perSecond: 0.001 }, signalsInLog: { burst: 5, perSecond: 0.001 } },
    });
    const [alice, ben, cyd, reader] = clients as [Client, Client, Client, Client];
    for (let at = 0; at < 3; at++) expect(await alice.ask(signal(log))).toEqual({ kind: "done" });
    expect(await alice.ask(signal(log))).toMatchObject({ kind: "error", code: "rate_limited" });
    for (const client of [ben, cyd]) for (let at = 0; at < 2; at++) expect(await client.ask(signal(log))).toEqual({ kind: "done" });
    expect(await signalsOf(reader)).toHaveLength(5);

    const crowded = await readers(4, { limits: { maxSignalReaders: 3 } });
    const [one, two] = crowded.clients as [Client, Client];
    expect(await one.ask(signal(crowded.log))).toEqual({ kind: "done" });
    expect(await signalsOf(two)).toEqual([]);
  });
});
