import { utf8Bytes } from "@latchkey/codec";
import { directoryOrigin, parseCheckpoint, parseNote } from "@latchkey/transparency";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createLog, createTestLog, entryBytes, openLog, register, temporaryDirectory } from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { readJournal } from "./read-journal.ts";

const script = fileURLToPath(new URL("../testing/dying-server.ts", import.meta.url));
const host = "latchkey.example";

/** Starts a server that dies at a commit; `undefined` where that was before it listened. */
async function start(dataDirectory: string, journal: string, at: "before" | "after", commit: number) {
  const child = spawn(process.execPath, [script, dataDirectory, journal, host, at, String(commit)], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (data: Buffer) => (said += data.toString()));
  const gone = new Promise<string | number | null>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? code));
  });
  const port = await new Promise<string | undefined>((resolve) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
    void gone.then(() => resolve(undefined));
  });
  // Whatever it dies of, it was killed: it never refused to start, and nothing was an unexpected error.
  if (port === undefined) expect([await gone, said]).toEqual(["SIGKILL", ""]);
  return port === undefined ? undefined : { url: `http://127.0.0.1:${port}`, host, gone, child };
}

test("[P5] a server killed at one commit after the other, of either database, before or after it, and so between store and journal, starts again with all that it acknowledged", async () => {
  const [dataDirectory, journal] = [join(temporaryDirectory(), "data"), join(temporaryDirectory(), "journal")];
  const names: string[] = [];
  const logs: { readonly log: TestLog; accepted: number }[] = [];
  let deaths = 0;

  /** Registers, and writes into a log of its own, again and again, until the server is gone. */
  async function work(server: { readonly url: string; readonly host: string }): Promise<void> {
    for (let count = 0; count < 10; count++) {
      const name = `person${String(names.length)}x${String(deaths)}x${String(count)}`;
      const client = await TestClient.connect(server.url, "log");
      const mine = { log: createTestLog(), accepted: 0 };
      await createLog(client, mine.log);
      await openLog(client, mine.log);
      logs.push(mine);
      const append = async (): Promise<void> => {
        const { logId } = mine.log;
        const reply = await client.ask({ kind: "append", logId, epochId: 0, entryKind: "message", blob: entryBytes(500) });
        if (reply.kind === "accepted") mine.accepted += 1;
      };
      // Both databases in the same batches.
      await Promise.all([append(), register(server, name).then(() => names.push(name)), append()]);
      await append();
    }
  }

  for (let step = 1; step <= 12; step++) {
    const server = await start(dataDirectory, journal, step % 2 === 0 ? "before" : "after", step * 9 - 4);
    if (server !== undefined) {
      await Promise.race([work(server).catch(() => undefined), server.gone]);
      // One that had more to do than there was ends all the same.
      server.child.kill("SIGKILL");
      expect(await server.gone).toBe("SIGKILL");
    }
    deaths += 1;
  }
  expect(names.length).toBeGreaterThan(3);

  const server = await start(dataDirectory, journal, "after", 0);
  if (server === undefined) throw new Error("it started");
  const lookup = await TestClient.connect(server.url, "lookup");
  for (const username of names) {
    expect(await lookup.ask({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 })).toMatchObject({ kind: "account" });
  }
  const reader = await TestClient.connect(server.url, "log");
  for (const { log, accepted } of logs) {
    const opened = await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
    expect(opened.kind === "opened" ? opened.lastSeq : 0).toBeGreaterThanOrEqual(accepted);
  }
  const checkpoint = parseCheckpoint(parseNote(utf8Bytes(await (await fetch(`${server.url}/v1/directory/checkpoint`)).text())).text);
  const { end, records } = await readJournal({ folder: journal, origin: directoryOrigin(host), fromSize: 1, upTo: undefined });
  expect(end).toBe(checkpoint.size);
  expect(records.map(({ size }) => size)).toEqual(Array.from({ length: end }, (_, at) => at + 1));
  server.child.kill("SIGTERM");
  expect(await server.gone).toBe(0);
}, 300_000);
