import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { RandomBytes } from "../crypto/suite.ts";
import { encryptApplicationMessage } from "./application.ts";
import { createCommit } from "./create-commit.ts";
import { createGroup } from "./create-group.ts";
import { createGroupInfo, joinByExternalCommit } from "./external.ts";
import {
  agreement,
  asApplication,
  groupOf,
  lifetime,
  nothing,
  nowSeconds,
  processCommitOf,
  testClient,
  testCommit,
  testKeyPackage,
} from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import { decodeGroupState, encodeGroupState } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { cipherSuiteId, encodeRatchetTree, members } from "./state.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);

async function newcomer(random: RandomBytes, groupInfo: Uint8Array, options: Partial<Parameters<typeof joinByExternalCommit>[0]> = {}) {
  const { signatureKeyPair } = await testClient(suite, "newcomer", random);
  return await joinByExternalCommit({
    suite,
    groupInfo,
    credential: { kind: "basic", identity: utf8Bytes("newcomer") },
    signatureKeyPair,
    lifetime,
    authenticatedData: nothing,
    random,
    ...options,
  });
}

async function processed(state: GroupState, message: Uint8Array): Promise<GroupState> {
  const result = await processMessage(state, message, { allowExternalCommits: true });
  if (result.kind !== "commit") throw new Error(`a commit expected, not ${result.kind}`);
  return result.state;
}

describe("joining by an external commit", () => {
  it.each([0x0001, 0x0002, 0xf001] as const)(
    "suite %i: everybody who takes such commits agrees, and the newcomer talks and commits",
    async (id) => {
      const random = seededRandom(`external/${id}`);
      const other = nodeCrypto.suite(id);
      const [ann, ben, cat] = await groupOf(other, ["ann", "ben", "cat"], random);
      if (ben === undefined || cat === undefined) throw new Error("three members");
      const { signatureKeyPair } = await testClient(other, "newcomer", random);
      const { message, next } = await joinByExternalCommit({
        suite: other,
        groupInfo: await createGroupInfo(ben, { withTree: true }),
        credential: { kind: "basic", identity: utf8Bytes("newcomer") },
        signatureKeyPair,
        lifetime,
        authenticatedData: utf8Bytes("hello"),
        random,
      });
      const states = [await processed(ann, message), await processed(ben, message), await processed(cat, message)];
      for (const state of states) expect(agreement(state)).toBe(agreement(next));
      expect(members(next).length).toBe(4);
      const sent = await encryptApplicationMessage(next, { plaintext: utf8Bytes("in"), authenticatedData: nothing, random });
      expect(asApplication(await processMessage(states[0] ?? ann, sent.message)).plaintext).toEqual(utf8Bytes("in"));
      const update = await testCommit(next, random);
      expect(agreement(await processCommitOf(states[1] ?? ben, update.message))).toBe(agreement(update.next));
      const answer = await testCommit(states[2] ?? cat, random);
      expect(agreement(await processCommitOf(next, answer.message))).toBe(agreement(answer.next));
    },
  );

  it("[M-2] is refused unless the receiver allows it", async () => {
    const random = seededRandom("external/refused");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const { message } = await newcomer(random, await createGroupInfo(ann, { withTree: true }));
    await expect(processMessage(ben, message)).rejects.toMatchObject({ code: "unsupported", check: "public" });
  });

  it("takes the place of one's own former leaf, with a PSK, the tree beside it", async () => {
    const random = seededRandom("external/resync");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const id = { source: { kind: "external", pskId: utf8Bytes("shared") }, nonce: random(32) } as const;
    const psk = (): Uint8Array => utf8Bytes("a secret of the members and the newcomer");
    const { message, next } = await newcomer(random, await createGroupInfo(ann), {
      ratchetTree: encodeRatchetTree(ann),
      replaces: cat.ownLeaf,
      psks: [id],
      psk,
    });
    const result = await processMessage(ben, message, { allowExternalCommits: true, psk });
    if (result.kind !== "commit") throw new Error("a commit expected");
    expect(agreement(result.state)).toBe(agreement(next));
    expect(result.removed.map(({ leafIndex }) => leafIndex)).toEqual([cat.ownLeaf]);
    expect((await processMessage(cat, message, { allowExternalCommits: true })).kind).toBe("removed");
    await expect(processMessage(ben, message, { allowExternalCommits: true })).rejects.toMatchObject({
      code: "invalid-commit",
      check: "private",
    });
    await expect(
      newcomer(random, await createGroupInfo(ann, { withTree: true }), { replaces: (next.ownLeaf + 7) as typeof next.ownLeaf }),
    ).rejects.toMatchObject({
      code: "invalid-proposal",
    });
  });

  it("refuses a group info that is damaged, forged or lacks what it needs", async () => {
    const random = seededRandom("external/forged");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const bare = await createGroupInfo(ann);
    await expect(newcomer(random, bare)).rejects.toMatchObject({ code: "usage" });
    await expect(newcomer(random, bare, { ratchetTree: encodeRatchetTree((await testCommit(ann, random)).next) })).rejects.toMatchObject({
      name: "MlsError",
    });
    const forged = await createGroupInfo({ ...ann, signatureSecretKey: ben.signatureSecretKey }, { withTree: true });
    await expect(newcomer(random, forged)).rejects.toMatchObject({ code: "crypto" });
    // An old one leads to an old epoch, where nobody is any more.
    const old = await newcomer(random, await createGroupInfo(ann, { withTree: true }));
    const after = await processCommitOf(ben, (await testCommit(ann, random)).message);
    await expect(processMessage(after, old.message, { allowExternalCommits: true })).rejects.toMatchObject({ code: "wrong-epoch" });
  });
});

describe("ReInit", () => {
  it("ends the group for everybody: nothing more is sent, and the end is stored", async () => {
    const random = seededRandom("reinit");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const created = await createCommit(ann, {
      reInit: { groupId: utf8Bytes("the next group"), cipherSuite: 0xf001, extensions: [] },
      authenticatedData: nothing,
      random,
      nowSeconds,
    });
    const state = await processCommitOf(ben, created.message);
    expect(agreement(state)).toBe(agreement(created.next));
    for (const ended of [
      created.next,
      state,
      decodeGroupState(
        suite,
        encodeGroupState(state).flatMap(({ key, value }): [string, Uint8Array][] => (value === undefined ? [] : [[key, value]])),
      ),
    ]) {
      await expect(testCommit(ended, random)).rejects.toMatchObject({ code: "usage", clause: "RFC 9420 §12.4.2" });
      await expect(encryptApplicationMessage(ended, { plaintext: nothing, authenticatedData: nothing, random })).rejects.toMatchObject({
        code: "usage",
      });
      await expect(createGroupInfo(ended)).rejects.toMatchObject({ code: "usage" });
    }
  });
});

describe("a group that succeeds another one", () => {
  const reInit = { groupId: utf8Bytes("the next group"), cipherSuite: 0xf001, extensions: [] } as const;

  /** A new group of these people, made by the first of them, and what the second needs to join it. */
  async function succeed(
    before: GroupState,
    { usage, id, groupId, names }: { usage: "reinit" | "branch"; id: 0x0001 | 0xf001; groupId: Uint8Array; names: readonly string[] },
  ) {
    const random = seededRandom(`successor/${names.join()}`);
    const other = nodeCrypto.suite(id);
    const [first = "", ...others] = names;
    const founder = await testClient(other, first, random);
    const alone = await createGroup({
      suite: other,
      groupId,
      credential: { kind: "basic", identity: utf8Bytes(first) },
      signatureKeyPair: founder.signatureKeyPair,
      lifetime,
      random,
    });
    const packages = await Promise.all(
      others.map(async (name) => await testKeyPackage(other, await testClient(other, name, random), random)),
    );
    const created = await createCommit(alone, {
      adds: packages.map(({ keyPackage }) => keyPackage),
      successorOf: { state: before, usage },
      authenticatedData: nothing,
      random,
      nowSeconds,
      treeInWelcome: true,
    });
    const [joiner] = packages;
    const [welcome = nothing] = created.welcomes;
    if (joiner === undefined) throw new Error("a joiner");
    return { created, joining: { suite: other, welcome, keyPackage: joiner.keyPackage, privateKeys: joiner.privateKeys } };
  }

  it("by ReInit: its members join the group that was asked for, and no other", async () => {
    const random = seededRandom("successor/reinit");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const ending = await createCommit(ann, { reInit, authenticatedData: nothing, random, nowSeconds });
    const ended = await processMessage(ben, ending.message);
    if (ended.kind !== "commit" || ended.reInit === undefined) throw new Error("a ReInit expected");
    expect(ended.reInit).toEqual(reInit);
    const predecessor = { state: ended.state, reInit: ended.reInit };
    const right = { usage: "reinit", id: 0xf001, groupId: reInit.groupId, names: ["ann", "ben"] } as const;
    const { created, joining } = await succeed(ending.next, right);
    const { state } = await joinGroup({ ...joining, predecessor });
    expect(agreement(state)).toBe(agreement(created.next));
    expect(cipherSuiteId(state)).toBe(0xf001);
    await expect(joinGroup(joining)).rejects.toMatchObject({ code: "unsupported" });
    await expect(joinGroup({ ...joining, predecessor: { state: ben, reInit: ended.reInit } })).rejects.toMatchObject({
      code: "invalid-welcome",
    });
    await expect(joinGroup({ ...joining, predecessor: { state: ended.state } })).rejects.toMatchObject({ code: "invalid-welcome" });
    for (const wrong of [
      { ...right, groupId: utf8Bytes("another") },
      { ...right, id: 0x0001 as const },
      { ...right, names: ["ann", "ben", "eve"] },
    ]) {
      const made = await succeed(ending.next, wrong);
      await expect(joinGroup({ ...made.joining, predecessor })).rejects.toMatchObject({ code: "invalid-welcome" });
    }
    // Nobody can make a successor of a group that goes on, nor give one to a group that has begun.
    await expect(succeed(ann, right)).rejects.toMatchObject({ code: "usage" });
    const late = { successorOf: { state: ending.next, usage: "reinit" }, authenticatedData: nothing, random, nowSeconds } as const;
    await expect(createCommit(created.next, late)).rejects.toMatchObject({ code: "usage" });
  });

  it("by branching: some of its members make one of their own", async () => {
    const [ann, ben] = await groupOf(suite, ["ann", "ben", "cat"], seededRandom("successor/branch"));
    if (ben === undefined) throw new Error("members");
    const right = { usage: "branch", id: 0x0001, groupId: utf8Bytes("aside"), names: ["ann", "ben"] } as const;
    const { created, joining } = await succeed(ann, right);
    expect(agreement((await joinGroup({ ...joining, predecessor: { state: ben } })).state)).toBe(agreement(created.next));
    const stranger = await succeed(ann, { ...right, names: ["ann", "ben", "eve"] });
    await expect(joinGroup({ ...stranger.joining, predecessor: { state: ben } })).rejects.toMatchObject({ code: "invalid-welcome" });
    const hybrid = await succeed(ann, { ...right, id: 0xf001 });
    await expect(joinGroup({ ...hybrid.joining, predecessor: { state: ben } })).rejects.toMatchObject({ code: "invalid-welcome" });
    // The key of another epoch is another key.
    const moved = await processCommitOf(ben, (await testCommit(ann, seededRandom("x"))).message);
    await expect(joinGroup({ ...joining, predecessor: { state: moved } })).rejects.toMatchObject({ code: "invalid-welcome" });
  });
});
