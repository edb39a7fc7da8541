import { utf8Bytes } from "@latchkey/codec";
import {
  createCommit,
  createGroup,
  createKeyPackage,
  encodeRatchetTree,
  encryptApplicationMessage,
  joinGroup,
  members,
  processMessage,
} from "@latchkey/mls";
import type { CipherSuite, CipherSuiteId, CreatedKeyPackage, GroupState } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import type { Figure, Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";
import { randomBytes } from "../wire.ts";

const plaintext = randomBytes(300);
const nothing = new Uint8Array();
const nowSeconds = BigInt(Math.floor(Date.now() / 1000));
const lifetime = { notBefore: nowSeconds - 3600n, notAfter: nowSeconds + 30n * 86_400n };
/** Members that have committed before a group counts as warm: their paths shorten everybody's commits. */
const warmMembers = 16;

/** MLS with the Node provider, without storage or network. */
export const mls: Scenario = {
  name: "mls",
  summary: "MLS in Node: encrypt, decrypt, add, remove, join in groups of 2, 100 and 1,000, classical and hybrid",
  async run({ isQuick }) {
    const sizes = isQuick ? [2, 20] : [2, 100, 1000];
    const suites: readonly CipherSuiteId[] = [0x0001, 0xf001];
    const figures: Figure[] = [];
    for (const id of suites) for (const size of sizes) figures.push(...(await measureGroup(nodeCrypto.suite(id), size, isQuick)));
    return { parameters: { plaintextBytes: plaintext.length, warmMembers, suites: ["0x0001", "0xF001 (X-Wing)"] }, figures };
  },
};

interface Group {
  readonly committer: GroupState;
  readonly receiver: GroupState;
  /** How a newcomer joins: the same join again and again. */
  readonly join: () => Promise<GroupState>;
}

async function measureGroup(suite: CipherSuite, size: number, isQuick: boolean): Promise<Figure[]> {
  const few = isQuick ? 3 : size >= 1000 ? 7 : size >= 100 ? 20 : 100;
  const many = isQuick ? 20 : 500;
  const prefix = `${suite.id === 0xf001 ? "X-Wing" : "X25519"}, ${String(size)} members`;
  const figures: Figure[] = [];
  const record = (name: string, times: readonly number[]): void => {
    figures.push({ name: `${prefix}: ${name}`, unit: "ms", ...summarize(times) });
  };

  const cold = await coldGroup(suite, size);
  record("join", await repeat(few, cold.join));
  const messages: Uint8Array[] = [];
  let sender = cold.committer;
  record(
    "encrypt",
    await repeat(many, async () => {
      const encrypted = await encryptApplicationMessage(sender, { plaintext, authenticatedData: nothing, random: randomBytes });
      sender = encrypted.state;
      messages.push(encrypted.message);
    }),
  );
  let receiver = cold.receiver;
  let next = 0;
  record(
    "decrypt",
    await repeat(many, async () => {
      const processed = await processMessage(receiver, messages[next++] ?? nothing, {});
      if (processed.kind !== "application" || processed.plaintext.length !== plaintext.length)
        throw new Error("a message was not decrypted");
      receiver = processed.state;
    }),
  );
  await measureCommits({ suite, group: cold, few, record: (name, times) => record(`${name}, cold tree`, times) });
  if (size > 2 * warmMembers) {
    const warm = await warmGroup(suite, size);
    await measureCommits({ suite, group: warm, few, record: (name, times) => record(`${name}, warm tree`, times) });
  }
  return figures;
}

async function measureCommits(params: {
  suite: CipherSuite;
  group: Pick<Group, "committer" | "receiver">;
  few: number;
  record: (name: string, times: readonly number[]) => void;
}): Promise<void> {
  const { suite, group, few, record } = params;
  const newcomers: CreatedKeyPackage[] = [];
  for (let index = 0; index <= few; index++) newcomers.push(await newKeyPackage(suite, `newcomer ${String(index)}`));
  const common = { authenticatedData: nothing, random: randomBytes, nowSeconds };
  const commits: Uint8Array[] = [];
  let index = 0;
  record(
    "add",
    await repeat(few, async () => {
      const newcomer = newcomers[index++];
      if (newcomer === undefined) throw new Error("no newcomer is left");
      commits.push((await createCommit(group.committer, { ...common, adds: [newcomer.keyPackage] })).message);
    }),
  );
  let place = 0;
  const processNext = async (): Promise<void> => {
    const processed = await processMessage(group.receiver, commits[place++] ?? nothing, { nowSeconds });
    if (processed.kind !== "commit") throw new Error("a commit was not processed");
  };
  record("process an add", await repeat(few, processNext));
  // Whoever is removed must be neither the committer nor the member that processes: the last leaf is neither, but in a group of two.
  const all = members(group.committer);
  const victim = all.at(-1);
  if (victim === undefined) throw new Error("the group is empty");
  record(
    "remove",
    await repeat(few, async () => {
      commits.push((await createCommit(group.committer, { ...common, removes: [victim.leafIndex] })).message);
    }),
  );
  if (all.length > 2) record("process a removal", await repeat(few, processNext));
}

/** All members added in one commit: every other leaf is unmerged, the tree between is blank. */
async function coldGroup(suite: CipherSuite, size: number): Promise<Group> {
  const { committer, joins } = await createFull(suite, size);
  const [join] = joins;
  if (join === undefined) throw new Error("a group needs two members");
  return { committer, receiver: await join(), join };
}

/** As a cold group, but members spread over the tree have committed since. */
async function warmGroup(suite: CipherSuite, size: number): Promise<Pick<Group, "committer" | "receiver">> {
  const { committer, joins } = await createFull(suite, size);
  const step = Math.floor(joins.length / (warmMembers - 1));
  const states = [committer, ...(await Promise.all(Array.from({ length: warmMembers - 1 }, async (_, index) => joins[index * step]?.())))];
  for (let turn = 0; turn < states.length; turn++) {
    const own = states[turn];
    if (own === undefined) throw new Error("a member did not join");
    const commit = await createCommit(own, { authenticatedData: nothing, random: randomBytes, nowSeconds });
    for (const [index, state] of states.entries()) {
      if (state === undefined || index === turn) continue;
      const processed = await processMessage(state, commit.message, { nowSeconds });
      if (processed.kind !== "commit") throw new Error("a commit was not processed");
      states[index] = processed.state;
    }
    states[turn] = commit.next;
  }
  const [first, second] = states;
  if (first === undefined || second === undefined) throw new Error("a group needs two members");
  return { committer: first, receiver: second };
}

async function createFull(suite: CipherSuite, size: number): Promise<{ committer: GroupState; joins: (() => Promise<GroupState>)[] }> {
  const founder = await createGroup({
    suite,
    groupId: randomBytes(32),
    credential: { kind: "basic", identity: utf8Bytes("founder") },
    signatureKeyPair: await suite.generateSignatureKeyPair(randomBytes),
    lifetime,
    extensions: [],
    random: randomBytes,
  });
  const added: CreatedKeyPackage[] = [];
  for (let index = 1; index < size; index++) added.push(await newKeyPackage(suite, `member ${String(index)}`));
  const commit = await createCommit(founder, {
    adds: added.map(({ keyPackage }) => keyPackage),
    authenticatedData: nothing,
    random: randomBytes,
    nowSeconds,
  });
  const ratchetTree = encodeRatchetTree(commit.next);
  const joins = added.map(({ keyPackage, privateKeys }, index) => async () => {
    const welcome = commit.welcomes[index];
    if (welcome === undefined) throw new Error("a welcome is missing");
    return (await joinGroup({ suite, welcome, keyPackage, privateKeys, ratchetTree, nowSeconds })).state;
  });
  return { committer: commit.next, joins };
}

async function newKeyPackage(suite: CipherSuite, identity: string): Promise<CreatedKeyPackage> {
  return createKeyPackage({
    suite,
    credential: { kind: "basic", identity: utf8Bytes(identity) },
    signatureKeyPair: await suite.generateSignatureKeyPair(randomBytes),
    lifetime,
    random: randomBytes,
  });
}

/** Milliseconds of each of `count` runs. The first is not left out: most runs consume what the run before made. */
async function repeat(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const startedMs = performance.now();
    await work();
    times.push(performance.now() - startedMs);
  }
  return times;
}
