import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { expect, it } from "vitest";
import { signWithLabel } from "../crypto/labeled.ts";
import { nodeCrypto } from "../crypto/node.ts";
import { encryptApplicationMessage, nextGeneration } from "./application.ts";
import { createCommit } from "./create-commit.ts";
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
    const sent = await encryptApplicationMessage(ann, { plaintext, authenticatedData: utf8Bytes("data"), random });
    const { message } = sent;
    const { evidence } = asApplication(await processMessage(ben, message));
    // Who wrote it has the same, and can show it in their own defence.
    expect(sent.evidence).toEqual(evidence);
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
    for (const part of ["content", "context"] as const) {
      for (let at = 0; at < evidence[part].length; at += 7) {
        const altered = evidence[part].slice();
        altered[at] = (altered[at] ?? 0) ^ 1;
        await expect(verifyMessageEvidence(suite, { ...evidence, [part]: altered })).rejects.toMatchObject({ code: "crypto" });
      }
    }
    // A signer of their own words may have put together what never was: content of one epoch, context of another.
    const later = await encryptApplicationMessage(
      (await createCommit(ann, { authenticatedData: plaintext, random, nowSeconds: 1_700_000_000n })).next,
      { plaintext, authenticatedData: plaintext, random },
    );
    const mixed = { ...evidence, context: later.evidence.context };
    const signature = await signWithLabel(suite, {
      secretKey: ann.signatureSecretKey,
      label: "FramedContentTBS",
      content: concatBytes(mixed.content, mixed.context),
    });
    await expect(verifyMessageEvidence(suite, { ...mixed, signature })).rejects.toMatchObject({ code: "malformed" });
    const forged = await suite.sign(ann.signatureSecretKey, utf8Bytes("anything"));
    await expect(verifyMessageEvidence(suite, { ...evidence, signature: forged })).rejects.toMatchObject({ code: "crypto" });
  },
);

it("says which generation comes next, which an author can sign and no signature says", async () => {
  const suite = nodeCrypto.suite(0x0001);
  const random = seededRandom("next generation");
  const [first, ben] = await groupOf(suite, ["ann", "ben"], random);
  if (ben === undefined) throw new Error("two members");
  let ann = first;
  const data = { plaintext: utf8Bytes("pay"), authenticatedData: utf8Bytes("data"), random };
  for (const generation of [0, 1, 2]) {
    expect(nextGeneration(ann)).toBe(generation);
    const sent = await encryptApplicationMessage(ann, data);
    expect(sent.generation).toBe(generation);
    ann = sent.state;
  }
  expect(nextGeneration(first)).toBe(0);
  // Somebody else has every key of Ann's: the same signed content opens under the next one, as hers.
  const sent = await encryptApplicationMessage(ann, data);
  const asAnn = { ...ben, ownLeaf: ann.ownLeaf, suite: { ...suite, sign: () => sent.evidence.signature } };
  expect(nextGeneration(asAnn)).toBe(0);
  const copy = await encryptApplicationMessage(asAnn, data);
  expect(asApplication(await processMessage(ben, copy.message))).toMatchObject({ sender: 0, generation: 0, evidence: sent.evidence });
});
