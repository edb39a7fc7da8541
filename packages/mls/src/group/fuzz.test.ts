import { CodecError, decode, encode } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "../crypto/node.ts";
import { MlsError } from "../errors.ts";
import { decodeMessage, encodeMessage } from "../messages/message.ts";
import { ratchetTreeNodes } from "../messages/nodes.ts";
import { encryptApplicationMessage } from "./application.ts";
import { createExternalProposal, createProposal } from "./create-proposal.ts";
import { reforgeCommit } from "./forging.testing.ts";
import { commitOf, groupOf, nothing, nowSeconds, processCommitOf, testClient, testCommit, testKeyPackage } from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import { decodeKeyPackage, verifyKeyPackage } from "./key-packages.ts";
import { mutate } from "./mutate.testing.ts";
import { decodeGroupState, encodeGroupState } from "./persistence.ts";
import { inspectCommit, processMessage } from "./process-message.ts";
import { numberBelow } from "./sessions.testing.ts";
import { encodeRatchetTree } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { ProposalRequest } from "./types.ts";

const isNightly = process.env["LATCHKEY_NIGHTLY"] === "1";
const rounds = Number(process.env["LATCHKEY_FUZZ_ROUNDS"] ?? (isNightly ? 60_000 : 500));
const suite = nodeCrypto.suite(1);
/** Far above what any of these inputs needs, far below what a person would call a hang. */
const hangMs = 4000;

function fingerprint(state: GroupState): string {
  return JSON.stringify(encodeGroupState(state).map(({ key, value }) => [key, value === undefined ? 0 : [...value]]));
}

/** Runs it on hostile input: it may refuse by an MlsError and do nothing else, and soon. */
async function requireOrderly(what: string, run: () => unknown): Promise<boolean> {
  const startedMs = performance.now();
  let isTaken = true;
  try {
    await run();
  } catch (error) {
    if (!(error instanceof MlsError)) throw new Error(`${what}: an untyped throw: ${String(error)}`, { cause: error });
    isTaken = false;
  }
  const tookMs = performance.now() - startedMs;
  if (tookMs > hangMs) throw new Error(`${what}: took ${tookMs.toFixed(0)} ms`);
  return isTaken;
}

/** The encoding, or undefined for a value that has none. */
function encodable(run: () => Uint8Array): Uint8Array | undefined {
  try {
    return run();
  } catch (error) {
    // Encoders are for one's own values: of those that no decoder yields they may say so in any way.
    if (error instanceof MlsError || error instanceof CodecError || error instanceof TypeError || error instanceof RangeError)
      return undefined;
    throw error;
  }
}

function damage(bytes: Uint8Array, random: (size: number) => Uint8Array): Uint8Array {
  const copy = bytes.slice();
  for (let i = numberBelow(random, 4); i >= 0; i--) copy[numberBelow(random, copy.length)] = numberBelow(random, 256);
  return numberBelow(random, 5) === 0 ? copy.subarray(0, numberBelow(random, copy.length)) : copy;
}

async function scene(seed: string) {
  const random = seededRandom(seed);
  let states: GroupState[] = await groupOf(suite, ["ann", "ben", "cat", "dan", "eve"], random);
  for (let i = 0; i < states.length; i++) {
    const current = states[i];
    if (current === undefined) throw new Error("a member");
    const { message, next } = await testCommit(current, random);
    states = await Promise.all(states.map((state) => (state === current ? next : processCommitOf(state, message))));
  }
  const [ann, ben] = states;
  if (ann === undefined || ben === undefined) throw new Error("members");
  const fay = await testKeyPackage(suite, await testClient(suite, "fay", random), random);
  const created = await testCommit(ann, random, { adds: [fay.keyPackage], removes: [states[3]?.ownLeaf ?? ann.ownLeaf] });
  const sent = await encryptApplicationMessage(ann, { plaintext: random(60), authenticatedData: random(8), random });
  return { random, states, ann, ben, fay, created, sent };
}

/** Proposals sent by themselves: a member's of some kinds, in public and private, and that of somebody who asks to be added. */
async function proposalsIn({ random, ben, fay, states }: Pick<Awaited<ReturnType<typeof scene>>, "random" | "ben" | "fay" | "states">) {
  const [, , cat, dan] = states;
  if (cat === undefined || dan === undefined) throw new Error("members");
  const common = { authenticatedData: random(8), random, nowSeconds };
  const requests: ProposalRequest[] = [
    { kind: "update" },
    { kind: "remove", removed: dan.ownLeaf },
    { kind: "add", keyPackage: fay.keyPackage },
    { kind: "psk", psk: { source: { kind: "external", pskId: random(4) }, nonce: random(32) } },
    { kind: "group-context-extensions", extensions: [{ type: 1, data: random(4) }] },
    { kind: "reinit", groupId: random(8), cipherSuite: 1, extensions: [] },
  ];
  const messages: Uint8Array[] = [];
  for (const request of requests) messages.push((await createProposal(cat, { ...common, request })).message);
  messages.push((await createProposal(cat, { ...common, request: { kind: "update" }, wireFormat: "private-message" })).message);
  const { groupId, epoch } = ben.context;
  const from = { kind: "new-member", keyPackage: fay.keyPackage, signatureSecretKey: fay.privateKeys.signatureSecretKey } as const;
  messages.push(await createExternalProposal({ suite, groupId, epoch, from, authenticatedData: random(8) }));
  for (const message of messages) {
    const processed = await processMessage(ben, message, { nowSeconds, allowProposals: true, allowExternalProposals: true });
    if (processed.kind !== "proposal") throw new Error("a proposal that is taken as it is");
  }
  return messages;
}

describe("fuzzing with structures", () => {
  it(
    `${rounds} messages changed in the wire's own terms: only typed refusals, no hang, the state as it was`,
    { timeout: 3_600_000 },
    async () => {
      const { random, states, ben, fay, created, sent } = await scene("fuzz/messages");
      const [welcome = nothing] = created.welcomes;
      const before = fingerprint(ben);
      const seeds = [created.message, sent.message, welcome, fay.message, ...(await proposalsIn({ random, ben, fay, states }))];
      const tree = encodeRatchetTree(created.next);
      const nodes = decode(ratchetTreeNodes, tree);
      let reached = 0;
      for (let round = 0; round < rounds; round++) {
        const at = `fuzz/messages round ${round}`;
        const whole = seeds[numberBelow(random, seeds.length)] ?? nothing;
        const message =
          numberBelow(random, 4) === 0 ? damage(whole, random) : encodable(() => encodeMessage(mutate(decodeMessage(whole), random)));
        if (message === undefined) continue;
        reached++;
        await requireOrderly(`${at}, process`, () =>
          processMessage(ben, message, { nowSeconds, allowProposals: true, allowExternalProposals: true, allowExternalCommits: true }),
        );
        await requireOrderly(`${at}, inspect`, () => inspectCommit(ben, message, { allowExternalCommits: true }));
        await requireOrderly(`${at}, key package`, async () => {
          await verifyKeyPackage(suite, decodeKeyPackage(message), { nowSeconds });
        });
        const changedTree = numberBelow(random, 2) === 0 ? tree : encodable(() => encode(ratchetTreeNodes, mutate(nodes, random)));
        const joining = { suite, keyPackage: fay.keyPackage, privateKeys: fay.privateKeys };
        await requireOrderly(`${at}, join`, () =>
          joinGroup({ ...joining, welcome: message, ratchetTree: changedTree ?? damage(tree, random) }),
        );
        await requireOrderly(`${at}, join by another tree`, () =>
          joinGroup({ ...joining, welcome, ratchetTree: changedTree ?? damage(tree, random) }),
        );
      }
      expect(reached).toBeGreaterThan(rounds / 2);
      expect(fingerprint(ben)).toBe(before);
    },
  );

  it(
    `[G-2] ${rounds} commits changed and signed by their author: every member gives the same public verdict`,
    { timeout: 3_600_000 },
    async () => {
      const { random, states, ann, created } = await scene("fuzz/commits");
      const others = states.filter((state) => state !== ann);
      const before = others.map((state) => fingerprint(state));
      const seen = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        const at = `fuzz/commits round ${round}`;
        let message: Uint8Array | undefined;
        const commit =
          encodable(() => encodeMessage(decodeMessage(created.message))) === undefined
            ? undefined
            : mutate(commitOf(created.message), random);
        try {
          message = commit === undefined ? undefined : await reforgeCommit(ann, created.message, () => commit);
        } catch (error) {
          if (!(error instanceof MlsError || error instanceof CodecError || error instanceof TypeError || error instanceof RangeError))
            throw error;
        }
        if (message === undefined) continue;
        const verdicts = new Set<string>();
        for (const state of others) {
          const forged = message;
          let verdict: string;
          try {
            const { sender, adds, removes, updates, hasPath } = await inspectCommit(state, forged);
            verdict = JSON.stringify([
              sender,
              adds.map(({ leafIndex }) => leafIndex),
              removes.map(({ leafIndex }) => leafIndex),
              updates,
              hasPath,
            ]);
          } catch (error) {
            if (!(error instanceof MlsError)) throw new Error(`${at}: an untyped throw: ${String(error)}`, { cause: error });
            if (error.check !== "public") throw new Error(`${at}: a verdict by the check "${String(error.check)}"`, { cause: error });
            verdict = `${error.code}: ${error.message}`;
          }
          verdicts.add(verdict);
          // And processing fails its public check exactly when inspecting does.
          const isRefused = !verdict.startsWith("[");
          try {
            await processMessage(state, forged);
            if (isRefused) throw new Error(`${at}: taken though refused in public`);
          } catch (error) {
            if (!(error instanceof MlsError)) throw error;
            if ((error.check === "public") !== isRefused)
              throw new Error(`${at}: ${verdict}, but processing says ${String(error.check)}`, { cause: error });
          }
        }
        if (verdicts.size !== 1) throw new Error(`${at}: members differ: ${[...verdicts].join(" | ")}`);
        for (const verdict of verdicts) seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
      }
      // Shallow mutations alone would prove little: many rules must have been reached.
      expect(seen.size).toBeGreaterThan(12);
      expect(others.map((state) => fingerprint(state))).toEqual(before);
    },
  );

  it(`${Math.ceil(rounds / 4)} damaged stores: a state that works or a typed refusal`, { timeout: 3_600_000 }, async () => {
    const { random, ben, sent } = await scene("fuzz/stores");
    const whole = encodeGroupState(ben).flatMap(({ key, value }): [string, Uint8Array][] => (value === undefined ? [] : [[key, value]]));
    for (let round = 0; round < rounds / 4; round++) {
      const records = whole.slice();
      const at = numberBelow(random, records.length);
      const [key = "", value = nothing] = records[at] ?? [];
      if (numberBelow(random, 4) === 0) records.splice(at, 1);
      else records[at] = [key, value.length === 0 ? Uint8Array.of(1) : damage(value, random)];
      await requireOrderly(`fuzz/stores round ${round}`, async () => {
        const state = decodeGroupState(suite, records);
        await processMessage(state, sent.message);
      });
    }
    expect((await processMessage(decodeGroupState(suite, whole), sent.message)).kind).toBe("application");
  });
});
