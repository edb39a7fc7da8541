// A disk that fails under a running server: it stops at the first failure, tells its clients, names the cause, and keeps what it acknowledged.
import { closeSync, openSync, readSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { closeCodes } from "@latchkey/protocol";
import { expect, test } from "vitest";
import { describeBreakage } from "./store/sqlite/breakage.ts";
import { databaseFile } from "./store/sqlite/database-files.ts";
import { openStore } from "./store/sqlite/sqlite-store.ts";
import { buildShim } from "./testing/disk-steps.ts";
import { createLog, createTestLog, entryBytes, random, runServer, temporaryDirectory } from "./testing/fixtures.ts";
import type { TestLog } from "./testing/fixtures.ts";
import { crashing, host, startProcess } from "./testing/crashing-process.ts";
import { inProcessChannel } from "./testing/in-process-channel.ts";
import { TestClient } from "./testing/test-client.ts";
import { createUpload, offsetOf, sendPart } from "./testing/tus.ts";

const append = (log: TestLog, size: number = 60_000) =>
  ({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(size) }) as const;

/** Writes until the server is gone. Answers how many entries it acknowledged, and how it closed. */
async function writeUntilClosed(url: string, log: TestLog): Promise<{ accepted: number; closed: number; refusals: number }> {
  const client = await TestClient.connect(url, "log");
  await createLog(client, log);
  let [accepted, refusals] = [0, 0];
  for (let count = 0; count < 3000; count++) {
    const outcome = await client.outcome(append(log)).catch(() => "gone");
    if (outcome === "gone") break;
    if (outcome === "accepted") accepted += 1;
    else refusals += 1;
  }
  return { accepted, refusals, closed: await client.closed };
}

async function lastSeqOf(directory: string, log: TestLog): Promise<number> {
  const server = await runServer({ dataDirectory: directory, host });
  const client = await TestClient.connect(server.url, "log");
  const opened = await client.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
  if (opened.kind !== "opened") throw new Error(opened.kind);
  return opened.lastSeq;
}

/** Exactly one line of the log, of the level "error". */
function errorLine(log: string): string {
  const lines = log.trim().split("\n");
  expect(lines).toHaveLength(1);
  return String(Reflect.get(JSON.parse(lines[0] ?? "{}") as object, "msg"));
}

/** Spoils the pages that hold the rest of long rows: those that begin with the number of the page that follows. */
function damageOverflow(path: string): void {
  const pageBytes = 4096;
  const file = openSync(path, "r+");
  const page = Buffer.alloc(4);
  for (let at = pageBytes; at < statSync(path).size; at += pageBytes) {
    readSync(file, page, 0, 4, at);
    if (page[0] === 0 && page.readUInt32BE() > 0) writeSync(file, Buffer.alloc(4, 0xff), 0, 4, at);
  }
  closeSync(file);
}

// Where the system allows no larger file, a write fails as on a broken disk: with an I/O error, and not for want of room.
test.skipIf(process.platform === "win32")(
  "a write that fails ends the process with the cause, and what was acknowledged is there",
  async () => {
    const directory = temporaryDirectory();
    const log = createTestLog();
    const server = await startProcess(directory, ["sh", "-c", 'ulimit -f 6000; exec "$@"', "sh", ...crashing]);
    const { accepted, refusals, closed } = await writeUntilClosed(server.url, log);
    expect(accepted).toBeGreaterThan(10);
    expect(refusals).toBeLessThanOrEqual(1);
    expect(closed).toBe(closeCodes.shuttingDown);
    const { code, log: written } = await server.ended;
    expect(code).toBe(1);
    expect(errorLine(written)).toBe(`the server stops: ${describeBreakage("disk")}`);
    expect(await lastSeqOf(directory, log)).toBeGreaterThanOrEqual(accepted);
  },
);

/** A library that lets fsync fail once a file is there. */
const shim = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
static int failing(void) {
  const char *file = getenv("FAIL_WHEN");
  return file && access(file, F_OK) == 0;
}
int fsync(int fd) { if (failing()) { errno = EIO; return -1; } return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) { if (failing()) { errno = EIO; return -1; } return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
`;

test("an fsync that fails ends the process at once, and nothing is acknowledged after it", async (context) => {
  const built = buildShim(temporaryDirectory(), shim);
  if ("reason" in built) {
    process.stdout.write(`skipped, a failing fsync: ${built.reason}\n`);
    context.skip(built.reason);
    return;
  }
  const directory = temporaryDirectory();
  const sign = join(temporaryDirectory(), "failing");
  const server = await startProcess(directory, crashing, { LD_PRELOAD: built.path, FAIL_WHEN: sign });
  const log = createTestLog();
  const client = await TestClient.connect(server.url, "log");
  await createLog(client, log);
  expect(await client.outcome(append(log))).toBe("accepted");
  writeFileSync(sign, "");
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => client.outcome(append(log)).catch(() => "gone")));
  expect(outcomes).not.toContain("accepted");
  expect(await client.closed).toBe(closeCodes.shuttingDown);
  const { code, log: written } = await server.ended;
  expect(code).toBe(1);
  expect(errorLine(written)).toBe(`the server stops: ${describeBreakage("disk")}`);
  expect(await lastSeqOf(directory, log)).toBeGreaterThanOrEqual(1);
});

test("an fsync that fails under an upload ends the process; what was told to be there before is there after it", async (context) => {
  const built = buildShim(temporaryDirectory(), shim);
  if ("reason" in built) {
    process.stdout.write(`skipped, a failing fsync: ${built.reason}\n`);
    context.skip(built.reason);
    return;
  }
  const directory = temporaryDirectory();
  const sign = join(temporaryDirectory(), "failing");
  const server = await startProcess(directory, crashing, { LD_PRELOAD: built.path, FAIL_WHEN: sign });
  const { path } = await createUpload(server, random(32), 1_000_000);
  expect((await sendPart(server, path, 0, random(300_000))).status).toBe(204);
  writeFileSync(sign, "");
  const outcome = await sendPart(server, path, 300_000, random(300_000)).then(
    ({ status }) => status,
    () => "gone",
  );
  expect([500, "gone"]).toContain(outcome);
  const { code, log: written } = await server.ended;
  expect(code).toBe(1);
  expect(written).toContain(describeBreakage("disk"));
  const again = await runServer({ dataDirectory: directory, host });
  expect(Number(await offsetOf(again, path))).toBeGreaterThanOrEqual(300_000);
});

test("a damaged page is named as such, and not as a reader that is too slow", async () => {
  const directory = temporaryDirectory();
  const log = createTestLog();
  const before = await runServer({ dataDirectory: directory, host });
  const writer = await TestClient.connect(before.url, "log");
  await createLog(writer, log);
  await Promise.all(Array.from({ length: 20 }, () => writer.outcome(append(log))));
  await before.close();
  damageOverflow(join(directory, databaseFile.logs));
  const server = await startProcess(directory, crashing);
  const reader = await TestClient.connect(server.url, "log");
  void reader.outcome({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] }).catch(() => "gone");
  expect(await reader.closed).toBe(closeCodes.shuttingDown);
  const { code, log: written } = await server.ended;
  expect(code).toBe(1);
  expect(errorLine(written)).toBe(`the server stops: ${describeBreakage("damaged")}`);
});

test("a store that broke does nothing more, releases its folder, and health says why until the process ends", async () => {
  const disk = { isBroken: false };
  const faults = {
    beforeCommit: (): void => {
      // SQLITE_IOERR_FSYNC, as SQLite says it.
      if (disk.isBroken) throw Object.assign(new Error("disk I/O error"), { errcode: 1034 });
    },
  };
  const directory = temporaryDirectory();
  const store = await openStore(inProcessChannel({ directory }, faults));
  disk.isBroken = true;
  const all = await Promise.allSettled([store.newestDay(), store.lastItem({ inboxId: random(32) }), store.directoryStatus()]);
  disk.isBroken = false;
  for (const one of all) expect(one).toMatchObject({ status: "rejected", reason: { code: "failed" } });
  await expect(store.newestDay()).rejects.toMatchObject({ code: "closed" });
  expect(await store.failed).toMatchObject({ code: "store_failed", message: describeBreakage("disk") });
  await store.close();
  const again = await openStore(inProcessChannel({ directory }, {}));
  await again.close();
});

test("SQL that the database refuses is told by its number and words, once, and health is red until the operation succeeds", async () => {
  const directory = temporaryDirectory();
  const server = await startProcess(directory, crashing);
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  expect(await client.outcome(append(log, 999))).toBe("accepted");
  const health = async (): Promise<unknown> => (await fetch(`${server.url}/healthz`)).json();
  // Somebody changes the schema under the server, as an edited step of it would.
  const other = new DatabaseSync(join(directory, databaseFile.logs), { timeout: 5000 });
  other.exec("ALTER TABLE recent_entries RENAME COLUMN slot TO other_slot");
  for (let times = 0; times < 3; times++) {
    expect(await health()).toMatchObject({ status: "ok" });
    expect(await client.outcome(append(log, 999))).toBe("internal");
  }
  expect(await client.outcome({ kind: "create", logId: random(32), accessHash: random(32), token: new Uint8Array() })).toBe("opened");
  expect(await health()).toMatchObject({ reasons: [{ code: "store" }] });
  other.exec("ALTER TABLE recent_entries RENAME COLUMN other_slot TO slot");
  other.close();
  expect(await client.outcome(append(log, 999))).toBe("accepted");
  expect(await health()).toMatchObject({ status: "ok" });
  server.kill();
  const { code, log: written } = await server.ended;
  expect(code).toBe(0);
  // What is done once after a start may meet the same.
  const [told = "", ...others] = written.split("\n").filter((line) => line !== "" && !/"operation":"(?:scrub|shrink)"/.test(line));
  expect(others).toEqual([]);
  expect(errorLine(told)).toBe("the store failed");
  expect(JSON.parse(told)).toMatchObject({ operation: "append", code: "SQLITE_1", words: "SQL logic error" });
  expect(written).toContain("recent-entries");
  expect(written).not.toContain("other_slot");
});
