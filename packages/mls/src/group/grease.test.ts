import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { extensionTypes, requiredCapabilities } from "../messages/basics.ts";
import { encodeStructure } from "../messages/coding.ts";
import { agreement, lifetime, processCommitOf, testClient, testCommit, testGroup, testJoin, testKeyPackage } from "./group.testing.ts";
import { createKeyPackage } from "./key-packages.ts";

const suite = nodeCrypto.suite(1);
// RFC 9420 section 13.5.
const grease = [0x0a0a, 0x1a1a, 0x2a2a, 0x3a3a, 0x4a4a, 0x5a5a, 0x6a6a, 0x7a7a, 0x8a8a, 0x9a9a, 0xaaaa, 0xbaba, 0xcaca, 0xdada, 0xeaea];

it("a member whose capabilities and extensions are full of values that nobody knows is a member like any other", async () => {
  const random = seededRandom("grease");
  const required = encodeStructure(requiredCapabilities, { extensions: [0x0a0a], proposals: [0x1a1a], credentials: [1] }, "test");
  const ann = await testGroup(suite, await testClient(suite, "ann", random), random);
  const { signatureKeyPair } = await testClient(suite, "grease", random);
  const capabilities = {
    versions: [1, ...grease],
    cipherSuites: [...grease, 1],
    extensions: grease,
    proposals: grease,
    credentials: [...grease, 1],
  };
  const greased = await createKeyPackage({
    suite,
    credential: { kind: "basic", identity: utf8Bytes("grease") },
    signatureKeyPair,
    lifetime,
    capabilities,
    leafExtensions: [{ type: 0x2a2a, data: random(9) }],
    extensions: [{ type: 0x3a3a, data: random(3) }],
    random,
  });
  const plain = await testKeyPackage(suite, await testClient(suite, "plain", random), random);
  const created = await testCommit(ann, random, { adds: [greased.keyPackage, plain.keyPackage] });
  const [first, second] = [await testJoin(suite, created, 0, greased), await testJoin(suite, created, 1, plain)];
  const update = await testCommit(first, random);
  expect(agreement(await processCommitOf(second, update.message))).toBe(agreement(update.next));
  // What is required must be supported by all: one member lists it, the others do not.
  await expect(
    testCommit(first, random, { groupContextExtensions: [{ type: extensionTypes.requiredCapabilities, data: required }] }),
  ).rejects.toMatchObject({ code: "invalid-leaf", clause: "RFC 9420 §11.1" });
  const basics = encodeStructure(requiredCapabilities, { extensions: [], proposals: [], credentials: [1] }, "test");
  const agreed = await testCommit(first, random, { groupContextExtensions: [{ type: extensionTypes.requiredCapabilities, data: basics }] });
  expect(agreement(await processCommitOf(second, agreed.message))).toBe(agreement(agreed.next));
});
