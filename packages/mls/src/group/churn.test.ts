import { equalBytes, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import type { CipherSuite, RandomBytes } from "../crypto/suite.ts";
import { encryptApplicationMessage } from "./application.ts";
import { agreement, asApplication, nothing, processCommitOf, testClient, testCommit, testGroup, testJoin, testKeyPackage } from "./group.testing.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { exportSecret, members, ownLeafIndex } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreatedKeyPackage } from "./types.ts";

/** A member with what it has stored. */
interface Device {
  readonly name: string;
  state: GroupState;
  readonly store: Map<string, Uint8Array>;
}

function device(name: string, state: GroupState): Device {
  const store = new Map<string, Uint8Array>();
  for (const { key, value } of encodeGroupState(state)) if (value !== undefined) store.set(key, value);
  return { name, state, store };
}

function adopt(member: Device, next: GroupState): void {
  for (const { key, value } of encodeStateChanges(member.state, next)) {
    if (value === undefined) member.store.delete(key);
    else member.store.set(key, value);
  }
  member.state = next;
}

/** A number below `bound`. */
function below(random: RandomBytes, bound: number): number {
  const [a = 0, b = 0, c = 0] = random(3);
  return ((a << 16) | (b << 8) | c) % bound;
}

function pick<T>(random: RandomBytes, list: readonly T[]): T {
  const chosen = list[below(random, list.length)];
  if (chosen === undefined) throw new Error("nothing to pick from");
  return chosen;
}

async function churn(suite: CipherSuite, seed: string, rounds: number): Promise<{ largest: number; removedCount: number }> {
  const random = seededRandom(seed);
  let count = 0;
  const founder = await testClient(suite, "member 0", random);
  let devices: Device[] = [device(founder.name, await testGroup(suite, founder, random))];
  let largest = 1;
  let removedCount = 0;

  for (let round = 0; round < rounds; round++) {
    await talk(devices, random);
    const committer = pick(random, devices);
    const packages: CreatedKeyPackage[] = [];
    const names: string[] = [];
    const removes = new Set<GroupState["ownLeaf"]>();
    const action = below(random, 10);
    if (action < 5 || devices.length < 3) {
      for (let i = 0; i <= below(random, 4); i++) {
        const client = await testClient(suite, `member ${++count}`, random);
        names.push(client.name);
        packages.push(await testKeyPackage(suite, client, random));
      }
    }
    if (action >= 3 && action < 8 && devices.length > 2) {
      for (let i = 0; i <= below(random, 3); i++) {
        const leaving = ownLeafIndex(pick(random, devices).state);
        if (leaving !== ownLeafIndex(committer.state)) removes.add(leaving);
      }
    }
    const created = await testCommit(committer.state, random, {
      adds: packages.map(({ keyPackage }) => keyPackage),
      removes: [...removes],
      path: below(random, 4) === 0 ? "auto" : "always",
    });
    const secret = await encryptApplicationMessage(created.next, { plaintext: utf8Bytes("after"), authenticatedData: nothing, random });
    const staying: Device[] = [];
    for (const member of devices) {
      if (member === committer) {
        adopt(member, created.next);
        staying.push(member);
        continue;
      }
      // Half of the receivers continue from their store.
      if (below(random, 2) === 0) member.state = decodeGroupState(suite, member.store);
      if (removes.has(ownLeafIndex(member.state))) {
        removedCount++;
        expect((await processMessage(member.state, created.message)).kind).toBe("removed");
        await expect(processMessage(member.state, secret.message)).rejects.toMatchObject({ code: "wrong-epoch" });
        // Even when it pretends to be in the new epoch, with all the keys it has.
        const pretending: GroupState = { ...member.state, context: created.next.context, encodedContext: created.next.encodedContext, tree: created.next.tree };
        await expect(processMessage(pretending, secret.message)).rejects.toMatchObject({ code: "crypto" });
        continue;
      }
      adopt(member, await processCommitOf(member.state, created.message));
      staying.push(member);
    }
    for (const [i, keyPackage] of packages.entries()) staying.push(device(names[i] ?? "", await testJoin(suite, created, i, keyPackage)));
    devices = staying;
    largest = Math.max(largest, devices.length);

    const views = new Set(devices.map(({ state }) => agreement(state)));
    expect(views.size, `seed ${seed}, round ${round}`).toBe(1);
    const exported = exportSecret(created.next, "test", nothing, 32);
    for (const { state } of devices) {
      expect(equalBytes(exportSecret(state, "test", nothing, 32), exported)).toBe(true);
      expect(members(state).length).toBe(devices.length);
    }
  }
  return { largest, removedCount };
}

/** Some members send; everybody else decrypts everything, in an order of their own. */
async function talk(devices: readonly Device[], random: RandomBytes): Promise<void> {
  const sent: { from: Device; text: string; message: Uint8Array }[] = [];
  for (let i = 0; i < below(random, 6); i++) {
    const from = pick(random, devices);
    const text = `message ${i} of ${from.name}`;
    const encrypted = await encryptApplicationMessage(from.state, { plaintext: utf8Bytes(text), authenticatedData: utf8Bytes("aad"), random });
    adopt(from, encrypted.state);
    sent.push({ from, text, message: encrypted.message });
  }
  for (const member of devices) {
    const left = sent.filter(({ from }) => from !== member);
    while (left.length > 0) {
      const [next] = left.splice(below(random, left.length), 1);
      if (next === undefined) break;
      const received = asApplication(await processMessage(member.state, next.message));
      expect(received.plaintext).toEqual(utf8Bytes(next.text));
      expect(received.sender).toBe(ownLeafIndex(next.from.state));
      adopt(member, received.state);
      await expect(processMessage(member.state, next.message)).rejects.toMatchObject({ code: "consumed" });
    }
  }
}

const runs = Number(process.env["LATCHKEY_CHURN_RUNS"] ?? 3);

describe("random sessions", () => {
  for (let run = 0; run < runs; run++) {
    it(`[P2] suite 1, seed ${run}: everybody agrees, joiners join, the removed read nothing`, { timeout: 120_000 }, async () => {
      const { largest, removedCount } = await churn(nodeCrypto.suite(1), `churn/1/${run}`, 40);
      expect(largest).toBeGreaterThan(5);
      expect(removedCount).toBeGreaterThan(5);
    });
    it(`[P2] suite 0xF001, seed ${run}: everybody agrees, joiners join, the removed read nothing`, { timeout: 120_000 }, async () => {
      const { largest, removedCount } = await churn(nodeCrypto.suite(0xf001), `churn/2/${run}`, 25);
      expect(largest).toBeGreaterThan(3);
      expect(removedCount).toBeGreaterThan(2);
    });
  }
});
