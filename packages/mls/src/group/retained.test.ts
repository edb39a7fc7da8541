import { seededRandom } from "@latchkey/testkit";
import { expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { StateRecord } from "../secret-tree/records.ts";
import { encryptApplicationMessage } from "./application.ts";
import {
  agreement,
  asApplication,
  nothing,
  processCommitOf,
  testClient,
  testCommit,
  testGroup,
  testJoin,
  testKeyPackage,
} from "./group.testing.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import type { GroupState } from "./state.ts";

const suite = nodeCrypto.suite(1);
const memberCount = 256;

function apply(records: ReadonlyMap<string, Uint8Array>, changes: readonly StateRecord[]): Map<string, Uint8Array> {
  const changed = new Map(records);
  for (const { key, value } of changes) {
    if (value === undefined) changed.delete(key);
    else changed.set(key, value);
  }
  return changed;
}

const sizeOf = (records: readonly StateRecord[]): number =>
  records.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);

it(
  `five retained epochs of ${memberCount} members are stored as what leads back to them: the tree once, a path for each, and they still read`,
  { timeout: 60_000 },
  async () => {
    const random = seededRandom("retained");
    const alone = await testGroup(suite, await testClient(suite, "founder", random), random);
    const packages = [];
    for (let i = 1; i < memberCount; i++)
      packages.push(await testKeyPackage(suite, await testClient(suite, `member ${i}`, random), random));
    const created = await testCommit(alone, random, { adds: packages.map(({ keyPackage }) => keyPackage) });
    const [first] = packages;
    if (first === undefined) throw new Error("a joiner");
    let author = created.next;
    let reader = await testJoin(suite, created, 0, first);
    let current = apply(new Map(), encodeGroupState(reader));
    const back: StateRecord[][] = [];
    const late: { readonly message: Uint8Array; readonly state: GroupState }[] = [];
    for (let epoch = 0; epoch < 5; epoch++) {
      const sent = await encryptApplicationMessage(author, { plaintext: random(50), authenticatedData: nothing, random });
      late.push({ message: sent.message, state: reader });
      const { message, next } = await testCommit(sent.state, random);
      const after = await processCommitOf(reader, message);
      back.unshift(encodeStateChanges(after, reader));
      current = apply(current, encodeStateChanges(reader, after));
      [author, reader] = [next, after];
    }
    const whole = sizeOf(encodeGroupState(reader));
    for (const changes of back) expect(sizeOf(changes)).toBeLessThan(whole / 5);
    let records = current;
    for (const [i, changes] of back.entries()) {
      records = apply(records, changes);
      const expected = late.at(-1 - i);
      if (expected === undefined) throw new Error("an epoch");
      const restored = decodeGroupState(suite, records);
      expect(agreement(restored)).toBe(agreement(expected.state));
      expect(asApplication(await processMessage(restored, expected.message)).plaintext.length).toBe(50);
    }
  },
);
