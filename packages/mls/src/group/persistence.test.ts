import { toHex, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { MlsError } from "../errors.ts";
import type { StateRecord } from "../secret-tree/records.ts";
import { encryptApplicationMessage } from "./application.ts";
import { agreement, asApplication, groupOf, nothing, processCommitOf, testCommit } from "./group.testing.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { ownLeafIndex } from "./state.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);

function stored(records: readonly StateRecord[], into: Map<string, Uint8Array> = new Map()): Map<string, Uint8Array> {
  for (const { key, value } of records) {
    if (value === undefined) into.delete(key);
    else into.set(key, value);
  }
  return into;
}

function sizeOf(records: readonly StateRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
}

function asHex(store: ReadonlyMap<string, Uint8Array>): Map<string, string> {
  return new Map([...store].map(([key, value]) => [key, toHex(value)] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("a stored group", () => {
  it("is the group it was", async () => {
    const random = seededRandom("stored/round trip");
    for (const names of [["a"], ["a", "b"], ["a", "b", "c"], [..."abcdefghijklmnopqrs"]]) {
      // At least one name each.
      const states = await groupOf(suite, names as [string, ...string[]], random);
      for (const state of states) {
        const again = decodeGroupState(suite, stored(encodeGroupState(state)));
        expect(agreement(again)).toBe(agreement(state));
        expect(encodeGroupState(again)).toEqual(encodeGroupState(state));
        expect(encodeStateChanges(state, state)).toEqual([]);
      }
      const [first] = states;
      const created = await testCommit(decodeGroupState(suite, stored(encodeGroupState(first))), random);
      for (const state of states.slice(1)) {
        const again = decodeGroupState(suite, stored(encodeGroupState(state)));
        expect(agreement(await processCommitOf(again, created.message))).toBe(agreement(created.next));
      }
    }
  });

  it("follows every change by its records, growing and shrinking", async () => {
    const random = seededRandom("stored/changes");
    const states = await groupOf(suite, [..."abcdefghijklmnopq"] as [string, ...string[]], random);
    let [state] = states;
    const store = stored(encodeGroupState(state));
    for (const leaf of [16, 15, 14, 13, 12, 11, 10, 9, 8, 4, 2, 1]) {
      const leaving = states[leaf];
      if (leaving === undefined) throw new Error("a member at each leaf");
      const { next } = await testCommit(state, random, { removes: [ownLeafIndex(leaving)] });
      stored(encodeStateChanges(state, next), store);
      state = next;
      expect(asHex(store)).toEqual(asHex(stored(encodeGroupState(state))));
    }
  });

  it("refuses what is damaged, incomplete or of another suite", async () => {
    const random = seededRandom("stored/damage");
    const [, state] = await groupOf(suite, ["a", "b", "c", "d", "e"], random);
    if (state === undefined) throw new Error("five members");
    const store = stored(encodeGroupState(state));
    for (const key of store.keys()) {
      if (key.startsWith("secret/node") || key.startsWith("secret/ratchet")) continue;
      const without = new Map(store);
      without.delete(key);
      expect(() => decodeGroupState(suite, without), key).toThrow(MlsError);
    }
    const group = store.get("group");
    const tree = store.get("tree/low/0");
    if (group === undefined || tree === undefined) throw new Error("records of the group and its tree");
    for (let size = 0; size < group.length; size++) {
      expect(() => decodeGroupState(suite, new Map(store).set("group", group.subarray(0, size)))).toThrow(MlsError);
    }
    for (let at = 0; at < tree.length; at += 5) {
      const damaged = tree.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => decodeGroupState(suite, new Map(store).set("tree/low/0", damaged))).toThrow(MlsError);
    }
    expect(() => decodeGroupState(nodeCrypto.suite(3), store)).toThrow(MlsError);
  });
});

describe("at 1,000 members", () => {
  let sender: GroupState;
  let receiver: GroupState;
  const random = seededRandom("stored/thousand");

  beforeAll(async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `member ${i}`);
    const { testClient, testGroup, testJoin, testKeyPackage } = await import("./group.testing.ts");
    const packages = [];
    for (const name of names.slice(1)) packages.push(await testKeyPackage(suite, await testClient(suite, name, random), random));
    const alone = await testGroup(suite, await testClient(suite, "member 0", random), random);
    const created = await testCommit(alone, random, { adds: packages.map(({ keyPackage }) => keyPackage) });
    const keyPackage = packages[776];
    if (keyPackage === undefined) throw new Error("a package for each");
    sender = created.next;
    receiver = await testJoin(suite, created, 776, keyPackage);
  });

  it("an application message changes less than 4 KiB, and never the tree", async () => {
    for (let i = 0; i < 40; i++) {
      const sent = await encryptApplicationMessage(sender, { plaintext: utf8Bytes(`message ${i}`), authenticatedData: nothing, random });
      const sending = encodeStateChanges(sender, sent.state);
      sender = sent.state;
      // Every third message gets lost.
      if (i % 3 === 2) continue;
      const received = asApplication(await processMessage(receiver, sent.message));
      const receiving = encodeStateChanges(receiver, received.state);
      receiver = received.state;
      for (const records of [sending, receiving]) {
        expect(records.length).toBeGreaterThan(0);
        expect(sizeOf(records)).toBeLessThan(4096);
        expect(records.every(({ key }) => key.startsWith("secret/"))).toBe(true);
      }
    }
  });

  it("a message that was read cannot be read again from what is stored", async () => {
    const sent = await encryptApplicationMessage(sender, { plaintext: utf8Bytes("once"), authenticatedData: nothing, random });
    const store = stored(encodeGroupState(receiver));
    expect(asApplication(await processMessage(decodeGroupState(suite, store), sent.message)).plaintext).toEqual(utf8Bytes("once"));
    const received = asApplication(await processMessage(receiver, sent.message));
    stored(encodeStateChanges(receiver, received.state), store);
    await expect(processMessage(decodeGroupState(suite, store), sent.message)).rejects.toMatchObject({ code: "consumed" });
    // The sender's own store does not hold the key either.
    await expect(processMessage(decodeGroupState(suite, stored(encodeGroupState(sent.state))), sent.message)).rejects.toMatchObject({
      code: "consumed",
    });
    // No secret of the old state that the message used up is among the new records.
    const before = new Map(encodeGroupState(receiver).map(({ key, value }) => [key, value]));
    const after = new Set([...stored(encodeGroupState(received.state)).values()].map(toHex));
    for (const { key } of encodeStateChanges(receiver, received.state)) {
      const old = before.get(key);
      if (old !== undefined) expect(after.has(toHex(old)), key).toBe(false);
    }
  });

  it("a commit changes a path, not the tree", async () => {
    const created = await testCommit(sender, random);
    const next = await processCommitOf(receiver, created.message);
    expect(agreement(next)).toBe(agreement(created.next));
    const whole = encodeGroupState(receiver).filter(({ key }) => key.startsWith("tree/"));
    const changed = encodeStateChanges(receiver, next).filter(({ key }) => key.startsWith("tree/"));
    expect(changed.length).toBeLessThan(12);
    expect(sizeOf(changed)).toBeLessThan(sizeOf(whole) / 20);
  });
});
