import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { KeyCache, forgetKey } from "../crypto/key-cache.ts";
import { nobleCrypto } from "../crypto/noble.ts";
import { nodeCrypto } from "../crypto/node.ts";
import { webCrypto } from "../crypto/web.ts";
import type { StateRecord } from "../secret-tree/records.ts";
import { messageKeyAt, nextMessageKey } from "../secret-tree/secret-tree.ts";
import { encryptApplicationMessage } from "./application.ts";
import { eraseKeyPackagePrivateKeys, eraseState } from "./erase.ts";
import {
  agreement,
  asApplication,
  groupOf,
  nothing,
  processCommitOf,
  testClient,
  testCommit,
  testJoin,
  testKeyPackage,
} from "./group.testing.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);
const providers = [
  { name: "node", id: 1, suite },
  { name: "node", id: 0xf001, suite: nodeCrypto.suite(0xf001) },
  { name: "web", id: 1, suite: webCrypto.suite(1) },
  { name: "noble", id: 0xf001, suite: nobleCrypto.suite(0xf001) },
];

/** A state's records as a store gives them back. */
function stored(state: GroupState): [string, Uint8Array][] {
  return encodeGroupState(state).map(({ key, value }) => [key, value ?? nothing]);
}

/** What a store holds that was kept up to date by `encodeStateChanges` alone. */
class Store {
  readonly #records = new Map<string, Uint8Array>();

  constructor(state: GroupState) {
    this.#apply(encodeGroupState(state));
  }

  change(before: GroupState, after: GroupState): void {
    this.#apply(encodeStateChanges(before, after));
  }

  holds(secret: Uint8Array): boolean {
    return [...this.#records.values()].some((value) => includes(value, secret));
  }

  #apply(records: readonly StateRecord[]): void {
    for (const { key, value } of records) {
      if (value === undefined) this.#records.delete(key);
      else this.#records.set(key, value);
    }
  }
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = bytes.indexOf(part[0] ?? 0); at !== -1; at = bytes.indexOf(part[0] ?? 0, at + 1)) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}

/** Every secret that a state has anywhere but its signature key, found by walking it. */
function secretsOf(state: GroupState): Uint8Array[] {
  const found: Uint8Array[] = [...Object.values(state.secrets), ...state.privateKeys.values()];
  for (let node = 0; node < 2 * state.secretTree.leafCount - 1; node++) {
    const secret = state.secretTree.nodes.get(node);
    if (secret !== undefined) found.push(secret);
  }
  for (let place = 0; place < 2 * state.secretTree.leafCount; place++) {
    const ratchet = state.secretTree.ratchets.get(place);
    if (ratchet === undefined) continue;
    found.push(ratchet.secret);
    for (const block of ratchet.skipped.values()) for (const { key, nonce } of block.values()) found.push(key, nonce);
  }
  return found;
}

describe("what was used is gone from what is stored", () => {
  it("the key of a message, sent or read, and what it could be derived from again", async () => {
    const random = seededRandom("erasure/messages");
    const [ann, ben] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined) throw new Error("members");
    const kept = { sender: new Store(ann), reader: new Store(ben) };
    const first = await encryptApplicationMessage(ann, { plaintext: utf8Bytes("1"), authenticatedData: nothing, random });
    const used = nextMessageKey(suite, ann.secretTree, { leafIndex: ann.ownLeaf, ratchet: "application" });
    kept.sender.change(ann, first.state);
    const root = secretsOf(ann).filter((secret) => !secretsOf(first.state).some((other) => other === secret));
    expect(root.length).toBeGreaterThan(0);
    for (const secret of [used.key, used.nonce, ...root]) {
      expect(kept.sender.holds(secret)).toBe(false);
      expect(secretsOf(first.state)).not.toContainEqual(secret);
    }
    // The control: what has not been used is there to be found.
    const next = nextMessageKey(suite, first.state.secretTree, { leafIndex: ann.ownLeaf, ratchet: "application" });
    expect(kept.sender.holds(next.key)).toBe(false);
    expect(secretsOf(first.state).every((secret) => kept.sender.holds(secret))).toBe(true);

    const received = asApplication(await processMessage(ben, first.message));
    kept.reader.change(ben, received.state);
    const read = messageKeyAt(suite, ben.secretTree, { leafIndex: ann.ownLeaf, ratchet: "application", generation: 0 });
    for (const secret of [read.key, read.nonce, ...secretsOf(ben).filter((old) => !secretsOf(received.state).includes(old))]) {
      expect(kept.reader.holds(secret)).toBe(false);
    }
  });

  it("the keys of skipped messages stay until they are used, not longer", async () => {
    const random = seededRandom("erasure/skipped");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("members");
    const sent: Uint8Array[] = [];
    let sender = ann;
    for (let i = 0; i < 40; i++) {
      const one = await encryptApplicationMessage(sender, { plaintext: utf8Bytes(`${i}`), authenticatedData: nothing, random });
      sender = one.state;
      sent.push(one.message);
    }
    const store = new Store(ben);
    const fifth = messageKeyAt(suite, ben.secretTree, { leafIndex: ann.ownLeaf, ratchet: "application", generation: 5 });
    const last = asApplication(await processMessage(ben, sent[39] ?? nothing)).state;
    store.change(ben, last);
    expect(store.holds(fifth.key)).toBe(true);
    const late = asApplication(await processMessage(last, sent[5] ?? nothing)).state;
    store.change(last, late);
    expect(store.holds(fifth.key)).toBe(false);
    expect(store.holds(fifth.nonce)).toBe(false);
  });

  it("an epoch's secrets and the replaced keys of the tree, once the next epoch is stored in its place", async () => {
    const random = seededRandom("erasure/epochs");
    const [ann, ben] = await groupOf(suite, ["ann", "ben", "cat", "dan"], random);
    if (ben === undefined) throw new Error("members");
    const eve = await testKeyPackage(suite, await testClient(suite, "eve", random), random);
    const created = await testCommit(ann, random, { adds: [eve.keyPackage] });
    for (const [before, after] of [
      [ann, created.next],
      [ben, await processCommitOf(ben, created.message)],
    ] as const) {
      const store = new Store(before);
      const old = secretsOf(before);
      expect(old.every((secret) => store.holds(secret))).toBe(true);
      store.change(before, after);
      const current = secretsOf(after);
      expect(current.every((secret) => store.holds(secret))).toBe(true);
      const gone = old.filter((secret) => !current.includes(secret));
      // All seven epoch secrets, the secret tree, and at least one key of the tree.
      expect(gone.length).toBeGreaterThan(8);
      for (const secret of gone) expect(store.holds(secret)).toBe(false);
    }
    // A joiner keeps nothing of its key package but the leaf's key, which the next path of its own replaces.
    const joined = await testJoin(suite, created, 0, eve);
    const store = new Store(joined);
    expect(store.holds(eve.privateKeys.initSecretKey)).toBe(false);
    expect(store.holds(eve.privateKeys.leafSecretKey)).toBe(true);
    const healed = await testCommit(joined, random);
    store.change(joined, healed.next);
    expect(store.holds(eve.privateKeys.leafSecretKey)).toBe(false);
  });
});

/** Every secret of a state that is left behind has to be zeros, unless what follows has it. Returns how many are. */
function expectErased(before: GroupState, kept: readonly GroupState[]): number {
  const current = new Set(kept.flatMap((state) => [...secretsOf(state), state.signatureSecretKey]));
  const gone = [...secretsOf(before), before.signatureSecretKey].filter((secret) => !current.has(secret));
  for (const secret of gone) expect(secret).toEqual(new Uint8Array(secret.length));
  for (const secret of current) expect(secret).not.toEqual(new Uint8Array(secret.length));
  return gone.length;
}

describe.each(providers)("what was used is overwritten: $name, suite $id", ({ suite: tested }) => {
  it("a message sent and a message read, in and out of order", async () => {
    const random = seededRandom("erase/messages");
    const [first, second] = await groupOf(tested, ["ann", "ben", "cat"], random);
    if (second === undefined) throw new Error("members");
    let [ann, ben] = [first, second];
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 70; i++) {
      const one = await encryptApplicationMessage(ann, { plaintext: utf8Bytes(`${i}`), authenticatedData: nothing, random });
      eraseState(ann, [one.state]);
      // The ratchet's secret; with the first also the nodes of the secret tree that were divided.
      expect(expectErased(ann, [one.state])).toBeGreaterThan(0);
      ann = one.state;
      sent.push(one.message);
    }
    for (const place of [66, 3, 65, 0, 69, 40]) {
      const read = asApplication(await processMessage(ben, sent[place] ?? nothing));
      expect(read.plaintext).toEqual(utf8Bytes(`${place}`));
      eraseState(ben, [read.state]);
      expect(expectErased(ben, [read.state])).toBeGreaterThan(0);
      ben = read.state;
      await expect(processMessage(ben, sent[place] ?? nothing)).rejects.toMatchObject({ code: "consumed" });
    }
    // Both go on as if nothing had been.
    const { next, message } = await testCommit(ben, random);
    expect(agreement(await processCommitOf(ann, message))).toBe(agreement(next));
  });

  it("an epoch, its tree's replaced keys and its skipped message keys, for committer, receiver and joiner", async () => {
    const random = seededRandom("erase/epochs");
    const [ann, ben, cat] = await groupOf(tested, ["ann", "ben", "cat", "dan"], random);
    if (ben === undefined || cat === undefined) throw new Error("members");
    // The first of two messages is never read: its key is kept, and has to go with the epoch.
    const unread = await encryptApplicationMessage(cat, { plaintext: utf8Bytes("unread"), authenticatedData: nothing, random });
    const spoken = await encryptApplicationMessage(unread.state, { plaintext: utf8Bytes("read"), authenticatedData: nothing, random });
    const reader = asApplication(await processMessage(ben, spoken.message)).state;
    const eve = await testKeyPackage(tested, await testClient(tested, "eve", random), random);
    const created = await testCommit(ann, random, { adds: [eve.keyPackage] });
    const received = await processCommitOf(reader, created.message);
    const joined = await testJoin(tested, created, 0, eve);
    eraseState(ann, [created.next]);
    eraseState(reader, [received]);
    // All seven secrets of the epoch, the secret tree, a key of the tree.
    expect(expectErased(ann, [created.next])).toBeGreaterThan(8);
    expect(expectErased(reader, [received])).toBeGreaterThan(8);
    eraseKeyPackagePrivateKeys(eve.privateKeys);
    for (const key of Object.values(eve.privateKeys)) expect(key).toEqual(new Uint8Array(key.length));
    expect(agreement(joined)).toBe(agreement(created.next));
    // What follows seals, opens, commits and is stored.
    const restored = decodeGroupState(tested, stored(received));
    const said = await encryptApplicationMessage(joined, { plaintext: utf8Bytes("still here"), authenticatedData: nothing, random });
    for (const state of [created.next, received, restored]) {
      expect(asApplication(await processMessage(state, said.message)).plaintext).toEqual(utf8Bytes("still here"));
    }
    const healed = await testCommit(restored, random);
    expect(agreement(await processCommitOf(joined, healed.message))).toBe(agreement(healed.next));
  });

  it("everything, of a group that is left", async () => {
    const random = seededRandom("erase/all");
    const [ann, ben] = await groupOf(tested, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("members");
    await testCommit(ben, random);
    eraseState(ben);
    expect(expectErased(ben, [])).toBeGreaterThan(8);
    await expect(testCommit(ben, random).then(({ message }) => processMessage(ann, message))).rejects.toMatchObject({ name: "MlsError" });
  });

  it("a commit that waits keeps what it shares with the epoch that it would end", async () => {
    const random = seededRandom("erase/staged");
    const [ann, ben] = await groupOf(tested, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("members");
    const staged = await testCommit(ann, random);
    const rival = await testCommit(ben, random);
    const sent = await encryptApplicationMessage(ann, { plaintext: utf8Bytes("meanwhile"), authenticatedData: nothing, random });
    eraseState(ann, [sent.state, staged.next]);
    expectErased(ann, [sent.state, staged.next]);
    // It wins: as if nothing had been. It loses: it is erased too.
    expect(agreement(await processCommitOf(ben, staged.message))).toBe(agreement(staged.next));
    const lost = await processCommitOf(sent.state, rival.message);
    eraseState(sent.state, [lost]);
    eraseState(staged.next, [lost]);
    expectErased(sent.state, [lost]);
    expectErased(staged.next, [lost]);
    expect(agreement(lost)).toBe(agreement(rival.next));
  });
});

it("imported keys are forgotten with the bytes that they came from, and the copies kept to compare them with", () => {
  const disposed: string[] = [];
  const copies: Uint8Array[] = [];
  const cache = new KeyCache(
    (raw) => {
      copies.push(raw);
      return `key ${copies.length}`;
    },
    (imported) => disposed.push(imported),
  );
  const raw = Uint8Array.of(1, 2, 3);
  expect([cache.get(raw), cache.get(raw)]).toEqual(["key 1", "key 1"]);
  forgetKey(raw);
  expect(disposed).toEqual(["key 1"]);
  forgetKey(raw);
  expect(cache.get(raw)).toBe("key 2");
  expect(disposed).toEqual(["key 1"]);
});
