// A store that has lost what was acknowledged, by an old copy or a damaged journal, is refused before anybody is served from it.
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startServer } from "../server.ts";
import { databaseFile, databaseFiles, journalSuffix } from "../store/sqlite/database-files.ts";
import { openStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { inProcessChannel } from "../testing/in-process-channel.ts";
import { createLog, createTestLog, entryBytes, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";

const host = "latchkey.example";

async function start(dataDirectory: string, iKnow: readonly "rolled-back"[] = []): Promise<string> {
  try {
    const server = await startServer({ port: 0, logLevel: "silent", host, dataDirectory, iKnow });
    await server.close();
    return "started";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

test("[E-95] an old copy of the databases is refused, and goes on when the operator says so, once", async () => {
  const dataDirectory = temporaryDirectory();
  const first = await runServer({ dataDirectory, host });
  await register(first, "alice");
  await first.close();
  const copies = temporaryDirectory();
  for (const name of databaseFiles) copyFileSync(join(dataDirectory, name), join(copies, name));
  const second = await runServer({ dataDirectory, host });
  await register(second, "bert");
  await second.close();
  for (const name of databaseFiles) copyFileSync(join(copies, name), join(dataDirectory, name));
  expect(await start(dataDirectory)).toContain("the public log has 2 entries, and 3 were shown");
  expect(await start(dataDirectory, ["rolled-back"])).toBe("started");
  expect(await start(dataDirectory)).toBe("started");
});

test("[E-95] another log of the same size is refused", async () => {
  const dataDirectory = temporaryDirectory();
  const first = await runServer({ dataDirectory, host });
  await register(first, "alice");
  await first.close();
  const copies = temporaryDirectory();
  for (const name of databaseFiles) copyFileSync(join(dataDirectory, name), join(copies, name));
  for (const username of ["bert", "carol"]) {
    const server = await runServer({ dataDirectory, host, ...(username === "carol" ? { iKnow: ["rolled-back"] } : {}) });
    await register(server, username);
    await server.close();
    if (username === "carol") break;
    writeFileSync(join(copies, "seen"), readFileSync(join(dataDirectory, "directory", "seen")));
    for (const name of databaseFiles) copyFileSync(join(copies, name), join(dataDirectory, name));
  }
  writeFileSync(join(dataDirectory, "directory", "seen"), readFileSync(join(copies, "seen")));
  expect(await start(dataDirectory)).toContain("the public log is another one than was shown");
});

test("[E-95] a file that is gone, damaged or of another form says nothing: the server starts, and writes it anew", async () => {
  const dataDirectory = temporaryDirectory();
  const seen = join(dataDirectory, "directory", "seen");
  for (const text of [undefined, "", "x", "9".repeat(40), `3 ${"A".repeat(42)}\n`, "-1 \n", "1 \u0000".repeat(1000)]) {
    if (text !== undefined) writeFileSync(seen, text);
    expect(await start(dataDirectory), text).toBe("started");
    rmSync(seen, { force: true });
    expect(await start(dataDirectory), text).toBe("started");
    expect(readFileSync(seen, "utf8")).toMatch(/^1 [A-Za-z0-9_-]{43}\n$/);
  }
});

test("logs that are older than what was published of them are refused, although the public log is whole", async () => {
  const dataDirectory = temporaryDirectory();
  const limits = { publicationIntervalMs: 0, headsIntervalMs: 0 };
  const copies = temporaryDirectory();
  const log = createTestLog();
  for (let run = 0; run < 2; run++) {
    const server = await runServer({ dataDirectory, host, limits });
    const client = await TestClient.connect(server.url, "log");
    if (run === 0) await createLog(client, log);
    else await client.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
    const outcome = await client.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) });
    expect(outcome).toBe("accepted");
    // Publishes the heads along.
    await register(server, `person-${run}`);
    await server.close();
    if (run === 0) copyFileSync(join(dataDirectory, databaseFile.logs), join(copies, databaseFile.logs));
  }
  expect(await start(dataDirectory)).toBe("started");
  copyFileSync(join(copies, databaseFile.logs), join(dataDirectory, databaseFile.logs));
  expect(await start(dataDirectory)).toContain("the conversations are older than what was published of them");
  expect(await start(dataDirectory, ["rolled-back"])).toBe("started");
});

test("a journal that was damaged in its middle is noticed, although what is left of it is in order", async () => {
  const dataDirectory = temporaryDirectory();
  // On this thread, where nobody empties the journals meanwhile.
  const openHere = (directory: string): Promise<Store> => openStore(inProcessChannel({ directory }, {}));
  const server = await runServer({ dataDirectory, host }, { openStore: openHere });
  for (const username of ["alice", "bert", "carol"]) await register(server, username);
  const seen = readFileSync(join(dataDirectory, "directory", "seen"));
  const crashed = temporaryDirectory();
  // As a power cut leaves it: the databases with their journals.
  const names = databaseFiles.flatMap((name) => [name, `${name}${journalSuffix}`]);
  for (const name of names) copyFileSync(join(dataDirectory, name), join(crashed, name));
  await server.close();
  for (const name of names) {
    rmSync(join(dataDirectory, name), { force: true });
    copyFileSync(join(crashed, name), join(dataDirectory, name));
  }
  const journal = join(dataDirectory, `${databaseFile.accounts}${journalSuffix}`);
  // Frames from the middle on are gone, which SQLite takes for a transaction that was never finished.
  truncateSync(journal, Math.floor(statSync(journal).size / 2));
  writeFileSync(join(dataDirectory, "directory", "seen"), seen);
  expect(await start(dataDirectory)).toContain("has lost something: the public log has ");
});
