// Random work on a real store, and a loss of power at a random moment of it: what a folder looks like then is opened again. What was
// acknowledged is there, once and in order; what was under way is there as a whole or not at all. LATCHKEY_FAULT_RUNS says how many times.
import { toHex } from "@latchkey/codec";
import { entryLeaf, firstHead, nextHead } from "@latchkey/protocol";
import { copyFileSync, existsSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sha256 } from "../../hash.ts";
import { entryBytes, random, temporaryDirectory } from "../../testing/fixtures.ts";
import { inProcessChannel } from "../../testing/in-process-channel.ts";
import { seededNumbers } from "../../testing/seeded-numbers.ts";
import { newEntry } from "../../testing/store-inputs.ts";
import type { Store } from "../store.ts";
import { databaseFile, databaseFiles, journalSuffix } from "./database-files.ts";
import { openStore } from "./sqlite-store.ts";

const runs = Number(process.env["LATCHKEY_FAULT_RUNS"] ?? "8");
const page = { maxItems: 10_000, maxBytes: 100_000_000 };

const files = databaseFiles.flatMap((name) => [name, `${name}${journalSuffix}`]);
const logsJournal = `${databaseFile.logs}${journalSuffix}`;
const sizeOf = (directory: string, name: string): number => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;

/** What a folder holds at this moment. */
function copyFolder(from: string): string {
  const to = temporaryDirectory();
  for (const name of files) if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  return to;
}

interface Work {
  readonly acknowledged: Map<string, number>;
  readonly sent: Set<string>;
}

/** The entries of a log, on one chain, with nothing twice. */
async function readWhole(store: Store, logId: Uint8Array): Promise<Map<string, number>> {
  const entries = await store.readEntries({ logId, afterSeq: 0, ...page });
  let head = firstHead(sha256, logId);
  const found = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    expect(entry.seq).toBe(index + 1);
    head = nextHead(sha256, head, entryLeaf(sha256, logId, entry));
    expect(found.has(toHex(entry.blob))).toBe(false);
    found.set(toHex(entry.blob), entry.seq);
  }
  const epoch = await store.readEpoch({ logId, epochId: 0 });
  if (epoch.kind === "refused") throw new Error(epoch.code);
  expect(toHex(epoch.head)).toBe(toHex(head));
  return found;
}

/** Answers how many acknowledged entries were looked for. */
async function loseAndLook(seed: number): Promise<number> {
  const number = seededNumbers(seed);
  const directory = temporaryDirectory();
  const lossAt = 2 + Math.floor(number() * 25);
  const moment = number() < 0.5 ? "before" : "after";
  const work: Work = { acknowledged: new Map(), sent: new Set() };
  let transactions = 0;
  let syncedBytes = 0;
  let lost: { readonly folder: string; readonly acknowledged: ReadonlyMap<string, number> } | undefined;
  const look = (at: "before" | "after"): void => {
    if (at === "before") transactions += 1;
    if (transactions === lossAt && at === moment && lost === undefined) {
      lost = { folder: copyFolder(directory), acknowledged: new Map(work.acknowledged) };
      const journal = sizeOf(lost.folder, logsJournal);
      // Of what was being written any part may have reached the disk.
      if (at === "after" && journal > syncedBytes) {
        truncateSync(join(lost.folder, logsJournal), syncedBytes + Math.floor(number() * (journal - syncedBytes + 1)));
      }
    }
    if (at === "after") syncedBytes = sizeOf(directory, logsJournal);
  };
  const faults = { beforeCommit: () => look("before"), afterCommit: () => look("after") };
  const store = await openStore(inProcessChannel({ directory }, faults));
  const logId = random(32);
  await store.createLog({ logId, accessHash: random(32), day: 1 });
  while (lost === undefined) {
    const blobs = Array.from({ length: 1 + Math.floor(number() * 4) }, () => entryBytes(200 + Math.floor(number() * 9000)));
    for (const blob of blobs) work.sent.add(toHex(blob));
    const outcomes = await Promise.all(blobs.map((blob) => store.append(newEntry(logId, { blob }))));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.kind === "accepted") work.acknowledged.set(toHex(blobs[index] ?? new Uint8Array()), outcome.seq);
    }
    if (number() < 0.1) await store.scrub();
  }
  await store.close();
  const again = await openStore(inProcessChannel({ directory: lost.folder }, {}));
  const found = await readWhole(again, logId);
  for (const [blob, seq] of lost.acknowledged) expect(found.get(blob)).toBe(seq);
  for (const blob of found.keys()) expect(work.sent.has(blob)).toBe(true);
  // It goes on where it stands.
  expect(await again.append(newEntry(logId))).toMatchObject({ kind: "accepted", seq: found.size + 1, isNew: true });
  await again.close();
  // A thousand of them would fill a small disk.
  for (const folder of [directory, lost.folder]) rmSync(folder, { recursive: true, force: true });
  return lost.acknowledged.size;
}

test("[P5] [L-7] a loss of power at any moment loses nothing that was acknowledged", { timeout: 3_600_000 }, async () => {
  const first = Math.floor(Math.random() * 1_000_000_000);
  let found = 0;
  for (let run = 0; run < runs; run++) {
    try {
      found += await loseAndLook(first + run);
    } catch (cause) {
      throw new Error(`with the seed ${String(first + run)}`, { cause });
    }
  }
  expect(found).toBeGreaterThan(0);
});
