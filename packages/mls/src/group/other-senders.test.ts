import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { signContent } from "../framing/authenticate.ts";
import { protectPrivateMessage } from "../framing/private-message.ts";
import { protectPublicMessage } from "../framing/public-message.ts";
import { deriveExternalKeyPair, zeroSecret } from "../key-schedule/epoch-secrets.ts";
import { computeConfirmationTag } from "../key-schedule/transcript.ts";
import type { FramedContent, FramedWireFormat, PublicMessage } from "../messages/framing.ts";
import { encodeMessage } from "../messages/message.ts";
import type { Proposal } from "../messages/proposals.ts";
import { createUpdatePath } from "../tree/tree-kem.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import { encryptApplicationMessage } from "./application.ts";
import { beginEpoch, nextEpoch } from "./epochs.ts";
import type { NextEpochParams } from "./epochs.ts";
import { agreement, asApplication, commitOf, groupOf, nothing, testClient, testCommit, testJoin, testKeyPackage } from "./group.testing.ts";
import type { TestClient } from "./group.testing.ts";
import { processMessage } from "./process-message.ts";
import { encodeContext, members, ownLeafIndex } from "./state.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);
type Random = (size: number) => Uint8Array;

/** The new epoch of a commit whose content is `content`, with its tag. */
function tagged(params: Omit<NextEpochParams, "suite">): { epoch: ReturnType<typeof nextEpoch>; confirmationTag: Uint8Array } {
  const epoch = nextEpoch({ suite, ...params });
  const { confirmationKey } = epoch.secrets;
  const { confirmedTranscriptHash } = epoch.context;
  return { epoch, confirmationTag: computeConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash }) };
}

interface ExternalParams {
  readonly removes?: LeafIndex;
  readonly others?: readonly Proposal[];
  readonly externalInit?: boolean;
}

/** An external commit by somebody who knows the group's public state, and its state afterwards. */
async function externalCommit(
  group: GroupState,
  joiner: TestClient,
  random: Random,
  params: ExternalParams = {},
): Promise<{ message: Uint8Array; state: GroupState }> {
  const { removes, others = [], externalInit = true } = params;
  const { keyPackage } = await testKeyPackage(suite, joiner, random);
  const { publicKey } = await deriveExternalKeyPair(suite, group.secrets.externalSecret);
  const init = await suite.hpkeSendExport({
    publicKey,
    info: nothing,
    exporterContext: utf8Bytes("MLS 1.0 external init secret"),
    sizeBytes: suite.hashBytes,
    random,
  });
  const without = removes === undefined ? group.tree : group.tree.remove(removes);
  const { tree, leafIndex } = without.add(keyPackage.leafNode);
  const provisionalFor = (treeHash: Uint8Array): GroupState["context"] => ({ ...group.context, epoch: group.context.epoch + 1n, treeHash });
  const made = await createUpdatePath({
    suite,
    tree,
    sender: leafIndex,
    leaf: keyPackage.leafNode,
    groupId: group.context.groupId,
    signatureSecretKey: joiner.signatureKeyPair.secretKey,
    added: new Set(),
    contextFor: (treeHash) => encodeContext(provisionalFor(treeHash)),
    random,
  });
  const proposals: Proposal[] = [
    ...(externalInit ? [{ kind: "external-init", kemOutput: init.kemOutput } as const] : []),
    ...(removes === undefined ? [] : [{ kind: "remove", removed: removes } as const]),
    ...others,
  ];
  const content: FramedContent = {
    groupId: group.context.groupId,
    epoch: group.context.epoch,
    sender: { kind: "new-member-commit" },
    authenticatedData: nothing,
    body: { kind: "commit", commit: { proposals: proposals.map((proposal) => ({ kind: "proposal", proposal })), path: made.path } },
  };
  const wireFormat: FramedWireFormat = "public-message";
  const secretKey = joiner.signatureKeyPair.secretKey;
  const signature = await signContent(suite, { wireFormat, content, groupContext: group.encodedContext, secretKey });
  const { epoch, confirmationTag } = tagged({
    provisional: provisionalFor(made.tree.treeHash(suite)),
    content: { wireFormat, content, auth: { signature, confirmationTag: undefined } },
    interimTranscriptHash: group.interimTranscriptHash,
    initSecret: init.exported,
    commitSecret: made.commitSecret,
    pskSecret: zeroSecret(suite),
  });
  const publicMessage: PublicMessage = { content, auth: { signature, confirmationTag }, membershipTag: undefined };
  const state = beginEpoch({
    suite,
    ...epoch,
    tree: made.tree,
    ownLeaf: leafIndex,
    signatureSecretKey: secretKey,
    privateKeys: made.privateKeys,
    confirmationTag,
  });
  return { message: encodeMessage({ kind: "public-message", publicMessage }), state };
}

describe("an external commit", () => {
  it("lets somebody in where the caller allows it, and is refused by default", async () => {
    const random = seededRandom("external/join");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const { message, state } = await externalCommit(ann, await testClient(suite, "dan", random), random);
    for (const view of [ann, ben, cat]) {
      await expect(processMessage(view, message)).rejects.toMatchObject({ code: "unsupported", check: "public" });
      const processed = await processMessage(view, message, { allowExternalCommits: true });
      if (processed.kind !== "commit") throw new Error("a commit expected");
      expect(agreement(processed.state)).toBe(agreement(state));
      expect(processed.sender).toBe(ownLeafIndex(state));
      expect(processed.added.map(({ credential }) => credential)).toEqual([{ kind: "basic", identity: utf8Bytes("dan") }]);
      const sent = await encryptApplicationMessage(state, { plaintext: utf8Bytes("hello"), authenticatedData: nothing, random });
      expect(asApplication(await processMessage(processed.state, sent.message)).plaintext).toEqual(utf8Bytes("hello"));
    }
  });

  it("replaces an old leaf of its sender", async () => {
    const random = seededRandom("external/resync");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const again: TestClient = {
      name: "ben",
      signatureKeyPair: { publicKey: members(ann)[1]?.signaturePublicKey ?? nothing, secretKey: ben.signatureSecretKey },
    };
    const { message, state } = await externalCommit(ann, again, random, { removes: ownLeafIndex(ben) });
    const processed = await processMessage(cat, message, { allowExternalCommits: true });
    if (processed.kind !== "commit") throw new Error("a commit expected");
    expect(agreement(processed.state)).toBe(agreement(state));
    expect(processed.removed.map(({ leafIndex }) => leafIndex)).toEqual([ownLeafIndex(ben)]);
    expect((await processMessage(ben, message, { allowExternalCommits: true })).kind).toBe("removed");
    // Without the removal the same signature key would stand twice.
    const twice = await externalCommit(ann, again, random);
    await expect(processMessage(cat, twice.message, { allowExternalCommits: true })).rejects.toMatchObject({
      code: "invalid-tree",
      check: "public",
    });
  });

  it("is refused with proposals that it may not hold", async () => {
    const random = seededRandom("external/rules");
    const [ann, ben] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined) throw new Error("three members");
    const dan = await testClient(suite, "dan", random);
    const { keyPackage } = await testKeyPackage(suite, await testClient(suite, "eve", random), random);
    const cases: ExternalParams[] = [
      { externalInit: false },
      { others: [{ kind: "external-init", kemOutput: random(32) }] },
      { others: [{ kind: "add", keyPackage }] },
      { others: [{ kind: "group-context-extensions", extensions: [] }] },
      { removes: ownLeafIndex(ben), others: [{ kind: "remove", removed: ownLeafIndex(ann) }] },
    ];
    for (const params of cases) {
      const { message } = await externalCommit(ann, dan, random, params);
      await expect(processMessage(ben, message, { allowExternalCommits: true })).rejects.toMatchObject({
        code: "invalid-proposal",
        check: "public",
      });
    }
  });
});

describe("a commit and a proposal in a private message", () => {
  it("are taken like public ones", async () => {
    const random = seededRandom("private/handshake");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const cat = await testKeyPackage(suite, await testClient(suite, "cat", random), random);
    const created = await testCommit(ann, random, { adds: [cat.keyPackage], path: "auto" });
    const wireFormat: FramedWireFormat = "private-message";
    const body: FramedContent["body"] = { kind: "commit", commit: commitOf(created.message) };
    const { groupId, epoch: before } = ann.context;
    const content: FramedContent = {
      groupId,
      epoch: before,
      sender: { kind: "member", leafIndex: ann.ownLeaf },
      authenticatedData: nothing,
      body,
    };
    const signature = await signContent(suite, {
      wireFormat,
      content,
      groupContext: ann.encodedContext,
      secretKey: ann.signatureSecretKey,
    });
    const { epoch, confirmationTag } = tagged({
      provisional: { ...created.next.context, confirmedTranscriptHash: ann.context.confirmedTranscriptHash },
      content: { wireFormat, content, auth: { signature, confirmationTag: undefined } },
      interimTranscriptHash: ann.interimTranscriptHash,
      initSecret: ann.secrets.initSecret,
      commitSecret: zeroSecret(suite),
      pskSecret: zeroSecret(suite),
    });
    const { message } = await protectPrivateMessage(suite, {
      content: { wireFormat, content, auth: { signature, confirmationTag } },
      senderDataSecret: ann.secrets.senderDataSecret,
      tree: ann.secretTree,
      random,
    });
    const encoded = encodeMessage({ kind: "private-message", privateMessage: message });
    const processed = await processMessage(ben, encoded);
    if (processed.kind !== "commit") throw new Error("a commit expected");
    expect(processed.state.secrets.epochAuthenticator).toEqual(epoch.secrets.epochAuthenticator);
    expect(processed.state.context.treeHash).toEqual(created.next.context.treeHash);
  });

  it("a proposal is refused by default, and kept for the commit that names it where it is allowed", async () => {
    const random = seededRandom("proposals/alone");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const { groupId, epoch } = ben.context;
    const proposal: Proposal = { kind: "remove", removed: ownLeafIndex(cat) };
    const content: FramedContent = {
      groupId,
      epoch,
      sender: { kind: "member", leafIndex: ben.ownLeaf },
      authenticatedData: utf8Bytes("aad"),
      body: { kind: "proposal", proposal },
    };
    const wireFormat: FramedWireFormat = "public-message";
    const signature = await signContent(suite, {
      wireFormat,
      content,
      groupContext: ben.encodedContext,
      secretKey: ben.signatureSecretKey,
    });
    const publicMessage = protectPublicMessage(suite, {
      content: { wireFormat, content, auth: { signature, confirmationTag: undefined } },
      membershipKey: ben.secrets.membershipKey,
      groupContext: ben.encodedContext,
    });
    const message = encodeMessage({ kind: "public-message", publicMessage });
    await expect(processMessage(ann, message)).rejects.toMatchObject({ code: "unsupported", check: "public" });
    const processed = await processMessage(ann, message, { allowProposals: true });
    if (processed.kind !== "proposal") throw new Error("a proposal expected");
    expect(processed).toMatchObject({ sender: ben.ownLeaf, authenticatedData: utf8Bytes("aad") });
    const again = await processMessage(processed.state, message, { allowProposals: true });
    expect(again.kind === "proposal" && again.state.proposals.length).toBe(1);
    // A later epoch knows nothing of it.
    const { next } = await testCommit(processed.state, random);
    expect(next.proposals).toEqual([]);
  });
});

describe("what a group keeps", () => {
  it("is not the messages that it came in", async () => {
    const random = seededRandom("memory");
    const states = await groupOf(suite, ["ann", "ben", "cat", "dan", "eve"], random);
    let [ann] = states;
    const [, ben] = states;
    if (ben === undefined) throw new Error("five members");
    const guest = await testKeyPackage(suite, await testClient(suite, "guest", random), random);
    const created = await testCommit(ben, random, { adds: [guest.keyPackage] });
    const processed = await processMessage(ann, created.message);
    if (processed.kind !== "commit") throw new Error("a commit expected");
    ann = processed.state;
    const leaves = [ben.ownLeaf, ownLeafIndex(await testJoin(suite, created, 0, guest))].map((leaf) => ann.tree.leafAt(leaf));
    for (const leaf of leaves) {
      // Views of the commit would have its whole buffer behind them.
      expect(leaf?.encryptionKey.buffer.byteLength).toBeLessThan(400);
      expect(leaf?.signature.buffer.byteLength).toBeLessThan(400);
    }
    expect(created.message.length).toBeGreaterThan(1000);
    expect(ann.confirmationTag.buffer.byteLength).toBe(suite.hashBytes);
  });
});
