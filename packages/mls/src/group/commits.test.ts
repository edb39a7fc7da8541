import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { signContent } from "../framing/authenticate.ts";
import { protectPublicMessage } from "../framing/public-message.ts";
import { extensionTypes, requiredCapabilities } from "../messages/basics.ts";
import { encodeStructure } from "../messages/coding.ts";
import type { FramedContent } from "../messages/framing.ts";
import { encodeMessage } from "../messages/message.ts";
import type { LeafNodeContent } from "../messages/nodes.ts";
import type { Commit, Proposal, UpdatePath } from "../messages/proposals.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { createCommit } from "./create-commit.ts";
import {
  agreement,
  groupOf,
  lifetime,
  nothing,
  nowSeconds,
  processCommitOf,
  testClient,
  testCommit,
  testKeyPackage,
  publicMessageOf,
  commitOf,
  pathOf,
} from "./group.testing.ts";
import { resignLeaf } from "./forging.testing.ts";
import { inspectCommit, processMessage } from "./process-message.ts";
import type { GroupState } from "./state.ts";
import type { CreatedCommit } from "./types.ts";

const suite = nodeCrypto.suite(1);

/** A commit changed by its own author: signed and tagged as it should be, confirmation tag apart. */
async function reforged(author: GroupState, message: Uint8Array, change: (commit: Commit) => Commit): Promise<Uint8Array> {
  const original = publicMessageOf(message);
  const content: FramedContent = { ...original.content, body: { kind: "commit", commit: change(commitOf(message)) } };
  const signature = await signContent(suite, {
    wireFormat: "public-message",
    content,
    groupContext: author.encodedContext,
    secretKey: author.signatureSecretKey,
  });
  const publicMessage = protectPublicMessage(suite, {
    content: { wireFormat: "public-message", content, auth: { ...original.auth, signature } },
    membershipKey: author.secrets.membershipKey,
    groupContext: author.encodedContext,
  });
  return encodeMessage({ kind: "public-message", publicMessage });
}

/** A commit of these proposals by an author that checks nothing. */
async function proposing(author: GroupState, random: (size: number) => Uint8Array, proposals: readonly Proposal[]): Promise<Uint8Array> {
  const created = await testCommit(author, random);
  return await reforged(author, created.message, (commit) => ({
    ...commit,
    proposals: proposals.map((proposal) => ({ kind: "proposal", proposal })),
  }));
}

describe("a commit that breaks a rule", () => {
  async function four(
    seed: string,
  ): Promise<{ ann: GroupState; ben: GroupState; cat: GroupState; random: (size: number) => Uint8Array; created: CreatedCommit }> {
    const random = seededRandom(seed);
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat", "dan"], random);
    if (ben === undefined || cat === undefined) throw new Error("four members");
    return { ann, ben, cat, random, created: await testCommit(ann, random) };
  }

  it("fails the public check alike for everybody", async () => {
    const { ann, ben, cat, random, created } = await four("rules/public");
    const evil = await testKeyPackage(suite, await testClient(suite, "evil", random), random);
    const other = await testKeyPackage(suite, await testClient(suite, "other", random), random);
    const benLeaf = ben.tree.leafAt(ben.ownLeaf);
    const annLeaf = ann.tree.leafAt(ann.ownLeaf);
    if (benLeaf === undefined || annLeaf === undefined) throw new Error("leaves of members");
    const psk = { source: { kind: "external", pskId: utf8Bytes("x") }, nonce: random(32) } as const;
    const path = pathOf(created.message);
    const withLeaf = async (change: Partial<LeafNodeContent>): Promise<(commit: Commit) => Commit> => {
      const leafNode = await resignLeaf(ann, { ...path.leafNode, ...change });
      return (commit) => ({ ...commit, path: { ...path, leafNode } });
    };
    const withNodes =
      (nodes: UpdatePath["nodes"]) =>
      (commit: Commit): Commit => ({ ...commit, path: { ...path, nodes } });
    const [first, ...others] = path.nodes;
    const [firstSecret] = first?.encryptedPathSecrets ?? [];
    if (first === undefined || firstSecret === undefined) throw new Error("a path of nodes");
    const update = await resignLeaf(ann, { ...annLeaf, source: { kind: "update" }, encryptionKey: random(32) });
    const add = (keyPackage = evil.keyPackage): Proposal => ({ kind: "add", keyPackage });
    const remove = (leaf: number): Proposal => ({ kind: "remove", removed: toLeafIndex(leaf) });
    const changeContext = (extensions: { type: number; data: Uint8Array }[]): Proposal => ({
      kind: "group-context-extensions",
      extensions,
    });
    const requiring = encodeStructure(requiredCapabilities, { extensions: [0xabcd], proposals: [], credentials: [] }, "test");

    const cases: [string, string, Uint8Array][] = [];
    const list = async (what: string, code: string, proposals: readonly Proposal[]): Promise<void> => {
      cases.push([what, code, await proposing(ann, random, proposals)]);
    };
    const shape = async (what: string, code: string, change: (commit: Commit) => Commit): Promise<void> => {
      cases.push([what, code, await reforged(ann, created.message, change)]);
    };
    await list("update by the committer", "invalid-proposal", [{ kind: "update", leafNode: update }]);
    await list("removal of the committer", "invalid-proposal", [remove(0)]);
    await list("removal of a blank leaf", "invalid-proposal", [remove(7)]);
    await list("removal of a leaf beyond any tree", "invalid-proposal", [remove(0xffff_ffff)]);
    await list("two removals of one leaf", "invalid-proposal", [remove(1), remove(1)]);
    await list("one client twice", "invalid-tree", [add(), add()]);
    await list("a member's own key package again", "invalid-tree", [
      add(
        (
          await testKeyPackage(
            suite,
            { name: "ben", signatureKeyPair: { publicKey: benLeaf.signatureKey, secretKey: ben.signatureSecretKey } },
            random,
          )
        ).keyPackage,
      ),
    ]);
    await list("two changes of the context", "invalid-proposal", [changeContext([]), changeContext([])]);
    await list("one extension twice", "invalid-proposal", [
      changeContext([
        { type: 1, data: nothing },
        { type: 1, data: nothing },
      ]),
    ]);
    await list("an extension nobody supports", "invalid-leaf", [changeContext([{ type: 0xabcd, data: nothing }])]);
    await list("capabilities nobody has", "invalid-leaf", [
      changeContext([{ type: extensionTypes.requiredCapabilities, data: requiring }]),
    ]);
    await list("unreadable required capabilities", "malformed", [
      changeContext([{ type: extensionTypes.requiredCapabilities, data: Uint8Array.of(9) }]),
    ]);
    await list("a ReInit beside another", "invalid-proposal", [
      { kind: "reinit", groupId: nothing, version: 1, cipherSuite: 1, extensions: [] },
      add(),
    ]);
    await list("an ExternalInit", "invalid-proposal", [{ kind: "external-init", kemOutput: random(32) }]);
    await list("one PSK twice", "invalid-proposal", [
      { kind: "psk", psk },
      { kind: "psk", psk },
    ]);
    await list("a short PSK nonce", "invalid-proposal", [{ kind: "psk", psk: { ...psk, nonce: random(31) } }]);
    await list("a PSK for branching", "invalid-proposal", [
      { kind: "psk", psk: { nonce: random(32), source: { kind: "resumption", usage: { kind: "branch" }, groupId: nothing, epoch: 0n } } },
    ]);
    await list("a key package of another suite", "invalid-leaf", [add({ ...other.keyPackage, cipherSuite: 3 })]);
    await list("a key package signed by nobody", "invalid-leaf", [add({ ...other.keyPackage, signature: random(64) })]);
    await list("a leaf signed by nobody", "invalid-leaf", [
      add({ ...other.keyPackage, leafNode: { ...other.keyPackage.leafNode, signature: random(64) } }),
    ]);
    await list("a key package with one key for two purposes", "invalid-leaf", [
      add({ ...other.keyPackage, initKey: other.keyPackage.leafNode.encryptionKey }),
    ]);
    await shape("an unknown reference", "invalid-commit", (commit) => ({
      ...commit,
      proposals: [{ kind: "reference", reference: random(32) }],
    }));
    await shape("an empty commit without path", "invalid-commit", (commit) => ({ ...commit, path: undefined }));
    await shape("a removal without path", "invalid-commit", () => ({
      proposals: [{ kind: "proposal", proposal: remove(1) }],
      path: undefined,
    }));
    await shape("a short path", "invalid-commit", withNodes(others));
    await shape("a long path", "invalid-commit", withNodes([...path.nodes, first]));
    await shape(
      "a secret too many",
      "invalid-commit",
      withNodes([{ ...first, encryptedPathSecrets: [firstSecret, firstSecret] }, ...others]),
    );
    await shape("a secret too few", "invalid-commit", withNodes([{ ...first, encryptedPathSecrets: [] }, ...others]));
    await shape("another node key", "invalid-commit", withNodes([{ ...first, encryptionKey: random(32) }, ...others]));
    await shape("a node key of the tree", "invalid-commit", withNodes([{ ...first, encryptionKey: benLeaf.encryptionKey }, ...others]));
    await shape("a node key of low order", "invalid-commit", withNodes([{ ...first, encryptionKey: new Uint8Array(32) }, ...others]));
    await shape("a node key of the wrong size", "invalid-commit", withNodes([{ ...first, encryptionKey: random(33) }, ...others]));
    await shape("a leaf with its old key", "invalid-commit", await withLeaf({ encryptionKey: annLeaf.encryptionKey }));
    await shape("a leaf of low order", "invalid-commit", await withLeaf({ encryptionKey: new Uint8Array(32) }));
    await shape(
      "a leaf with another parent hash",
      "invalid-commit",
      await withLeaf({ source: { kind: "commit", parentHash: random(32) } }),
    );
    await shape("a leaf of another source", "invalid-leaf", await withLeaf({ source: { kind: "update" } }));
    await shape("a leaf of a key package", "invalid-leaf", await withLeaf({ source: { kind: "key-package", lifetime } }));
    await shape("a leaf with another member's signature key", "invalid-leaf", await withLeaf({ signatureKey: benLeaf.signatureKey }));
    await shape("a leaf without its version", "invalid-leaf", await withLeaf({ capabilities: { ...annLeaf.capabilities, versions: [] } }));
    await shape(
      "a leaf without its credential type",
      "invalid-leaf",
      await withLeaf({ capabilities: { ...annLeaf.capabilities, credentials: [2] } }),
    );
    await shape(
      "a leaf with an extension it does not support",
      "invalid-leaf",
      await withLeaf({ extensions: [{ type: 0xabcd, data: nothing }] }),
    );
    await shape("a leaf with somebody's signature", "invalid-leaf", (commit) => ({
      ...commit,
      path: { ...path, leafNode: { ...path.leafNode, signature: benLeaf.signature } },
    }));
    await shape(
      "a leaf whose credential nobody supports",
      "invalid-leaf",
      await withLeaf({ credential: { kind: "unknown", type: 77, content: nothing } }),
    );

    for (const [what, code, message] of cases) {
      for (const view of [ben, cat]) {
        await expect(processMessage(view, message), what).rejects.toMatchObject({ name: "MlsError", code, check: "public" });
        await expect(inspectCommit(view, message), what).rejects.toMatchObject({ name: "MlsError", code, check: "public" });
      }
    }
    expect(cases.length).toBeGreaterThan(40);
    expect(agreement(await processCommitOf(ben, created.message))).toBe(agreement(created.next));
  });

  it("fails the private check where only a receiver sees it", async () => {
    const { ann, ben, cat, random, created } = await four("rules/private");
    const path = pathOf(created.message);
    const damaged = await reforged(ann, created.message, (commit) => ({
      ...commit,
      path: {
        ...path,
        nodes: path.nodes.map((node) => ({
          ...node,
          encryptedPathSecrets: node.encryptedPathSecrets.map(({ kemOutput }) => ({ kemOutput, ciphertext: random(48) })),
        })),
      },
    }));
    expect((await inspectCommit(ben, damaged)).hasPath).toBe(true);
    for (const view of [ben, cat]) await expect(processMessage(view, damaged)).rejects.toMatchObject({ code: "crypto", check: "private" });
    // The membership tag covers the confirmation tag: only a member can repost a commit with another one.
    const original = publicMessageOf(created.message);
    const content = {
      wireFormat: "public-message",
      content: original.content,
      auth: { ...original.auth, confirmationTag: random(32) },
    } as const;
    const reposted = protectPublicMessage(suite, { content, membershipKey: cat.secrets.membershipKey, groupContext: cat.encodedContext });
    const message = encodeMessage({ kind: "public-message", publicMessage: reposted });
    expect((await inspectCommit(ben, message)).sender).toBe(0);
    await expect(processMessage(ben, message)).rejects.toMatchObject({ code: "invalid-commit", check: "private" });
  });

  it("fails as policy by the clock or by the caller", async () => {
    const { ann, ben, random } = await four("rules/policy");
    const evil = await testKeyPackage(suite, await testClient(suite, "evil", random), random);
    const created = await testCommit(ann, random, { adds: [evil.keyPackage] });
    await expect(processMessage(ben, created.message, { nowSeconds: lifetime.notAfter + 1n })).rejects.toMatchObject({
      code: "invalid-leaf",
      check: "policy",
    });
    const refusal = new Error("unknown account");
    const acceptAdd = (): never => {
      throw refusal;
    };
    await expect(processMessage(ben, created.message, { acceptAdd })).rejects.toBe(refusal);
    expect((await processMessage(ben, created.message, { nowSeconds, acceptAdd: () => undefined })).kind).toBe("commit");
    await expect(
      createCommit(ann, { adds: [evil.keyPackage], authenticatedData: nothing, random, nowSeconds: lifetime.notBefore - 1n }),
    ).rejects.toMatchObject({ code: "invalid-leaf" });
  });

  it("is refused when it is not this group's, this epoch's or a member's", async () => {
    const { ann, ben, random, created } = await four("rules/framing");
    const original = publicMessageOf(created.message);
    const put = (content: Partial<FramedContent>): Uint8Array =>
      encodeMessage({ kind: "public-message", publicMessage: { ...original, content: { ...original.content, ...content } } });
    await expect(processMessage(ben, put({ groupId: random(32) }))).rejects.toMatchObject({ code: "wrong-group" });
    await expect(processMessage(ben, put({ epoch: 2n }))).rejects.toMatchObject({ code: "wrong-epoch" });
    await expect(processMessage(ben, put({ authenticatedData: random(1) }))).rejects.toMatchObject({ code: "crypto", check: "public" });
    await expect(processMessage(ben, put({ sender: { kind: "member", leafIndex: toLeafIndex(9) } }))).rejects.toMatchObject({
      code: "crypto",
    });
    const outsider = encodeMessage({
      kind: "public-message",
      publicMessage: {
        content: { ...original.content, sender: { kind: "new-member-commit" } },
        auth: original.auth,
        membershipTag: undefined,
      },
    });
    await expect(processMessage(ben, outsider)).rejects.toMatchObject({ name: "MlsError" });
    // A member that signs for another one: its membership tag is right, its signature is not.
    const content: FramedContent = { ...original.content, sender: { kind: "member", leafIndex: toLeafIndex(2) } };
    const publicMessage = protectPublicMessage(suite, {
      content: { wireFormat: "public-message", content, auth: original.auth },
      membershipKey: ann.secrets.membershipKey,
      groupContext: ann.encodedContext,
    });
    await expect(processMessage(ben, encodeMessage({ kind: "public-message", publicMessage }))).rejects.toMatchObject({
      code: "crypto",
      check: "public",
    });
    const keyPackage = await testKeyPackage(suite, await testClient(suite, "x", random), random);
    await expect(processMessage(ben, keyPackage.message)).rejects.toMatchObject({ code: "unsupported" });
  });
});
