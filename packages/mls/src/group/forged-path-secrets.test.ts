import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { forgeWelcome } from "./forging.testing.ts";
import { groupOf, testClient, testCommit, testKeyPackage } from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import type { JoinedGroup } from "./types.ts";

const suite = nodeCrypto.suite(1);

/** Joins by a Welcome that the adder wrote anew, signed as it should be, with this path secret in it. */
async function join(seed: string, pathSecretOf: (random: (size: number) => Uint8Array) => Uint8Array | undefined): Promise<JoinedGroup> {
  const random = seededRandom(seed);
  const [ann] = await groupOf(suite, ["ann", "ben", "cat"], random);
  const dan = await testKeyPackage(suite, await testClient(suite, "dan", random), random);
  const { next } = await testCommit(ann, random, { adds: [dan.keyPackage] });
  const pathSecret = pathSecretOf(random);
  const forged = { nodes: next.tree.toNodes(), ...(pathSecret === undefined ? {} : { pathSecret }) };
  const { welcome, ratchetTree } = await forgeWelcome(next, dan, forged);
  return await joinGroup({ suite, welcome, ratchetTree, keyPackage: dan.keyPackage, privateKeys: dan.privateKeys });
}

describe("a Welcome whose path secret is not the one of its tree (RFC 9420 12.4.3.1)", () => {
  it("none, for nodes that count the joiner as merged: later commits would not reach it", async () => {
    await expect(join("withheld", () => undefined)).rejects.toMatchObject({
      code: "invalid-welcome",
      message: expect.stringContaining("a parent node whose secret was withheld"),
    });
  });

  it("another one", async () => {
    await expect(join("another", (random) => random(32))).rejects.toMatchObject({
      code: "invalid-welcome",
      message: expect.stringContaining("a path secret that does not fit the tree"),
    });
  });

  it("one of another size", async () => {
    await expect(join("size", (random) => random(31))).rejects.toMatchObject({
      code: "invalid-welcome",
      message: expect.stringContaining("a path secret that does not fit the tree"),
    });
  });
});
