import { decode, toHex } from "@latchkey/codec";
import { closeCodes, entryLeaf, firstHead, httpPaths, nextHead } from "@latchkey/protocol";
import type { LogReply } from "@latchkey/protocol";
import {
  decodeDirectoryProof,
  decodeEntryBundle,
  directoryConfigCodec,
  entriesTilePath,
  nextReplay,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVkey,
  replayRoot,
  verifyLookup,
} from "@latchkey/transparency";
import type { ReplayState } from "@latchkey/transparency";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { sha256 } from "./hash.ts";
import {
  createAccount,
  createLog,
  createTestLog,
  databaseOf,
  none,
  openLog,
  entryBytes,
  register,
  runServer,
  temporaryDirectory,
} from "./testing/fixtures.ts";
import type { TestAccount } from "./testing/fixtures.ts";
import { nodeSignatures } from "./directory/signatures.ts";
import { TestClient } from "./testing/test-client.ts";

const script = fileURLToPath(new URL("./testing/crashing-server.ts", import.meta.url));

interface ServerProcess {
  readonly url: string;
  /** Ends it with a signal; resolves when it is gone. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null>;
}

async function startProcess(directory: string): Promise<ServerProcess> {
  const { database } = databaseOf(directory);
  const env = { ...process.env, ...(database === undefined ? {} : { TEST_DATABASE: JSON.stringify(database) }) };
  const child = spawn(process.execPath, [script, directory, "latchkey.example"], { stdio: ["ignore", "pipe", "inherit"], env });
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
      const reply = await first.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
      if (reply.kind === "accepted") acknowledged.set(toHex(blob), reply.seq);
    }
    const write = async (client: TestClient<"log">): Promise<void> => {
      for (;;) {
        const blob = entryBytes(700);
        sent.push(blob);
        const reply: LogReply = await client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob });
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
  const opened = await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
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
});

test("a server that is told to stop finishes what is under way, says why it closes, and starts again where it was", async () => {
  const directory = temporaryDirectory();
  const server = await startProcess(directory);
  const client = await TestClient.connect(server.url, "log");
  const log = createTestLog();
  await createLog(client, log);
  const appends = Array.from({ length: 100 }, () =>
    client.outcome({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) }).catch(() => "cut"),
  );
  await appends[0];
  const ending = server.end("SIGTERM");
  expect(await client.closed).toBe(closeCodes.shuttingDown);
  expect(await ending).toBe(0);
  const accepted = (await Promise.all(appends)).filter((outcome) => outcome === "accepted").length;
  const again = await runServer({ dataDirectory: directory, host: "latchkey.example" });
  const reader = await TestClient.connect(again.url, "log");
  const opened = await reader.ask({ kind: "open", logId: log.logId, epochId: 0, access: log.access, afterSeq: 0, closed: [] });
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

test("[A-2] a server killed in the midst of registrations: one tree of each size, everything that was proved is in it, and it goes on", async () => {
  const directory = temporaryDirectory();
  const host = "latchkey.example";
  const proved = new Map<string, Uint8Array>();
  const sent = new Map<string, TestAccount>();
  const heads = new Map<number, string>();
  const get = async (url: string, path: string): Promise<Uint8Array> => {
    const response = await fetch(`${url}${httpPaths.directory}/${path}`);
    if (!response.ok) throw new Error(`${path}: ${String(response.status)}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  /** Every head ever shown has its one root. */
  const note = (size: number, root: Uint8Array): void => {
    expect(heads.get(size) ?? toHex(root), `two trees of size ${String(size)}`).toBe(toHex(root));
    heads.set(size, toHex(root));
  };
  const replayAll = async (url: string): Promise<void> => {
    const { logKey } = decode(directoryConfigCodec, await get(url, "config"));
    const opened = await openCheckpoint({
      note: await get(url, "checkpoint"),
      origin: `${host}/latchkey`,
      log: parseVkey(logKey),
      witnesses: [],
      signatures: nodeSignatures,
    });
    const { size, root } = opened.checkpoint;
    note(size, root);
    let state: ReplayState | undefined;
    for (let first = 0; first < size; first += 256) {
      const count = Math.min(256, size - first);
      const entries = decodeEntryBundle(await get(url, entriesTilePath(first / 256, count)), count);
      for (const [at, entry] of entries.entries()) {
        const transition = first + at === 0 ? undefined : await get(url, `transition/${String(first + at)}`);
        ({ state } = nextReplay(state, { entry, transition }));
        const before = heads.get(state.size);
        if (before !== undefined) expect(toHex(replayRoot(state))).toBe(before);
      }
    }
    if (state === undefined) throw new Error("an empty log");
    expect(replayRoot(state)).toEqual(root);
  };
  const publish = async (client: TestClient<"device">, account: TestAccount): Promise<void> => {
    const reply = await client.ask({ kind: "publish", state: account.signedState, pops: account.pops, bindings: account.bindings });
    if (reply.kind !== "published") throw new Error(reply.kind === "error" ? reply.code : reply.kind);
    proved.set(account.state.username, account.signedState);
    const checkpoint = parseCheckpoint(parseNote(decodeDirectoryProof(reply.proof).head.checkpoint).text);
    note(checkpoint.size, checkpoint.root);
  };
  for (let round = 0; round < 5; round++) {
    const server = await startProcess(directory);
    await replayAll(server.url);
    // What was in doubt is sent again: it is there already, or is taken now.
    const retry = await TestClient.connect(server.url, "device");
    for (const account of sent.values()) {
      if (proved.has(account.state.username)) continue;
      await retry.ask({ kind: "reserve", username: account.state.username, invitation: "", token: none });
      await publish(retry, account);
    }
    const register = async (writer: number): Promise<void> => {
      const client = await TestClient.connect(server.url, "device");
      for (let i = 0; ; i++) {
        const account = await createAccount(`u${String(round)}-${String(writer)}-${String(i)}`, host);
        await client.ask({ kind: "reserve", username: account.state.username, invitation: "", token: none });
        sent.set(account.state.username, account);
        await publish(client, account);
      }
    };
    const before = proved.size;
    const writers = [1, 2, 3].map((writer) => register(writer).catch((error: unknown) => error));
    await expect.poll(() => proved.size - before, { timeout: 20_000, interval: 1 }).toBeGreaterThan(10 + 7 * round);
    await server.end("SIGKILL");
    for (const ended of await Promise.all(writers)) expect(String(ended)).not.toContain("two trees");
  }
  const server = await startProcess(directory);
  await replayAll(server.url);
  const lookup = await TestClient.connect(server.url, "lookup");
  const config = await get(server.url, "config");
  for (const [username, signedState] of proved) {
    const found = await lookup.ask({ kind: "lookup_username", username, fromVersion: 0, knownSize: 0 });
    if (found.kind !== "account") throw new Error(found.kind);
    expect(found.states).toEqual([signedState]);
    const proof = decodeDirectoryProof(found.proof);
    await verifyLookup({
      host,
      view: undefined,
      config,
      nowMs: Date.now(),
      signatures: nodeSignatures,
      proof,
      query: { username },
      record: found,
    });
  }
  expect(proved.size).toBeGreaterThan(100);
  expect(await server.end("SIGTERM")).toBe(0);
}, 120_000);
