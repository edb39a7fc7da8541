import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { RandomBytes } from "../crypto/suite.ts";
import { encryptApplicationMessage } from "./application.ts";
import { createCommit } from "./create-commit.ts";
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
} from "./group.testing.ts";
import { decodeGroupState, encodeGroupState } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { encodeRatchetTree, members } from "./state.ts";
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
