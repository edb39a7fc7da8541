import { equalBytes, toHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { deriveTreeSecret, expandWithLabel } from "../crypto/labeled.ts";
import { nodeCrypto } from "../crypto/node.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { decodeSecretTree, encodeSecretTree, encodeSecretTreeChanges } from "./records.ts";
import type { StateRecord } from "./records.ts";
import { createSecretTree, messageKeyAt, nextMessageKey } from "./secret-tree.ts";
import type { RatchetKind, SecretTree } from "./secret-tree.ts";

const suite = nodeCrypto.suite(0x0001);
const encryptionSecret = new Uint8Array(32).fill(7);
const newTree = (leafCount = 8): SecretTree => createSecretTree({ encryptionSecret, leafCount });
const leaf = (index: number): LeafIndex => toLeafIndex(index);
const receive = (
  tree: SecretTree,
  generation: number,
  from: { leafIndex: LeafIndex; ratchet: RatchetKind } = { leafIndex: leaf(3), ratchet: "application" },
): ReturnType<typeof messageKeyAt> => messageKeyAt(suite, tree, { ...from, generation });

/** The keys a sender derives, in order. */
function sent(count: number): string[] {
  let tree = newTree();
  return Array.from({ length: count }, (_, i) => {
    const next = nextMessageKey(suite, tree, { leafIndex: leaf(3), ratchet: "application" });
    tree = next.tree;
    expect(next.generation).toBe(i);
    return toHex(next.key) + toHex(next.nonce);
  });
}

const keyOf = ({ key, nonce }: { key: Uint8Array; nonce: Uint8Array }): string => toHex(key) + toHex(nonce);

describe("secret tree", () => {
  test("sender and receiver derive the same keys, in any order", () => {
    const keys = sent(40);
    const order = keys.map((_, i) => (i * 17) % 40);
    let tree = newTree();
    for (const generation of order) {
      const got = receive(tree, generation);
      expect(keyOf(got)).toBe(keys[generation]);
      tree = got.tree;
    }
    for (const generation of order) expect(() => receive(tree, generation)).toThrow(expect.objectContaining({ code: "consumed" }) as Error);
  });

  test("the two ratchets of a leaf, and the leaves, are independent", () => {
    const keys = new Set<string>();
    for (let index = 0; index < 8; index++) {
      for (const ratchet of ["handshake", "application"] as const)
        keys.add(keyOf(receive(newTree(), 0, { leafIndex: leaf(index), ratchet })));
    }
    expect(keys.size).toBe(16);
    let tree = receive(newTree(), 0).tree;
    tree = receive(tree, 0, { leafIndex: leaf(3), ratchet: "handshake" }).tree;
    expect(() => receive(tree, 0)).toThrow(expect.objectContaining({ code: "consumed" }) as Error);
  });

  test("1,000 generations may be skipped, 1,001 not, and a refusal changes nothing", () => {
    const tree = receive(newTree(), 0).tree;
    expect(() => receive(tree, 1002)).toThrow(expect.objectContaining({ code: "too-far" }) as Error);
    expect(() => receive(tree, 0xffff_ffff)).toThrow(expect.objectContaining({ code: "too-far" }) as Error);
    const far = receive(tree, 1001).tree;
    expect(keyOf(receive(far, 1))).toBe(keyOf(receive(tree, 1)));
    expect(keyOf(receive(far, 1000))).toBe(keyOf(receive(tree, 1000)));
    expect(keyOf(receive(far, 1002))).toBe(keyOf(receive(receive(tree, 2).tree, 1002)));
  });

  test("skipped keys older than 1,000 generations are erased", () => {
    let tree = receive(newTree(), 10).tree; // skips 0 to 9
    expect(keyOf(receive(tree, 4))).toBe(keyOf(receive(newTree(), 4)));
    for (let generation = 11; generation <= 1005; generation++) tree = receive(tree, generation).tree;
    expect(() => receive(tree, 4)).toThrow(expect.objectContaining({ code: "consumed" }) as Error);
    expect(keyOf(receive(tree, 5))).toBe(keyOf(receive(newTree(), 5)));
  });

  test("leaves outside the tree and impossible widths are refused", () => {
    expect(() => receive(newTree(), 0, { leafIndex: leaf(8), ratchet: "application" })).toThrow(
      expect.objectContaining({ code: "malformed" }) as Error,
    );
    expect(() => nextMessageKey(suite, newTree(), { leafIndex: leaf(8), ratchet: "application" })).toThrow(
      expect.objectContaining({ code: "usage" }) as Error,
    );
    for (const width of [0, 3, -1, 1.5, 2 ** 21]) expect(() => newTree(width)).toThrow(expect.objectContaining({ code: "usage" }) as Error);
  });

  test("a tree of one leaf works", () => {
    const next = nextMessageKey(suite, newTree(1), { leafIndex: leaf(0), ratchet: "application" });
    expect(next.key.length).toBe(16);
  });
});

describe("erasure", () => {
  /** All bytes that a store would hold. */
  const stored = (tree: SecretTree): Uint8Array[] => encodeSecretTree(tree).map(({ value }) => value ?? new Uint8Array(0));
  const holds = (tree: SecretTree, secret: Uint8Array): boolean =>
    stored(tree).some((bytes) => {
      for (let at = 0; at + secret.length <= bytes.length; at++)
        if (equalBytes(bytes.subarray(at, at + secret.length), secret)) return true;
      return false;
    });
  const expand = (secret: Uint8Array, label: string, context: string): Uint8Array =>
    expandWithLabel(suite, { secret, label, context: new TextEncoder().encode(context), sizeBytes: 32 });
  const treeSecret = (secret: Uint8Array, label: string, generation: number): Uint8Array =>
    deriveTreeSecret(suite, { secret, label, generation, sizeBytes: label === "key" ? 16 : label === "nonce" ? 12 : 32 });

  test("the stored state holds no divided node, no used key and no earlier secret", () => {
    // Leaf 3 of 8: left, right, right.
    const root = encryptionSecret;
    const n3 = expand(root, "tree", "left");
    const n5 = expand(n3, "tree", "right");
    const n6 = expand(n5, "tree", "right");
    const first = expand(n6, "application", "");
    const second = treeSecret(first, "secret", 0);
    const third = treeSecret(second, "secret", 1);
    expect(holds(newTree(), root)).toBe(true);

    const used = receive(newTree(), 1).tree;
    for (const gone of [root, n3, n5, n6, first, second, treeSecret(second, "key", 1), treeSecret(second, "nonce", 1)]) {
      expect(holds(used, gone)).toBe(false);
    }
    for (const kept of [expand(root, "tree", "right"), expand(n3, "tree", "left"), expand(n5, "tree", "left"), third]) {
      expect(holds(used, kept)).toBe(true);
    }
    expect(holds(used, treeSecret(first, "key", 0))).toBe(true); // skipped, still to come
    expect(holds(receive(used, 0).tree, treeSecret(first, "key", 0))).toBe(false);
    const own = nextMessageKey(suite, newTree(), { leafIndex: leaf(3), ratchet: "application" });
    for (const gone of [root, n3, n5, n6, first, own.key, own.nonce]) expect(holds(own.tree, gone)).toBe(false);
  });
});

describe("records", () => {
  const apply = (store: Map<string, Uint8Array>, records: readonly StateRecord[]): void => {
    for (const { key, value } of records) {
      if (value === undefined) store.delete(key);
      else store.set(key, value);
    }
  };
  const asObject = (records: Iterable<readonly [string, Uint8Array]>): Record<string, string> =>
    Object.fromEntries([...records].map(([key, value]): [string, string] => [key, toHex(value)]));
  const all = (tree: SecretTree): Record<string, string> =>
    asObject(encodeSecretTree(tree).map(({ key, value }): [string, Uint8Array] => [key, value ?? new Uint8Array(0)]));
  const bytesOf = (records: readonly StateRecord[]): number =>
    records.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);

  test("changes applied one by one equal the whole, at every step", () => {
    const store = new Map<string, Uint8Array>();
    let tree = newTree();
    apply(store, encodeSecretTree(tree));
    for (const [index, generation] of [
      [3, 0],
      [3, 70],
      [3, 5],
      [0, 2],
      [3, 4],
      [0, 1],
      [0, 0],
      [7, 0],
      [3, 1071],
    ] as const) {
      const { tree: next } = messageKeyAt(suite, tree, { leafIndex: leaf(index), ratchet: "application", generation });
      apply(store, encodeSecretTreeChanges(tree, next));
      tree = next;
      expect(asObject(store)).toEqual(all(tree));
      const loaded = decodeSecretTree([["other/key", new Uint8Array(1)], ...store]);
      expect(all(loaded)).toEqual(all(tree));
      const next3 = (from: SecretTree): string => keyOf(nextMessageKey(suite, from, { leafIndex: leaf(3), ratchet: "application" }));
      expect(next3(loaded)).toBe(next3(tree));
      tree = generation === 70 ? loaded : tree;
    }
    expect(encodeSecretTreeChanges(tree, tree)).toEqual([]);
  });

  test.each([8, 16, 4])("a new epoch of width %i replaces everything of the old one", (width) => {
    const store = new Map<string, Uint8Array>();
    const old = receive(receive(newTree(8), 40).tree, 3).tree;
    apply(store, encodeSecretTree(old));
    const next = createSecretTree({ encryptionSecret: new Uint8Array(32).fill(9), leafCount: width });
    const records = encodeSecretTreeChanges(old, next);
    expect(new Set(records.map(({ key }) => key)).size).toBe(records.length);
    apply(store, records);
    expect(asObject(store)).toEqual(all(next));
  });

  test("a message writes less than 1 KiB in a tree of 1,024, even from a leaf that never spoke", () => {
    let tree = createSecretTree({ encryptionSecret, leafCount: 1024 });
    for (const index of [517, 0, 1023]) {
      const next = messageKeyAt(suite, tree, { leafIndex: leaf(index), ratchet: "application", generation: 3 }).tree;
      expect(bytesOf(encodeSecretTreeChanges(tree, next))).toBeLessThan(1024);
      tree = next;
    }
    const { tree: again } = nextMessageKey(suite, tree, { leafIndex: leaf(517), ratchet: "application" });
    expect(bytesOf(encodeSecretTreeChanges(tree, again))).toBeLessThan(128);
    // Late arrivals rewrite one block of 32, whatever the gap was.
    const gap = messageKeyAt(suite, again, { leafIndex: leaf(517), ratchet: "application", generation: 900 }).tree;
    const late = messageKeyAt(suite, gap, { leafIndex: leaf(517), ratchet: "application", generation: 450 }).tree;
    expect(bytesOf(encodeSecretTreeChanges(gap, late))).toBeLessThan(1500);
  });

  test("damaged records are refused", () => {
    const good = encodeSecretTree(receive(newTree(), 3).tree).map(({ key, value }): [string, Uint8Array] => [
      key,
      value ?? new Uint8Array(0),
    ]);
    expect(() => decodeSecretTree(good)).not.toThrow();
    const bad: [string, Uint8Array][][] = [
      good.filter(([key]) => key !== "secret/meta"),
      good.filter(([key]) => !key.startsWith("secret/ratchet/3/a")),
      [...good, ["secret/node/99", new Uint8Array(32)]],
      [...good, ["secret/ratchet/9/a", new Uint8Array(41)]],
      [...good, ["secret/unknown", new Uint8Array(1)]],
      good.map(([key, value]) => [key, key.startsWith("secret/ratchet") ? value.slice(1) : value]),
      good.map(([key, value]) => [key, key.startsWith("secret/skipped") ? new Uint8Array(1) : value]),
      good.map(([key, value]) => [key, key === "secret/meta" ? new Uint8Array(4).fill(3) : value]),
    ];
    for (const records of bad) expect(() => decodeSecretTree(records)).toThrow(expect.objectContaining({ code: "malformed" }) as Error);
  });
});
