import { toHex, utf8Bytes } from "@latchkey/codec";
import type { CipherSuite, KeyPair, RandomBytes } from "../crypto/suite.ts";
import type { Extension } from "../messages/basics.ts";
import type { PublicMessage } from "../messages/framing.ts";
import { decodeMessage } from "../messages/message.ts";
import type { Commit, UpdatePath } from "../messages/proposals.ts";
import { createCommit } from "./create-commit.ts";
import { createGroup } from "./create-group.ts";
import { joinGroup } from "./join-group.ts";
import { createKeyPackage } from "./key-packages.ts";
import { processMessage } from "./process-message.ts";
import { encodeRatchetTree } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreateCommitParams, CreatedCommit, CreatedKeyPackage, Processed } from "./types.ts";

/** The time of all tests. */
export const nowSeconds = 1_800_000_000n;
/** A lifetime around it. */
export const lifetime: { readonly notBefore: bigint; readonly notAfter: bigint } = {
  notBefore: nowSeconds - 3600n,
  notAfter: nowSeconds + 86_400n,
};
/** No authenticated data. */
export const nothing: Uint8Array = new Uint8Array(0);

/** A client of a test, by name. */
export interface TestClient {
  readonly name: string;
  readonly signatureKeyPair: KeyPair;
}

/** A client with fresh keys. */
export async function testClient(suite: CipherSuite, name: string, random: RandomBytes): Promise<TestClient> {
  return { name, signatureKeyPair: await suite.generateSignatureKeyPair(random) };
}

/** A key package of that client. */
export async function testKeyPackage(suite: CipherSuite, client: TestClient, random: RandomBytes): Promise<CreatedKeyPackage> {
  return await createKeyPackage({
    suite,
    credential: { kind: "basic", identity: utf8Bytes(client.name) },
    signatureKeyPair: client.signatureKeyPair,
    lifetime,
    random,
  });
}

/** A group of that client alone. */
export async function testGroup(
  suite: CipherSuite,
  client: TestClient,
  random: RandomBytes,
  extensions: readonly Extension[] = [],
): Promise<GroupState> {
  return await createGroup({
    suite,
    groupId: random(32),
    credential: { kind: "basic", identity: utf8Bytes(client.name) },
    signatureKeyPair: client.signatureKeyPair,
    lifetime,
    extensions,
    random,
  });
}

/** Commits with the tests' time and no authenticated data. */
export async function testCommit(
  state: GroupState,
  random: RandomBytes,
  changes: Pick<CreateCommitParams, "adds" | "removes" | "groupContextExtensions" | "path" | "treeInWelcome" | "psk" | "psks"> = {},
): Promise<CreatedCommit> {
  return await createCommit(state, { ...changes, authenticatedData: nothing, random, nowSeconds });
}

/** Joins by the Welcome at `index` of a commit, with the tree beside it. */
export async function testJoin(
  suite: CipherSuite,
  created: CreatedCommit,
  index: number,
  keyPackage: CreatedKeyPackage,
): Promise<GroupState> {
  const welcome = created.welcomes[index];
  if (welcome === undefined) throw new Error("a Welcome for each added member");
  const { state } = await joinGroup({
    suite,
    welcome,
    keyPackage: keyPackage.keyPackage,
    privateKeys: keyPackage.privateKeys,
    ratchetTree: encodeRatchetTree(created.next),
  });
  return state;
}

/** Processes a message that has to be a commit that keeps the receiver. */
export async function processCommitOf(state: GroupState, message: Uint8Array): Promise<GroupState> {
  const processed = await processMessage(state, message);
  if (processed.kind !== "commit") throw new Error(`a commit expected, not ${processed.kind}`);
  return processed.state;
}

/** The processed message, which has to be application data. */
export function asApplication(processed: Processed): Extract<Processed, { kind: "application" }> {
  if (processed.kind !== "application") throw new Error(`application data expected, not ${processed.kind}`);
  return processed;
}

/** A group of `names.length` members made by one commit: the states in the order of the names. */
export async function groupOf(
  suite: CipherSuite,
  names: readonly [string, ...string[]],
  random: RandomBytes,
): Promise<[GroupState, ...GroupState[]]> {
  const [first, ...others] = names;
  const alone = await testGroup(suite, await testClient(suite, first, random), random);
  const packages: CreatedKeyPackage[] = [];
  for (const name of others) packages.push(await testKeyPackage(suite, await testClient(suite, name, random), random));
  if (packages.length === 0) return [alone];
  const created = await testCommit(alone, random, { adds: packages.map(({ keyPackage }) => keyPackage) });
  const joined: GroupState[] = [];
  for (const [i, keyPackage] of packages.entries()) joined.push(await testJoin(suite, created, i, keyPackage));
  return [created.next, ...joined];
}

/** All that members of one epoch agree on, as text. */
export function agreement(state: GroupState): string {
  return [
    state.context.epoch,
    toHex(state.context.treeHash),
    toHex(state.secrets.epochAuthenticator),
    toHex(state.secrets.exporterSecret),
  ].join(" ");
}

/** The public message in the bytes. */
export function publicMessageOf(message: Uint8Array): PublicMessage {
  const body = decodeMessage(message);
  if (body.kind !== "public-message") throw new Error("a public message expected");
  return body.publicMessage;
}

/** The commit in the bytes. */
export function commitOf(message: Uint8Array): Commit {
  const { body } = publicMessageOf(message).content;
  if (body.kind !== "commit") throw new Error("a commit expected");
  return body.commit;
}

/** The path in the bytes. */
export function pathOf(message: Uint8Array): UpdatePath {
  const { path } = commitOf(message);
  if (path === undefined) throw new Error("a path expected");
  return path;
}
