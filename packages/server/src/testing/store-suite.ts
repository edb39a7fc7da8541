import { toHex } from "@latchkey/codec";
import { entryLeaf, firstHead, nextHead } from "@latchkey/protocol";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import type { AccountChange, AccountQuery, LookupResult } from "../store/directory-store.ts";
import type { Store } from "../store/store.ts";
import { describeBlobs } from "./blobs-suite.ts";
import { random, temporaryDirectory } from "./fixtures.ts";
import { describeLeases } from "./lease-suite.ts";
import { describeComplaints } from "./complaints-suite.ts";
import { describeSeveralLogs } from "./several-logs-suite.ts";
import { describePublicLog } from "./public-log-suite.ts";
import { describeUploads } from "./upload-suite.ts";
import { newCommit, newEntry, newQuery, newState, publishState, today } from "./store-inputs.ts";

const page = { maxItems: 1000, maxBytes: 1_000_000 };

const byName = (username: string): AccountQuery["by"] => ({ kind: "username", username });

/** Whether bytes stand in the files of a directory. */
async function isInDirectory(directory: string, bytes: Uint8Array): Promise<boolean> {
  return readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(bytes));
}

/**
 * The tests that every implementation of Store passes. `open` opens the store in a directory, new or used before; `isStored` says whether
 * the files of its tables have these bytes.
 */
export function describeStore(
  name: string,
  open: (directory: string) => Promise<Store>,
  isStored: (directory: string, bytes: Uint8Array) => Promise<boolean> = isInDirectory,
): void {
  const opened = async (directory: string = temporaryDirectory()): Promise<Store> => open(directory);
  const withLog = async (): Promise<{ store: Store; logId: Uint8Array; accessHash: Uint8Array }> => {
    const store = await opened();
    const logId = random(32);
    const accessHash = random(32);
    await store.createLog({ logId, accessHash, day: today });
    return { store, logId, accessHash };
  };

  describeUploads(name, () => opened());
  describeBlobs(name, () => opened());
  describeSeveralLogs(name, () => opened());

  describe(`${name}: logs`, () => {
    test("a log is created once; the same again is a retry", async () => {
      const { store, logId, accessHash } = await withLog();
      const first = { kind: "epoch", currentEpochId: 0, lastSeq: 0, firstSeq: 1, head: firstHead(sha256, logId) };
      expect(await store.createLog({ logId, accessHash, day: today })).toMatchObject(first);
      expect(await store.createLog({ logId, accessHash: random(32), day: today })).toEqual({ kind: "refused", code: "log_exists" });
      await store.close();
    });

    test("[L-1] the store keeps the hash of an epoch's access key", async () => {
      const { store, logId, accessHash } = await withLog();
      expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject({ kind: "epoch", accessHash });
      expect(await store.readEpoch({ logId, epochId: 7 })).toEqual({ kind: "refused", code: "unknown_epoch" });
      expect(await store.readEpoch({ logId: random(32), epochId: 0 })).toEqual({ kind: "refused", code: "unknown_log" });
      await store.close();
    });

    test("[L-7] appends called together get dense numbers in the order of the calls, and a head chain that anyone can recompute", async () => {
      const { store, logId } = await withLog();
      const entries = Array.from({ length: 200 }, () => newEntry(logId, { blob: random(1 + Math.floor(Math.random() * 900)) }));
      const outcomes = await Promise.all(entries.map((entry) => store.append(entry)));
      let head = firstHead(sha256, logId);
      for (const [index, entry] of entries.entries()) {
        head = nextHead(sha256, head, entryLeaf(sha256, logId, { ...entry, seq: index + 1 }));
        expect(outcomes[index]).toEqual({ kind: "accepted", seq: index + 1, head, isNew: true });
      }
      const stored = await store.readEntries({ logId, afterSeq: 0, ...page });
      expect(stored.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
      expect(stored.map(({ blob }) => toHex(blob))).toEqual(entries.map(({ blob }) => toHex(blob)));
      await store.close();
    });

    test("[L-6] a known entry gets its first result before any other check, also after the epoch closed and the store was opened again", async () => {
      const directory = temporaryDirectory();
      const store = await opened(directory);
      const logId = random(32);
      await store.createLog({ logId, accessHash: random(32), day: today });
      const message = newEntry(logId);
      const commit = newCommit(logId, 0);
      const first = await store.append(message);
      const second = await store.append(commit);
      expect(await store.append(newEntry(logId))).toEqual({ kind: "refused", code: "stale" });
      expect(await store.append({ ...message, hasAccess: false })).toEqual({ ...first, isNew: false });
      await store.close();
      const again = await opened(directory);
      expect(await again.append(message)).toEqual({ ...first, isNew: false });
      expect(await again.append(commit)).toEqual({ ...second, isNew: false });
      expect(await again.readEntries({ logId, afterSeq: 0, ...page })).toHaveLength(2);
      await again.close();
    });

    test("[L-6] an entry is another one where its epoch, kind or next access hash differ", async () => {
      const { store, logId } = await withLog();
      const entry = newEntry(logId);
      await store.append(entry);
      expect(await store.append({ ...entry, kind: "complaint" })).toMatchObject({ kind: "accepted", seq: 2, isNew: true });
      const commit = newCommit(logId, 0);
      expect(await store.append(commit)).toMatchObject({ kind: "accepted", seq: 3 });
      expect(await store.append({ ...commit, nextAccessHash: random(32) })).toEqual({ kind: "refused", code: "conflict" });
      expect(await store.append({ ...entry, epochId: 3 })).toMatchObject({ kind: "accepted", seq: 4, isNew: true });
      await store.close();
    });

    test("[L-4] a closed epoch takes complaints and sibling commits, no messages", async () => {
      const { store, logId } = await withLog();
      await store.append(newCommit(logId, 0));
      expect(await store.append(newEntry(logId))).toEqual({ kind: "refused", code: "stale" });
      expect(await store.append(newEntry(logId, { kind: "complaint" }))).toMatchObject({ kind: "accepted", seq: 2 });
      expect(await store.append(newEntry(logId, { epochId: 1 }))).toMatchObject({ kind: "accepted", seq: 3 });
      expect(await store.append(newEntry(logId, { epochId: 2 }))).toEqual({ kind: "refused", code: "unknown_epoch" });
      expect(await store.append(newEntry(logId, { epochId: 1, hasAccess: false }))).toEqual({ kind: "refused", code: "wrong_access_key" });
      expect(await store.append(newEntry(random(32)))).toEqual({ kind: "refused", code: "unknown_log" });
      await store.close();
    });

    test("[L-5] of commits that race for an epoch one wins; a sibling needs to have seen the others", async () => {
      const { store, logId } = await withLog();
      const outcomes = await Promise.all([store.append(newCommit(logId, 0)), store.append(newCommit(logId, 0))]);
      expect(outcomes).toMatchObject([
        { kind: "accepted", seq: 1 },
        { kind: "refused", code: "conflict" },
      ]);
      expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject({ currentEpochId: 1 });
      const sibling = newCommit(logId, 0, { afterSeq: 1 });
      expect(await store.append(sibling)).toMatchObject({ kind: "accepted", seq: 2 });
      expect(await store.readEpoch({ logId, epochId: 2 })).toMatchObject({ accessHash: sibling.nextAccessHash, currentEpochId: 2 });
      expect(await store.append(newCommit(logId, 0, { afterSeq: 1 }))).toEqual({ kind: "refused", code: "conflict" });
      expect(await store.append(newCommit(logId, 1))).toMatchObject({ kind: "accepted", seq: 3 });
      expect(await store.readEpoch({ logId, epochId: 1 })).toMatchObject({ currentEpochId: 3 });
      await store.close();
    });

    test("pages end at their limits and give at least one entry", async () => {
      const { store, logId } = await withLog();
      for (let i = 0; i < 10; i++) await store.append(newEntry(logId, { blob: random(1000) }));
      const read = async (afterSeq: number, maxItems: number, maxBytes: number): Promise<number[]> =>
        (await store.readEntries({ logId, afterSeq, maxItems, maxBytes })).map(({ seq }) => seq);
      expect(await read(0, 3, 1_000_000)).toEqual([1, 2, 3]);
      expect(await read(3, 100, 2500)).toEqual([4, 5]);
      expect(await read(5, 100, 10)).toEqual([6]);
      expect(await read(10, 100, 1000)).toEqual([]);
      expect(await store.readEntries({ logId: random(32), afterSeq: 0, ...page })).toEqual([]);
      await store.close();
    });

    test("[L-8] old entries go, oldest first; the log keeps the head before the first that is kept, and goes on", async () => {
      const directory = temporaryDirectory();
      let store = await opened(directory);
      const logId = random(32);
      await store.createLog({ logId, accessHash: random(32), day: today });
      const old = [];
      for (let i = 0; i < 3; i++) old.push(await store.append(newEntry(logId, { day: today - 31 })));
      await store.append(newEntry(logId));
      expect(await store.purgeEntries({ beforeDay: today - 30, maxItems: 2 })).toBe(2);
      expect(await store.purgeEntries({ beforeDay: today - 30, maxItems: 2 })).toBe(1);
      expect(await store.purgeEntries({ beforeDay: today - 30, maxItems: 2 })).toBe(0);
      const third = old[2];
      const position = { firstSeq: 4, lastSeq: 4, headBeforeFirst: third?.kind === "accepted" ? third.head : undefined };
      expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject(position);
      expect((await store.readEntries({ logId, afterSeq: 0, ...page })).map(({ seq }) => seq)).toEqual([4]);
      expect(await store.purgeEntries({ beforeDay: today + 1, maxItems: 100 })).toBe(1);
      await store.close();
      store = await opened(directory);
      expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject({ firstSeq: 5, lastSeq: 4 });
      expect(await store.append(newEntry(logId))).toMatchObject({ kind: "accepted", seq: 5 });
      await store.close();
    });
  });

  describe(`${name}: accounts`, () => {
    test("[A-2] versions are accepted by compare-and-swap; the loser and the late are refused, a retry is not", async () => {
      const store = await opened();
      const first = newState();
      expect(await publishState(store, first)).toEqual({ kind: "published" });
      expect(await publishState(store, first)).toEqual({ kind: "known" });
      const nothing = { bind: undefined, release: undefined };
      const next = newState({ accountId: first.accountId, version: 1, names: nothing });
      const race = await Promise.all([publishState(store, next), publishState(store, { ...next, state: random(300) })]);
      expect(race).toEqual([{ kind: "published" }, { kind: "refused", code: "account_conflict" }]);
      expect(await publishState(store, { ...next, version: 3 })).toEqual({ kind: "refused", code: "account_conflict" });
      expect(await store.accountHead({ accountId: first.accountId })).toEqual({ version: 1, state: next.state });
      const found = await store.lookup(newQuery({ kind: "account", accountId: first.accountId }, { fromVersion: 1 }));
      expect(found).toMatchObject({ kind: "account", states: [next.state], pops: next.pops, bindings: [first.names.bind?.binding] });
      expect(await store.accountHead({ accountId: random(32) })).toBeUndefined();
      const known = [1, 0].map((lastSeq) => ({ id: first.accountId, lastSeq }));
      expect(await store.grownAccounts({ known: [{ id: random(32), lastSeq: 0 }, ...known] })).toEqual([{ at: 2, lastSeq: 1 }]);
      await store.close();
    });

    test("a name belongs to one account; released it waits for its former owner", async () => {
      const store = await opened();
      const alice = newState();
      await publishState(store, alice);
      expect(await publishState(store, newState())).toEqual({ kind: "refused", code: "username_taken" });
      const binding = random(90);
      const renamed = newState({
        accountId: alice.accountId,
        version: 1,
        names: {
          bind: { username: "alicia", binding },
          release: { username: "alice", binding: random(80), reservedUntilDay: today + 180 },
        },
      });
      expect(await publishState(store, renamed)).toEqual({ kind: "published" });
      expect(await store.lookup(newQuery(byName("alicia")))).toMatchObject({
        kind: "account",
        states: [alice.state, renamed.state],
        bindings: [binding],
      });
      expect(await store.lookup(newQuery(byName("alice")))).toMatchObject({
        kind: "absent",
        bindings: [alice.names.bind?.binding, renamed.names.release?.binding],
      });
      expect(await store.lookup(newQuery(byName("nobody")))).toEqual({ kind: "unlisted" });
      expect(await store.isNameFree({ username: "alice", day: today + 180 })).toBe(false);
      expect(await store.isNameFree({ username: "alice", day: today + 181 })).toBe(true);
      expect(await publishState(store, newState())).toEqual({ kind: "refused", code: "username_taken" });
      expect(await publishState(store, newState({ day: today + 181 }))).toEqual({ kind: "published" });
      await store.close();
    });

    test("[A-6] an account has a limit of changes a day, and of bytes", async () => {
      const store = await opened();
      const first = newState({ maxUpdatesPerDay: 2 });
      const nothing = { bind: undefined, release: undefined };
      const next = (version: number, change: Partial<AccountChange> = {}): AccountChange =>
        newState({ accountId: first.accountId, version, names: nothing, maxUpdatesPerDay: 2, ...change });
      await publishState(store, first);
      expect(await publishState(store, next(1))).toEqual({ kind: "published" });
      expect(await publishState(store, next(2))).toEqual({ kind: "refused", code: "too_many_updates" });
      expect(await publishState(store, next(2, { day: today + 1, maxHistoryBytes: 1000 }))).toEqual({
        kind: "refused",
        code: "too_many_updates",
      });
      expect(await publishState(store, next(2, { day: today + 1 }))).toEqual({ kind: "published" });
      await store.close();
    });

    test("a long chain is answered in parts, the proof with the last of them", async () => {
      const store = await opened();
      const first = newState();
      await publishState(store, first);
      for (let version = 1; version < 6; version++) {
        await publishState(store, newState({ accountId: first.accountId, version, names: { bind: undefined, release: undefined } }));
      }
      const pieces = async (fromVersion: number): Promise<[states: number, hasProof: boolean]> => {
        const found: LookupResult = await store.lookup(
          newQuery({ kind: "account", accountId: first.accountId }, { fromVersion, maxBytes: 900 }),
        );
        return found.kind === "account" ? [found.states.length, found.proof.length > 0] : [-1, false];
      };
      // The proof comes with the last part.
      expect(await pieces(0)).toEqual([2, false]);
      expect(await pieces(4)).toEqual([2, true]);
      expect(await pieces(6)).toEqual([0, true]);
      await store.close();
    });

    test("[A-5] each one-time key package is given out once, then the last-resort one; none on its last day", async () => {
      const store = await opened();
      const account = newState();
      await publishState(store, account);
      const ids = { accountId: account.accountId, deviceId: account.deviceIds[0] ?? random(16) };
      const add = { ...ids, notAfterDay: today + 10, maxOneTime: 3, day: today };
      const packages = [random(100), random(100)];
      expect(await store.addKeyPackages({ ...add, lastResort: false, keyPackages: packages })).toMatchObject({ oneTime: 2 });
      expect(await store.takeKeyPackage({ ...ids, day: today })).toEqual({ kind: "refused", code: "no_key_package" });
      const card = random(200);
      await store.putCard({ ...ids, inboxId: random(32), card });
      const takes = await Promise.all([1, 2, 3].map(() => store.takeKeyPackage({ ...ids, day: today })));
      expect(takes).toEqual([
        { kind: "taken", card, keyPackage: packages[0], lastResort: false },
        { kind: "taken", card, keyPackage: packages[1], lastResort: false },
        { kind: "refused", code: "no_key_package" },
      ]);
      // A late retry of the publication does not bring them back.
      expect(await store.addKeyPackages({ ...add, lastResort: false, keyPackages: packages })).toMatchObject({ oneTime: 0 });
      const lastResort = random(100);
      expect(await store.addKeyPackages({ ...add, lastResort: true, keyPackages: [random(100)] })).toMatchObject({
        lastResortNotAfterDay: today + 10,
      });
      await store.addKeyPackages({ ...add, lastResort: true, notAfterDay: today + 5, keyPackages: [lastResort] });
      for (let i = 0; i < 2; i++) {
        expect(await store.takeKeyPackage({ ...ids, day: today })).toEqual({
          kind: "taken",
          card,
          keyPackage: lastResort,
          lastResort: true,
        });
      }
      expect(await store.addKeyPackages({ ...add, lastResort: false, keyPackages: [1, 2, 3, 4, 5].map(() => random(50)) })).toEqual({
        kind: "counts",
        oneTime: 3,
        lastResortNotAfterDay: today + 5,
      });
      expect(await store.takeKeyPackage({ ...ids, day: today + 10 })).toEqual({ kind: "refused", code: "no_key_package" });
      expect(await store.expireKeyPackages({ day: today + 10, maxItems: 4 })).toBe(4);
      expect(await store.expireKeyPackages({ day: today + 10, maxItems: 4 })).toBe(2);
      expect(await store.countKeyPackages({ ...ids, day: today })).toEqual({ kind: "counts", oneTime: 0, lastResortNotAfterDay: 0 });
      await store.close();
    });

    test("what is kept for a device goes when the account drops it; an inbox belongs to one device", async () => {
      const store = await opened();
      const deviceId = random(16);
      const account = newState({ deviceIds: [deviceId] });
      const other = newState({ deviceIds: [deviceId], names: { bind: { username: "bob", binding: random(9) }, release: undefined } });
      await publishState(store, account);
      await publishState(store, other);
      const inboxId = random(32);
      const ids = { accountId: account.accountId, deviceId };
      expect(await store.putCard({ ...ids, inboxId, card: random(9) })).toEqual({ kind: "stored" });
      expect(await store.putCard({ ...ids, inboxId, card: random(9) })).toEqual({ kind: "stored" });
      expect(await store.putCard({ accountId: other.accountId, deviceId, inboxId, card: random(9) })).toEqual({
        kind: "refused",
        code: "not_allowed_here",
      });
      expect(await store.inboxOf(ids)).toEqual(inboxId);
      const post = { inboxId, part: "strangers", blob: random(100), day: today, maxItems: 10, maxBytes: 1000 } as const;
      await store.postItem(post);
      expect(await store.holdings({ accountId: account.accountId })).toMatchObject({
        account: { version: 0 },
        devices: [{ deviceId, inbox: { inboxId, capability: undefined, lastSeq: 1, items: 1, bytes: 100, strangerItems: 1 } }],
      });
      await publishState(
        store,
        newState({ accountId: account.accountId, version: 1, deviceIds: [random(16)], names: { bind: undefined, release: undefined } }),
      );
      expect(await store.inboxOf(ids)).toBeUndefined();
      expect(await store.postItem(post)).toEqual({ kind: "refused", code: "not_found" });
      expect(await store.holdings({ accountId: account.accountId })).toMatchObject({ devices: [] });
      await store.close();
    });
  });

  describeComplaints(name, open);
  describePublicLog(name, open);
  describeLeases(name, open);

  describe(`${name}: inboxes`, () => {
    const withInbox = async (directory?: string): Promise<{ store: Store; inboxId: Uint8Array }> => {
      const store = await opened(directory);
      const account = newState();
      const inboxId = random(32);
      await publishState(store, account);
      await store.putCard({ accountId: account.accountId, deviceId: account.deviceIds[0] ?? random(16), inboxId, card: random(9) });
      return { store, inboxId };
    };

    test("items come in order; the same bytes again are a retry; erased ones do not come back, and numbers are never used twice", async () => {
      const directory = temporaryDirectory();
      const { store: first, inboxId } = await withInbox(directory);
      let store = first;
      const limits = { part: "contacts", day: today, maxItems: 10, maxBytes: 10_000 } as const;
      const blobs = [random(100), random(100), random(100)];
      for (const [index, blob] of blobs.entries()) {
        expect(await store.postItem({ inboxId, blob, ...limits })).toEqual({ kind: "stored", seq: index + 1, isNew: true });
      }
      expect(await store.postItem({ inboxId, blob: blobs[0] ?? random(1), ...limits })).toEqual({ kind: "stored", seq: 1, isNew: false });
      await store.eraseItems({ inboxId, uptoSeq: 2 });
      expect(await store.readItems({ inboxId, afterSeq: 0, ...page })).toEqual([{ seq: 3, day: today, part: limits.part, blob: blobs[2] }]);
      await store.eraseItems({ inboxId, uptoSeq: 99 });
      await store.close();
      store = await opened(directory);
      expect(await store.lastItem({ inboxId })).toBe(3);
      const known = [0, 3, 2, 7].map((lastSeq) => ({ id: inboxId, lastSeq }));
      const grown = [1, 3].map((at) => ({ at, lastSeq: 3 }));
      expect(await store.grownInboxes({ known: [{ id: random(32), lastSeq: 0 }, ...known] })).toEqual(grown);
      expect(await store.grownInboxes({ known: [] })).toEqual([]);
      expect(await store.postItem({ inboxId, blob: random(10), ...limits })).toMatchObject({ seq: 4 });
      await store.close();
    });

    test("old items go, oldest first, and make room; scrubbed, their bytes are in no file of a table", async () => {
      const directory = temporaryDirectory();
      const { store, inboxId } = await withInbox(directory);
      const marker = random(64);
      const limits = { part: "strangers", maxItems: 2, maxBytes: 1000 } as const;
      await store.postItem({ inboxId, blob: marker, day: today - 31, ...limits });
      await store.postItem({ inboxId, blob: random(10), day: today, ...limits });
      expect(await isStored(directory, marker)).toBe(true);
      expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 10 })).toBe(1);
      expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 10 })).toBe(0);
      await store.scrub();
      expect(await isStored(directory, marker)).toBe(false);
      expect(await store.readItems({ inboxId, afterSeq: 0, ...page })).toMatchObject([{ seq: 2 }]);
      expect(await store.postItem({ inboxId, blob: random(10), day: today, ...limits })).toMatchObject({ kind: "stored", seq: 3 });
      await store.close();
    });

    test("[I-1] what strangers sent and what came with the capability have room of their own, and make room of their own", async () => {
      const directory = temporaryDirectory();
      const { store: first, inboxId } = await withInbox(directory);
      let store = first;
      const post = (part: "contacts" | "strangers", size: number, day = today): Promise<unknown> =>
        store.postItem({ inboxId, part, blob: random(size), day, maxItems: 2, maxBytes: 1000 });
      expect(await post("strangers", 600, today - 31)).toMatchObject({ seq: 1 });
      expect(await post("strangers", 401)).toEqual({ kind: "refused", code: "inbox_full" });
      expect(await post("strangers", 400)).toMatchObject({ seq: 2 });
      expect(await post("contacts", 700)).toMatchObject({ seq: 3 });
      expect(await post("contacts", 300)).toMatchObject({ seq: 4 });
      expect(await post("contacts", 1)).toEqual({ kind: "refused", code: "inbox_full" });
      await store.close();
      store = await opened(directory);
      expect(await post("strangers", 1)).toEqual({ kind: "refused", code: "inbox_full" });
      expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 10 })).toBe(1);
      expect(await post("strangers", 601)).toEqual({ kind: "refused", code: "inbox_full" });
      expect(await post("strangers", 600)).toMatchObject({ seq: 5 });
      expect(await post("contacts", 1)).toEqual({ kind: "refused", code: "inbox_full" });
      await store.eraseItems({ inboxId, uptoSeq: 3 });
      expect(await post("contacts", 700)).toMatchObject({ seq: 6 });
      expect(await post("strangers", 401)).toEqual({ kind: "refused", code: "inbox_full" });
      expect(await post("strangers", 400)).toMatchObject({ seq: 7 });
      await store.close();
    });

    test("[I-1] the hash of a capability is kept with its generation, and an earlier one changes nothing", async () => {
      const directory = temporaryDirectory();
      const { store: first, inboxId } = await withInbox(directory);
      let store = first;
      const [one, two, three] = [random(32), random(32), random(32)];
      expect(await store.capabilityHash({ inboxId })).toBeUndefined();
      expect(await store.capabilityHash({ inboxId: random(32) })).toBeUndefined();
      expect(await store.setCapability({ inboxId: random(32), generation: 1, hash: one })).toEqual({ kind: "refused", code: "not_found" });
      const later = Date.UTC(2026, 10, 27);
      expect(await store.setCapability({ inboxId, generation: later, hash: one })).toEqual({ kind: "stored", generation: later });
      expect(await store.setCapability({ inboxId, generation: later - 1, hash: two })).toEqual({ kind: "stored", generation: later });
      expect(await store.capabilityHash({ inboxId })).toEqual(one);
      expect(await store.setCapability({ inboxId, generation: later, hash: three })).toEqual({ kind: "stored", generation: later });
      await store.close();
      store = await opened(directory);
      expect(await store.capabilityHash({ inboxId })).toEqual(three);
      await store.close();
    });

    test("an inbox has a limit of items and of bytes", async () => {
      const { store, inboxId } = await withInbox();
      const post = (size: number): Promise<unknown> =>
        store.postItem({ inboxId, part: "strangers", blob: random(size), day: today, maxItems: 2, maxBytes: 1000 });
      expect(await post(600)).toMatchObject({ kind: "stored" });
      expect(await post(600)).toEqual({ kind: "refused", code: "inbox_full" });
      expect(await post(300)).toMatchObject({ kind: "stored" });
      expect(await post(1)).toEqual({ kind: "refused", code: "inbox_full" });
      await store.eraseItems({ inboxId, uptoSeq: 1 });
      expect(await post(600)).toMatchObject({ kind: "stored", seq: 3 });
      await store.close();
    });
  });

  describe(`${name}: days`, () => {
    test("the day of what came last is told; one that a wrong clock left is set right, and told again when it comes again", async () => {
      const { store, logId } = await withLog();
      const lastDay = today + 2;
      expect(await store.newestDay()).toBe(0);
      for (let again = 0; again < 2; again++) {
        await store.append(newEntry(logId, { day: today + 9 }));
        expect(await store.newestDay()).toBe(today + 9);
        // Of a log it is the first entries alone that keep others from expiring.
        expect(await store.correctDays({ today, lastDay, lastBlobDay: lastDay, maxItems: 10 })).toBe(1 - again);
        expect(await store.newestDay()).toBe(today);
      }
      await store.close();
    });
  });

  describe(`${name}: as a whole`, () => {
    test("operations called before close are finished, later ones refused", async () => {
      const { store, logId } = await withLog();
      const appends = Array.from({ length: 50 }, () => store.append(newEntry(logId)));
      const closing = store.close();
      expect(await Promise.all(appends)).toHaveLength(50);
      await closing;
      await expect(store.append(newEntry(logId))).rejects.toMatchObject({ code: "closed" });
      await expect(store.lastItem({ inboxId: random(32) })).rejects.toMatchObject({ code: "closed" });
    });

    test("[P5] everything fulfilled is there when the store is opened again", async () => {
      const directory = temporaryDirectory();
      const store = await opened(directory);
      const logIds = [random(32), random(32), random(32)];
      for (const logId of logIds) await store.createLog({ logId, accessHash: random(32), day: today });
      const heads = new Map<string, string>();
      const appends: Promise<void>[] = [];
      for (let i = 0; i < 300; i++) {
        const logId = logIds[i % 3] ?? random(32);
        appends.push(
          store.append(newEntry(logId)).then((outcome) => {
            heads.set(toHex(logId), outcome.kind === "accepted" ? toHex(outcome.head) : outcome.code);
          }),
        );
      }
      await Promise.all(appends);
      await store.close();
      const again = await opened(directory);
      for (const logId of logIds) {
        const info = await again.readEpoch({ logId, epochId: 0 });
        expect(info.kind === "epoch" ? toHex(info.head) : info.code).toBe(heads.get(toHex(logId)));
      }
      await again.close();
    });
  });
}
