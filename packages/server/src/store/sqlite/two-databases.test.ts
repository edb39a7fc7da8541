import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodeHeadsProof } from "@latchkey/transparency";
import { expect, test } from "vitest";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { newEntry, newPublication, newState } from "../../testing/store-inputs.ts";
import type { Store } from "../store.ts";
import { databaseFile } from "./database-files.ts";
import type { DatabaseName } from "./database-files.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/** A folder with a log whose head is collected and not published; `around` publishes it, and puts one database back as it was before. */
async function publishedAround(stale: DatabaseName): Promise<{ store: Store; logId: Uint8Array }> {
  const directory = temporaryDirectory();
  let store = await openSqliteStore({ directory });
  const logId = random(32);
  await store.publishDirectory(newPublication({ changes: [newState()] }));
  await store.createLog({ logId, accessHash: random(32), day: 1 });
  await store.append(newEntry(logId));
  while (!(await store.collectHeads({ maxItems: 10 })).isComplete);
  await store.close();
  const kept = join(temporaryDirectory(), "kept");
  cpSync(join(directory, databaseFile[stale]), kept);
  store = await openSqliteStore({ directory });
  expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: { size: 2 } });
  expect(decodeHeadsProof(await store.proveLogHead({ logId, knownSize: 0 }))).toMatchObject({ seq: 1, index: 1 });
  await store.close();
  rmSync(join(directory, databaseFile[stale]));
  cpSync(kept, join(directory, databaseFile[stale]));
  return { store: await openSqliteStore({ directory }), logId };
}

test("[L-11] heads whose publication is on disk in the accounts' database alone, as after a crash between the two, are published once more", async () => {
  const { store, logId } = await publishedAround("logs");
  expect(await store.directoryStatus()).toMatchObject({ size: 2, headsAtMs: 0 });
  expect(await store.proveLogHead({ logId, knownSize: 0 })).toHaveLength(0);
  expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: { size: 3 } });
  expect(decodeHeadsProof(await store.proveLogHead({ logId, knownSize: 0 }))).toMatchObject({ seq: 1, index: 2 });
  expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: undefined });
  await store.close();
});

test("[L-11] heads that only the logs' database knows to be published are proved by nothing, whatever stands in their place since", async () => {
  const { store, logId } = await publishedAround("accounts");
  expect(await store.directoryStatus()).toMatchObject({ size: 1, headsAtMs: 0 });
  expect(await store.proveLogHead({ logId, knownSize: 0 })).toHaveLength(0);
  const bind = { username: "bobby", binding: random(80) };
  expect(await store.publishDirectory(newPublication({ changes: [newState({ names: { bind, release: undefined } })] }))).toMatchObject({
    head: { size: 2 },
  });
  expect(await store.proveLogHead({ logId, knownSize: 0 })).toHaveLength(0);
  // Written to again, its head is published again.
  await store.append(newEntry(logId));
  while (!(await store.collectHeads({ maxItems: 10 })).isComplete);
  expect(await store.publishDirectory(newPublication({ withHeads: true }))).toMatchObject({ head: { size: 3 } });
  expect(decodeHeadsProof(await store.proveLogHead({ logId, knownSize: 0 }))).toMatchObject({ seq: 2, index: 2 });
  await store.close();
});
