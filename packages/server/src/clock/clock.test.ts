// The whole server, its store and housekeeping, on a machine whose clock is wrong.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ServerOptions } from "../config.ts";
import type { RunningServer } from "../server.ts";
import { createLog, createTestLog, entryBytes, openLog, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 10, 28, 12);

/** A machine with one data folder: its clock, and the time that really passes. */
class Machine {
  readonly dataDirectory = temporaryDirectory();
  wallMs = start;
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

/** The day that the last run recorded. */
const recorded = (machine: Machine): string => `${readFileSync(join(machine.dataDirectory, "clock"), "utf8").split("\n")[0] ?? ""}\n`;

test("one start with a clock 40 days ahead removes nothing, dates nothing ahead, says so, and the next start goes on as before", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  expect(recorded(machine)).toBe("2026-11-28\n");
  machine.wallMs += 40 * dayMs;
  const wrong = await machine.run();
  expect(await machine.positions(wrong)).toMatchObject({ firstSeq: 1, lastSeq: 1 });
  await machine.append(wrong);
  await register(wrong, "alice");
  await wrong.close();
  expect(recorded(machine)).toBe("2026-11-28\n");
  machine.wallMs -= 40 * dayMs;
  const after = await machine.run();
  const today = Math.floor(start / dayMs);
  expect(await machine.positions(after)).toEqual({ firstSeq: 1, lastSeq: 2, days: [today, today] });
  await register(after, "bert");
});

test("a clock that jumps while the server runs removes nothing either", async () => {
  const machine = new Machine();
  const server = await machine.run();
  await machine.append(server, true);
  machine.wallMs += 400 * dayMs;
  await machine.append(server);
  await server.close();
  expect(recorded(machine)).toBe("2026-11-28\n");
  machine.wallMs = start;
  const today = Math.floor(start / dayMs);
  expect(await machine.positions(await machine.run())).toEqual({ firstSeq: 1, lastSeq: 2, days: [today, today] });
});

test("a server that was off for 40 days expires what is due when it is told so", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  machine.pass(40 * dayMs);
  const after = await machine.run({ iKnow: ["clock"] });
  await expect.poll(async () => (await machine.positions(after)).firstSeq).toBe(2);
  expect(recorded(machine)).toBe("2027-01-07\n");
});

test("a folder without the recorded day is held against what is stored", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  rmSync(join(machine.dataDirectory, "clock"));
  machine.wallMs += 40 * dayMs;
  expect(await machine.positions(await machine.run())).toMatchObject({ firstSeq: 1, lastSeq: 1 });
  expect(recorded(machine)).toBe("\n");
});

test("entries of a future day, which a wrong clock left, hold up neither what came before nor after them", async () => {
  const machine = new Machine();
  const first = await machine.run();
  await machine.append(first, true);
  await first.close();
  // Somebody insisted on the wrong clock.
  machine.wallMs += 20 * dayMs;
  const wrong = await machine.run({ iKnow: ["clock"] });
  await machine.append(wrong);
  await wrong.close();
  machine.wallMs -= 20 * dayMs;
  const right = await machine.run({ iKnow: ["clock"] });
  await machine.append(right);
  await right.close();
  machine.pass(32 * dayMs);
  const after = await machine.run({ iKnow: ["clock"] });
  // All three came within the first day, by whatever clock.
  await expect.poll(async () => (await machine.positions(after)).firstSeq).toBe(4);
});

test("a server that was off for 40 days keeps what came while it doubted its clock as long as anything, once it believes it", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  machine.pass(40 * dayMs);
  const doubting = await machine.run();
  await machine.append(doubting);
  const { lastSeq } = await machine.positions(doubting);
  expect(lastSeq).toBe(2);
  for (let hour = 0; hour < 25; hour++) {
    machine.pass(3_600_000);
    await machine.positions(doubting);
  }
  expect((await fetch(`${doubting.url}/healthz`)).status).toBe(200);
  await doubting.close();
  // The next start knows of it by what was recorded.
  machine.pass(2 * dayMs);
  const after = await machine.run();
  expect((await machine.positions(after)).firstSeq).toBeLessThanOrEqual(2);
});

test("a server that is switched off every night believes its clock after a day of running, over its starts", async () => {
  const machine = new Machine();
  const before = await machine.run();
  await machine.append(before, true);
  await before.close();
  machine.pass(10 * dayMs);
  const health: number[] = [];
  for (let day = 0; day < 3; day++) {
    // The second clock begins anew with the machine.
    machine.passedMs = 0;
    const server = await machine.run();
    for (let hour = 0; hour < 14; hour++) {
      machine.pass(3_600_000);
      await machine.positions(server);
    }
    health.push((await fetch(`${server.url}/healthz`)).status);
    await server.close();
    machine.pass(10 * 3_600_000);
  }
  expect(health).toEqual([503, 200, 200]);
});
