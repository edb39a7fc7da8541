import { toHex } from "@latchkey/codec";
import { closeCodes, entryLeaf, firstHead, nextHead } from "@latchkey/protocol";
import type { LogReply } from "@latchkey/protocol";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { sha256 } from "./hash.ts";
import { createLog, createTestLog, openLog, random, register, runServer, temporaryDirectory } from "./testing/fixtures.ts";
import { TestClient } from "./testing/test-client.ts";

const script = fileURLToPath(new URL("./testing/crashing-server.ts", import.meta.url));

interface ServerProcess {
  readonly url: string;
  /** Ends it with a signal; resolves when it is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
}

async function startProcess(directory: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [script, directory, "latchkey.example"], { stdio: ["ignore", "pipe", "inherit"] });
  const gone = new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString().trim()));
    void gone.then(() => reject(new Error("the server ended before it listened")));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    end(signal) {
      child.kill(signal);
      return gone;
    },
  };
}

test("[P5] [L-7] a server killed in the midst of appends keeps every acknowledged entry, once, on one chain; retries add nothing", async () => {
  const directory = temporaryDirectory();
  const log = createTestLog();
  const acknowledged = new Map<string, number>();
  const sent: Uint8Array[] = [];
  for (let round = 0; round < 3; round++) {
    const server = await startProcess(directory);
    const clients = await Promise.all([1, 2, 3].map(() => TestClient.connect(server.url, "log")));
    const [first] = clients;
    if (first === undefined) throw new Error("no client");
    if (round === 0) await createLog(first, log);
    for (const client of clients) await openLog(client, log, 0, acknowledged.size);
    // What was in doubt is sent again first, byte for byte.
    for (const blob of sent.filter((each) => !acknowledged.has(toHex(each)))) {
      const reply = await first.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob, blobIds: [] });
      if (reply.kind === "accepted") acknowledged.set(toHex(blob), reply.seq);
    }
    const write = async (client: TestClient<"log">): Promise<void> => {
      for (;;) {
        const blob = random(700);
        sent.push(blob);
        const reply: LogReply = await client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob, blobIds: [] });
        if (reply.kind === "accepted") acknowledged.set(toHex(blob), reply.seq);
      }
    };
    // Many at once on each connection; they end when the connection does.
    const writers = clients.flatMap((client) => [1, 2, 3, 4, 5, 6].map(() => write(client).catch(() => {})));
    const before = acknowledged.size;
    await expect.poll(() => acknowledged.size - before, { timeout: 20_000, interval: 5 }).toBeGreaterThan(300);
    await server.end("SIGKILL");
    await Promise.all(writers);
  }
  const server = await startProcess(directory);
  const reader = await TestClient.connect(server.url, "log");
  const opened = await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0 });
  if (opened.kind !== "opened") throw new Error(opened.kind);
  const events = await reader.take(opened.lastSeq);
  let head = firstHead(sha256, log.logId);
  const stored = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    if (event.kind !== "entry") throw new Error(event.kind);
    expect(event.seq).toBe(index + 1);
    head = nextHead(sha256, head, entryLeaf(sha256, log.logId, { ...event, kind: event.entryKind }));
    expect(stored.has(toHex(event.blob))).toBe(false);
    stored.set(toHex(event.blob), event.seq);
  }
  expect(toHex(opened.head)).toBe(toHex(head));
  expect(acknowledged.size).toBeGreaterThan(900);
  for (const [blob, seq] of acknowledged) expect(stored.get(blob)).toBe(seq);
  const known = new Set(sent.map(toHex));
  for (const blob of stored.keys()) expect(known.has(blob)).toBe(true);
  expect(await server.end("SIGTERM")).toBe(0);
}, 60_000);

test("a server that is told to stop finishes what is under way, says why it closes, and starts again where it was", async () => {
  const directory = temporaryDirectory();
  const server = await startProcess(directory);
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  const appends = Array.from({ length: 100 }, () =>
    client
      .outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: random(512), blobIds: [] })
      .catch(() => "cut"),
  );
  await appends[0];
  const ending = server.end("SIGTERM");
  expect(await client.closed).toBe(closeCodes.shuttingDown);
  expect(await ending).toBe(0);
  const accepted = (await Promise.all(appends)).filter((outcome) => outcome === "accepted").length;
  const again = await runServer({ dataDirectory: directory, host: "latchkey.example" });
  const reader = await TestClient.connect(again.url, "log");
  const opened = await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0 });
  // What was stored was answered.
  expect(accepted).toBeGreaterThan(0);
  expect(opened).toMatchObject({ kind: "opened", lastSeq: accepted });
});

test("an account published before a kill is there after it", async () => {
  const directory = temporaryDirectory();
  const server = await startProcess(directory);
  const { account } = await register({ url: server.url, host: "latchkey.example" }, "alice");
  await server.end("SIGKILL");
  const again = await startProcess(directory);
  const lookup = await TestClient.connect(again.url, "lookup");
  expect(await lookup.ask({ kind: "lookup_username", username: "alice", fromVersion: 0, knownSize: 0 })).toMatchObject({
    states: [account.signedState],
  });
});
