import { encode, toHex, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { testRandom } from "../crypto/random.testing.ts";
import type { AuthenticatedContent, FramedContent, PrivateMessage } from "../messages/framing.ts";
import { groupContext } from "../messages/group-context.ts";
import { createSecretTree } from "../secret-tree/secret-tree.ts";
import type { SecretTree } from "../secret-tree/secret-tree.ts";
import { toLeafIndex } from "../tree/tree-math.ts";
import { contentToBeSigned, signContent, verifyContent } from "./authenticate.ts";
import { protectPrivateMessage, senderDataKeyAndNonce, unprotectPrivateMessage } from "./private-message.ts";
import { protectPublicMessage, unprotectPublicMessage } from "./public-message.ts";

const suite = nodeCrypto.suite(0x0001);
const random = testRandom();
const senderDataSecret = random(32);
const membershipKey = random(32);
const signer = await suite.generateSignatureKeyPair(random);
const context = encode(groupContext, {
  version: 1,
  cipherSuite: 1,
  groupId: utf8Bytes("group"),
  epoch: 5n,
  treeHash: random(32),
  confirmedTranscriptHash: random(32),
  extensions: [],
});
const newTree = (): SecretTree => createSecretTree({ encryptionSecret: new Uint8Array(32).fill(1), leafCount: 4 });

const framed: FramedContent = {
  groupId: utf8Bytes("group"),
  epoch: 5n,
  sender: { kind: "member", leafIndex: toLeafIndex(2) },
  authenticatedData: utf8Bytes("aad"),
  body: { kind: "application", data: utf8Bytes("hello") },
};

async function authenticated(content: FramedContent, wireFormat: "public-message" | "private-message"): Promise<AuthenticatedContent> {
  const signature = await signContent(suite, { wireFormat, content, groupContext: context, secretKey: signer.secretKey });
  return { wireFormat, content, auth: { signature, confirmationTag: undefined } };
}

async function sealed(tree: SecretTree = newTree()): ReturnType<typeof protectPrivateMessage> {
  return protectPrivateMessage(suite, { content: await authenticated(framed, "private-message"), senderDataSecret, tree, random });
}

const open = (message: PrivateMessage, tree: SecretTree = newTree()): ReturnType<typeof unprotectPrivateMessage> =>
  unprotectPrivateMessage(suite, { message, senderDataSecret, tree });

const flip = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));

describe("private messages", () => {
  test("open once: a replay is consumed, also by the sender's own tree", async () => {
    const { message, tree: sender, generation } = await sealed();
    expect(generation).toBe(0);
    const opened = await open(message);
    await verifyContent(suite, { content: opened.content, groupContext: context, publicKey: signer.publicKey });
    expect(opened.content.content).toEqual(framed);
    await expect(open(message, opened.tree)).rejects.toMatchObject({ code: "consumed" });
    await expect(open(message, sender)).rejects.toMatchObject({ code: "consumed" });
  });

  test("every changed field is refused, and the unchanged message still opens", async () => {
    const { message } = await sealed();
    const tree = newTree();
    for (const changed of [
      { ...message, groupId: utf8Bytes("grouq") },
      { ...message, epoch: 6n },
      { ...message, contentType: "proposal" as const },
      { ...message, authenticatedData: utf8Bytes("aax") },
      { ...message, encryptedSenderData: flip(message.encryptedSenderData) },
      { ...message, ciphertext: flip(message.ciphertext) },
      { ...message, ciphertext: Uint8Array.from(message.ciphertext, (byte, i) => (i === 0 ? byte ^ 1 : byte)) },
      { ...message, ciphertext: message.ciphertext.subarray(0, 8) },
      { ...message, ciphertext: new Uint8Array(0) },
    ]) {
      await expect(open(changed, tree)).rejects.toMatchObject({ code: "crypto" });
    }
    expect((await open(message, tree)).generation).toBe(0);
  });

  test("padding is hidden, and refused unless it is zero", async () => {
    const content = await authenticated(framed, "private-message");
    const short = await protectPrivateMessage(suite, { content, senderDataSecret, tree: newTree(), random });
    const long = await protectPrivateMessage(suite, { content, senderDataSecret, tree: newTree(), random, paddingBytes: 100 });
    expect(long.message.ciphertext.length).toBe(short.message.ciphertext.length + 100);
    expect((await open(long.message)).content).toEqual(content);
    await expect(open(await forged({ padding: 1 }))).rejects.toMatchObject({ code: "malformed" });
    await expect(open(await forged({ padding: 0 }))).resolves.toMatchObject({ leafIndex: 2 });
  });

  test("a sender outside the tree or a generation too far ahead is refused", async () => {
    await expect(open(await forged({ leafIndex: 4 }))).rejects.toMatchObject({ code: "malformed" });
    await expect(open(await forged({ generation: 1001 }))).rejects.toMatchObject({ code: "too-far" });
  });

  test("only members' content signed for this wire format is encrypted", async () => {
    const params = { senderDataSecret, tree: newTree(), random };
    const wrongFormat = await authenticated(framed, "public-message");
    await expect(protectPrivateMessage(suite, { ...params, content: wrongFormat })).rejects.toMatchObject({ code: "usage" });
    const stranger = await authenticated({ ...framed, sender: { kind: "new-member-commit" } }, "private-message");
    await expect(protectPrivateMessage(suite, { ...params, content: stranger })).rejects.toMatchObject({ code: "usage" });
  });

  /** A private message built by hand, as a malicious member could. */
  async function forged(wish: { padding?: number; leafIndex?: number; generation?: number }): Promise<PrivateMessage> {
    const { message } = await sealed();
    const { nextMessageKey } = await import("../secret-tree/secret-tree.ts");
    const { key, nonce } = nextMessageKey(suite, newTree(), { leafIndex: toLeafIndex(2), ratchet: "application" });
    const { privateContentAad, senderDataAad } = await import("../messages/framing.ts");
    const { groupId, epoch, contentType, authenticatedData } = message;
    const signature = (await authenticated(framed, "private-message")).auth.signature;
    const plaintext = Uint8Array.of(5, ...utf8Bytes("hello"), 0x40, signature.length, ...signature, 0, 0, wish.padding ?? 0);
    const ciphertext = await suite.seal({
      key,
      nonce,
      aad: encode(privateContentAad, { groupId, epoch, contentType, authenticatedData }),
      plaintext,
    });
    const senderData = new Uint8Array(12);
    const view = new DataView(senderData.buffer);
    view.setUint32(0, wish.leafIndex ?? 2);
    view.setUint32(4, wish.generation ?? 0);
    const hidden = senderDataKeyAndNonce(suite, { senderDataSecret, ciphertext });
    const encryptedSenderData = await suite.seal({
      ...hidden,
      aad: encode(senderDataAad, { groupId, epoch, contentType }),
      plaintext: senderData,
    });
    return { ...message, ciphertext, encryptedSenderData };
  }
});

describe("signatures", () => {
  test("cover the wire format, every field and the group context", async () => {
    const content = await authenticated(framed, "private-message");
    const publicKey = signer.publicKey;
    await verifyContent(suite, { content, groupContext: context, publicKey });
    const wrong: AuthenticatedContent[] = [
      { ...content, wireFormat: "public-message" },
      { ...content, content: { ...framed, epoch: 6n } },
      { ...content, content: { ...framed, sender: { kind: "member", leafIndex: toLeafIndex(3) } } },
      { ...content, content: { ...framed, authenticatedData: utf8Bytes("aax") } },
      { ...content, content: { ...framed, body: { kind: "application", data: utf8Bytes("hellp") } } },
      { ...content, auth: { ...content.auth, signature: flip(content.auth.signature) } },
    ];
    for (const changed of wrong) {
      await expect(verifyContent(suite, { content: changed, groupContext: context, publicKey })).rejects.toMatchObject({ code: "crypto" });
    }
    await expect(verifyContent(suite, { content, groupContext: flip(context), publicKey })).rejects.toMatchObject({ code: "crypto" });
    await expect(verifyContent(suite, { content, groupContext: context, publicKey: flip(publicKey) })).rejects.toMatchObject({
      code: "crypto",
    });
  });

  test("leave the group context out for external senders only", () => {
    const external: FramedContent = { ...framed, sender: { kind: "external", senderIndex: 0 } };
    const parts = { wireFormat: "public-message" as const, content: external };
    expect(toHex(contentToBeSigned({ ...parts, groupContext: context }))).toBe(
      toHex(contentToBeSigned({ ...parts, groupContext: undefined })),
    );
    expect(() => contentToBeSigned({ ...parts, content: framed, groupContext: undefined })).toThrow(
      expect.objectContaining({ code: "usage" }) as Error,
    );
  });
});

describe("public messages", () => {
  const removal: FramedContent = { ...framed, body: { kind: "proposal", proposal: { kind: "remove", removed: toLeafIndex(1) } } };

  test("carry a membership tag that a non-member cannot make", async () => {
    const content = await authenticated(removal, "public-message");
    const message = protectPublicMessage(suite, { content, membershipKey, groupContext: context });
    expect(unprotectPublicMessage(suite, { message, membershipKey, groupContext: context })).toEqual(content);
    for (const params of [
      { message, membershipKey: flip(membershipKey), groupContext: context },
      { message, membershipKey, groupContext: flip(context) },
      { message: { ...message, membershipTag: undefined }, membershipKey, groupContext: context },
      { message: { ...message, auth: { ...message.auth, signature: flip(message.auth.signature) } }, membershipKey, groupContext: context },
    ]) {
      expect(() => unprotectPublicMessage(suite, params)).toThrow(expect.objectContaining({ code: "crypto" }) as Error);
    }
  });

  test("never carry application data", async () => {
    const content = await authenticated(framed, "public-message");
    expect(() => protectPublicMessage(suite, { content, membershipKey, groupContext: context })).toThrow(
      expect.objectContaining({ code: "usage" }) as Error,
    );
    const message = { content: framed, auth: content.auth, membershipTag: random(32) };
    expect(() => unprotectPublicMessage(suite, { message, membershipKey, groupContext: context })).toThrow(
      expect.objectContaining({ code: "malformed" }) as Error,
    );
  });
});
