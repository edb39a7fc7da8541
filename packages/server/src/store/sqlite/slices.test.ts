import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { newCommit, newEntry, newState, publishState, today } from "../../testing/store-inputs.ts";
import type { Store } from "../store.ts";
import { databaseFile } from "./database-files.ts";
import { JournalKeeper } from "./journal-keeper.ts";
import { openDatabase } from "./open-database.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const page = { maxItems: 1000, maxBytes: 10_000_000 };

async function withLog(directory: string = temporaryDirectory()): Promise<{ store: Store; logId: Uint8Array; directory: string }> {
  const store = await openSqliteStore({ directory });
  const logId = random(32);
  await store.createLog({ logId, accessHash: random(32), day: today });
  return { store, logId, directory };
}

async function withInbox(): Promise<{ store: Store; inboxId: Uint8Array; account: ReturnType<typeof newState>; directory: string }> {
  const directory = temporaryDirectory();
  const store = await openSqliteStore({ directory });
  const account = newState();
  const inboxId = random(32);
  await publishState(store, account);
  await store.putCard({ accountId: account.accountId, deviceId: account.deviceIds[0] ?? random(16), inboxId, card: random(9) });
  return { store, inboxId, account, directory };
}

const post = (store: Store, inboxId: Uint8Array, day: number = today) =>
  store.postItem({ inboxId, part: "contacts", blob: random(100), day, maxItems: 10_000, maxBytes: 10_000_000 });

describe("what goes in slices", () => {
  test("[L-6] every entry of a long log is known again, after a restart and after a purge too", async () => {
    const { store: first, logId, directory } = await withLog();
    const entries = Array.from({ length: 200 }, (_, index) => newEntry(logId, { blob: random(100), day: today + Math.floor(index / 50) }));
    const outcomes = await Promise.all(entries.map((entry) => first.append(entry)));
    const again = async (store: Store, from: number): Promise<void> => {
      for (const [index, entry] of entries.entries()) {
        if (index >= from) expect(await store.append(entry)).toEqual({ ...outcomes[index], isNew: false });
      }
    };
    await again(first, 0);
    await first.close();
    const second = await openSqliteStore({ directory });
    await again(second, 0);
    // The first fifty and, of the next, a part.
    expect(await second.purgeEntries({ beforeDay: today + 1, maxItems: 500 })).toBe(50);
    expect(await second.purgeEntries({ beforeDay: today + 2, maxItems: 20 })).toBe(20);
    await again(second, 70);
    expect(await second.append(entries[3] ?? newEntry(logId))).toMatchObject({ seq: 201, isNew: true });
    expect(await second.purgeEntries({ beforeDay: today + 4, maxItems: 500 })).toBe(131);
    await second.close();
    const third = await openSqliteStore({ directory });
    expect(await third.append(newCommit(logId, 0))).toMatchObject({ seq: 202, isNew: true });
    expect(await third.readEntries({ logId, afterSeq: 0, ...page })).toMatchObject([{ seq: 202 }]);
    await third.close();
  });

  test("[L-8] each log loses its old entries, whichever was written to first", async () => {
    const { store, logId } = await withLog();
    const other = random(32);
    await store.createLog({ logId: other, accessHash: random(32), day: today });
    // The other log's old entry comes after the young one of this.
    await store.append(newEntry(logId, { day: today - 40 }));
    await store.append(newEntry(logId, { day: today }));
    await store.append(newEntry(other, { day: today - 40 }));
    expect(await store.purgeEntries({ beforeDay: today - 30, maxItems: 1 })).toBe(1);
    expect(await store.purgeEntries({ beforeDay: today - 30, maxItems: 1 })).toBe(1);
    expect(await store.purgeEntries({ beforeDay: today - 30, maxItems: 1 })).toBe(0);
    expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toMatchObject([{ seq: 2 }]);
    expect(await store.readEpoch({ logId: other, epochId: 0 })).toMatchObject({ firstSeq: 2, lastSeq: 1 });
    await store.close();
  });

  test("an inbox of many items is erased up to where it was said, and counts what is left", async () => {
    const { store, inboxId } = await withInbox();
    for (let at = 0; at < 450; at += 150) await Promise.all(Array.from({ length: 150 }, () => post(store, inboxId)));
    await store.eraseItems({ inboxId, uptoSeq: 449 });
    expect(await store.readItems({ inboxId, afterSeq: 0, ...page })).toMatchObject([{ seq: 450 }]);
    const last = { inboxId, part: "contacts", blob: random(100), day: today, maxItems: 2, maxBytes: 200 } as const;
    expect(await store.postItem(last)).toMatchObject({ seq: 451 });
    expect(await store.postItem({ ...last, blob: random(1) })).toEqual({ kind: "refused", code: "inbox_full" });
    await store.close();
  });

  test("what lies in an inbox that its device gave up is read by nobody, and removed by and by", async () => {
    const { store, inboxId, account, directory } = await withInbox();
    await Promise.all(Array.from({ length: 300 }, () => post(store, inboxId)));
    const ids = { accountId: account.accountId, deviceId: account.deviceIds[0] ?? random(16) };
    const next = random(32);
    await store.putCard({ ...ids, inboxId: next, card: random(9) });
    expect(await store.readItems({ inboxId, afterSeq: 0, ...page })).toEqual([]);
    await post(store, next);
    const count = (): unknown => {
      const database = new DatabaseSync(join(directory, databaseFile.accounts), { readOnly: true });
      const rows = database
        .prepare("SELECT (SELECT count(*) FROM inbox_items) AS items, (SELECT count(*) FROM dropped_inboxes) AS dropped")
        .get();
      database.close();
      return rows;
    };
    expect(count()).toEqual({ items: 301, dropped: 1 });
    expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 200 })).toBe(200);
    expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 200 })).toBe(100);
    expect(count()).toEqual({ items: 1, dropped: 0 });
    expect(await store.readItems({ inboxId: next, afterSeq: 0, ...page })).toMatchObject([{ seq: 1 }]);
    await store.close();
  });
});

describe("the files", () => {
  test("the room of what expired is given back, but for what is soon needed again", async () => {
    const { store, logId, directory } = await withLog();
    const size = (): number => statSync(join(directory, databaseFile.logs)).size;
    for (let at = 0; at < 40; at++) {
      await Promise.all(Array.from({ length: 25 }, () => store.append(newEntry(logId, { blob: random(60_000), day: today }))));
    }
    await store.append(newEntry(logId, { day: today + 31 }));
    await store.scrub();
    const full = size();
    expect(full).toBeGreaterThan(60_000_000);
    while ((await store.purgeEntries({ beforeDay: today + 1, maxItems: 100 })) > 0);
    await store.scrub();
    // 2,048 pages and what is in use.
    expect(size()).toBeLessThan(9_000_000);
    expect(await store.readEntries({ logId, afterSeq: 0, ...page })).toMatchObject([{ seq: 1001 }]);
    expect(await store.append(newEntry(logId, { blob: random(60_000) }))).toMatchObject({ seq: 1002 });
    await store.close();
  });

  test("a journal that somebody reads stays for the next time, and is empty then", () => {
    const directory = temporaryDirectory();
    const { database, emptyJournal, hasJournal } = openDatabase("logs", { directory });
    expect(emptyJournal()).toBe(true);
    expect(hasJournal()).toBe(false);
    const reader = new DatabaseSync(join(directory, databaseFile.logs), { readOnly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM logs").get();
    database.exec("INSERT INTO logs (id, log_id, created_day) VALUES (1, x'01', 1)");
    expect(hasJournal()).toBe(true);
    expect(emptyJournal()).toBe(false);
    expect(hasJournal()).toBe(true);
    reader.exec("COMMIT");
    reader.close();
    expect(emptyJournal()).toBe(true);
    expect(hasJournal()).toBe(false);
    database.close();
  });

  test("journals are emptied when nothing was asked for two seconds, under load every ten, and again where somebody reads them", () => {
    let nowMs = 0;
    let next: (() => void) | undefined;
    let hasJournal = false;
    let isRead = false;
    let settled = 0;
    const emptied: number[] = [];
    const keeper = new JournalKeeper({
      nowMs: () => nowMs,
      later: (delayMs, run) => {
        if (delayMs === 0) run();
        else {
          expect(delayMs).toBe(1000);
          next = run;
        }
      },
      journals: {
        hasJournal: () => hasJournal,
        // In three parts.
        settleSome: () => ++settled % 3 !== 0,
        emptyJournals() {
          expect(settled % 3).toBe(0);
          emptied.push(nowMs);
          if (isRead) throw new Error("read");
          hasJournal = false;
          return true;
        },
      },
    });
    const pass = (seconds: number, isBusy: boolean): void => {
      for (let second = 0; second < seconds; second++) {
        nowMs += 1000;
        if (isBusy) {
          hasJournal = true;
          keeper.touched();
        }
        const run = next;
        next = undefined;
        run?.();
      }
    };
    hasJournal = true;
    keeper.touched();
    pass(5, false);
    expect(emptied).toEqual([2000]);
    // Nothing to look for.
    expect(next).toBeUndefined();
    pass(25, true);
    expect(emptied.slice(1)).toEqual([16_000, 27_000]);
    isRead = true;
    pass(4, false);
    expect(emptied.slice(3)).toEqual([32_000, 33_000, 34_000]);
    isRead = false;
    pass(3, false);
    expect(hasJournal).toBe(false);
    expect(next).toBeUndefined();
  });
});
