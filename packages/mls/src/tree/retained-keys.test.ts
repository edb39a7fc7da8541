import { seededRandom } from "@latchkey/testkit";
import { expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { groupOf, testCommit } from "../group/group.testing.ts";
import { retainPrivateKeys } from "./tree-kem.ts";
import { leafToNode, toLeafIndex } from "./tree-math.ts";

it("a private key is kept while its node has the same public key, and not beside another one", async () => {
  const random = seededRandom("retained-keys");
  const [ann] = await groupOf(nodeCrypto.suite(1), ["ann", "ben", "cat"], random);
  const { next } = await testCommit(ann, random);
  const [own, other] = [leafToNode(toLeafIndex(0)), leafToNode(toLeafIndex(1))];
  const keys = new Map([
    [own, random(32)],
    [other, random(32)],
  ]);
  expect([...retainPrivateKeys(keys, ann.tree, ann.tree).keys()]).toEqual([own, other]);
  // Her commit renewed her leaf, and left Ben's.
  expect([...retainPrivateKeys(keys, ann.tree, next.tree).keys()]).toEqual([other]);
  expect([...retainPrivateKeys(keys, ann.tree, ann.tree.remove(toLeafIndex(1))).keys()]).toEqual([own]);
});
