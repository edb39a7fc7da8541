import { concatBytes, equalBytes, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { decryptWithLabel, verifyWithLabel } from "../crypto/labeled.ts";
import { nobleCrypto } from "../crypto/noble.ts";
import { nodeCrypto } from "../crypto/node.ts";
import { webCrypto } from "../crypto/web.ts";
import { MlsError } from "../errors.ts";
import { extensionTypes } from "../messages/basics.ts";
import { decryptUpdatePath } from "../tree/tree-kem.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { encryptApplicationMessage } from "./application.ts";
import { createCommit } from "./create-commit.ts";
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
  testGroup,
  testJoin,
  testKeyPackage,
  commitOf,
  pathOf,
} from "./group.testing.ts";
import { inspectWelcome } from "./inspect-welcome.ts";
import { joinGroup } from "./join-group.ts";
import { createKeyPackage, decodeKeyPackage, verifyKeyPackage } from "./key-packages.ts";
import { inspectCommit, processMessage } from "./process-message.ts";
import { encodeContext, encodeRatchetTree, epoch, exportSecret, memberAt, members, ownLeafIndex, unmergedLeafCount } from "./state.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);

describe("a group", () => {
  it("adds several, updates, removes, and everybody agrees", async () => {
    const random = seededRandom("group/basic");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    expect(new Set([ann, ben, cat].map(agreement)).size).toBe(1);
    expect(epoch(ann)).toBe(1n);
    expect(members(cat).map(({ credential }) => credential)).toEqual(
      ["ann", "ben", "cat"].map((name) => ({ kind: "basic", identity: utf8Bytes(name) })),
    );
    const update = await testCommit(ben, random);
    const ann2 = await processCommitOf(ann, update.message);
    const cat2 = await processCommitOf(cat, update.message);
    expect(new Set([ann2, update.next, cat2].map(agreement)).size).toBe(1);
    expect(agreement(ann2)).not.toBe(agreement(ann));
    const removal = await testCommit(cat2, random, { removes: [ownLeafIndex(ben)] });
    expect(await processMessage(update.next, removal.message)).toEqual({
      kind: "removed",
      sender: ownLeafIndex(cat),
      authenticatedData: nothing,
    });
    const ann3 = await processCommitOf(ann2, removal.message);
    expect(agreement(ann3)).toBe(agreement(removal.next));
    expect(members(ann3).length).toBe(2);
    expect(memberAt(ann3, ownLeafIndex(ben))).toBeUndefined();
  });

  it("says what a commit does before it is taken, to others and to its author", async () => {
    const random = seededRandom("group/inspect");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const dan = await testKeyPackage(suite, await testClient(suite, "dan", random), random);
    const extensions = [{ type: extensionTypes.applicationId, data: Uint8Array.of(1) }];
    const created = await createCommit(ann, {
      adds: [dan.keyPackage],
      removes: [ownLeafIndex(cat)],
      groupContextExtensions: extensions,
      authenticatedData: utf8Bytes("aad"),
      random,
      nowSeconds,
    });
    for (const view of [ann, ben, cat]) {
      const seen = await inspectCommit(view, created.message);
      expect(seen).toMatchObject({
        sender: 0,
        authenticatedData: utf8Bytes("aad"),
        updates: [],
        groupContextExtensions: extensions,
        hasPath: true,
      });
      expect(seen.removes.map(({ leafIndex }) => leafIndex)).toEqual([ownLeafIndex(cat)]);
      expect(seen.adds).toEqual([{ leafIndex: ownLeafIndex(cat), keyPackage: dan.keyPackage }]);
    }
    const processed = await processMessage(ben, created.message, { nowSeconds });
    if (processed.kind !== "commit") throw new Error("a commit expected");
    expect(processed.added.map(({ credential }) => credential)).toEqual([{ kind: "basic", identity: utf8Bytes("dan") }]);
    expect(processed.removed.map(({ credential }) => credential)).toEqual([{ kind: "basic", identity: utf8Bytes("cat") }]);
    expect(processed.updated).toEqual([0]);
    expect(processed.authenticatedData).toEqual(utf8Bytes("aad"));
  });

  it("keeps the old state through a lost race: the loser's commit is dropped and the winner's processed", async () => {
    const random = seededRandom("group/race");
    const [ann, ben, cat] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined || cat === undefined) throw new Error("three members");
    const winner = await testCommit(ann, random);
    const loser = await testCommit(ben, random, { removes: [ownLeafIndex(cat)] });
    const ben2 = await processCommitOf(ben, winner.message);
    const cat2 = await processCommitOf(cat, winner.message);
    expect(new Set([winner.next, ben2, cat2].map(agreement)).size).toBe(1);
    await expect(processMessage(cat2, loser.message)).rejects.toMatchObject({ code: "wrong-epoch" });
    await expect(processMessage(ben, loser.message)).rejects.toMatchObject({ code: "usage" });
    // The two branches do not understand each other.
    const cat3 = await processMessage(cat, loser.message);
    expect(cat3.kind).toBe("removed");
    const sent = await encryptApplicationMessage(loser.next, { plaintext: utf8Bytes("x"), authenticatedData: nothing, random });
    await expect(processMessage(cat2, sent.message)).rejects.toMatchObject({ code: "crypto" });
  });

  it("[P2] gives a removed member no path secret, whatever it tries", async () => {
    const random = seededRandom("group/removed");
    const names = ["ann", "ben", "cat", "dan", "eve"] as const;
    const states = await groupOf(suite, [...names], random);
    const [ann, ben, cat, dan, eve] = states;
    if (ben === undefined || cat === undefined || dan === undefined || eve === undefined) throw new Error("five members");
    const removal = await testCommit(ann, random, { removes: [ownLeafIndex(eve)] });
    const path = pathOf(removal.message);
    // A path always comes with a removal, also when none was asked for.
    const lazy = await testCommit(ann, random, { removes: [ownLeafIndex(eve)], path: "auto" });
    expect(commitOf(lazy.message).path).toBeDefined();
    const tree = ann.tree.remove(ownLeafIndex(eve));
    const { confirmedTranscriptHash } = ann.context;
    const context = encodeContext({ ...removal.next.context, confirmedTranscriptHash });
    const params = { suite, tree, sender: ownLeafIndex(ann), path, added: new Set<never>(), context };
    for (const member of [ben, cat, dan]) {
      const { commitSecret } = await decryptUpdatePath({ ...params, own: ownLeafIndex(member), privateKeys: member.privateKeys });
      expect(commitSecret.length).toBe(suite.hashBytes);
    }
    await expect(decryptUpdatePath({ ...params, own: ownLeafIndex(eve), privateKeys: eve.privateKeys })).rejects.toBeInstanceOf(MlsError);
    const sealed = path.nodes.flatMap((node) => node.encryptedPathSecrets);
    const open = async (member: GroupState): Promise<number> => {
      let opened = 0;
      for (const { kemOutput, ciphertext } of sealed) {
        for (const [index, secretKey] of member.privateKeys) {
          const publicKey = member.tree.slotAt(index)?.value?.encryptionKey ?? nothing;
          try {
            await decryptWithLabel(suite, { secretKey, publicKey, label: "UpdatePathNode", context, kemOutput, ciphertext });
            opened++;
          } catch (error) {
            expect(error).toMatchObject({ code: "crypto" });
          }
        }
      }
      return opened;
    };
    expect(await open(ben)).toBe(1);
    expect(await open(eve)).toBe(0);
  });

  it("leaves the path out of a commit of adds when asked, and joiners still join", async () => {
    const random = seededRandom("group/auto");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const cat = await testKeyPackage(suite, await testClient(suite, "cat", random), random);
    const created = await testCommit(ann, random, { adds: [cat.keyPackage], path: "auto" });
    expect(commitOf(created.message).path).toBeUndefined();
    const joined = await testJoin(suite, created, 0, cat);
    const ben2 = await processCommitOf(ben, created.message);
    expect(new Set([created.next, ben2, joined].map(agreement)).size).toBe(1);
    const update = await testCommit(joined, random);
    expect(agreement(await processCommitOf(ben2, update.message))).toBe(agreement(update.next));
  });

  it("counts members that commits reach one by one", async () => {
    const random = seededRandom("group/unmerged");
    const states = await groupOf(suite, ["a", "b", "c", "d"], random);
    const [a, b, c, d] = states;
    if (b === undefined || c === undefined || d === undefined) throw new Error("four members");
    expect(unmergedLeafCount(a)).toBe(2);
    const update = await testCommit(c, random);
    expect(unmergedLeafCount(update.next)).toBe(0);
    expect(unmergedLeafCount(await processCommitOf(a, update.message))).toBe(0);
  });

  it("puts the tree into the Welcome when asked", async () => {
    const random = seededRandom("group/inline tree");
    const ann = await testGroup(suite, await testClient(suite, "ann", random), random);
    const ben = await testKeyPackage(suite, await testClient(suite, "ben", random), random);
    const created = await testCommit(ann, random, { adds: [ben.keyPackage], treeInWelcome: true });
    const [welcome] = created.welcomes;
    if (welcome === undefined) throw new Error("a Welcome");
    const params = { suite, welcome, keyPackage: ben.keyPackage, privateKeys: ben.privateKeys };
    const joined = await joinGroup({ ...params, nowSeconds });
    expect(agreement(joined.state)).toBe(agreement(created.next));
    expect(joined.welcomeSigner).toBe(0);
    const bare = await testCommit(ann, random, { adds: [ben.keyPackage] });
    await expect(joinGroup({ ...params, welcome: bare.welcomes[0] ?? nothing })).rejects.toMatchObject({ code: "usage" });
  });

  it("gives evidence of application messages that others can verify", async () => {
    const random = seededRandom("group/evidence");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const sent = await encryptApplicationMessage(ann, {
      plaintext: utf8Bytes("hello"),
      authenticatedData: utf8Bytes("aad"),
      random,
      paddingBytes: 100,
    });
    const received = asApplication(await processMessage(ben, sent.message));
    expect(received).toMatchObject({
      plaintext: utf8Bytes("hello"),
      authenticatedData: utf8Bytes("aad"),
      sender: 0,
      epoch: 1n,
      generation: 0,
    });
    const { content, context, signature, signaturePublicKey } = received.evidence;
    const signedContent = concatBytes(content, context);
    expect(signaturePublicKey).toEqual(memberAt(ben, toLeafIndex(0))?.signaturePublicKey);
    expect(
      await verifyWithLabel(suite, { publicKey: signaturePublicKey, label: "FramedContentTBS", content: signedContent, signature }),
    ).toBe(true);
    const altered = signedContent.slice();
    altered[40] = (altered[40] ?? 0) ^ 1;
    expect(await verifyWithLabel(suite, { publicKey: signaturePublicKey, label: "FramedContentTBS", content: altered, signature })).toBe(
      false,
    );
  });

  it("mixes pre-shared keys into the epoch, and refuses a commit whose key is missing", async () => {
    const random = seededRandom("group/psk");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const psks = [{ source: { kind: "external", pskId: utf8Bytes("id") }, nonce: random(32) }] as const;
    const psk = (): Uint8Array => utf8Bytes("a key from elsewhere");
    const created = await testCommit(ann, random, { psks, psk });
    const processed = await processMessage(ben, created.message, { psk });
    if (processed.kind !== "commit") throw new Error("a commit expected");
    expect(agreement(processed.state)).toBe(agreement(created.next));
    await expect(processMessage(ben, created.message)).rejects.toMatchObject({ code: "invalid-commit", check: "private" });
    await expect(processMessage(ben, created.message, { psk: () => utf8Bytes("another") })).rejects.toMatchObject({ check: "private" });
    await expect(testCommit(ann, random, { psks })).rejects.toMatchObject({ code: "usage" });
  });

  it("is the same for every provider", async () => {
    for (const id of [0x0001, 0xf001] as const) {
      const random = seededRandom("group/providers");
      const [node, noble, web] = [nodeCrypto.suite(id), nobleCrypto.suite(id), webCrypto.suite(id)];
      const ann = await testGroup(node, await testClient(node, "ann", random), random);
      const ben = await testKeyPackage(noble, await testClient(noble, "ben", random), random);
      const cat = await testKeyPackage(web, await testClient(web, "cat", random), random);
      const created = await testCommit(ann, random, { adds: [ben.keyPackage, cat.keyPackage] });
      const states = [created.next, await testJoin(noble, created, 0, ben), await testJoin(web, created, 1, cat)];
      expect(new Set(states.map(agreement)).size).toBe(1);
      for (const [i, author] of states.entries()) {
        const sent = await encryptApplicationMessage(author, { plaintext: utf8Bytes("hello"), authenticatedData: nothing, random });
        const update = await testCommit(author, random);
        for (const [j, receiver] of states.entries()) {
          if (i === j) continue;
          expect(asApplication(await processMessage(receiver, sent.message)).plaintext).toEqual(utf8Bytes("hello"));
          expect(agreement(await processCommitOf(receiver, update.message))).toBe(agreement(update.next));
        }
      }
    }
  });

  it("derives exporter secrets by label, context and size", async () => {
    const random = seededRandom("group/exporter");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const own = exportSecret(ann, "label", utf8Bytes("context"), 48);
    expect(exportSecret(ben, "label", utf8Bytes("context"), 48)).toEqual(own);
    expect(own.length).toBe(48);
    for (const [label, context] of [
      ["other", "context"],
      ["label", "other"],
    ] as const) {
      expect(equalBytes(exportSecret(ann, label, utf8Bytes(context), 48), own)).toBe(false);
    }
  });
});

describe("a key package", () => {
  it("is verified by itself", async () => {
    const random = seededRandom("key package");
    const client = await testClient(suite, "ann", random);
    const created = await testKeyPackage(suite, client, random);
    const decoded = decodeKeyPackage(created.message);
    expect(decoded).toEqual(created.keyPackage);
    await verifyKeyPackage(suite, decoded, { nowSeconds });
    await expect(verifyKeyPackage(suite, decoded, { nowSeconds: lifetime.notAfter + 1n })).rejects.toMatchObject({ code: "invalid-leaf" });
    await expect(verifyKeyPackage(suite, { ...decoded, initKey: random(32) }, { nowSeconds })).rejects.toMatchObject({
      code: "invalid-leaf",
    });
    await expect(verifyKeyPackage(suite, { ...decoded, initKey: new Uint8Array(32) }, { nowSeconds })).rejects.toMatchObject({
      code: "invalid-leaf",
    });
    await expect(verifyKeyPackage(nodeCrypto.suite(3), decoded, { nowSeconds })).rejects.toMatchObject({ code: "invalid-leaf" });
  });

  it("lists the extensions it carries as supported", async () => {
    const random = seededRandom("key package/extensions");
    const client = await testClient(suite, "ann", random);
    const created = await createKeyPackage({
      suite,
      credential: { kind: "basic", identity: utf8Bytes("ann") },
      signatureKeyPair: client.signatureKeyPair,
      lifetime,
      leafExtensions: [{ type: 0xf1a8, data: nothing }],
      extensions: [{ type: extensionTypes.lastResort, data: nothing }],
      random,
    });
    expect(created.keyPackage.leafNode.capabilities.extensions).toEqual([0xf1a8, extensionTypes.lastResort]);
    await verifyKeyPackage(suite, created.keyPackage, { nowSeconds });
  });
});

describe("a Welcome that breaks a rule", () => {
  it("is refused", async () => {
    const random = seededRandom("welcome/rules");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const cat = await testKeyPackage(suite, await testClient(suite, "cat", random), random);
    const dan = await testKeyPackage(suite, await testClient(suite, "dan", random), random);
    const created = await testCommit(ann, random, { adds: [cat.keyPackage, dan.keyPackage] });
    const [welcome, danWelcome] = created.welcomes;
    if (welcome === undefined || danWelcome === undefined) throw new Error("a Welcome for each");
    const ratchetTree = encodeRatchetTree(created.next);
    const params = { suite, welcome, keyPackage: cat.keyPackage, privateKeys: cat.privateKeys, ratchetTree };
    expect(agreement((await joinGroup(params)).state)).toBe(agreement(created.next));
    expect(inspectWelcome(welcome)).toEqual({ cipherSuite: 1, references: [cat.reference] });
    expect(inspectWelcome(danWelcome).references).toEqual([dan.reference]);
    expect(() => inspectWelcome(created.message)).toThrow(MlsError);
    await expect(joinGroup({ ...params, welcome: danWelcome })).rejects.toMatchObject({ code: "invalid-welcome" });
    await expect(joinGroup({ ...params, privateKeys: dan.privateKeys })).rejects.toMatchObject({ code: "crypto" });
    await expect(joinGroup({ ...params, ratchetTree: encodeRatchetTree(ann) })).rejects.toMatchObject({ code: "invalid-tree" });
    await expect(joinGroup({ ...params, suite: nodeCrypto.suite(3) })).rejects.toMatchObject({ code: "invalid-welcome" });
    await expect(joinGroup({ ...params, welcome: created.message })).rejects.toMatchObject({ code: "malformed" });
    await expect(joinGroup({ ...params, nowSeconds: lifetime.notAfter + 1n })).rejects.toMatchObject({ code: "invalid-leaf" });
    for (let at = 0; at < welcome.length; at += 7) {
      const damaged = welcome.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await expect(joinGroup({ ...params, welcome: damaged })).rejects.toBeInstanceOf(MlsError);
    }
  });
});
