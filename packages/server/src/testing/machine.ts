import type { ServerOptions } from "../config.ts";
import type { RunningServer } from "../server.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { createLog, createTestLog, entryBytes, openLog, runServer, temporaryDirectory } from "./fixtures.ts";
import type { TestLog } from "./fixtures.ts";
import { TestClient } from "./test-client.ts";

/** What the clock of a `Machine` says first. */
export const machineStart: number = Date.UTC(2026, 10, 28, 12);

/** A machine with one data folder: its clock, and the time that really passes. */
export class Machine {
  readonly dataDirectory: string = temporaryDirectory();
  wallMs: number = machineStart;
  passedMs = 0;
  readonly log: TestLog = createTestLog();

  run(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
    return runServer(
      { host: "latchkey.example", dataDirectory: this.dataDirectory, limits: { publicationIntervalMs: 0, headsIntervalMs: 0 }, ...options },
      { nowMs: () => this.wallMs, passedMs: () => this.passedMs },
    );
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.passedMs += ms;
  }

  /** What the newest entry of the public record is dated. */
  async newestEntryMs(): Promise<number> {
    const store = await openSqliteStore({ directory: this.dataDirectory });
    try {
      return (await store.directoryStatus()).timestampMs;
    } finally {
      await store.close();
    }
  }

  async append(server: RunningServer, isFirst: boolean = false): Promise<void> {
    const client = await TestClient.connect(server.url, "log");
    if (isFirst) await createLog(client, this.log);
    else await openLog(client, this.log, 0, 1_000_000);
    const blob = entryBytes(512);
    const outcome = await client.outcome({ kind: "append", logId: this.log.logId, epochId: 0, entryKind: "message", blob });
    if (outcome !== "accepted") throw new Error(outcome);
    await client.close();
  }

  /** Where the log begins and ends, once what housekeeping does at a start is done: its requests come one after the other. */
  async positions(server: RunningServer): Promise<{ firstSeq: number; lastSeq: number; days: number[] }> {
    const client = await TestClient.connect(server.url, "log");
    await client.settle();
    const { logId, access } = this.log;
    const opened = await client.ask({ kind: "open", logId, epochId: 0, access, afterSeq: 0, closed: [] });
    if (opened.kind !== "opened") throw new Error(opened.kind);
    const { firstSeq, lastSeq } = opened;
    const kept = lastSeq - firstSeq + 1;
    // A prefix that is gone is told first.
    const events = await client.take(kept);
    await client.close();
    return { firstSeq, lastSeq, days: events.map((event) => (event.kind === "entry" ? event.day : -1)) };
  }
}

/** What `/healthz` gives as reasons. */
export async function reasons(server: RunningServer): Promise<{ code: string; message: string }[]> {
  return ((await (await fetch(`${server.url}/healthz`)).json()) as { reasons: { code: string; message: string }[] }).reasons;
}
