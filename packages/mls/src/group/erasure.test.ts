import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { StateRecord } from "../secret-tree/records.ts";
import { messageKeyAt, nextMessageKey } from "../secret-tree/secret-tree.ts";
import { encryptApplicationMessage } from "./application.ts";
import { asApplication, groupOf, nothing, processCommitOf, testClient, testCommit, testJoin, testKeyPackage } from "./group.testing.ts";
import { encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);

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
