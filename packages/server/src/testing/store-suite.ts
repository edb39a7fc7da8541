import { decode, encode, toHex, utf8Bytes } from "@latchkey/codec";
import { entryLeaf, firstHead, maxDirectoryProofBytes, maxFrameBytes, nextHead, zeroHash } from "@latchkey/protocol";
import {
  decodeEntryBundle,
  directoryConfigCodec,
  directoryProofCodec,
  nextReplay,
  parseCheckpoint,
  parseNote,
  replayRoot,
  verifyConsistency,
} from "@latchkey/transparency";
import type { ReplayState } from "@latchkey/transparency";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sha256 } from "../hash.ts";
import type {
  AccountChange,
  AccountQuery,
  ChangeOutcome,
  LogSigner,
  LookupResult,
  NewLabel,
  Publication,
} from "../store/directory-store.ts";
import type { NewEntry, Store } from "../store/store.ts";
import { random, temporaryDirectory } from "./fixtures.ts";

const today = 20_000;
const page = { maxItems: 1000, maxBytes: 1_000_000 };

export function newEntry(logId: Uint8Array, change: Partial<NewEntry> = {}): NewEntry {
  return {
    logId,
    epochId: 0,
    kind: "message",
    nextAccessHash: zeroHash,
    blob: random(512),
    afterSeq: 0,
    blobIds: [],
    hasAccess: true,
    day: today,
    ...change,
  };
}

export function newCommit(logId: Uint8Array, epochId: number, change: Partial<NewEntry> = {}): NewEntry {
  return newEntry(logId, { epochId, kind: "commit", nextAccessHash: random(32), ...change });
}

/** Labels with places of the test's own: where they stand is the VRF's business. */
export function newLabel(type: NewLabel["type"], value: Uint8Array): NewLabel {
  return { type, value, index: sha256(value), vrfProof: new Uint8Array(80) };
}

export function newState(change: Partial<AccountChange> = {}): AccountChange {
  const state: AccountChange = {
    accountId: random(32),
    version: 0,
    state: random(300),
    pops: [random(100)],
    deviceIds: [random(16)],
    names: { bind: { username: "alice", binding: random(80) }, release: undefined },
    day: today,
    maxUpdatesPerDay: 20,
    maxHistoryBytes: 1_000_000,
    labels: [],
    deletion: undefined,
    ...change,
  };
  const names = [state.names.bind?.username, state.names.release?.username].filter((name) => name !== undefined);
  const labels = [newLabel("account", state.accountId), ...names.map((name) => newLabel("username", utf8Bytes(name)))];
  return { ...state, labels };
}

const testSigner: LogSigner = {
  origin: "latchkey.example/latchkey",
  keys: [{ name: "latchkey.example/latchkey", keyId: 7, secretKey: random(32) }],
};

export function newPublication(change: Partial<Publication> = {}): Publication {
  return {
    changes: [],
    adopt: [],
    config: new Uint8Array(),
    withHeads: false,
    nowMs: today * 86_400_000,
    signer: testSigner,
    isServed: true,
    ...change,
  };
}

/** Publishes one state by itself. */
export async function publishState(store: Store, state: AccountChange): Promise<ChangeOutcome> {
  const { outcomes } = await store.publishDirectory(newPublication({ changes: [state] }));
  return outcomes[0] ?? { kind: "known" };
}

export function newQuery(by: AccountQuery["by"], change: Partial<AccountQuery> = {}): AccountQuery {
  return { by, fromVersion: 0, accountValues: 0, nameValues: 0, knownSize: 0, maxBytes: 100_000, ...change };
}

const byName = (username: string): AccountQuery["by"] => ({ kind: "username", username });

/** The tests that every implementation of Store passes. `open` opens the store in a directory, new or used before. */
export function describeStore(name: string, open: (directory: string) => Promise<Store>): void {
  const opened = async (directory: string = temporaryDirectory()): Promise<Store> => open(directory);
  const withLog = async (): Promise<{ store: Store; logId: Uint8Array; accessHash: Uint8Array }> => {
    const store = await opened();
    const logId = random(32);
    const accessHash = random(32);
    await store.createLog({ logId, accessHash, day: today });
    return { store, logId, accessHash };
  };

  describe(`${name}: logs`, () => {
    test("a log is created once; the same again is a retry", async () => {
      const { store, logId, accessHash } = await withLog();
      const first = { kind: "epoch", currentEpochId: 0, lastSeq: 0, firstSeq: 1, firstChild: undefined, head: firstHead(sha256, logId) };
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

    test("[L-5] of commits that race for an epoch one wins; a sibling needs to have seen the others, and does not move the log", async () => {
      const { store, logId } = await withLog();
      const outcomes = await Promise.all([store.append(newCommit(logId, 0)), store.append(newCommit(logId, 0))]);
      expect(outcomes).toMatchObject([
        { kind: "accepted", seq: 1 },
        { kind: "refused", code: "conflict" },
      ]);
      expect(await store.readEpoch({ logId, epochId: 0 })).toMatchObject({ currentEpochId: 1, firstChild: 1 });
      const sibling = newCommit(logId, 0, { afterSeq: 1 });
      expect(await store.append(sibling)).toMatchObject({ kind: "accepted", seq: 2 });
      expect(await store.readEpoch({ logId, epochId: 2 })).toMatchObject({ accessHash: sibling.nextAccessHash, currentEpochId: 1 });
      expect(await store.append(newCommit(logId, 0, { afterSeq: 1 }))).toEqual({ kind: "refused", code: "conflict" });
      expect(await store.append(newCommit(logId, 1))).toMatchObject({ kind: "accepted", seq: 3 });
      expect(await store.readEpoch({ logId, epochId: 1 })).toMatchObject({ currentEpochId: 3, firstChild: 3 });
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

  describe(`${name}: blobs`, () => {
    const blob = (): { blobId: Uint8Array; sha256: Uint8Array; sizeBytes: number; expiresDay: number } => ({
      blobId: random(32),
      sha256: random(32),
      sizeBytes: 1000,
      expiresDay: today + 1,
    });

    test("a blob is added once; the same again is a retry, other bytes are not", async () => {
      const store = await opened();
      const one = blob();
      expect(await store.addBlob(one)).toEqual({ kind: "added" });
      expect(await store.addBlob(one)).toEqual({ kind: "same" });
      expect(await store.addBlob({ ...one, sha256: random(32) })).toEqual({ kind: "different" });
      await store.addBlob({ ...one, expiresDay: today + 5 });
      expect(await store.expireBlobs({ day: today + 3, maxItems: 10 })).toEqual([]);
      expect(await store.findBlob(one)).toEqual({ sha256: one.sha256, sizeBytes: 1000 });
      expect(await store.findBlob(blob())).toBeUndefined();
      await store.close();
    });

    test("[C-4] a blob lives as long as an entry that names it, else until its day", async () => {
      const { store, logId } = await withLog();
      const kept = blob();
      const unused = blob();
      await store.addBlob(kept);
      await store.addBlob(unused);
      expect(await store.append(newEntry(logId, { blobIds: [random(32)] }))).toEqual({ kind: "refused", code: "unknown_blob" });
      expect(await store.append(newEntry(logId, { blobIds: [kept.blobId, kept.blobId] }))).toMatchObject({ kind: "accepted", seq: 1 });
      expect(await store.expireBlobs({ day: today, maxItems: 10 })).toEqual([]);
      expect(await store.expireBlobs({ day: today + 2, maxItems: 10 })).toEqual([unused.blobId]);
      expect(await store.findBlob(unused)).toBeUndefined();
      await store.purgeEntries({ beforeDay: today + 1, maxItems: 10 });
      expect(await store.expireBlobs({ day: today + 2, maxItems: 10 })).toEqual([kept.blobId]);
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
      expect(await store.expireKeyPackages({ day: today + 10 })).toBe(6);
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
      const post = { inboxId, blob: random(100), day: today, maxItems: 10, maxBytes: 1000 };
      await store.postItem(post);
      expect(await store.holdings({ accountId: account.accountId })).toMatchObject({
        account: { version: 0 },
        devices: [{ deviceId, inboxId, inboxItems: [{ seq: 1, day: today, sizeBytes: 100 }] }],
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

  describe(`${name}: the public log`, () => {
    const nothing = { bind: undefined, release: undefined };
    const note = (text: string): { size: number; root: Uint8Array } => parseCheckpoint(parseNote(text).text);

    test("what is published is there at once, what is served only when it is said; lookups are answered from what is served", async () => {
      const store = await opened();
      expect(await store.directoryStatus()).toMatchObject({ size: 0, servedSize: 0, headsAtMs: 0 });
      expect(await store.servedCheckpoint()).toBeUndefined();
      const [alice, bobby] = [newState(), newState({ names: { bind: { username: "bobby", binding: random(80) }, release: undefined } })];
      expect(await store.publishDirectory(newPublication())).toEqual({ outcomes: [], head: undefined });
      await store.publishDirectory(newPublication({ changes: [alice] }));
      const { head } = await store.publishDirectory(newPublication({ changes: [bobby], isServed: false }));
      expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 1 });
      expect(await store.newestCheckpoint()).toEqual({ ...head, isServed: false });
      // Not served yet: no name of that kind, no such account.
      expect(await store.lookup(newQuery(byName("bobby")))).toMatchObject({ kind: "absent", bindings: [] });
      expect(await store.lookup(newQuery({ kind: "account", accountId: bobby.accountId }))).toEqual({ kind: "refused", code: "not_found" });
      expect(await store.proveAccounts({ accountIds: [alice.accountId, bobby.accountId] })).toMatchObject([{}, new Uint8Array()]);
      await store.serveHead({ size: 2 });
      expect(await store.servedCheckpoint()).toMatchObject({ size: 2, note: head?.note });
      expect(await store.lookup(newQuery(byName("bobby")))).toMatchObject({ kind: "account", states: [bobby.state] });
      await store.close();
    });

    test("entries, transitions and hashes are as the checkpoint says, and lead from every size to every later one", async () => {
      const directory = temporaryDirectory();
      let store = await opened(directory);
      const heads: { size: number; root: Uint8Array }[] = [];
      let state: ReplayState | undefined;
      const config = encode(directoryConfigCodec, {
        format: 1,
        origin: "latchkey.example/latchkey",
        logKey: "none",
        vrfPublicKey: random(32),
        logPolicy: "",
        mapPolicy: "",
        formats: [1],
        ext: new Uint8Array(),
      });
      await store.publishDirectory(newPublication({ config }));
      for (let i = 0; i < 11; i++) {
        const changes = Array.from({ length: 1 + (i % 3) }, (_, at) =>
          newState({ names: { bind: { username: `user${i}-${at}`, binding: random(80) }, release: undefined } }),
        );
        const { head } = await store.publishDirectory(newPublication({ changes, nowMs: i % 2 === 0 ? today * 86_400_000 : 0 }));
        if (head === undefined) throw new Error("published");
        heads.push(note(head.note));
        if (i === 5) {
          await store.close();
          store = await opened(directory);
        }
      }
      const tile = await store.entryTile({ index: 0, width: 12 });
      const entries = decodeEntryBundle(tile ?? new Uint8Array(), 12);
      for (const [index, entry] of entries.entries()) {
        ({ state } = nextReplay(state, { entry, transition: await store.transition({ index }) }));
        const head = heads.find(({ size }) => size === index + 1);
        if (head !== undefined) expect(replayRoot(state)).toEqual(head.root);
      }
      for (const from of heads) {
        for (const to of heads) {
          if (from.size > to.size) continue;
          const proof = await store.proveConsistency({ from: from.size, to: to.size });
          verifyConsistency({ from: from.size, to: to.size, fromRoot: from.root, toRoot: to.root, proof });
        }
      }
      expect(await store.hashTile({ level: 0, index: 0, width: 12 })).toHaveLength(12 * 32);
      expect(await store.hashTile({ level: 0, index: 0, width: 13 })).toBeUndefined();
      expect(await store.hashTile({ level: 1, index: 0, width: 1 })).toBeUndefined();
      expect(await store.entryTile({ index: 0, width: 13 })).toBeUndefined();
      expect(await store.transition({ index: 12 })).toBeUndefined();
      expect(await store.proveConsistency({ from: 5, to: 13 })).toEqual([]);
      await store.close();
    });

    test("cosignatures are added to their checkpoint; of each key the newest stays, and older checkpoints go", async () => {
      const store = await opened();
      const { head } = await store.publishDirectory(newPublication({ changes: [newState()] }));
      const line = (text: string): string => `\u2014 w.example ${Buffer.from(text.padEnd(76, ".")).toString("base64")}\n`;
      const cosignature = (text: string, timeMs: number) => ({ keyName: "w.example", keyId: 7, line: line(text), timeMs });
      await store.addCosignatures({ size: 1, cosignatures: [cosignature("first", 1000)] });
      await store.addCosignatures({ size: 1, cosignatures: [cosignature("second", 2000), { ...cosignature("other", 1), keyId: 8 }] });
      await store.addCosignatures({ size: 1, cosignatures: [cosignature("late", 500)] });
      expect((await store.servedCheckpoint())?.note).toBe(`${head?.note ?? ""}${line("second")}${line("other")}`);
      await store.addCosignatures({ size: 9, cosignatures: [cosignature("nowhere", 1)] });
      for (let version = 1; version < 9; version++)
        await publishState(store, newState({ names: { bind: { username: `n${version}`, binding: random(9) }, release: undefined } }));
      expect(note((await store.servedCheckpoint())?.note ?? "").size).toBe(9);
      await store.close();
    });

    test("[A-1] deleted: with the head that says so everything else is erased; a name that was not released is free again after its time", async () => {
      const store = await opened();
      const account = newState({ deviceIds: [random(16)] });
      const { accountId } = account;
      await publishState(store, account);
      const second = newState({ accountId, version: 1, names: nothing });
      await publishState(store, second);
      const last = newState({ accountId, version: 2, names: nothing, deviceIds: [], deletion: { reservedUntilDay: today + 180 } });
      const { head } = await store.publishDirectory(newPublication({ changes: [last], isServed: false }));
      // Until it is served, what is served can still be shown.
      expect(await store.lookup(newQuery({ kind: "account", accountId }))).toMatchObject({ states: [account.state, second.state] });
      await store.serveHead({ size: head?.size ?? 0 });
      const found = await store.lookup(newQuery(byName("alice")));
      expect(found).toMatchObject({ kind: "account", states: [last.state], pops: [], bindings: [account.names.bind?.binding] });
      if (found.kind !== "account") throw new Error(found.kind);
      const [label] = decode(directoryProofCodec, found.proof).labels;
      expect(label?.items.map(({ kind }) => kind)).toEqual(["commitment", "commitment", "opening"]);
      expect(await store.holdings({ accountId })).toMatchObject({
        account: { version: 2, historyBytes: last.state.length },
        states: [{ version: 2 }],
        devices: [],
        labels: [{ values: [{ opening: undefined }, { opening: undefined }, { version: 3 }] }, { type: "username" }],
      });
      expect(await publishState(store, account)).toEqual({ kind: "refused", code: "account_conflict" });
      expect(await publishState(store, newState({ day: today + 180 }))).toEqual({ kind: "refused", code: "username_taken" });
      const next = newState({ day: today + 181 });
      expect(await publishState(store, next)).toEqual({ kind: "published" });
      expect(await store.lookup(newQuery(byName("alice")))).toMatchObject({ states: [next.state] });
      expect(await store.lookup(newQuery({ kind: "account", accountId }))).toMatchObject({ states: [last.state] });
      await store.close();
    });

    test("[A-6] the longest history and the most changed name still fit one answer of the wire", async () => {
      const store = await opened();
      const first = newState({ maxUpdatesPerDay: 9999, state: random(330) });
      const { accountId } = first;
      const history = Array.from({ length: 3000 }, (_, version) =>
        newState({ ...first, accountId, version, state: random(330), pops: [], names: version === 0 ? first.names : nothing }),
      );
      await store.publishDirectory(newPublication({ changes: history }));
      const last = await store.lookup(newQuery({ kind: "account", accountId }, { fromVersion: 2800, maxBytes: 80_000 }));
      if (last.kind !== "account" || last.proof.length === 0) throw new Error("the last part has the proof");
      expect(last.proof.length).toBeLessThan(maxDirectoryProofBytes);
      const [own] = await store.proveAccounts({ accountIds: [accountId] });
      expect(own?.length).toBeLessThan(maxDirectoryProofBytes);
      // One name back and forth between two accounts.
      const outcomes: string[] = [];
      const [one, two] = [random(32), random(32)];
      for (let turn = 0; turn < 110; turn++) {
        const [holder, version] = [turn % 2 === 0 ? one : two, Math.floor(turn / 2) * 2];
        const bind = { bind: { username: "shared", binding: random(220) }, release: undefined };
        const release = { bind: undefined, release: { username: "shared", binding: random(220), reservedUntilDay: 0 } };
        const turns = [bind, release].map((names, at) =>
          newState({ accountId: holder, version: version + at, names, maxUpdatesPerDay: 9999 }),
        );
        const result = await store.publishDirectory(newPublication({ changes: turns }));
        outcomes.push(...result.outcomes.map((outcome) => (outcome.kind === "refused" ? outcome.code : outcome.kind)));
      }
      expect(outcomes.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => "published"));
      expect(outcomes[200]).toBe("too_many_updates");
      const gone = await store.lookup(newQuery(byName("shared")));
      if (gone.kind !== "absent") throw new Error(gone.kind);
      const bindings = gone.bindings.reduce((sum, binding) => sum + binding.length, 0);
      expect(80_000 + 400 + bindings + maxDirectoryProofBytes).toBeLessThan(maxFrameBytes);
      await store.close();
    });
  });

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
      const limits = { day: today, maxItems: 10, maxBytes: 10_000 };
      const blobs = [random(100), random(100), random(100)];
      for (const [index, blob] of blobs.entries()) {
        expect(await store.postItem({ inboxId, blob, ...limits })).toEqual({ kind: "stored", seq: index + 1, isNew: true });
      }
      expect(await store.postItem({ inboxId, blob: blobs[0] ?? random(1), ...limits })).toEqual({ kind: "stored", seq: 1, isNew: false });
      await store.eraseItems({ inboxId, uptoSeq: 2 });
      expect(await store.readItems({ inboxId, afterSeq: 0, ...page })).toEqual([{ seq: 3, day: today, blob: blobs[2] }]);
      await store.eraseItems({ inboxId, uptoSeq: 99 });
      await store.close();
      store = await opened(directory);
      expect(await store.lastItem({ inboxId })).toBe(3);
      expect(await store.postItem({ inboxId, blob: random(10), ...limits })).toMatchObject({ seq: 4 });
      await store.close();
    });

    test("old items go, oldest first, and make room; scrubbed, their bytes are in no file", async () => {
      const directory = temporaryDirectory();
      const { store, inboxId } = await withInbox(directory);
      const marker = random(64);
      const limits = { maxItems: 2, maxBytes: 1000 };
      await store.postItem({ inboxId, blob: marker, day: today - 31, ...limits });
      await store.postItem({ inboxId, blob: random(10), day: today, ...limits });
      const inFiles = (): boolean => readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(marker));
      expect(inFiles()).toBe(true);
      expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 10 })).toBe(1);
      expect(await store.purgeItems({ beforeDay: today - 30, maxItems: 10 })).toBe(0);
      await store.scrub();
      expect(inFiles()).toBe(false);
      expect(await store.readItems({ inboxId, afterSeq: 0, ...page })).toMatchObject([{ seq: 2 }]);
      expect(await store.postItem({ inboxId, blob: random(10), day: today, ...limits })).toMatchObject({ kind: "stored", seq: 3 });
      await store.close();
    });

    test("an inbox has a limit of items and of bytes", async () => {
      const { store, inboxId } = await withInbox();
      const post = (size: number): Promise<unknown> =>
        store.postItem({ inboxId, blob: random(size), day: today, maxItems: 2, maxBytes: 1000 });
      expect(await post(600)).toMatchObject({ kind: "stored" });
      expect(await post(600)).toEqual({ kind: "refused", code: "inbox_full" });
      expect(await post(300)).toMatchObject({ kind: "stored" });
      expect(await post(1)).toEqual({ kind: "refused", code: "inbox_full" });
      await store.eraseItems({ inboxId, uptoSeq: 1 });
      expect(await post(600)).toMatchObject({ kind: "stored", seq: 3 });
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
