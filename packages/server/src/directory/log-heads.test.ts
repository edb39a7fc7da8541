import { httpPaths } from "@latchkey/protocol";
import { decodeHeadsProof, verifyHeads } from "@latchkey/transparency";
import { expect, test } from "vitest";
import type { RunningServer } from "../server.ts";
import { createLog, createTestLog, entryBytes, openLog, random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
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
  // This one cannot be committed: the config does not decode.
  await expect(store.publishDirectory({ ...heads, config: random(40) })).rejects.toMatchObject({ code: "failed" });
  expect(await store.publishDirectory(heads)).toMatchObject({ head: { size: 2 } });
  expect(await store.proveLogHead({ logId: first, knownSize: 0 })).not.toHaveLength(0);
  expect(await store.proveLogHead({ logId: second, knownSize: 0 })).toHaveLength(0);
  expect(await store.publishDirectory(heads)).toMatchObject({ head: undefined });
  await store.append(newCommit(second, 0));
  await store.purgeEntries({ beforeDay: 30_000, maxItems: 100 });
  await store.close();
  // The entries are purged and their row numbers start again: nothing of this is lost.
  store = await openSqliteStore({ directory });
  await store.append(newEntry(second, { epochId: 1 }));
  expect(await store.publishDirectory(heads)).toMatchObject({ head: { size: 3 } });
  const proof = decodeHeadsProof(await store.proveLogHead({ logId: second, knownSize: 0 }));
  expect(proof).toMatchObject({ seq: 2, index: 2 });
  await store.close();
});

test("[L-11] of many publications of heads the newest are kept", async () => {
  const store = await openSqliteStore({ directory: temporaryDirectory() });
  await store.publishDirectory(newPublication({ changes: [newState()] }));
  const silent = random(32);
  await store.createLog({ logId: silent, accessHash: random(32), day: 1 });
  await store.append(newEntry(silent));
  await store.publishDirectory(newPublication({ withHeads: true }));
  const busy = random(32);
  await store.createLog({ logId: busy, accessHash: random(32), day: 1 });
  for (let round = 0; round < 24; round++) {
    expect(await store.proveLogHead({ logId: silent, knownSize: 0 })).not.toHaveLength(0);
    await store.append(newEntry(busy));
    await store.publishDirectory(newPublication({ withHeads: true }));
  }
  expect(await store.proveLogHead({ logId: silent, knownSize: 0 })).toHaveLength(0);
  expect(decodeHeadsProof(await store.proveLogHead({ logId: busy, knownSize: 0 }))).toMatchObject({ seq: 24 });
  await store.close();
});
