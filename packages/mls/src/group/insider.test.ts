import { toHex, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { LeafNode, NodeValue } from "../messages/nodes.ts";
import type { Commit } from "../messages/proposals.ts";
import { decryptUpdatePath } from "../tree/tree-kem.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { encryptApplicationMessage } from "./application.ts";
import { forgeWelcome, reforgeCommit, reforgeWholeCommit } from "./forging.testing.ts";
import type { ForgedWelcome } from "./forging.testing.ts";
import {
  agreement,
  commitOf,
  groupOf,
  lifetime,
  nothing,
  nowSeconds,
  processCommitOf,
  testClient,
  testCommit,
  testGroup,
  testJoin,
  testKeyPackage,
} from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import { createKeyPackage } from "./key-packages.ts";
import { encodeGroupState } from "./persistence.ts";
import { inspectCommit, processMessage } from "./process-message.ts";
import { encodeContext, encodeRatchetTree } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreatedKeyPackage } from "./types.ts";

const suite = nodeCrypto.suite(1);
const names = ["ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal"] as const;

/** All bytes of a state: equal exactly for states that behave alike. */
function fingerprint(state: GroupState): string {
  return encodeGroupState(state)
    .map(({ key, value }) => `${key}=${value === undefined ? "" : toHex(value)}`)
    .sort()
    .join("\n");
}

describe("a member who commits maliciously", () => {
  it("[G-1] [G-2] wrong path secrets to some: all see the same public commit, those cheated say so, the others go on", async () => {
    const random = seededRandom("insider/path");
    const states = await groupOf(suite, names, random);
    let [ann] = states;
    let others = states.slice(1);
    // Everybody commits once: a full tree, in which each secret goes to a subtree.
    for (let i = 0; i < others.length; i++) {
      const current = others[i];
      if (current === undefined) throw new Error("a member");
      const { message, next } = await testCommit(current, random);
      ann = await processCommitOf(ann, message);
      others = await Promise.all(others.map((state) => (state === current ? next : processCommitOf(state, message))));
    }
    const created = await testCommit(ann, random);
    const { path } = commitOf(created.message);
    const last = others.at(-1);
    if (path === undefined || last === undefined) throw new Error("a path and a last member");
    // What everybody ends with; the forger knows it, the last member is asked for it here.
    const context = encodeContext({ ...created.next.context, confirmedTranscriptHash: ann.context.confirmedTranscriptHash });
    const { tree, ownLeaf, privateKeys } = last;
    const { commitSecret } = await decryptUpdatePath({
      suite,
      tree,
      sender: ann.ownLeaf,
      own: ownLeaf,
      path,
      added: new Set(),
      privateKeys,
      context,
    });
    for (const [place, victims] of [
      [0, 1],
      [1, 2],
    ] as const) {
      const cheat = (commit: Commit): Commit => {
        const nodes = path.nodes.map((node, i) =>
          i === place
            ? {
                ...node,
                encryptedPathSecrets: node.encryptedPathSecrets.map((sealed) => ({
                  ...sealed,
                  ciphertext: random(sealed.ciphertext.length),
                })),
              }
            : node,
        );
        return { ...commit, path: { ...path, nodes } };
      };
      const forged = await reforgeWholeCommit(ann, created, cheat, commitSecret);
      let cheated = 0;
      const views = new Set<string>();
      for (const state of others) {
        const before = fingerprint(state);
        expect((await inspectCommit(state, forged)).sender).toBe(0);
        try {
          views.add(agreement(await processCommitOf(state, forged)));
        } catch (error) {
          expect(error).toMatchObject({ name: "MlsError", code: "crypto", check: "private" });
          cheated++;
        }
        expect(fingerprint(state)).toBe(before);
      }
      expect(cheated).toBe(victims);
      expect(views.size).toBe(1);
    }
    for (const state of others) expect(agreement(await processCommitOf(state, created.message))).toBe(agreement(created.next));
  });

  it("commits that come twice, late, too early or of a lost race: refused, the state as it was", async () => {
    const random = seededRandom("insider/order");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const first = await testCommit(ann, random);
    const second = await testCommit(first.next, random);
    const rival = await testCommit(cat, random);
    const untouched = fingerprint(ben);
    await expect(processMessage(ben, second.message)).rejects.toMatchObject({ code: "wrong-epoch" });
    expect(fingerprint(ben)).toBe(untouched);
    const after = await processCommitOf(ben, first.message);
    for (const message of [first.message, rival.message])
      await expect(processMessage(after, message)).rejects.toMatchObject({ code: "wrong-epoch" });
    expect(agreement(await processCommitOf(after, second.message))).toBe(agreement(second.next));
    const sent = await encryptApplicationMessage(second.next, { plaintext: utf8Bytes("x"), authenticatedData: nothing, random });
    await expect(processMessage(after, sent.message)).rejects.toMatchObject({ code: "wrong-epoch" });
    // Of another group with the same members.
    const [stranger] = await groupOf(suite, ["ann", "ben"], seededRandom("insider/other"));
    await expect(processMessage(ben, (await testCommit(stranger, random)).message)).rejects.toMatchObject({ code: "wrong-group" });
  });

  it("stale key packages: not added by us, refused by those with a clock, and never a public fault", async () => {
    const random = seededRandom("insider/stale");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const client = await testClient(suite, "old", random);
    const stale = await createKeyPackage({
      suite,
      credential: { kind: "basic", identity: utf8Bytes("old") },
      signatureKeyPair: client.signatureKeyPair,
      lifetime: { notBefore: nowSeconds - 1000n, notAfter: nowSeconds - 1n },
      random,
    });
    await expect(testCommit(ann, random, { adds: [stale.keyPackage] })).rejects.toMatchObject({ code: "invalid-leaf" });
    const fresh = await testKeyPackage(suite, client, random);
    const carrier = await testCommit(ann, random, { adds: [fresh.keyPackage], path: "auto" });
    const forged = await reforgeCommit(ann, carrier.message, (commit) => ({
      ...commit,
      proposals: [{ kind: "proposal", proposal: { kind: "add", keyPackage: stale.keyPackage } }],
    }));
    expect((await inspectCommit(ben, forged)).adds.length).toBe(1);
    await expect(processMessage(ben, forged, { nowSeconds })).rejects.toMatchObject({ code: "invalid-leaf", check: "policy" });
  });
});

describe("a Welcome by a malicious member", () => {
  interface Scene {
    readonly author: GroupState;
    readonly joiner: CreatedKeyPackage;
    readonly nodes: (NodeValue | undefined)[];
    readonly random: (size: number) => Uint8Array;
  }

  /** A group of eight with a full tree, and what it looks like once the joiner is in. */
  async function scene(): Promise<Scene> {
    const random = seededRandom("insider/welcome");
    const states = await groupOf(suite, names, random);
    let all: GroupState[] = states;
    for (let i = 0; i < all.length; i++) {
      const current = all[i];
      if (current === undefined) throw new Error("a member");
      const { message, next } = await testCommit(current, random);
      all = await Promise.all(all.map((state) => (state === current ? next : processCommitOf(state, message))));
    }
    const joiner = await testKeyPackage(suite, await testClient(suite, "joiner", random), random);
    const [author] = all;
    if (author === undefined) throw new Error("an author");
    const created = await testCommit(author, random, { adds: [joiner.keyPackage], path: "auto" });
    return { author: created.next, joiner, nodes: created.next.tree.toNodes(), random };
  }

  /** As `scene`, but nobody has committed with a path: the tree is leaves only. */
  async function coldScene(): Promise<Scene> {
    const random = seededRandom("insider/cold");
    const author = await testGroup(suite, await testClient(suite, "ann", random), random);
    const packages = await Promise.all(
      names.map(async (name) => await testKeyPackage(suite, await testClient(suite, name, random), random)),
    );
    const created = await testCommit(author, random, { adds: packages.map(({ keyPackage }) => keyPackage), path: "auto" });
    const joiner = packages.at(-1);
    if (joiner === undefined) throw new Error("a joiner");
    return { author: created.next, joiner, nodes: created.next.tree.toNodes(), random };
  }

  const joinForged = async ({ author, joiner }: Scene, forged: ForgedWelcome): Promise<unknown> => {
    const { welcome, ratchetTree } = await forgeWelcome(author, joiner, forged);
    return await joinGroup({ suite, welcome, ratchetTree, keyPackage: joiner.keyPackage, privateKeys: joiner.privateKeys, nowSeconds });
  };

  it("forges nothing that a joiner takes, and what it does not change is taken", async () => {
    const at = await scene();
    const { nodes, random, author } = at;
    expect(await joinForged(at, { nodes })).toHaveProperty("state");

    const change = (index: number, edit: (node: NodeValue) => NodeValue | undefined): (NodeValue | undefined)[] => {
      const node = nodes[index];
      if (node === undefined) throw new Error(`node ${index} is blank`);
      return nodes.with(index, edit(node));
    };
    const parent =
      (edit: (value: Extract<NodeValue, { kind: "parent" }>["parentNode"]) => Extract<NodeValue, { kind: "parent" }>["parentNode"]) =>
      (node: NodeValue): NodeValue => {
        if (node.kind !== "parent") throw new Error("a parent expected");
        return { kind: "parent", parentNode: edit(node.parentNode) };
      };
    const keyOf = (index: number): Uint8Array => {
      const node = nodes[index];
      if (node === undefined) throw new Error("a node");
      return node.kind === "leaf" ? node.leafNode.encryptionKey : node.parentNode.encryptionKey;
    };
    // The deepest parents, the ones in the middle and the top of the eight: 1, 3, 7. The joiner stands at node 16.
    const cases: [string, string, ForgedWelcome][] = [
      [
        "blank parent hash",
        "invalid-tree",
        {
          nodes: change(
            3,
            parent((value) => ({ ...value, parentHash: nothing })),
          ),
        },
      ],
      [
        "wrong parent hash",
        "invalid-tree",
        {
          nodes: change(
            3,
            parent((value) => ({ ...value, parentHash: random(32) })),
          ),
        },
      ],
      [
        "a key that nobody chose in a parent",
        "invalid-tree",
        {
          nodes: change(
            1,
            parent((value) => ({ ...value, encryptionKey: random(32) })),
          ),
        },
      ],
      [
        "a leaf's key in a parent",
        "invalid-tree",
        {
          nodes: change(
            3,
            parent((value) => ({ ...value, encryptionKey: keyOf(0) })),
          ),
        },
      ],
      [
        "a parent that lists a leaf from elsewhere",
        "invalid-tree",
        {
          nodes: change(
            1,
            parent((value) => ({ ...value, unmergedLeaves: [toLeafIndex(5)] })),
          ),
        },
      ],
      [
        "a parent that lists leaves in disorder",
        "invalid-tree",
        {
          nodes: change(
            7,
            parent((value) => ({ ...value, unmergedLeaves: [toLeafIndex(3), toLeafIndex(1)] })),
          ),
        },
      ],
      [
        "a parent that lists a leaf which the one below does not",
        "invalid-tree",
        {
          nodes: change(
            7,
            parent((value) => ({ ...value, unmergedLeaves: [toLeafIndex(1)] })),
          ),
        },
      ],
      ["two leaves with one signature key", "invalid-tree", { nodes: nodes.with(4, nodes[2]) }],
      ["a leaf where a parent belongs", "invalid-tree", { nodes: nodes.with(1, nodes[2]) }],
      ["a parent where a leaf belongs", "invalid-tree", { nodes: nodes.with(2, nodes[1]) }],
      ["blank nodes at the end", "invalid-tree", { nodes: [...nodes, undefined, undefined] }],
      ["no nodes", "invalid-tree", { nodes: [] }],
      ["a tree without the joiner", "invalid-tree", { nodes: nodes.slice(0, 15), treeHash: author.context.treeHash }],
      ["a tree without the joiner, hashed so", "invalid-welcome", { nodes: nodes.slice(0, 15) }],
      ["another tree's hash", "invalid-tree", { nodes, treeHash: random(32) }],
      ["a signer who is nobody", "invalid-welcome", { nodes, signer: toLeafIndex(9) }],
      ["a signer beyond any tree", "invalid-welcome", { nodes, signer: toLeafIndex(0xffff_ffff) }],
      ["a signer who did not sign", "crypto", { nodes, signer: toLeafIndex(1) }],
      ["a wrong confirmation tag", "invalid-welcome", { nodes, confirmationTag: random(32) }],
      ["a path secret of no node", "invalid-welcome", { nodes, pathSecret: random(32) }],
      ["another suite in the context", "invalid-welcome", { nodes, context: { cipherSuite: 3 } }],
      ["another group id than the leaves are signed for", "invalid-leaf", { nodes, context: { groupId: random(32) } }],
      [
        "an extension twice",
        "invalid-welcome",
        {
          nodes,
          context: {
            extensions: [
              { type: 1, data: nothing },
              { type: 1, data: nothing },
            ],
          },
        },
      ],
      ["an extension that members do not support", "invalid-leaf", { nodes, context: { extensions: [{ type: 0xabcd, data: nothing }] } }],
    ];
    for (const [what, code, forged] of cases) {
      await expect(joinForged(at, forged), what).rejects.toMatchObject({ name: "MlsError", code });
    }
    // Leaves of a tree without parents, where no parent hash gives them away.
    const cold = await coldScene();
    const inCold = (index: number, edit: (value: LeafNode) => LeafNode): (NodeValue | undefined)[] => {
      const node = cold.nodes[index];
      if (node?.kind !== "leaf") throw new Error("a leaf expected");
      return cold.nodes.with(index, { kind: "leaf", leafNode: edit(node.leafNode) });
    };
    expect(await joinForged(cold, { nodes: cold.nodes })).toHaveProperty("state");
    const leafCases: [string, string, ForgedWelcome][] = [
      ["a leaf signed by nobody", "invalid-leaf", { nodes: inCold(2, (value) => ({ ...value, signature: random(64) })) }],
      [
        "another identity in a signed leaf",
        "invalid-leaf",
        { nodes: inCold(2, (value) => ({ ...value, credential: { kind: "basic", identity: utf8Bytes("mallory") } })) },
      ],
      [
        "a member that supports nobody's credentials",
        "invalid-leaf",
        { nodes: inCold(2, (value) => ({ ...value, capabilities: { ...value.capabilities, credentials: [] } })) },
      ],
      ["two leaves with one encryption key", "invalid-tree", { nodes: cold.nodes.with(4, cold.nodes[2]) }],
      [
        "a leaf of another suite",
        "invalid-leaf",
        { nodes: inCold(4, (value) => ({ ...value, capabilities: { ...value.capabilities, cipherSuites: [3] } })) },
      ],
    ];
    for (const [what, code, forged] of leafCases)
      await expect(joinForged(cold, forged), what).rejects.toMatchObject({ name: "MlsError", code });
    expect(cases.length + leafCases.length).toBeGreaterThan(25);
  });

  it("an oversize tree is refused by its count of leaves, before anything is computed for it", async () => {
    const at = await scene();
    const { welcome } = await forgeWelcome(at.author, at.joiner, { nodes: at.nodes });
    // 2,000,001 leaves of which all but one are blank: 4 million bytes that would be a tree of 2^21 leaves.
    const oversize = new Uint8Array(4 + 4_000_001);
    new DataView(oversize.buffer).setUint32(0, (0x8000_0000 | 4_000_001) >>> 0);
    const before = process.cpuUsage();
    await expect(
      joinGroup({ suite, welcome, ratchetTree: oversize, keyPackage: at.joiner.keyPackage, privateKeys: at.joiner.privateKeys }),
    ).rejects.toMatchObject({ name: "MlsError" });
    const { user, system } = process.cpuUsage(before);
    // The processor's time, whatever else the machine does.
    expect(user + system).toBeLessThan(10_000_000);
  });

  it("a Welcome again, for somebody else or after the keys are gone, opens nothing", async () => {
    const random = seededRandom("insider/replay");
    const [ann] = await groupOf(suite, ["ann", "ben"], random);
    const cat = await testKeyPackage(suite, await testClient(suite, "cat", random), random);
    const created = await testCommit(ann, random, { adds: [cat.keyPackage] });
    const joined = await testJoin(suite, created, 0, cat);
    const again = await testJoin(suite, created, 0, cat);
    // A replay is the same epoch, not another one; whoever erased the key package is out of its reach.
    expect(agreement(again)).toBe(agreement(joined));
    const [welcome = nothing] = created.welcomes;
    const ratchetTree = encodeRatchetTree(created.next);
    const erased = { ...cat.privateKeys, initSecretKey: new Uint8Array(32).fill(9) };
    await expect(joinGroup({ suite, welcome, ratchetTree, keyPackage: cat.keyPackage, privateKeys: erased })).rejects.toMatchObject({
      code: "crypto",
    });
    const other = await testKeyPackage(suite, await testClient(suite, "cat", random), random);
    await expect(
      joinGroup({ suite, welcome, ratchetTree, keyPackage: other.keyPackage, privateKeys: other.privateKeys }),
    ).rejects.toMatchObject({
      code: "invalid-welcome",
    });
    const late = {
      suite,
      welcome,
      ratchetTree,
      keyPackage: cat.keyPackage,
      privateKeys: cat.privateKeys,
      nowSeconds: lifetime.notAfter + 1n,
    };
    await expect(joinGroup(late)).rejects.toMatchObject({ code: "invalid-leaf" });
  });
});
