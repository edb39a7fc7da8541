import { equalBytes, toHex, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import {
  TransparencyError,
  accountLabel,
  checkOlder,
  decodeDirectoryProof,
  decodeGossip,
  decodeHeadsProof,
  encodeCheckpoint,
  formatNote,
  gossipOf,
  learnConfig,
  nobleSignatures,
  openConfigChange,
  openHead,
  parseNote,
  peekHeadSize,
  proveConsistencyByTiles,
  signNote,
  usernameLabel,
  verifyAbsence,
  verifyGossip,
  verifyHeads,
  verifyLookup,
  withoutImpliedCosignatures,
} from "../index.ts";
import type { ConfigChange, DirectoryView, HeadResult, LookupResult, TransparencyErrorCode } from "../index.ts";
import { createMemoryDirectory } from "./memory-directory.testing.ts";
import type { MemoryDirectory, MemoryHeadOptions } from "./memory-directory.testing.ts";
import { createPerson } from "./people.testing.ts";
import type { TestPerson } from "./people.testing.ts";

const day = 86_400_000;
const signatures = nobleSignatures;

async function refusal(action: () => Promise<unknown>): Promise<TransparencyErrorCode | undefined> {
  try {
    await action();
  } catch (error) {
    if (error instanceof TransparencyError) return error.code;
    throw error;
  }
  return undefined;
}

function common(directory: MemoryDirectory, view?: DirectoryView) {
  const { host, config } = directory;
  return { host, view, config: view === undefined ? config : undefined, nowMs: directory.nowMs(), signatures };
}

async function open(directory: MemoryDirectory, view?: DirectoryView, options: MemoryHeadOptions = {}): Promise<HeadResult> {
  const consistency = view === undefined || view.size > directory.size() ? [] : await directory.consistency(view.size);
  return await openHead({ ...common(directory, view), head: await directory.head(options), consistency });
}

type Lookup = Awaited<ReturnType<MemoryDirectory["lookup"]>>;

async function verify(directory: MemoryDirectory, answer: Lookup, more: object = {}): Promise<LookupResult> {
  const { proof, ...record } = answer;
  return await verifyLookup({ ...common(directory), proof: decodeDirectoryProof(proof), record, query: { username: "bob" }, ...more });
}

async function withPeople(params: Parameters<typeof createMemoryDirectory>[0] = {}): Promise<{
  directory: MemoryDirectory;
  alice: TestPerson;
  bob: TestPerson;
}> {
  const directory = await createMemoryDirectory(params);
  const alice = await createPerson("alice");
  const bob = await createPerson("bob");
  await directory.publish(alice.changes);
  await directory.publish(bob.changes);
  for (let i = 0; i < 5; i++) await directory.publish((await createPerson(`other${String(i)}`)).changes);
  return { directory, alice, bob };
}

describe("lookups", () => {
  test("[D-1] a first lookup by name gives the account, and a later one leads on from what was verified", async () => {
    const { directory, bob } = await withPeople();
    const first = await verify(directory, await directory.lookup(bob));
    expect(first.relation).toBe("first");
    expect(toHex(first.accountId)).toBe(toHex(bob.accountId));
    expect(first.labels.account.version).toBe(1);
    expect(first.labels.username?.version).toBe(1);
    expect(first.witnesses).toEqual({
      log: ["w0.example", "w1.example", "w2.example"],
      map: ["w0.example/latchkey-map", "w1.example/latchkey-map", "w2.example/latchkey-map"],
      required: { log: 2, map: 2 },
    });
    await directory.publish([{ type: "account", label: bob.accountId, values: [await bob.nextState()] }]);
    const { account, username } = first.labels;
    const later = await directory.lookup(bob, {
      knownSize: first.view.size,
      account: { fromVersion: 1, withVrf: false },
      name: { fromVersion: 1, withVrf: false },
    });
    const { view } = first;
    const query = { username: "bob", accountId: bob.accountId };
    const second = await verify(directory, later, { ...common(directory, view), known: { account, username }, query });
    expect(second.relation).toBe("newer");
    expect(second.labels.account.version).toBe(2);
    expect(second.view.size).toBe(directory.size());
  });

  test("[D-1] a lookup with any byte of its proof changed is refused, with a code", async () => {
    const { directory, bob } = await withPeople({ witnesses: 1, threshold: 1 });
    // Trimmed: one signature too many could be broken without consequence.
    const answer = await directory.lookup(bob, { isTrimmed: true });
    const honest = await verify(directory, answer);
    const accepted: number[] = [];
    for (let at = 0; at < answer.proof.length; at += 3) {
      const proof = answer.proof.slice();
      proof[at] = (proof[at] ?? 0) ^ 1;
      const view = await verify(directory, { ...answer, proof }).then(
        (result) => result.view,
        (error: unknown) => (error instanceof TransparencyError ? undefined : Promise.reject(error as Error)),
      );
      if (view !== undefined) accepted.push(at);
      // Only names and times of signatures that do not count may differ: never what was proved.
      if (view !== undefined) expect(toHex(view.root)).toBe(toHex(honest.view.root));
    }
    expect(accepted).toEqual([]);
  });

  test("[D-1] other values than the committed ones, too few and too many are refused", async () => {
    const { directory, alice, bob } = await withPeople();
    const answer = await directory.lookup(bob);
    const next = await bob.nextState();
    const code = (change: Partial<Lookup>, more: object = {}): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => verify(directory, { ...answer, ...change }, more));
    expect(await code({ states: alice.states })).toBe("proof");
    expect(await code({ states: [...bob.states, next] })).toBe("proof");
    expect(await code({ states: [next] }, { query: { username: "bob", accountId: bob.accountId } })).toBe("proof");
    expect(await code({ states: [] }, { query: { username: "bob", accountId: bob.accountId } })).toBe("proof");
    expect(await code({ states: [] })).toBe("missing");
    expect(await code({ bindings: [] })).toBe("proof");
    expect(await code({ bindings: alice.bindings })).toBe("proof");
    expect(await code({}, { query: { username: "alice" } })).toBe("proof");
    expect(await code({}, { query: { accountId: alice.accountId } })).toBe("proof");
    expect(await code({ states: [new Uint8Array(3)] })).toBe("malformed");
  });

  test("[A-2] a server that hides the newest state, or shows a history with another one, is found out", async () => {
    const { directory, bob } = await withPeople();
    const forged = directory.fork();
    const ghost = { type: "account" as const, label: bob.accountId, values: [await bob.nextState({ timeMs: 5 })] };
    await directory.publish([{ type: "account", label: bob.accountId, values: [await bob.nextState()] }]);
    const honest = await verify(directory, await directory.lookup(bob));
    // The newest state as if it were erased.
    const hidden = await directory.lookup(bob, { account: { erased: [2] } });
    expect(await refusal(async () => verify(directory, hidden))).toBe("proof");
    // An older one as if it were.
    const first = await directory.lookup(bob, { account: { erased: [1] } });
    const query = { username: "bob", accountId: bob.accountId };
    expect(await refusal(async () => verify(directory, first, { query }))).toBe("proof");
    // Another second state, in a fork of the log: to those who know nothing it stands, to those who saw the other it does not.
    await forged.publish([ghost]);
    const shown = await forged.lookup(bob, { knownSize: honest.view.size - 1 });
    await verify(forged, shown);
    const more = { ...common(forged, honest.view), known: honest.labels };
    expect(await refusal(async () => verify(forged, shown, more))).toBe("fork");
    // Fewer values, in a longer log.
    const rewound = await createMemoryDirectory();
    for (const person of [await createPerson("alice"), bob]) await rewound.publish(person.changes);
    for (let i = 0; i < 9; i++) await rewound.publish((await createPerson(`other${String(i)}`)).changes);
    const known = { account: honest.labels.account };
    expect(await refusal(async () => verify(rewound, await rewound.lookup(bob), { known }))).toBe("rollback");
  });

  test("[D-1] a name that has never been bound is proved to be absent, one that exists is not", async () => {
    const { directory } = await withPeople();
    const absent = async (username: string, proof: Uint8Array, bindings: readonly Uint8Array[] = []) =>
      verifyAbsence({ ...common(directory), proof: decodeDirectoryProof(proof), username, bindings });
    const result = await absent("nobody", await directory.nameProof("nobody"));
    expect(result.username).toBeUndefined();
    expect(await refusal(async () => absent("bob", await directory.nameProof("bob")))).toBe("proof");
    expect(await refusal(async () => absent("bob", await directory.nameProof("nobody")))).toBe("proof");
    expect(await refusal(async () => absent("bob", await directory.nameProof("bob", { name: { fromVersion: 1 } })))).toBe("missing");
    const bob = await createPerson("bob");
    expect(await refusal(async () => absent("bob", await directory.nameProof("bob"), bob.bindings))).toBe("proof");
  });

  test("[A-3] a released name is nobody's; one that had another owner says so", async () => {
    const { directory, bob } = await withPeople();
    const released = await bob.binding("released");
    await directory.publish([{ type: "username", label: utf8Bytes("bob"), values: [released] }]);
    const bindings = [...bob.bindings, released];
    const proof = decodeDirectoryProof(await directory.nameProof("bob"));
    const absence = await verifyAbsence({ ...common(directory), proof, username: "bob", bindings });
    expect(absence.username?.version).toBe(2);
    expect(await refusal(async () => verify(directory, await directory.lookup(bob)))).toBe("rule");
    const second = await createPerson("bob", { seed: "another bob" });
    await directory.publish(second.changes);
    expect((await verify(directory, await directory.lookup(second))).hadOtherOwner).toBe(true);
    expect(await refusal(async () => verify(directory, await directory.lookup(bob)))).toBe("rule");
  });

  test("[A-1] of a deleted account the last state is shown, and of those before it the commitments are enough", async () => {
    const { directory, bob } = await withPeople();
    const deleted = await bob.nextState({ status: "deleted" });
    await directory.publish([
      { type: "account", label: bob.accountId, values: [deleted] },
      { type: "username", label: utf8Bytes("bob"), values: [await bob.binding("released")] },
    ]);
    const answer = await directory.lookup(bob, { account: { erased: [1] } });
    expect(answer.states.length).toBe(1);
    const result = await verify(directory, answer, { query: { accountId: bob.accountId } });
    expect(result.labels.account.version).toBe(2);
  });

  test("[D-6] a label stands at one place for ever, whatever its values, and the place needs the directory's key", async () => {
    const { directory, bob } = await withPeople();
    const first = await verify(directory, await directory.lookup(bob));
    await directory.publish([{ type: "account", label: bob.accountId, values: [await bob.nextState()] }]);
    const later = await verify(directory, await directory.lookup(bob));
    expect(toHex(later.labels.account.index)).toBe(toHex(first.labels.account.index));
    expect(equalBytes(first.labels.account.index, sha256(accountLabel(bob.accountId)))).toBe(false);
    expect(toHex(accountLabel(bob.accountId))).not.toBe(toHex(usernameLabel("bob")));
    // Another label's VRF proof does not move it.
    const answer = await directory.lookup(bob);
    const proof = decodeDirectoryProof(answer.proof);
    const [account, name] = proof.labels;
    if (account === undefined || name === undefined) throw new Error("a lookup has two labels");
    const swapped = { ...proof, labels: [{ ...account, vrfProof: name.vrfProof }, name] };
    const { proof: _, ...record } = answer;
    const code = refusal(async () => verifyLookup({ ...common(directory), proof: swapped, record, query: { username: "bob" } }));
    expect(await code).toBe("proof");
  });
});

describe("heads", () => {
  test("[D-3] two of three witnesses of each quorum are enough, one is not", async () => {
    const { directory } = await withPeople();
    const code = (options: MemoryHeadOptions): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => open(directory, undefined, options));
    expect(await code({ log: [0, 2], map: [1, 2] })).toBeUndefined();
    expect(await code({ log: [0], map: [0] })).toBe("quorum");
    expect(await code({ log: [0, 1, 2], map: [1] })).toBe("quorum");
    expect(await code({ log: [], map: [] })).toBe("quorum");
    const head = await directory.head({ map: [1] });
    const alone = await openHead({ ...common(directory), head, mapQuorum: "optional" });
    expect(alone.isMapWatched).toBe(false);
    expect(alone.view.mapQuorumMs).toBe(0);
  });

  test("[D-3] who replayed the map counts for the log, too, and its own cosignature of the log can be left out", async () => {
    const { directory } = await withPeople();
    const full = await directory.head();
    const trimmed = await directory.head({ isTrimmed: true });
    expect(trimmed.checkpoint.length).toBeLessThan(full.checkpoint.length);
    const [whole, short] = [full, trimmed].map(async (head) => openHead({ ...common(directory), head }));
    expect((await short)?.witnesses).toEqual((await whole)?.witnesses);
    // Of a witness that signed as one of the log only, nothing is left out.
    const { checkpoint } = await directory.head({ map: [1, 2] });
    const text = new TextDecoder().decode(withoutImpliedCosignatures(checkpoint));
    expect(text.match(/(?<=^\u2014 )\S+/gm)).toEqual([
      directory.origin,
      "w0.example",
      "w1.example/latchkey-map",
      "w2.example/latchkey-map",
    ]);
  });

  test("[D-3] cosignatures count for 24 hours", async () => {
    const { directory } = await withPeople();
    const cosignedMs = directory.nowMs();
    const { view } = await open(directory, undefined, { cosignedMs });
    expect(view.logQuorumMs).toBe(cosignedMs);
    directory.setTime(cosignedMs + day);
    expect(await refusal(async () => open(directory, view, { cosignedMs }))).toBeUndefined();
    directory.setTime(cosignedMs + day + 1);
    expect(await refusal(async () => open(directory, view, { cosignedMs }))).toBe("stale");
    const old = { ...common(directory, view), head: await directory.head({ cosignedMs }), maxAgeMs: 7 * day };
    expect((await openHead(old)).relation).toBe("same");
    const again = await open(directory, view);
    expect(again.view.logQuorumMs).toBe(Math.floor(directory.nowMs() / 1000) * 1000);
  });

  test("[D-3] without witnesses nothing is claimed", async () => {
    const { directory } = await withPeople({ witnesses: 0 });
    const result = await open(directory);
    expect(result.witnesses).toEqual({ log: [], map: [], required: { log: 0, map: 0 } });
    expect(result.isMapWatched).toBe(false);
    expect(result.view).toMatchObject({ logQuorumMs: 0, mapQuorumMs: 0 });
  });

  test("[D-4] a newer head continues the view, an older one is told apart, another tree is a fork", async () => {
    const { directory } = await withPeople();
    const forged = directory.fork();
    const old = await directory.head();
    const oldSize = directory.size();
    await directory.publish((await createPerson("carol")).changes);
    const { view } = await open(directory);
    await directory.publish((await createPerson("dave")).changes);
    const newer = await open(directory, view);
    expect(newer.relation).toBe("newer");
    expect((await open(directory, newer.view)).relation).toBe("same");
    const older = await openHead({ ...common(directory, newer.view), head: old });
    expect(older.relation).toBe("older");
    expect(older.view).toBe(newer.view);
    checkOlder({ head: older, view: newer.view, consistency: await directory.consistency(oldSize) });
    // The lying operator's other tree: of the same size, larger, and smaller.
    await forged.publish((await createPerson("eve")).changes);
    expect(await refusal(async () => open(forged, view))).toBe("fork");
    await forged.publish((await createPerson("eve2")).changes);
    expect(await refusal(async () => open(forged, view))).toBe("fork");
    const foreign = await openHead({ ...common(directory, newer.view), head: await forged.head({ size: oldSize + 1 }) });
    const consistency = await forged.consistency(oldSize + 1, oldSize + 2);
    expect(() => checkOlder({ head: foreign, view: newer.view, consistency })).toThrow(TransparencyError);
    const head = await directory.head();
    expect(peekHeadSize(head)).toBe(directory.size());
    expect(await refusal(async () => openHead({ ...common(directory, view), head }))).toBe("missing");
  });

  test("[D-4] a client proves by itself, from static tiles, that two trees are one", async () => {
    const { directory } = await withPeople();
    const { view } = await open(directory);
    for (let i = 0; i < 300; i++) await directory.publish([]);
    const { fetchTile } = directory;
    const consistency = await proveConsistencyByTiles({ from: view.size, to: directory.size(), fetchTile });
    expect((await openHead({ ...common(directory, view), head: await directory.head(), consistency })).relation).toBe("newer");
  });

  test("[D-2] the config is pinned, and a head of another log, key or host is refused", async () => {
    const { directory } = await withPeople();
    const head = await directory.head();
    const params = { ...common(directory), head };
    const { configHash } = directory;
    expect(await refusal(async () => openHead({ ...params, pinnedConfigHash: configHash }))).toBeUndefined();
    expect(await refusal(async () => openHead({ ...params, pinnedConfigHash: new Uint8Array(32) }))).toBe("config");
    expect(await refusal(async () => openHead({ ...params, config: undefined }))).toBe("missing");
    expect(await refusal(async () => openHead({ ...params, host: "other.example" }))).toBe("config");
    const other = await createMemoryDirectory({ host: "other.example" });
    expect(await refusal(async () => openHead({ ...params, head: await other.head() }))).toBe("proof");
    directory.signWith(sha256(utf8Bytes("stolen")));
    expect(await refusal(async () => open(directory))).toBe("signature");
    const entry = directory.entries()[0];
    if (entry === undefined) throw new Error("a log has an entry 0");
    expect(await refusal(async () => openHead({ ...params, head: { ...head, entry } }))).toBe("proof");
  });
});

describe("a config that changes", () => {
  const newSeed = sha256(utf8Bytes("the next log key"));

  async function announced(): Promise<{ directory: MemoryDirectory; view: DirectoryView; index: number }> {
    const { directory } = await withPeople();
    const { view } = await open(directory);
    const index = directory.size();
    await directory.publish([], { config: directory.changedConfig({ logSeed: newSeed, threshold: 3 }) });
    return { directory, view, index };
  }

  async function changeOf(
    directory: MemoryDirectory,
    index: number,
    first: MemoryHeadOptions,
    last: MemoryHeadOptions,
  ): Promise<ConfigChange> {
    const { size: from = directory.size() } = first;
    const { size: to = directory.size() } = last;
    return {
      format: 2,
      index,
      entry: directory.entries()[index] ?? new Uint8Array(0),
      inclusion: await directory.inclusion(index, from),
      first: await directory.head(first),
      last: await directory.head(last),
      consistency: await directory.consistency(from, to),
      ext: new Uint8Array(0),
    };
  }

  /** Joined to the view by the tree as it is now. */
  async function follow(
    directory: MemoryDirectory,
    change: ConfigChange,
    before?: DirectoryView,
    nowMs = directory.nowMs(),
  ): Promise<DirectoryView> {
    const join = async (size: number): Promise<readonly Uint8Array[]> =>
      before === undefined ? [] : await directory.consistency(Math.min(size, before.size), Math.max(size, before.size));
    return await openConfigChange({
      ...common(directory, before),
      nowMs,
      change,
      consistency: await join(peekHeadSize(change.first)),
      lastConsistency: await join(peekHeadSize(change.last)),
    });
  }

  test("[D-2] [E-54] a new log key and policy take effect once the quorum before cosigned two heads with them seven days apart", async () => {
    const { directory, view: before, index } = await announced();
    const firstSize = directory.size();
    const loggedMs = directory.nowMs();
    const { view: seen, announcedConfigIndex } = await open(directory, before);
    expect(announcedConfigIndex).toBe(index);
    const entry = directory.entries()[index] ?? new Uint8Array(0);
    const view = learnConfig({ view: seen, index, entry, inclusion: await directory.inclusion(index), sightMs: 5 });
    expect(view.pendingConfig).toMatchObject({ index, sightMs: 5 });
    directory.setTime(loggedMs + 7 * day + 5000);
    await directory.publish([]);
    // By the log's own time the notice is over: the old key and quorum count until the change is proven.
    const old = await open(directory, view);
    expect(old.view.configIndex).toBe(0);
    directory.signWith(newSeed);
    expect(await refusal(async () => open(directory, view))).toBe("signature");
    directory.signWith(undefined);
    const change = (first: MemoryHeadOptions, last: MemoryHeadOptions): Promise<ConfigChange> =>
      changeOf(directory, index, { size: firstSize, cosignedMs: loggedMs, ...first }, last);
    const code = async (made: ConfigChange, from: DirectoryView = view): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => follow(directory, made, from));
    expect(await code(await change({}, { cosignedMs: loggedMs + 7 * day - 1000 }))).toBe("config");
    expect(await code(await change({ cosignedMs: loggedMs + 60_000 }, {}))).toBe("config");
    expect(await code(await change({ log: [0], map: [0] }, {}))).toBe("quorum");
    expect(await code(await change({}, { log: [0], map: [0] }))).toBe("quorum");
    expect(await code({ ...(await change({}, {})), consistency: [] })).toBe("fork");
    const good = await change({}, {});
    const followed = await follow(directory, good, view);
    expect(followed).toMatchObject({ configIndex: index, pendingConfig: undefined, size: directory.size() });
    // Who slept through it, and who is new, follow it alike, and go on under the new key.
    directory.signWith(newSeed);
    await directory.publish([]);
    for (const known of [view, before, undefined]) {
      const late = await open(directory, await follow(directory, good, known));
      expect(late.view).toMatchObject({ configIndex: index, size: directory.size() });
      expect(late.witnesses.required.log).toBe(3);
    }
    const { view: after } = await open(directory, followed);
    expect(await refusal(async () => open(directory, after, { log: [0, 1], map: [0, 1] }))).toBe("quorum");
  });

  test("[D-2] [E-54] an entry that is dated ahead makes nothing count: it is refused, and the quorum's clocks go on by themselves", async () => {
    const { directory, view: before, index } = await announced();
    const [firstSize, nowMs] = [directory.size(), directory.nowMs()];
    directory.setTime(nowMs + 8 * day);
    await directory.publish([]);
    const head = await directory.head({ cosignedMs: nowMs });
    const consistency = await directory.consistency(before.size);
    expect(await refusal(async () => openHead({ ...common(directory, before), nowMs, head, consistency }))).toBe("ahead");
    const change = await changeOf(directory, index, { size: firstSize, cosignedMs: nowMs }, { cosignedMs: nowMs });
    expect(await refusal(async () => follow(directory, change, before, nowMs))).toBe("ahead");
    // Even once its date has come, its witnesses never waited.
    expect(await refusal(async () => follow(directory, change, before))).toBe("config");
    // Five minutes are the clocks' own.
    const small = await withPeople();
    const { view } = await open(small.directory);
    const clock = { ...common(small.directory, view), consistency: [] };
    const newest = await small.directory.head();
    expect(await refusal(async () => openHead({ ...clock, head: newest, nowMs: small.directory.nowMs() - 300_000 }))).toBeUndefined();
    expect(await refusal(async () => openHead({ ...clock, head: newest, nowMs: small.directory.nowMs() - 300_001 }))).toBe("ahead");
  });

  test("[D-2] [E-54] without witnesses the notice is between a reader's own sights of the log", async () => {
    const { directory } = await withPeople({ witnesses: 0, threshold: 0 });
    const { view: before } = await open(directory);
    const index = directory.size();
    await directory.publish([], { config: directory.changedConfig({ logSeed: newSeed }) });
    // Dated back: by the log's time it was announced long ago.
    directory.setTime(directory.nowMs() + 8 * day);
    await directory.publish([]);
    const change = await changeOf(directory, index, { size: index + 1 }, {});
    const sights = (checkedAtMs: number): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => follow(directory, change, { ...before, checkedAtMs }));
    expect(await sights(directory.nowMs() - 7 * day + 1000)).toBe("config");
    expect(await sights(directory.nowMs() - 7 * day)).toBeUndefined();
  });

  test("[D-2] a config of another origin, or an entry that is not in the tree, is not learned", async () => {
    const { directory, view: before, index } = await announced();
    const { view } = await open(directory, before);
    const entry = directory.entries()[index] ?? new Uint8Array(0);
    const inclusion = await directory.inclusion(index);
    const code = (params: object): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => learnConfig({ view, index, entry, inclusion, sightMs: 0, ...params }));
    expect(await code({})).toBeUndefined();
    expect(await code({ view: before })).toBe("proof");
    expect(await code({ inclusion: [] })).toBe("proof");
    const plain = directory.entries()[1] ?? new Uint8Array(0);
    expect(await code({ index: 1, entry: plain, inclusion: await directory.inclusion(1) })).toBe("config");
    const stranger = await createMemoryDirectory({ host: "other.example" });
    await directory.publish([], { config: stranger.config });
    const latest = await open(directory, view);
    const last = directory.size() - 1;
    const foreign = { view: latest.view, index: last, entry: directory.entries()[last], inclusion: await directory.inclusion(last) };
    expect(await code(foreign)).toBe("config");
  });

  test("[D-2] a config that was logged before the one before it took effect is not learned, and that one is told again", async () => {
    const { directory, view: before, index } = await announced();
    const learned = async (view: DirectoryView, at: number): Promise<DirectoryView> =>
      learnConfig({
        view,
        index: at,
        entry: directory.entries()[at] ?? new Uint8Array(0),
        inclusion: await directory.inclusion(at),
        sightMs: 0,
      });
    const { view } = await open(directory, before);
    const told = await learned(view, index);
    const second = directory.size();
    await directory.publish([], { config: directory.changedConfig({ logSeed: new Uint8Array(32).fill(77) }) });
    const { view: newer } = await open(directory, told);
    expect(newer.pendingConfig?.index).toBe(index);
    expect(await refusal(() => learned(newer, second))).toBe("config");
    expect(await learned(newer, index)).toEqual(newer);
  });
});

describe("gossip", () => {
  test("[D-4] gossip is what the log signed: its words without the signature, or of another log, are nothing", async () => {
    const { directory } = await withPeople();
    const head = await open(directory);
    const gossip = decodeGossip(gossipOf(head.checkpoint));
    expect(gossip.checkpoint).toMatchObject({ origin: head.view.origin, size: head.size, root: head.root });
    // The log's signature and no witness's: short enough for every message.
    expect(parseNote(gossip.note).signatures.length).toBe(1);
    expect(gossipOf(head.checkpoint).length).toBeLessThan(200);
    await verifyGossip({ gossip, view: head.view, signatures });
    const code = (note: Uint8Array): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => verifyGossip({ gossip: decodeGossip(gossipOf(note)), view: head.view, signatures }));
    // The right signature over other words.
    const { text, signatures: lines } = parseNote(gossip.note);
    const larger = encodeCheckpoint({ ...gossip.checkpoint, size: head.size + 1 });
    expect(await code(utf8Bytes(formatNote({ text: larger, signatures: lines })))).toBe("signature");
    // Signed by somebody else under the log's name, and by another log.
    const name = head.view.origin;
    const foreign = await signNote({ text, name, secretKey: new Uint8Array(32).fill(3), signatures });
    expect(await code(utf8Bytes(formatNote(foreign)))).toBe("signature");
    const other = await open(await createMemoryDirectory({ host: "other.example", witnesses: 0 }));
    expect(await code(other.checkpoint)).toBe("proof");
    expect(() => decodeGossip(new Uint8Array(5))).toThrow(TransparencyError);
  });
});

describe("heads of logs of messages", () => {
  test("the published head of a log is proved, another one is not (L-11)", async () => {
    const { directory } = await withPeople();
    const logs = Array.from({ length: 20 }, (_, i) => ({ logId: sha256(Uint8Array.of(i)), seq: i, head: sha256(Uint8Array.of(i, i)) }));
    const index = directory.size();
    await directory.publish([], { heads: logs });
    await directory.publish([]);
    const own = logs[7];
    if (own === undefined) throw new Error("there are 20 logs");
    const proof = decodeHeadsProof(await directory.headsProof(own.logId, index));
    const result = await verifyHeads({ ...common(directory), proof, logId: own.logId });
    expect(result).toMatchObject({ seq: 7, index, relation: "first" });
    expect(toHex(result.logHead)).toBe(toHex(own.head));
    const code = (change: object, logId = own.logId): Promise<TransparencyErrorCode | undefined> =>
      refusal(async () => verifyHeads({ ...common(directory), proof: { ...proof, ...change }, logId }));
    expect(await code({ seq: 8 })).toBe("proof");
    expect(await code({ logHead: new Uint8Array(32) })).toBe("proof");
    expect(await code({ index: index - 1 })).toBe("proof");
    expect(await code({ entry: directory.entries()[1] })).toBe("proof");
    expect(await code({}, sha256(Uint8Array.of(99)))).toBe("proof");
    const none = decodeHeadsProof(await directory.headsProof(own.logId, index + 1));
    expect(await code(none)).toBe("proof");
  });
});
