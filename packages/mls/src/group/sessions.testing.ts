import { equalBytes, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { decryptWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, RandomBytes } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { encryptApplicationMessage } from "./application.ts";
import {
  agreement,
  asApplication,
  commitOf,
  nothing,
  processCommitOf,
  testClient,
  testCommit,
  testGroup,
  testKeyPackage,
} from "./group.testing.ts";
import { joinGroup } from "./join-group.ts";
import { eraseState } from "./erase.ts";
import { decodeGroupState, encodeGroupState, encodeStateChanges } from "./persistence.ts";
import { processMessage } from "./process-message.ts";
import { encodeContext, encodeRatchetTree, exportSecret, members, ownLeafIndex } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreatedCommit, CreatedKeyPackage } from "./types.ts";

/** How a random session goes. */
export interface SessionParams {
  readonly suite: CipherSuite;
  readonly seed: string;
  readonly commits: number;
  readonly maxMembers: number;
}

/** What a session went through: one that did too little proves too little. */
export interface SessionReport {
  readonly joins: number;
  readonly removals: number;
  readonly largest: number;
  readonly messages: number;
  /** Ways in which somebody outside tried to read. */
  readonly outsideAttempts: number;
}

/** A member with what it has stored. */
interface Device {
  readonly name: string;
  state: GroupState;
  readonly store: Map<string, Uint8Array>;
}

interface HeldPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** Somebody who was removed, with every secret key that it ever had. */
interface Outsider {
  readonly state: GroupState;
  readonly keyPackage: CreatedKeyPackage | undefined;
  readonly pairs: readonly HeldPair[];
  commitsLeft: number;
}

/** How many of the commits after its removal somebody attacks with all it has. */
const attackedCommits = 6;
/** How many of those removed last attack a commit. */
const attackers = 4;

/**
 * Plays a random session in which all members agree on tree, exporter and authenticator after every commit, every joiner joins,
 * and nobody who was removed reads anything, with its own state tampered with as it likes. Every member overwrites each state that it
 * has left behind.
 * @throws Error that names seed and commit.
 */
export async function playSession({ suite, seed, commits, maxMembers }: SessionParams): Promise<SessionReport> {
  const random = seededRandom(seed);
  const below = (bound: number): number => numberBelow(random, bound);
  const pick = <T>(list: readonly T[]): T => {
    const chosen = list[below(list.length)];
    if (chosen === undefined) throw new Error("nothing to pick from");
    return chosen;
  };
  let named = 0;
  const founder = await testClient(suite, "member 0", random);
  const packageOf = new Map<string, CreatedKeyPackage>();
  const pairsOf = new Map<string, readonly HeldPair[]>();
  let devices: Device[] = [store(founder.name, await testGroup(suite, founder, random))];
  const outsiders: Outsider[] = [];
  const report = { joins: 0, removals: 0, largest: 1, messages: 0, outsideAttempts: 0 };

  for (let round = 0; round < commits; round++) {
    const at = `seed ${seed}, commit ${round}`;
    report.messages += await talk(devices, { random, at });
    const committer = pick(devices);
    const packages: CreatedKeyPackage[] = [];
    const names: string[] = [];
    const removes = new Set<GroupState["ownLeaf"]>();
    // Grows at first, then comes and goes.
    const isGrowing = devices.length < maxMembers && below(10) < (round < commits / 3 ? 7 : 4);
    if (isGrowing || devices.length < 2) {
      for (let i = Math.min(1 + below(Math.max(6, maxMembers >> 2)), maxMembers - devices.length); i > 0; i--) {
        const client = await testClient(suite, `member ${++named}`, random);
        const keyPackage = await testKeyPackage(suite, client, random);
        packages.push(keyPackage);
        packageOf.set(client.name, keyPackage);
        names.push(client.name);
      }
    }
    if (devices.length > 2 && below(10) < (devices.length > maxMembers / 2 ? 6 : 3)) {
      for (let i = 0; i <= below(4); i++) {
        const leaving = ownLeafIndex(pick(devices).state);
        if (leaving !== ownLeafIndex(committer.state)) removes.add(leaving);
      }
    }
    // With a copy of its own of the key that is tried below, when the committer's state has been erased.
    const { state: current } = committer;
    const before: GroupState = { ...current, secrets: { ...current.secrets, membershipKey: current.secrets.membershipKey.slice() } };
    const created = await testCommit(before, random, {
      adds: packages.map(({ keyPackage }) => keyPackage),
      removes: [...removes],
      path: below(4) === 0 ? "auto" : "always",
      treeInWelcome: below(2) === 0,
    });
    const secret = await encryptApplicationMessage(created.next, {
      plaintext: utf8Bytes("for members only"),
      authenticatedData: nothing,
      random,
    });
    const staying: Device[] = [];
    for (const member of devices) {
      if (below(8) === 0) {
        eraseState(member.state, member === committer ? [created.next] : []);
        member.state = decodeGroupState(suite, member.store);
      }
      const pairs = withPairs(pairsOf.get(member.name) ?? [], member.state);
      pairsOf.set(member.name, pairs);
      if (removes.has(ownLeafIndex(member.state))) {
        const processed = await processMessage(member.state, created.message);
        if (processed.kind !== "removed") throw new Error(`${at}: the removed member saw ${processed.kind}`);
        outsiders.push({ state: member.state, keyPackage: packageOf.get(member.name), pairs, commitsLeft: attackedCommits });
        report.removals++;
        continue;
      }
      // What the removed are tried with below does open path secrets in the hands of a member.
      if (
        member !== committer &&
        below(6) === 0 &&
        (await openedSecrets(member.state.suite, withPairs([], member.state), { created, before })) === 0
      ) {
        if (commitOf(created.message).path !== undefined) throw new Error(`${at}: no key of ${member.name} opens its path secret`);
      }
      adopt(member, member === committer ? created.next : await processCommitOf(member.state, created.message));
      staying.push(member);
    }
    for (const outsider of outsiders.slice(-attackers)) {
      if (outsider.commitsLeft-- <= 0) continue;
      report.outsideAttempts += await attack(outsider, { created, secret: secret.message, before, at });
    }
    for (const [i, keyPackage] of packages.entries()) {
      const welcome = created.welcomes[i];
      if (welcome === undefined) throw new Error(`${at}: a Welcome for each added member`);
      const { state } = await joinGroup({
        suite,
        welcome,
        keyPackage: keyPackage.keyPackage,
        privateKeys: keyPackage.privateKeys,
        ratchetTree: encodeRatchetTree(created.next),
      });
      staying.push(store(names[i] ?? "", state));
      report.joins++;
    }
    devices = staying;
    report.largest = Math.max(report.largest, devices.length);
    requireAgreement(devices, at);
  }
  return report;
}

/** A number below `bound` that the seed decides. */
export function numberBelow(random: RandomBytes, bound: number): number {
  const [a = 0, b = 0, c = 0] = random(3);
  return ((a << 16) | (b << 8) | c) % bound;
}

function store(name: string, state: GroupState): Device {
  const records = new Map<string, Uint8Array>();
  for (const { key, value } of encodeGroupState(state)) if (value !== undefined) records.set(key, value);
  return { name, state, store: records };
}

/** Stores what follows, goes on with it, and overwrites what the member had before. */
function adopt(member: Device, next: GroupState): void {
  for (const { key, value } of encodeStateChanges(member.state, next)) {
    if (value === undefined) member.store.delete(key);
    else member.store.set(key, value);
  }
  eraseState(member.state, [next]);
  member.state = next;
}

function requireAgreement(devices: readonly Device[], at: string): void {
  const [first] = devices;
  if (first === undefined) throw new Error(`${at}: nobody is left`);
  const view = agreement(first.state);
  const exported = exportSecret(first.state, "test", nothing, 32);
  for (const { name, state } of devices) {
    if (agreement(state) !== view) throw new Error(`${at}: ${name} does not agree`);
    if (!equalBytes(exportSecret(state, "test", nothing, 32), exported)) throw new Error(`${at}: ${name} exports something else`);
    if (members(state).length !== devices.length) throw new Error(`${at}: ${name} counts other members`);
  }
}

/** Some members send; a few others read everything, each in an order of its own, and nothing twice. */
async function talk(devices: readonly Device[], { random, at }: { random: RandomBytes; at: string }): Promise<number> {
  let read = 0;
  const sent: { readonly from: Device; readonly text: string; readonly message: Uint8Array }[] = [];
  for (let i = numberBelow(random, 4); i > 0; i--) {
    const from = devices[numberBelow(random, devices.length)];
    if (from === undefined) break;
    const text = `message ${i} of ${from.name}`;
    const encrypted = await encryptApplicationMessage(from.state, { plaintext: utf8Bytes(text), authenticatedData: utf8Bytes(at), random });
    adopt(from, encrypted.state);
    sent.push({ from, text, message: encrypted.message });
  }
  for (let i = Math.min(4, devices.length); i > 0; i--) {
    const reader = devices[numberBelow(random, devices.length)];
    const left = sent.filter(({ from }) => from !== reader);
    while (reader !== undefined && left.length > 0) {
      const [next] = left.splice(numberBelow(random, left.length), 1);
      if (next === undefined) break;
      try {
        const received = asApplication(await processMessage(reader.state, next.message));
        if (!equalBytes(received.plaintext, utf8Bytes(next.text))) throw new Error(`${at}: ${reader.name} read something else`);
        adopt(reader, received.state);
        read++;
      } catch (error) {
        // The same reader may have been chosen twice: then it has read it before, and only then.
        if (!(error instanceof MlsError) || error.code !== "consumed") throw error;
      }
      if ((await codeOf(() => processMessage(reader.state, next.message))) !== "consumed") throw new Error(`${at}: read twice`);
    }
  }
  return read;
}

interface Prey {
  readonly created: CreatedCommit;
  /** An application message of the new epoch. */
  readonly secret: Uint8Array;
  readonly before: GroupState;
  readonly at: string;
}

/** Everything that somebody outside may try with its old state. @throws Error when any of it succeeds. */
async function attack(outsider: Outsider, { created, secret, before, at }: Prey): Promise<number> {
  const { state } = outsider;
  const { suite } = state;
  const { context, encodedContext, tree, confirmationTag, interimTranscriptHash } = created.next;
  // As it is; with all that is public of the new epoch; and besides with the secrets that only hide who sends.
  const pretending: GroupState = { ...state, context, encodedContext, tree, confirmationTag, interimTranscriptHash };
  const gifted: GroupState = {
    ...pretending,
    secrets: {
      ...state.secrets,
      senderDataSecret: created.next.secrets.senderDataSecret,
      membershipKey: created.next.secrets.membershipKey,
    },
  };
  const attempts: (() => Promise<unknown>)[] = [state, pretending, gifted].flatMap((guise) => [
    () => processMessage(guise, secret),
    () => processMessage(guise, created.message),
  ]);
  // The commit that came after, in the guise of a member of the epoch before it.
  const inside: GroupState = {
    ...state,
    context: before.context,
    encodedContext: before.encodedContext,
    tree: before.tree,
    interimTranscriptHash: before.interimTranscriptHash,
  };
  attempts.push(() => processMessage(inside, created.message));
  attempts.push(() =>
    processMessage({ ...inside, secrets: { ...state.secrets, membershipKey: before.secrets.membershipKey } }, created.message),
  );
  for (const [guise, welcome] of created.welcomes.map((message) => [outsider.keyPackage, message] as const)) {
    if (guise === undefined) continue;
    attempts.push(() =>
      joinGroup({
        suite,
        welcome,
        keyPackage: guise.keyPackage,
        privateKeys: guise.privateKeys,
        ratchetTree: encodeRatchetTree(created.next),
      }),
    );
  }
  for (const attempt of attempts) {
    let result: unknown;
    const code = await codeOf(async () => (result = await attempt()));
    // "You are removed" is no state to go on with.
    const isRemoval = typeof result === "object" && result !== null && "kind" in result && result.kind === "removed";
    if (code === undefined && !isRemoval) throw new Error(`${at}: somebody outside got in`);
  }
  if ((await openedSecrets(suite, outsider.pairs, { created, before })) > 0)
    throw new Error(`${at}: a removed member's key opens a path secret`);
  return attempts.length + outsider.pairs.length;
}

/** The key pairs known before, and those of this state. */
function withPairs(known: readonly HeldPair[], state: GroupState): readonly HeldPair[] {
  const pairs = [...known];
  for (const [index, secretKey] of state.privateKeys) {
    const publicKey = state.tree.slotAt(index)?.value?.encryptionKey;
    if (publicKey !== undefined && !pairs.some((pair) => equalBytes(pair.secretKey, secretKey)))
      pairs.push({ secretKey: secretKey.slice(), publicKey });
  }
  return pairs.slice(-16);
}

/** How many of a commit's path secrets some of these keys open, under the context that they are encrypted for. */
async function openedSecrets(
  suite: CipherSuite,
  pairs: readonly HeldPair[],
  { created, before }: { readonly created: CreatedCommit; readonly before: GroupState },
): Promise<number> {
  const { path } = commitOf(created.message);
  const context = encodeContext({ ...created.next.context, confirmedTranscriptHash: before.context.confirmedTranscriptHash });
  let opened = 0;
  for (const { encryptedPathSecrets } of path?.nodes ?? []) {
    for (const { kemOutput, ciphertext } of encryptedPathSecrets) {
      for (const pair of pairs) {
        const code = await codeOf(async () =>
          decryptWithLabel(suite, { ...pair, label: "UpdatePathNode", context, kemOutput, ciphertext }),
        );
        if (code === undefined) opened++;
      }
    }
  }
  return opened;
}

/** The error's code, or undefined when nothing was thrown. @throws what is no MlsError. */
export async function codeOf(run: () => unknown): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof MlsError) return error.code;
    throw error;
  }
}
