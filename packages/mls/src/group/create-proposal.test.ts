import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { webCrypto } from "../crypto/web.ts";
import { MlsError } from "../errors.ts";
import { signContent } from "../framing/authenticate.ts";
import { extensionTypes } from "../messages/basics.ts";
import { encodeMessage } from "../messages/message.ts";
import { encryptApplicationMessage } from "./application.ts";
import { createCommit } from "./create-commit.ts";
import { createExternalProposal, createProposal, externalSendersExtension } from "./create-proposal.ts";
import { eraseState } from "./erase.ts";
import {
  agreement,
  asApplication,
  groupOf,
  nothing,
  nowSeconds,
  processCommitOf,
  publicMessageOf,
  testClient,
  testCommit,
  testGroup,
  testJoin,
  testKeyPackage,
} from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { encodeRatchetTree, members, ownLeafIndex } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreatedCommit, Processed, ProposalRequest } from "./types.ts";

const suite = nodeCrypto.suite(1);
type Random = (size: number) => Uint8Array;

/** What a store holds of the state once it was changed step by step. */
function stored(state: GroupState, ...later: readonly GroupState[]): GroupState {
  const records = new Map<string, Uint8Array>();
  for (const { key, value } of encodeGroupState(state)) if (value !== undefined) records.set(key, value);
  let before = state;
  for (const after of later) {
    for (const { key, value } of encodeStateChanges(before, after)) {
      if (value === undefined) records.delete(key);
      else records.set(key, value);
    }
    before = after;
  }
  return decodeGroupState(state.suite, records);
}

function asProposal(processed: Processed): Extract<Processed, { kind: "proposal" }> {
  if (processed.kind !== "proposal") throw new Error(`a proposal expected, not ${processed.kind}`);
  return processed;
}

async function propose(
  state: GroupState,
  random: Random,
  request: ProposalRequest,
  wireFormat: "public-message" | "private-message" = "public-message",
): ReturnType<typeof createProposal> {
  return await createProposal(state, { request, wireFormat, authenticatedData: utf8Bytes("why"), random, nowSeconds });
}

async function commitReferences(state: GroupState, random: Random, references: readonly Uint8Array[]): Promise<CreatedCommit> {
  return await createCommit(state, { references, authenticatedData: nothing, random, nowSeconds, psk: () => utf8Bytes("known") });
}

async function four(random: Random): Promise<[GroupState, GroupState, GroupState, GroupState]> {
  const [ann, ben, cat, dan] = await groupOf(suite, ["ann", "ben", "cat", "dan"], random);
  if (ben === undefined || cat === undefined || dan === undefined) throw new Error("four members");
  return [ann, ben, cat, dan];
}

describe.each(["public-message", "private-message"] as const)("a proposal as a %s", (wireFormat) => {
  it("of every kind is taken by all, kept through a store, committed by reference by another member, and agreed on", async () => {
    const random = seededRandom(`propose/${wireFormat}`);
    const [ann, ben, cat, dan] = await four(random);
    const eve = await testKeyPackage(suite, await testClient(suite, "eve", random), random);
    const changed = [{ type: extensionTypes.applicationId, data: utf8Bytes("changed") }];
    const requests: [GroupState, ProposalRequest][] = [
      [ben, { kind: "add", keyPackage: eve.keyPackage }],
      [ben, { kind: "remove", removed: ownLeafIndex(dan) }],
      [ben, { kind: "group-context-extensions", extensions: changed }],
      [ben, { kind: "psk", psk: { source: { kind: "external", pskId: utf8Bytes("id") }, nonce: random(32) } }],
      [cat, { kind: "update" }],
    ];
    const views = new Map<GroupState, GroupState>([ann, ben, cat, dan].map((state) => [state, state]));
    const references: Uint8Array[] = [];
    for (const [author, request] of requests) {
      const made = await propose(views.get(author) ?? author, random, request, wireFormat);
      references.push(made.reference);
      for (const [first, view] of views) {
        if (first === author) {
          eraseState(view, [made.next]);
          views.set(first, stored(made.next));
          continue;
        }
        const processed = asProposal(await processMessage(view, made.message, { allowProposals: true, nowSeconds }));
        expect(processed).toMatchObject({ from: "member", sender: ownLeafIndex(author), authenticatedData: utf8Bytes("why") });
        expect(processed.proposal.kind).toBe(request.kind);
        expect(processed.reference).toEqual(made.reference);
        views.set(first, stored(view, processed.state));
      }
    }
    const committer = views.get(ann) ?? ann;
    const created = await commitReferences(committer, random, references);
    const commit = publicMessageOf(created.message).content.body;
    if (commit.kind !== "commit") throw new Error("a commit");
    expect(commit.commit.proposals.map(({ kind }) => kind)).toEqual(["reference", "reference", "reference", "reference", "reference"]);
    const joined = await testJoinWithPsk(created, eve);
    for (const first of [ben, cat]) {
      const view = views.get(first) ?? first;
      const processed = await processMessage(view, created.message, { psk: () => utf8Bytes("known") });
      if (processed.kind !== "commit") throw new Error("a commit expected");
      expect(agreement(processed.state)).toBe(agreement(created.next));
      expect(processed.updated).toEqual([ownLeafIndex(cat), ownLeafIndex(ann)]);
      expect(processed.state.proposals).toEqual([]);
      eraseState(view, [processed.state]);
      // Whose leaf was renewed reads and writes with its new key.
      const sent = await testCommit(processed.state, random);
      expect(agreement(await processCommitOf(created.next, sent.message))).toBe(agreement(sent.next));
      const back = await testCommit(created.next, random);
      expect(agreement(await processCommitOf(processed.state, back.message))).toBe(agreement(back.next));
    }
    expect(agreement(joined)).toBe(agreement(created.next));
    expect((await processMessage(views.get(dan) ?? dan, created.message, { psk: () => utf8Bytes("known") })).kind).toBe("removed");
    expect(created.next.context.extensions).toEqual(changed);
  });

  it("is refused by default, with the same verdict for every member", async () => {
    const random = seededRandom(`propose/refused/${wireFormat}`);
    const [ann, ben, cat] = await four(random);
    const { message } = await propose(ben, random, { kind: "update" }, wireFormat);
    for (const view of [ann, cat]) {
      await expect(processMessage(view, message)).rejects.toMatchObject({ code: "unsupported", check: "public" });
      await expect(processMessage(view, message, { allowExternalProposals: true })).rejects.toMatchObject({ code: "unsupported" });
    }
  });
});

async function testJoinWithPsk(created: CreatedCommit, keyPackage: Parameters<typeof testJoin>[3]): Promise<GroupState> {
  const [welcome] = created.welcomes;
  if (welcome === undefined) throw new Error("a Welcome for the proposed member");
  const { state } = await joinGroup({
    suite,
    welcome,
    keyPackage: keyPackage.keyPackage,
    privateKeys: keyPackage.privateKeys,
    ratchetTree: encodeRatchetTree(created.next),
    psk: () => utf8Bytes("known"),
  });
  return state;
}

describe("proposals by themselves", () => {
  it("one's own are known to oneself, but for updates, which others commit", async () => {
    const random = seededRandom("propose/own");
    const [ann, ben, cat] = await four(random);
    const removal = await propose(ben, random, { kind: "remove", removed: ownLeafIndex(cat) });
    const created = await commitReferences(removal.next, random, [removal.reference]);
    const view = asProposal(await processMessage(ann, removal.message, { allowProposals: true })).state;
    expect(agreement(await processCommitOf(view, created.message))).toBe(agreement(created.next));
    expect(members(created.next)).toHaveLength(3);
    const update = await propose(ben, random, { kind: "update" });
    await expect(commitReferences(update.next, random, [update.reference])).rejects.toMatchObject({ code: "invalid-proposal" });
    // The removal of oneself is for others to commit as well.
    const leaving = await propose(ben, random, { kind: "remove", removed: ownLeafIndex(ben) });
    await expect(commitReferences(leaving.next, random, [leaving.reference])).rejects.toMatchObject({ code: "invalid-proposal" });
    const heard = asProposal(await processMessage(ann, leaving.message, { allowProposals: true })).state;
    const gone = await commitReferences(heard, random, [leaving.reference]);
    expect((await processMessage(leaving.next, gone.message)).kind).toBe("removed");
  });

  it("a commit that refers to one that a member did not get is refused by it, and says so", async () => {
    const random = seededRandom("propose/missed");
    const [ann, ben, cat] = await four(random);
    const { message, reference } = await propose(ben, random, { kind: "update" });
    const heard = asProposal(await processMessage(ann, message, { allowProposals: true })).state;
    const created = await commitReferences(heard, random, [reference]);
    await expect(processMessage(cat, created.message)).rejects.toMatchObject({ code: "invalid-commit", check: "public" });
    await expect(commitReferences(cat, random, [reference])).rejects.toMatchObject({ code: "usage" });
    // Whose update it is has to know its secret key: without the state that made it, it cannot follow.
    const forgetful = asProposal(await processMessage(ben, message, { allowProposals: true })).state;
    await expect(processMessage(forgetful, created.message)).rejects.toMatchObject({ code: "unsupported", check: "private" });
  });

  it("what no commit may hold is neither made nor taken", async () => {
    const random = seededRandom("propose/invalid");
    const [ann, ben] = await four(random);
    const stale = await testKeyPackage(suite, await testClient(suite, "stale", random), random);
    const refused: [ProposalRequest, string][] = [
      [
        { kind: "remove", removed: ownLeafIndex((await groupOf(suite, ["0", "1", "2", "3", "4", "5"], random))[5] ?? ann) },
        "invalid-proposal",
      ],
      [{ kind: "add", keyPackage: { ...stale.keyPackage, signature: random(64) } }, "invalid-leaf"],
      [{ kind: "psk", psk: { source: { kind: "external", pskId: nothing }, nonce: random(3) } }, "invalid-proposal"],
      [{ kind: "group-context-extensions", extensions: [{ type: extensionTypes.externalSenders, data: utf8Bytes("?") }] }, "malformed"],
    ];
    for (const [request, code] of refused) await expect(propose(ben, random, request)).rejects.toMatchObject({ code });
    await expect(
      createProposal(ben, { request: { kind: "add", keyPackage: stale.keyPackage }, authenticatedData: nothing, random, nowSeconds: 0n }),
    ).rejects.toMatchObject({ code: "invalid-leaf" });
    const { message } = await propose(ben, random, { kind: "add", keyPackage: stale.keyPackage });
    await expect(processMessage(ann, message, { allowProposals: true, nowSeconds: 0n })).rejects.toMatchObject({
      code: "invalid-leaf",
      check: "policy",
    });
  });

  it("the secret key of an update is stored, and overwritten with the state that it was not committed in", async () => {
    const random = seededRandom("propose/erase");
    const [ann, ben] = await four(random);
    const update = await propose(ben, random, { kind: "update" });
    const [pending] = update.next.proposals;
    const key = pending?.updateSecretKey;
    if (key === undefined) throw new Error("a secret key");
    const copy = key.slice();
    expect(stored(ben, update.next).proposals[0]?.updateSecretKey).toEqual(copy);
    const heard = asProposal(await processMessage(ann, update.message, { allowProposals: true })).state;
    const taken = await processCommitOf(update.next, (await commitReferences(heard, random, [update.reference])).message);
    eraseState(ben, [update.next]);
    eraseState(update.next, [taken]);
    expect(key).toEqual(copy);
    expect([...taken.privateKeys.values()]).toContain(key);
    const unused = await propose(taken, random, { kind: "update" });
    const lost = unused.next.proposals[0]?.updateSecretKey;
    const without = await testCommit(taken, random);
    eraseState(unused.next, [without.next]);
    expect(lost).toEqual(new Uint8Array(32));
  });

  it("with the asynchronous provider", async () => {
    const random = seededRandom("propose/web");
    const web = webCrypto.suite(1);
    const [ann, ben] = await groupOf(web, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const made = await propose(ben, random, { kind: "update" }, "private-message");
    const heard = asProposal(await processMessage(ann, made.message, { allowProposals: true }));
    const created = await commitReferences(heard.state, random, [made.reference]);
    expect(agreement(await processCommitOf(made.next, created.message))).toBe(agreement(created.next));
  });
});

describe("somebody outside", () => {
  async function withSender(random: Random): Promise<{ group: GroupState; other: GroupState; secretKey: Uint8Array }> {
    const office = await suite.generateSignatureKeyPair(random);
    const senders = externalSendersExtension([
      {
        signatureKey: (await suite.generateSignatureKeyPair(random)).publicKey,
        credential: { kind: "basic", identity: utf8Bytes("other") },
      },
      { signatureKey: office.publicKey, credential: { kind: "basic", identity: utf8Bytes("office") } },
    ]);
    const alone = await testGroup(suite, await testClient(suite, "ann", random), random, [senders]);
    const ben = await testKeyPackage(suite, await testClient(suite, "ben", random), random);
    const created = await testCommit(alone, random, { adds: [ben.keyPackage] });
    return { group: created.next, other: await testJoin(suite, created, 0, ben), secretKey: office.secretKey };
  }

  it("asks to be added: taken where allowed, committed by a member, joined by Welcome", async () => {
    const random = seededRandom("outside/new-member");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const eve = await testKeyPackage(suite, await testClient(suite, "eve", random), random);
    const { groupId, epoch } = ann.context;
    const message = await createExternalProposal({
      suite,
      groupId,
      epoch,
      from: { kind: "new-member", keyPackage: eve.keyPackage, signatureSecretKey: eve.privateKeys.signatureSecretKey },
      authenticatedData: utf8Bytes("let me in"),
    });
    for (const view of [ann, ben]) {
      await expect(processMessage(view, message)).rejects.toMatchObject({ code: "unsupported", check: "public" });
      await expect(processMessage(view, message, { allowProposals: true })).rejects.toMatchObject({ code: "unsupported" });
    }
    const heard = asProposal(await processMessage(ann, message, { allowExternalProposals: true, nowSeconds }));
    expect(heard).toMatchObject({ from: "new-member", sender: undefined, authenticatedData: utf8Bytes("let me in") });
    const created = await commitReferences(stored(ann, heard.state), random, [heard.reference]);
    const other = asProposal(await processMessage(ben, message, { allowExternalProposals: true })).state;
    expect(agreement(await processCommitOf(other, created.message))).toBe(agreement(created.next));
    const joined = await testJoin(suite, created, 0, eve);
    const sent = await encryptApplicationMessage(joined, { plaintext: utf8Bytes("thanks"), authenticatedData: nothing, random });
    expect(asApplication(await processMessage(created.next, sent.message)).plaintext).toEqual(utf8Bytes("thanks"));
  });

  it("whom the group names proposes changes, by its place in the list; not updates", async () => {
    const random = seededRandom("outside/external");
    const { group, other, secretKey } = await withSender(random);
    const { groupId, epoch } = group.context;
    const from = { kind: "external", senderIndex: 1, signatureSecretKey: secretKey } as const;
    const by = async (request: ProposalRequest, changes: object = {}): Promise<Uint8Array> =>
      await createExternalProposal({ suite, groupId, epoch, from: { ...from, proposal: request, ...changes }, authenticatedData: nothing });
    const eve = await testKeyPackage(suite, await testClient(suite, "eve", random), random);
    const removal = await by({ kind: "remove", removed: ownLeafIndex(other) });
    await expect(processMessage(group, removal, { allowProposals: true })).rejects.toMatchObject({ code: "unsupported", check: "public" });
    const first = asProposal(await processMessage(group, removal, { allowExternalProposals: true }));
    expect(first).toMatchObject({ from: "external", sender: undefined });
    const second = asProposal(
      await processMessage(first.state, await by({ kind: "add", keyPackage: eve.keyPackage }), { allowExternalProposals: true }),
    );
    const created = await commitReferences(second.state, random, [first.reference, second.reference]);
    const views = [removal, await by({ kind: "add", keyPackage: eve.keyPackage })];
    let view = other;
    for (const message of views) view = asProposal(await processMessage(view, message, { allowExternalProposals: true })).state;
    expect((await processMessage(view, created.message)).kind).toBe("removed");
    expect(agreement(await testJoin(suite, created, 0, eve))).toBe(agreement(created.next));
    await expect(by({ kind: "update" })).rejects.toMatchObject({ code: "usage" });
    // Another entry's key, and a place that the list does not have.
    for (const senderIndex of [0, 2]) {
      await expect(
        processMessage(group, await by({ kind: "remove", removed: ownLeafIndex(other) }, { senderIndex }), {
          allowExternalProposals: true,
        }),
      ).rejects.toMatchObject({ code: "crypto", check: "public" });
    }
    // Of the epoch before.
    await expect(processMessage(created.next, removal, { allowExternalProposals: true })).rejects.toMatchObject({ code: "wrong-epoch" });
  });

  it("cannot commit, update, or ask for more than to be added", async () => {
    const random = seededRandom("outside/forged");
    const { group, other, secretKey } = await withSender(random);
    const [commit, update] = [await testCommit(other, random), await propose(other, random, { kind: "update" })];
    const allowed = { allowProposals: true, allowExternalProposals: true, allowExternalCommits: true };
    const refusals: [Uint8Array, object, string][] = [
      [commit.message, { kind: "external", senderIndex: 1 }, "invalid-commit"],
      [update.message, { kind: "external", senderIndex: 1 }, "invalid-proposal"],
      [update.message, { kind: "new-member-proposal" }, "invalid-proposal"],
      [commit.message, { kind: "new-member-proposal" }, "invalid-proposal"],
    ];
    for (const [message, sender, code] of refusals) {
      const original = publicMessageOf(message);
      // Any sender of the list, over a content that it may not send.
      const content = { ...original.content, sender: sender as typeof original.content.sender };
      const signature = await signContent(suite, { wireFormat: "public-message", content, groupContext: undefined, secretKey });
      const forged = encodeMessage({
        kind: "public-message",
        publicMessage: { content, auth: { ...original.auth, signature }, membershipTag: undefined },
      });
      const error: unknown = await processMessage(group, forged, allowed).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(MlsError);
      expect(error).toMatchObject({ code, check: "public" });
    }
  });
});
