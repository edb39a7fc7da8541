import { utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { commitOf, groupOf, testClient, testCommit, testJoin, testKeyPackage } from "./group.testing.ts";
import { processMessage } from "./process-message.ts";

const suite = nodeCrypto.suite(1);

/** What went through a suite, by reference: whoever made it may have overwritten it since. */
interface Seen {
  readonly suite: CipherSuite;
  /** The secrets derived under a label. */
  readonly derived: (label: string) => readonly Uint8Array[];
  /** The plaintexts of HPKE. */
  readonly opened: readonly Uint8Array[];
  /** The salts of extraction. */
  readonly salts: readonly Uint8Array[];
}

function watched(): Seen {
  const outputs: { info: Uint8Array; output: Uint8Array }[] = [];
  const opened: Uint8Array[] = [];
  const salts: Uint8Array[] = [];
  const holds = (bytes: Uint8Array, part: Uint8Array): boolean =>
    bytes.some((_, at) => part.every((byte, index) => bytes[at + index] === byte));
  return {
    suite: {
      ...suite,
      extract(salt, inputKeyMaterial) {
        salts.push(salt);
        return suite.extract(salt, inputKeyMaterial);
      },
      expand(pseudoRandomKey, info, sizeBytes) {
        const output = suite.expand(pseudoRandomKey, info, sizeBytes);
        outputs.push({ info: info.slice(), output });
        return output;
      },
      async hpkeOpen(params) {
        const plaintext = await suite.hpkeOpen(params);
        opened.push(plaintext);
        return plaintext;
      },
    },
    derived: (label) => outputs.filter(({ info }) => holds(info, utf8Bytes(`MLS 1.0 ${label}`))).map(({ output }) => output),
    opened,
    salts,
  };
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** That there were such secrets, and that nothing of them is left. */
function expectWiped(secrets: readonly Uint8Array[]): void {
  expect(secrets.length).toBeGreaterThan(0);
  expect(secrets.map((secret) => isZero(secret))).toEqual(secrets.map(() => true));
}

describe("secrets that only the beginning of an epoch needs are overwritten", () => {
  it("by who makes a commit: path secrets, commit secret, joiner secret, encryption secret and confirmation key", async () => {
    const random = seededRandom("wiping/create");
    const [ann] = await groupOf(suite, ["ann", "ben", "cat", "dan"], random);
    const seen = watched();
    const { keyPackage } = await testKeyPackage(suite, await testClient(suite, "eve", random), random);
    const { next } = await testCommit({ ...ann, suite: seen.suite }, random, { adds: [keyPackage] });
    for (const label of ["path", "node", "joiner", "encryption", "confirm"]) expectWiped(seen.derived(label));
    expect(seen.derived("path").length).toBeGreaterThan(1);
    expect(isZero(next.secrets.exporterSecret)).toBe(false);
  });

  it("by who processes it: the path secret that it decrypted, and those after it", async () => {
    const random = seededRandom("wiping/process");
    const [ann, , , dan] = await groupOf(suite, ["ann", "ben", "cat", "dan"], random);
    if (dan === undefined) throw new Error("four members");
    // The second time, the tree has parents, so that more than the last secret is derived.
    const first = await testCommit(ann, random);
    const processed = await processMessage(dan, first.message);
    if (processed.kind !== "commit") throw new Error("a commit");
    const { message } = await testCommit(first.next, random);
    const seen = watched();
    const after = await processMessage({ ...processed.state, suite: seen.suite }, message);
    expect(after.kind).toBe("commit");
    expectWiped(seen.opened);
    for (const label of ["path", "node", "joiner", "encryption", "confirm"]) expectWiped(seen.derived(label));
  });

  it("by who joins: the joiner secret, wherever it went", async () => {
    const random = seededRandom("wiping/join");
    const [ann] = await groupOf(suite, ["ann", "ben"], random);
    const keyPackage = await testKeyPackage(suite, await testClient(suite, "cat", random), random);
    const created = await testCommit(ann, random, { adds: [keyPackage.keyPackage] });
    const seen = watched();
    await testJoin(seen.suite, created, 0, keyPackage);
    expectWiped(seen.salts);
    for (const label of ["encryption", "confirm"]) expectWiped(seen.derived(label));
  });
});

describe("a path's secrets", () => {
  it("are encrypted to nobody whom the same commit adds: the Welcome has what is theirs (RFC 9420 7.5)", async () => {
    const random = seededRandom("wiping/recipients");
    const [ann] = await groupOf(suite, ["ann", "ben", "cat"], random);
    const { keyPackage } = await testKeyPackage(suite, await testClient(suite, "dan", random), random);
    const count = async (adds: (typeof keyPackage)[]): Promise<number> => {
      const { path } = commitOf((await testCommit(ann, random, { adds })).message);
      return path?.nodes.reduce((sum, { encryptedPathSecrets }) => sum + encryptedPathSecrets.length, 0) ?? 0;
    };
    expect(await count([])).toBe(2);
    expect(await count([keyPackage])).toBe(2);
  });
});
