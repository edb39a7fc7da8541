import { encode } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { createMemoryStore, credentialOf, loadConversation, loadGroup, recordKeys, sealEnvelope } from "@latchkey/client/testing";
import type { ConversationState } from "@latchkey/client/testing";
import {
  createCommit,
  createKeyPackage,
  decodeKeyPackage,
  encryptApplicationMessage,
  exportSecret,
  members,
  ownLeafIndex,
  nextGeneration,
} from "@latchkey/mls";
import type { CreateCommitParams, GroupState } from "@latchkey/mls";
import { accessLabel, authenticatedDataCodec, createTextContent, latchkeyGroupExtensionType, viewTagOf } from "@latchkey/protocol";
import type { EntryKind } from "@latchkey/protocol";
import { RawPeer } from "./raw-peer.ts";
import type { Move } from "./script.ts";
import type { World } from "./world.ts";

/** Whose device is in hostile hands. */
export const hostile = "mal";

const node = createNodePlatform();
const zeros = new Uint8Array(32);

/** What a hostile member has of one conversation: everything that its client stored. */
interface Hold {
  readonly world: World;
  readonly state: ConversationState;
  readonly group: GroupState;
  readonly epoch: NonNullable<ConversationState["epoch"]>;
}

/** One of the conversations that its device is in. */
async function hold(world: World): Promise<Hold | undefined> {
  const store = createMemoryStore(new Map(world.named(hostile).records));
  const found = await store.transact("read", async (tx) => {
    const prefix = recordKeys.meta("");
    const holds: Hold[] = [];
    for (const [key] of await tx.scan({ prefix })) {
      const stored = await loadConversation(tx, key.slice(prefix.length), (id) => node.crypto.suite(id));
      if (stored?.epoch === undefined || stored.kind === "devices") continue;
      const state = await loadGroup(tx, stored, node.crypto.suite(stored.suiteId));
      if (state.group !== undefined && state.epoch !== undefined && state.memberCount > 1)
        holds.push({ world, state, group: state.group, epoch: state.epoch });
    }
    return holds;
  });
  return found.length === 0 ? undefined : world.chance.pick(found);
}

/** Puts something into the log, past every check of a client. */
function put(held: Hold, entry: { kind: EntryKind; blob: Uint8Array; nextAccessHash?: Uint8Array }): void {
  const { world, state, epoch } = held;
  const peer = new RawPeer(world.network, { who: hostile, role: "log" });
  const { logId } = state;
  void peer.ask({ kind: "open", logId, epochId: epoch.epochId, access: epoch.access, afterSeq: state.chain.seq, closed: [] });
  const sent =
    entry.kind === "commit"
      ? peer.ask({
          kind: "commit",
          logId,
          epochId: epoch.epochId,
          afterSeq: 0,
          nextAccessHash: entry.nextAccessHash ?? world.chance.bytes(32),
          blob: entry.blob,
          token: new Uint8Array(0),
        })
      : peer.ask({ kind: "append", logId, epochId: epoch.epochId, entryKind: entry.kind, blob: entry.blob });
  void sent.then(() => peer.close());
}

function seal(
  held: Hold,
  kind: EntryKind,
  mlsMessage: Uint8Array,
  params: { nextAccessHash?: Uint8Array; proofs?: Uint8Array } = {},
): Uint8Array {
  const { world, state, epoch } = held;
  const { nextAccessHash } = params;
  const sealed = sealEnvelope({
    key: epoch.envelope,
    logId: state.logId,
    epochId: epoch.epochId,
    kind,
    ...(nextAccessHash === undefined ? {} : { nextAccessHash }),
    body: {
      seq: state.chain.seq,
      mlsMessage,
      directoryProofs: params.proofs ?? new Uint8Array(0),
      settings: new Uint8Array(0),
      complaint: new Uint8Array(0),
      leaves: new Uint8Array(0),
    },
    random: world.chance.bytes,
    sha256: node.sha256,
  });
  return sealed.blob;
}

function says(
  held: Hold,
  changes: { viewTag?: Uint8Array; ownNumber?: number; gossip?: Uint8Array; accountChain?: Uint8Array } = {},
): Uint8Array {
  const { state, epoch } = held;
  return encode(authenticatedDataCodec, {
    format: 3,
    viewTag: viewTagOf(node.sha256, epoch.view, state.chain),
    generation: nextGeneration(held.group),
    ownNumber: state.own.number + 1,
    previousOwn: zeros,
    seen: zeros,
    accountVersion: 0,
    accountChain: zeros,
    gossip: new Uint8Array(0),
    ext: new Uint8Array(0),
    ...changes,
  });
}

async function message(held: Hold, plaintext: Uint8Array, authenticatedData: Uint8Array): Promise<void> {
  const encrypted = await encryptApplicationMessage(held.group, { plaintext, authenticatedData, random: held.world.chance.bytes });
  put(held, { kind: "message", blob: seal(held, "message", encrypted.message) });
}

async function commit(held: Hold, params: Partial<CreateCommitParams>, changes: { nextAccessHash?: Uint8Array } = {}): Promise<void> {
  const { world, group, state } = held;
  const created = await createCommit(group, {
    authenticatedData: says(held, { ownNumber: 0 }),
    random: world.chance.bytes,
    nowSeconds: BigInt(Math.floor(world.timeline.nowMs / 1000)),
    ...params,
  });
  const nextAccessHash = changes.nextAccessHash ?? node.sha256(exportSecret(created.next, accessLabel, state.logId, 32));
  put(held, { kind: "commit", blob: seal(held, "commit", created.message, { nextAccessHash }), nextAccessHash });
}

function text(held: Hold, sentAtMs: number): Uint8Array {
  return createTextContent({ text: `mal ${held.world.number()}`, salt: held.world.chance.bytes(16), sentAtMs });
}

/** A key package in somebody's name, with a key of the hostile member's own. */
async function forgedKeyPackage(held: Hold, victim: Uint8Array): Promise<Uint8Array> {
  const { world, state } = held;
  const suite = node.crypto.suite(state.suiteId);
  const signatureKeyPair = await suite.generateSignatureKeyPair(world.chance.bytes);
  const nowSeconds = BigInt(Math.floor(world.timeline.nowMs / 1000));
  const identity = { host: state.host, accountId: victim, deviceId: world.chance.bytes(16) };
  const created = await createKeyPackage({
    suite,
    credential: credentialOf(identity),
    signatureKeyPair,
    lifetime: { notBefore: nowSeconds - 3600n, notAfter: nowSeconds + 86_400n },
    capabilities: {
      versions: [1],
      cipherSuites: [state.suiteId],
      extensions: [latchkeyGroupExtensionType],
      proposals: [],
      credentials: [1],
    },
    random: world.chance.bytes,
  });
  return created.message;
}

/** An epoch of its own beside the conversation: begun by a commit in an epoch that is over, with a key that nobody else has. */
async function speakElsewhere({ world, state }: Hold): Promise<void> {
  const { chance, network } = world;
  const { logId, chain } = state;
  const closed = state.closedEpochs.at(-1);
  if (closed === undefined) return;
  const peer = new RawPeer(network, { who: hostile, role: "log" });
  const [access, token] = [chance.bytes(32), new Uint8Array(0)];
  await peer.ask({ kind: "open", logId, epochId: closed.epochId, access: closed.access, afterSeq: chain.seq, closed: [] });
  const nextAccessHash = node.sha256(access);
  const blob = chance.bytes(512);
  const commit = {
    kind: "commit",
    logId,
    epochId: closed.epochId,
    afterSeq: chain.seq + 1000,
    nextAccessHash,
    blob,
    token,
  } as const;
  const began = await peer.ask(commit);
  if (began?.kind === "accepted") {
    const epochId = began.seq;
    await peer.ask({ kind: "open", logId, epochId, access, afterSeq: epochId, closed: [] });
    await peer.ask({ kind: "append", logId, epochId, entryKind: "message", blob: chance.bytes(512) });
  }
  peer.close();
}

const attempts: readonly { readonly name: string; run(held: Hold): Promise<void> | void }[] = [
  { name: "puts junk where a commit belongs", run: (held) => put(held, { kind: "commit", blob: held.world.chance.bytes(512) }) },
  { name: "puts junk where a message belongs", run: (held) => put(held, { kind: "message", blob: held.world.chance.bytes(512) }) },
  { name: "puts junk where a complaint belongs", run: (held) => put(held, { kind: "complaint", blob: held.world.chance.bytes(512) }) },
  {
    name: "seals junk as a commit",
    run(held) {
      const nextAccessHash = held.world.chance.bytes(32);
      put(held, { kind: "commit", nextAccessHash, blob: seal(held, "commit", held.world.chance.bytes(200), { nextAccessHash }) });
    },
  },
  {
    name: "commits what lies nowhere",
    run(held) {
      const nextAccessHash = held.world.chance.bytes(32);
      // Above the size of an entry its content is a blob of its own, which nobody stores.
      put(held, { kind: "commit", nextAccessHash, blob: seal(held, "commit", held.world.chance.bytes(70_000), { nextAccessHash }) });
    },
  },
  { name: "speaks in an epoch of its own", run: (held) => void speakElsewhere(held) },
  { name: "commits nothing", run: (held) => commit(held, {}) },
  {
    name: "removes somebody",
    run(held) {
      const others = members(held.group).filter(({ leafIndex }) => leafIndex !== ownLeafIndex(held.group));
      return others.length === 0 ? undefined : commit(held, { removes: [held.world.chance.pick(others).leafIndex] });
    },
  },
  {
    name: "ends the group",
    run: (held) => commit(held, { reInit: { groupId: held.world.chance.bytes(32), cipherSuite: held.state.suiteId, extensions: [] } }),
  },
  { name: "mixes in a key of its own", run: (held) => commit(held, pskOf(held)) },
  { name: "takes the group's settings away", run: (held) => commit(held, { groupContextExtensions: [] }) },
  { name: "commits with a wrong access key", run: (held) => commit(held, {}, { nextAccessHash: held.world.chance.bytes(32) }) },
  {
    name: "adds a device in somebody's name",
    async run(held) {
      const others = [...(held.state.roster?.leaves.values() ?? [])];
      const victim = held.world.chance.pick(others).accountId;
      await commit(held, { adds: [decodeKeyPackage(await forgedKeyPackage(held, victim))] });
    },
  },
  {
    name: "claims to see another log",
    run: (held) => message(held, text(held, held.world.timeline.nowMs), says(held, { viewTag: held.world.chance.bytes(32) })),
  },
  {
    name: "counts wrong",
    run: (held) =>
      message(held, text(held, held.world.timeline.nowMs), says(held, { ownNumber: held.world.chance.between(0, 2 ** 32 - 1) })),
  },
  { name: "gossips nonsense", run: (held) => message(held, text(held, 1), says(held, { gossip: held.world.chance.bytes(100) })) },
  {
    name: "lies about its account",
    run: (held) => message(held, text(held, 1), says(held, { accountChain: held.world.chance.bytes(32) })),
  },
  { name: "writes from the year 287396", run: (held) => message(held, text(held, 9_007_199_254_740_991), says(held)) },
  { name: "writes what is no content", run: (held) => message(held, held.world.chance.bytes(300), says(held)) },
  { name: "says no word that is known", run: (held) => message(held, text(held, 1), held.world.chance.bytes(60)) },
];

function pskOf({ world }: Hold): Partial<CreateCommitParams> {
  const secret = world.chance.bytes(32);
  return { psks: [{ source: { kind: "external", pskId: world.chance.bytes(8) }, nonce: world.chance.bytes(32) }], psk: () => secret };
}

/** What a hostile member does, besides living as everybody does. */
export const hostileMember: readonly Move[] = attempts.map((attempt) => ({
  name: `mal ${attempt.name}`,
  weight: 1.5,
  async run(world) {
    const held = await hold(world);
    if (held !== undefined) await attempt.run(held);
  },
}));
