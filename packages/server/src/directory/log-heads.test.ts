import { decode } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import { decodeHeadsProof, logEntryCodec, verifyHeads, verifyMapProof } from "@latchkey/transparency";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import type { RunningServer } from "../server.ts";
import type { PublicationResult } from "../store/directory-store.ts";
import { databaseFile } from "../store/sqlite/database-files.ts";
import type { Store } from "../store/store.ts";
import {
  createLog,
  createTestLog,
  entryBytes,
  isOnPostgres,
  openLog,
  random,
  register,
  runServer,
  temporaryDirectory,
} from "../testing/fixtures.ts";
import type { TestLog } from "../testing/fixtures.ts";
import { newCommit, newEntry, newPublication, newState } from "../testing/store-inputs.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { TestClient } from "../testing/test-client.ts";
import { nodeSignatures as signatures } from "./signatures.ts";

async function append(client: TestClient<"log">, log: TestLog): Promise<{ seq: number; head: Uint8Array }> {
  const reply = await client.ask({ kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) });
  if (reply.kind !== "accepted") throw new Error(reply.kind);
  return reply;
}

async function headProof(client: TestClient<"log">, log: TestLog): Promise<Uint8Array> {
  const reply = await client.ask({ kind: "head_proof", logId: log.logId, knownSize: 0 });
  if (reply.kind !== "head_proof") throw new Error(reply.kind === "error" ? reply.code : reply.kind);
  return reply.proof;
}

async function verify(server: RunningServer, log: TestLog, proof: Uint8Array) {
  const config = new Uint8Array(await (await fetch(`${server.url}${httpPaths.directory}/config`)).arrayBuffer());
  const head = { host: server.host, view: undefined, config, nowMs: Date.now(), signatures };
  return verifyHeads({ ...head, proof: decodeHeadsProof(proof), logId: log.logId });
}

/** Collects heads, a few at once, and publishes them. */
async function publishHeads(store: Store, maxItems = 2): Promise<PublicationResult> {
  while (!(await store.collectHeads({ maxItems })).isComplete);
  return store.publishDirectory(newPublication({ withHeads: true }));
}

/** Many logs with an entry each. */
async function writeLogs(store: Store, count: number): Promise<Uint8Array[]> {
  const logIds = Array.from({ length: count }, () => random(32));
  await Promise.all(logIds.map((logId) => store.createLog({ logId, accessHash: random(32), day: 1 })));
  await Promise.all(logIds.map((logId) => store.append(newEntry(logId))));
  return logIds;
}

test("[L-11] heads of logs stand in the directory's log, and who has opened one gets the proof", async () => {
  const server = await runServer({ limits: { headsIntervalMs: 0 } });
  const writer = await TestClient.connect(server.url, "log");
  const [log, other] = [createTestLog(), createTestLog()];
  await createLog(writer, log);
  await createLog(writer, other);
  await append(writer, log);
  const last = await append(writer, log);
  await append(writer, other);
  expect(await headProof(writer, log)).toHaveLength(0);
  // Any publication takes them along when they are due.
  await register(server, "alice");
  const published = await verify(server, log, await headProof(writer, log));
  expect(published).toMatchObject({ seq: last.seq, logHead: last.head });
  await expect(verify(server, other, await headProof(writer, log))).rejects.toMatchObject({ code: "proof" });
  // A log that fell silent keeps its proof; one that went on has its newest head when that is published.
  const more = await append(writer, other);
  await register(server, "bobby");
  expect(await verify(server, log, await headProof(writer, log))).toMatchObject({ seq: last.seq, index: published.index });
  expect(await verify(server, other, await headProof(writer, other))).toMatchObject({ seq: more.seq, logHead: more.head });
  const stranger = await TestClient.connect(server.url, "log");
  expect(await stranger.outcome({ kind: "head_proof", logId: log.logId, knownSize: 0 })).toBe("unknown_log");
  await openLog(stranger, log);
  expect(await headProof(stranger, log)).not.toHaveLength(0);
});

test("[L-11] what was active is known after a restart and after a transaction that failed; silent logs are not published again", async () => {
  const directory = temporaryDirectory();
  const logIds = [random(32), random(32)];
  const [first = random(32), second = random(32)] = logIds;
  let store = await openSqliteStore({ directory });
  await store.publishDirectory(newPublication({ changes: [newState()] }));
  for (const logId of logIds) await store.createLog({ logId, accessHash: random(32), day: 1 });
  await store.append(newEntry(first));
  await store.close();
  store = await openSqliteStore({ directory });
  const heads = newPublication({ withHeads: true });
  expect(await store.collectHeads({ maxItems: 2 })).toEqual({ isComplete: true });
  // This one cannot be committed: the config does not decode.
  await expect(store.publishDirectory({ ...heads, config: random(40) })).rejects.toMatchObject({ code: "failed" });
  expect(await store.publishDirectory(heads)).toMatchObject({ head: { size: 2 } });
  expect(await store.proveLogHead({ logId: first, knownSize: 0 })).not.toHaveLength(0);
  expect(await store.proveLogHead({ logId: second, knownSize: 0 })).toHaveLength(0);
  expect(await publishHeads(store)).toMatchObject({ head: undefined });
  await store.append(newCommit(second, 0));
  await store.purgeEntries({ beforeDay: 30_000, maxItems: 100 });
  await store.close();
  // The entries are purged: nothing of this is lost.
  store = await openSqliteStore({ directory });
  await store.append(newEntry(second, { epochId: 1 }));
  expect(await publishHeads(store)).toMatchObject({ head: { size: 3 } });
  const proof = decodeHeadsProof(await store.proveLogHead({ logId: second, knownSize: 0 }));
  expect(proof).toMatchObject({ seq: 2, index: 2 });
  await store.close();
});

test("[L-11] of many publications of heads the newest are kept, and a log that is silent stands in one of them for as long as it has entries", async () => {
  const store = await openSqliteStore({ directory: temporaryDirectory() });
  await store.publishDirectory(newPublication({ changes: [newState()] }));
  const [silent = random(32), ...others] = await writeLogs(store, 150);
  await publishHeads(store);
  const [busy = random(32)] = await writeLogs(store, 1);
  const indices = new Set<number>();
  const seqs = new Set<number>();
  for (let round = 0; round < 60; round++) {
    await store.append(newEntry(busy));
    await publishHeads(store, 40);
    const proof = decodeHeadsProof(await store.proveLogHead({ logId: silent, knownSize: 0 }));
    indices.add(proof.index);
    seqs.add(proof.seq);
  }
  expect([...seqs]).toEqual([1]);
  expect(indices.size).toBe(3);
  for (const logId of others) expect(await store.proveLogHead({ logId, knownSize: 0 })).not.toHaveLength(0);
  expect(decodeHeadsProof(await store.proveLogHead({ logId: busy, knownSize: 0 }))).toMatchObject({ seq: 61 });
  // Nobody writes: nothing is published for the sake of silent logs.
  expect(await publishHeads(store)).toMatchObject({ head: undefined });
  await store.purgeEntries({ beforeDay: 30_000, maxItems: 1000 });
  for (let round = 0; round < 60; round++) {
    await store.append(newEntry(busy));
    await publishHeads(store, 40);
  }
  expect(await store.proveLogHead({ logId: silent, knownSize: 0 })).toHaveLength(0);
  await store.close();
});

test("[L-11] many heads are collected in parts, over restarts, while their logs go on: each as it was when it was taken", async () => {
  const directory = temporaryDirectory();
  let store = await openSqliteStore({ directory });
  await store.publishDirectory(newPublication({ changes: [newState()] }));
  const logIds = await writeLogs(store, 200);
  const parts = 90;
  for (let part = 0; part < 2; part++) expect(await store.collectHeads({ maxItems: parts })).toEqual({ isComplete: false });
  // What is not complete is not published.
  expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: undefined });
  await store.close();
  store = await openSqliteStore({ directory });
  await Promise.all(logIds.map((logId) => store.append(newEntry(logId))));
  expect(await store.collectHeads({ maxItems: parts })).toEqual({ isComplete: true });
  await store.close();
  store = await openSqliteStore({ directory });
  expect(await store.collectHeads({ maxItems: parts })).toEqual({ isComplete: true });
  expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: { size: 2 } });
  const seqs = async (): Promise<number[]> => {
    const found = [];
    for (const logId of logIds) {
      const proof = decodeHeadsProof(await store.proveLogHead({ logId, knownSize: 0 }));
      const { headsRoot } = decode(logEntryCodec, proof.entry);
      const leaf = { version: proof.seq, chain: proof.logHead };
      verifyMapProof({ root: headsRoot, index: sha256(logId), proof: proof.mapProof, leaf });
      found.push(proof.seq);
    }
    return found.toSorted((a, b) => a - b);
  };
  expect(await seqs()).toEqual([...Array.from({ length: 180 }, () => 1), ...Array.from({ length: 20 }, () => 2)]);
  // Those that went on after they were taken are active still.
  await publishHeads(store, parts);
  expect(new Set(await seqs())).toEqual(new Set([2]));
  expect(await publishHeads(store, parts)).toMatchObject({ head: undefined });
  await store.close();
});

test("[L-11] whoever registers does not wait for the heads of many logs; they are published by themselves", async ({ skip }) => {
  skip(isOnPostgres);
  const directory = temporaryDirectory();
  const filled = await openSqliteStore({ directory });
  await writeLogs(filled, 2000);
  const log = createTestLog();
  await filled.createLog({ logId: log.logId, accessHash: sha256(log.access), day: 1 });
  await filled.append(newEntry(log.logId));
  await filled.close();
  const server = await runServer({ dataDirectory: directory });
  await register(server, "alice");
  const reader = await TestClient.connect(server.url, "log");
  await openLog(reader, log);
  await expect.poll(async () => (await headProof(reader, log)).length, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(await verify(server, log, await headProof(reader, log))).toMatchObject({ seq: 1, index: 2 });
});

test("[L-11] rows of maps that are no longer kept go by and by", async () => {
  const directory = temporaryDirectory();
  const store = await openSqliteStore({ directory });
  await store.publishDirectory(newPublication({ changes: [newState()] }));
  const logIds = await writeLogs(store, 100);
  for (let round = 0; round < 26; round++) {
    await Promise.all(logIds.map((logId) => store.append(newEntry(logId))));
    await publishHeads(store, 33);
  }
  await store.collectHeads({ maxItems: 1000 });
  while (!(await store.collectHeads({ maxItems: 1000 })).isComplete);
  await store.close();
  const database = new DatabaseSync(join(directory, databaseFile.logs), { readOnly: true });
  const maps = database.prepare("SELECT id FROM head_maps ORDER BY id").all();
  // One more than are kept: what only it has is published first.
  expect(maps).toHaveLength(25);
  for (const table of ["head_pages", "head_nodes"]) {
    expect(database.prepare(`SELECT DISTINCT map AS id FROM ${table} ORDER BY map`).all()).toEqual(maps);
  }
  database.close();
});
