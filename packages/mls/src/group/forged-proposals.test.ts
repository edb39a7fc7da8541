import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { signWithLabel } from "../crypto/labeled.ts";
import { nodeCrypto } from "../crypto/node.ts";
import { encodeStructure } from "../messages/coding.ts";
import { encodeLeafNodeTbs, keyPackageTbs } from "../messages/nodes.ts";
import type { KeyPackage, KeyPackageContent, LeafNode, LeafNodeContent } from "../messages/nodes.ts";
import type { Commit, Proposal } from "../messages/proposals.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { reforgeCommit, resignLeaf, signAsMember } from "./forging.testing.ts";
import { commitOf, groupOf, nothing, testClient, testCommit, testKeyPackage } from "./group.testing.ts";
import type { TestClient } from "./group.testing.ts";
import { inspectCommit, processMessage } from "./process-message.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);
const random = seededRandom("forged-proposals");

/** A leaf and a key package by somebody who signs whatever they like. */
async function signLeaf(client: TestClient, leaf: LeafNodeContent): Promise<LeafNode> {
  const { encryptionKey, signatureKey, credential, capabilities, source, extensions } = leaf;
  const content: LeafNodeContent = { encryptionKey, signatureKey, credential, capabilities, source, extensions };
  const { secretKey } = client.signatureKeyPair;
  const signature = await signWithLabel(suite, { secretKey, label: "LeafNodeTBS", content: encodeLeafNodeTbs(content, undefined) });
  return { ...content, signature };
}

async function signKeyPackage(
  client: TestClient,
  { version, cipherSuite, initKey, leafNode, extensions }: KeyPackageContent,
): Promise<KeyPackage> {
  const content: KeyPackageContent = { version, cipherSuite, initKey, leafNode, extensions };
  const { secretKey } = client.signatureKeyPair;
  const tbs = encodeStructure(keyPackageTbs, content, "KeyPackageTBS");
  return { ...content, signature: await signWithLabel(suite, { secretKey, label: "KeyPackageTBS", content: tbs }) };
}

/** Three members, and what one of them says when the first commits something forged: signed and tagged as it should be. */
async function scene(): Promise<{
  ann: GroupState;
  refused: (change: (commit: Commit) => Commit) => Promise<unknown>;
  dan: TestClient;
  keyPackage: KeyPackage;
}> {
  const [ann, ben] = await groupOf(suite, ["ann", "ben", "cat"], random);
  if (ben === undefined) throw new Error("three members");
  const dan = await testClient(suite, "dan", random);
  const { keyPackage } = await testKeyPackage(suite, dan, random);
  const created = await testCommit(ann, random, { adds: [keyPackage] });
  // The commit that everything is made from holds.
  expect((await inspectCommit(ben, created.message)).adds).toHaveLength(1);
  const refused = async (change: (commit: Commit) => Commit): Promise<unknown> => {
    const forged = await reforgeCommit(ann, created.message, change);
    const error = await inspectCommit(ben, forged).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    // The same for who processes it.
    await expect(processMessage(ben, forged)).rejects.toMatchObject({ check: "public" });
    return error;
  };
  return { ann, refused, dan, keyPackage };
}

const inline = (...proposals: Proposal[]): Commit["proposals"] => proposals.map((proposal) => ({ kind: "proposal", proposal }));

describe("a member adds a key package that its owner signed and nobody may take", () => {
  const cases: [string, (keyPackage: KeyPackage) => Partial<KeyPackageContent>, string][] = [
    ["of another suite", () => ({ cipherSuite: 3 }), "a key package of another cipher suite"],
    ["with one key for two uses", ({ leafNode }) => ({ initKey: leafNode.encryptionKey }), "one key used for two purposes"],
    ["with an init key of another size", () => ({ initKey: new Uint8Array(31).fill(9) }), "a public key of the wrong size"],
    [
      "with an extension twice",
      () => ({ extensions: [0, 1].map(() => ({ type: 10, data: new Uint8Array(0) })) }),
      "an extension type twice",
    ],
  ];
  it.each(cases)("%s", async (_title, change, message) => {
    const { refused, dan, keyPackage } = await scene();
    const bad = await signKeyPackage(dan, { ...keyPackage, ...change(keyPackage) });
    expect(await refused(() => ({ proposals: inline({ kind: "add", keyPackage: bad }), path: undefined }))).toMatchObject({
      code: "invalid-leaf",
      message: expect.stringContaining(message),
    });
  });

  const leaves: [string, (leaf: LeafNode) => Partial<LeafNodeContent>, string][] = [
    ["whose leaf's key nothing can be encrypted to", () => ({ encryptionKey: new Uint8Array(32) }), "nothing can be encrypted to"],
    ["whose leaf comes from a commit", () => ({ source: { kind: "commit", parentHash: new Uint8Array(0) } }), "from another source"],
    [
      "whose leaf lacks the version",
      ({ capabilities }) => ({ capabilities: { ...capabilities, versions: [] } }),
      "without support for the version or cipher suite",
    ],
    [
      "whose leaf has an extension that it does not support",
      () => ({ extensions: [{ type: 0xf0f0, data: new Uint8Array(0) }] }),
      "without support for its own extensions",
    ],
    [
      "who cannot read the others' credentials",
      ({ capabilities }) => ({ capabilities: { ...capabilities, credentials: [2] } }),
      "without support for another one's credential",
    ],
  ];
  it.each(leaves)("%s", async (_title, change, message) => {
    const { refused, dan, keyPackage } = await scene();
    const leafNode = await signLeaf(dan, { ...keyPackage.leafNode, ...change(keyPackage.leafNode) });
    const bad = await signKeyPackage(dan, { ...keyPackage, leafNode });
    expect(await refused(() => ({ proposals: inline({ kind: "add", keyPackage: bad }), path: undefined }))).toMatchObject({
      code: "invalid-leaf",
      message: expect.stringContaining(message),
    });
  });
});

describe("a member makes a tree in which something stands twice, or that not all can read", () => {
  const isRefused = (message: string): unknown => expect.objectContaining({ message: expect.stringContaining(message) });

  it("an encryption key of somebody else's leaf", async () => {
    const { ann, refused, dan, keyPackage } = await scene();
    const encryptionKey = ann.tree.leafAt(toLeafIndex(1))?.encryptionKey ?? nothing;
    const bad = await signKeyPackage(dan, { ...keyPackage, leafNode: await signLeaf(dan, { ...keyPackage.leafNode, encryptionKey }) });
    expect(await refused(() => ({ proposals: inline({ kind: "add", keyPackage: bad }), path: undefined }))).toEqual(
      isRefused("two nodes share an encryption key"),
    );
  });

  it("one signature key in two leaves", async () => {
    const { refused, dan, keyPackage } = await scene();
    const { keyPackage: second } = await testKeyPackage(suite, dan, random);
    const adds = inline({ kind: "add", keyPackage }, { kind: "add", keyPackage: second });
    expect(await refused(() => ({ proposals: adds, path: undefined }))).toEqual(isRefused("two leaves share a signature key"));
  });

  it("an extension of the group that only the committer supports", async () => {
    const { ann, refused } = await scene();
    const extension = { type: 0xf0f0, data: nothing };
    const change = inline({ kind: "group-context-extensions", extensions: [extension] });
    const commit = await testCommit(ann, random);
    const { path } = commitOf(commit.message);
    if (path === undefined) throw new Error("a path");
    const { capabilities } = path.leafNode;
    const supporting = { ...capabilities, extensions: [...capabilities.extensions, extension.type] };
    const leafNode = await resignLeaf(ann, { ...path.leafNode, capabilities: supporting });
    expect(await refused(() => ({ proposals: change, path: { ...path, leafNode } }))).toEqual(
      isRefused("without support for an extension of the group"),
    );
  });
});

describe("a member commits a list of proposals that RFC 9420 12.2 forbids", () => {
  const remove = (leaf: number): Proposal => ({ kind: "remove", removed: toLeafIndex(leaf) });
  const context: Proposal = { kind: "group-context-extensions", extensions: [] };
  const reInit: Proposal = { kind: "reinit", groupId: new Uint8Array(8), version: 1, cipherSuite: 1, extensions: [] };
  const cases: [string, Proposal[], string][] = [
    ["the removal of itself", [remove(0)], "the removal of the committer"],
    ["two removals of one leaf", [remove(2), remove(2)], "two changes of one leaf"],
    ["the removal of a leaf that is blank", [remove(3)], "the removal of a leaf that is blank"],
    ["two changes of the group context", [context, context], "two changes of the group context"],
    ["a ReInit beside others", [reInit, remove(2)], "a ReInit beside other proposals"],
    ["an ExternalInit", [{ kind: "external-init", kemOutput: new Uint8Array(32) }], "an ExternalInit in a member's commit"],
  ];
  it.each(cases)("%s", async (_title, proposals, message) => {
    const { refused } = await scene();
    expect(await refused((commit) => ({ ...commit, proposals: inline(...proposals) }))).toMatchObject({
      code: "invalid-proposal",
      message: expect.stringContaining(message),
    });
  });

  it("an update of its own leaf, which stands there twice with its path", async () => {
    const { ann, refused } = await scene();
    const leafNode = ann.tree.leafAt(toLeafIndex(0));
    if (leafNode === undefined) throw new Error("a leaf");
    expect(await refused((commit) => ({ ...commit, proposals: inline({ kind: "update", leafNode }) }))).toMatchObject({
      message: expect.stringContaining("an update by the committer"),
    });
  });

  it("a removal without a path, which would leave the secrets with who is removed", async () => {
    const { refused } = await scene();
    expect(await refused(() => ({ proposals: inline(remove(2)), path: undefined }))).toMatchObject({
      code: "invalid-commit",
      message: expect.stringContaining("without the path that it needs"),
    });
  });
});

describe("a member proposes an update of its leaf that nobody may take", () => {
  const scene = async (change: (leaf: LeafNode) => Partial<LeafNodeContent>, allowProposals = true): Promise<unknown> => {
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    const leaf = ben?.tree.leafAt(toLeafIndex(1));
    if (ben === undefined || leaf === undefined) throw new Error("two members");
    const fresh = (await suite.deriveKemKeyPair(random(32))).publicKey;
    const leafNode = await resignLeaf(ben, { ...leaf, encryptionKey: fresh, source: { kind: "update" }, ...change(leaf) });
    const message = await signAsMember(
      ben,
      {
        groupId: ben.context.groupId,
        epoch: ben.context.epoch,
        sender: { kind: "member", leafIndex: ben.ownLeaf },
        authenticatedData: nothing,
        body: { kind: "proposal", proposal: { kind: "update", leafNode } },
      },
      undefined,
    );
    return await processMessage(ann, message, { allowProposals });
  };

  it("one with a fresh key is taken", async () => {
    expect(await scene(() => ({}))).toMatchObject({ kind: "proposal" });
  });

  it("[M-2] and none by itself unless the application wants that", async () => {
    await expect(scene(() => ({}), false)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("proposals by themselves are refused"),
    });
  });

  it("one that keeps its key", async () => {
    await expect(scene(({ encryptionKey }) => ({ encryptionKey }))).rejects.toMatchObject({
      code: "invalid-proposal",
      message: expect.stringContaining("an update without a new key"),
    });
  });

  it("one whose leaf says that it comes from a key package", async () => {
    await expect(scene(({ source }) => ({ source }))).rejects.toMatchObject({
      code: "invalid-leaf",
      message: expect.stringContaining("from another source"),
    });
  });

  it("one whose key nothing can be encrypted to", async () => {
    await expect(scene(() => ({ encryptionKey: new Uint8Array(32) }))).rejects.toMatchObject({
      code: "invalid-leaf",
      message: expect.stringContaining("nothing can be encrypted to"),
    });
  });
});
