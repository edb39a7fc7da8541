import { concatBytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { MlsError } from "../errors.ts";
import { encryptApplicationMessage } from "./application.ts";
import { groupOf, nothing, testClient, testCommit, testKeyPackage } from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import { decodeKeyPackage, decodeKeyPackagePrivateKeys, encodeKeyPackagePrivateKeys } from "./key-packages.ts";
import { inspectCommit, processMessage } from "./process-message.ts";
import { encodeRatchetTree } from "./state.ts";

const suite = nodeCrypto.suite(1);

/** What is thrown, or undefined. */
async function failure(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("malformed input", () => {
  it("gives a typed error wherever it is cut, lengthened or damaged, and leaves the state as it was", async () => {
    const random = seededRandom("malformed");
    const [ann, ben] = await groupOf(suite, ["ann", "ben", "cat"], random);
    if (ben === undefined) throw new Error("three members");
    const dan = await testKeyPackage(suite, await testClient(suite, "dan", random), random);
    const commit = await testCommit(ann, random, { adds: [dan.keyPackage] });
    const application = await encryptApplicationMessage(ann, {
      plaintext: random(40),
      authenticatedData: random(10),
      random,
      paddingBytes: 20,
    });
    const [welcome = nothing] = commit.welcomes;
    const tree = encodeRatchetTree(commit.next);
    const joining = { suite, keyPackage: dan.keyPackage, privateKeys: dan.privateKeys };
    const inputs: [string, Uint8Array, (input: Uint8Array) => unknown][] = [
      ["commit", commit.message, async (input) => await processMessage(ben, input)],
      ["commit to inspect", commit.message, async (input) => await inspectCommit(ben, input)],
      ["application message", application.message, async (input) => await processMessage(ben, input)],
      ["welcome", welcome, async (input) => await joinGroup({ ...joining, welcome: input, ratchetTree: tree })],
      ["tree", tree, async (input) => await joinGroup({ ...joining, welcome, ratchetTree: input })],
      ["private keys", encodeKeyPackagePrivateKeys(dan.privateKeys), decodeKeyPackagePrivateKeys],
      ["key package", dan.message, decodeKeyPackage],
    ];
    for (const [what, whole, run] of inputs) {
      expect(await failure(() => run(whole)), what).toBeUndefined();
      for (let size = 0; size < whole.length; size++) {
        expect(await failure(() => run(whole.subarray(0, size))), `${what}, first ${size} bytes`).toBeInstanceOf(MlsError);
      }
      expect(await failure(() => run(concatBytes(whole, Uint8Array.of(0)))), `${what} and a byte more`).toBeInstanceOf(MlsError);
      for (let at = 0; at < whole.length; at++) {
        const damaged = whole.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at & 7));
        const error = await failure(() => run(damaged));
        // Only what carries no authentication of its own may pass here.
        if (what === "private keys" || what === "key package")
          expect(error === undefined || error instanceof MlsError, `${what} at ${at}`).toBe(true);
        else expect(error, `${what} damaged at ${at}`).toBeInstanceOf(MlsError);
      }
    }
    expect((await processMessage(ben, application.message)).kind).toBe("application");
    expect((await processMessage(ben, commit.message)).kind).toBe("commit");
  });

  it("is refused for random bytes and for messages of another kind", async () => {
    const random = seededRandom("malformed/random");
    const [ann] = await groupOf(suite, ["ann", "ben"], random);
    for (let i = 0; i < 300; i++) {
      const bytes = concatBytes(Uint8Array.of(0, 1, 0, 1 + (i % 5)), random(i));
      expect(await failure(() => processMessage(ann, bytes))).toBeInstanceOf(MlsError);
    }
    await expect(processMessage(ann, Uint8Array.of(0, 2, 0, 1))).rejects.toMatchObject({ code: "unsupported" });
    expect(() => decodeKeyPackage(Uint8Array.of(0, 1, 0, 2))).toThrow(MlsError);
  });
});
