import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { encryptApplicationMessage } from "./application.ts";
import { verifyMessageEvidence } from "./evidence.ts";
import { asApplication, groupOf } from "./group.testing.ts";
import { processMessage } from "./process-message.ts";
import { members } from "./state.ts";

it.each([0x0001, 0x0002, 0xf001] as const)(
  "suite %i: evidence proves who wrote what in which epoch, without secrets of the group",
  async (id) => {
    const suite = nodeCrypto.suite(id);
    const random = seededRandom("evidence");
    const [ann, ben] = await groupOf(suite, ["ann", "ben"], random);
    if (ben === undefined) throw new Error("two members");
    const plaintext = utf8Bytes("I said this");
    const { message } = await encryptApplicationMessage(ann, { plaintext, authenticatedData: utf8Bytes("data"), random });
    const { evidence } = asApplication(await processMessage(ben, message));
    const proven = await verifyMessageEvidence(suite, evidence);
    expect(proven).toMatchObject({
      plaintext,
      authenticatedData: utf8Bytes("data"),
      sender: 0,
      epoch: 1n,
      groupId: ben.context.groupId,
      treeHash: ben.context.treeHash,
    });
    expect(evidence.signaturePublicKey).toEqual(members(ben)[0]?.signaturePublicKey);

    const other = members(ben)[1]?.signaturePublicKey ?? plaintext;
    await expect(verifyMessageEvidence(suite, { ...evidence, signaturePublicKey: other })).rejects.toMatchObject({ code: "crypto" });
    for (let at = 0; at < evidence.signedContent.length; at += 7) {
      const signedContent = evidence.signedContent.slice();
      signedContent[at] = (signedContent[at] ?? 0) ^ 1;
      await expect(verifyMessageEvidence(suite, { ...evidence, signedContent })).rejects.toMatchObject({ code: "crypto" });
    }
    const forged = await suite.sign(ann.signatureSecretKey, utf8Bytes("anything"));
    await expect(verifyMessageEvidence(suite, { ...evidence, signature: forged })).rejects.toMatchObject({ code: "crypto" });
  },
);
