import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { encode } from "@latchkey/codec";
import { createNodePlatform, openNodeStore } from "@latchkey/client/node";
import {
  breakConfirmation,
  copied,
  credentialOf,
  doctored,
  epochKeys,
  loadConversation,
  loadEvidence,
  loadGroup,
  loadOwnAccount,
  sealEnvelope,
} from "@latchkey/client/testing";
import type { ConversationState, DeviceIdentity } from "@latchkey/client/testing";
import { createCommit, createKeyPackage, exportSecret } from "@latchkey/mls";
import type {
  CreateCommitParams,
  CreatedCommit,
  CreatedKeyPackage,
  GroupState,
  KeyPackage,
  LeafIndex,
  MessageEvidence,
} from "@latchkey/mls";
import { accessLabel, authenticatedDataCodec, latchkeyGroupExtensionType, viewTagOf, zeroHash } from "@latchkey/protocol";
import type { Reply } from "./operator.ts";
import { RawLog } from "./raw-log.ts";
import { host } from "./scene.ts";
import type { Person, Scene } from "./scene.ts";

const node = createNodePlatform();
const nothing = new Uint8Array(0);
const emptyBody = { directoryProofs: nothing, settings: nothing, complaint: nothing, leaves: nothing };

/** What a commit of an insider does besides what an honest one could. */
export interface Forgery extends Pick<CreateCommitParams, "adds" | "removes" | "groupContextExtensions" | "psks" | "psk" | "reInit"> {
  /** The leaf of its path shows this identity. */
  readonly identity?: DeviceIdentity | undefined;
  /** The leaf of this person gets a path secret that does not open. */
  readonly cheats?: Person | undefined;
}

/**
 * A member who took the keys out of the profile of their own client, which is closed, and goes on with code of their own: it speaks the wire
 * itself, and keeps to the formats and to nothing else. Everything it makes is signed and tagged as it should be.
 */
export class Insider implements Disposable {
  state: ConversationState;
  group: GroupState;
  readonly #log: RawLog;

  private constructor(scene: Scene, state: ConversationState, group: GroupState) {
    this.state = state;
    this.group = group;
    this.#log = new RawLog(scene.server.url);
  }

  static async take(scene: Scene, person: Person, conversationId: string): Promise<Insider> {
    await person.client.close();
    const store = await openNodeStore(join(scene.folder, "people", person.name));
    const state = await store.transact("read", async (tx) => {
      const stored = await loadConversation(tx, conversationId, (id) => node.crypto.suite(id));
      if (stored === undefined) throw new Error("the conversation is in the profile");
      return await loadGroup(tx, stored, node.crypto.suite(stored.suiteId));
    });
    await store.close();
    if (state.group === undefined) throw new Error("a member has a group");
    return new Insider(scene, state, state.group);
  }

  /** What the profile of its client kept of the message that stands at this place: what its author signed. */
  static async keptIn(scene: Scene, person: Person, conversationId: string, order: number): Promise<MessageEvidence> {
    const store = await openNodeStore(join(scene.folder, "people", person.name));
    const kept = await store.transact("read", (tx) => loadEvidence(tx, conversationId, order));
    await store.close();
    if (kept === undefined) throw new Error("evidence is kept");
    return kept;
  }

  /** The key with which the device of this person signs for its account; their client is closed. */
  static async deviceKeyOf(scene: Scene, person: Person): Promise<{ readonly deviceId: Uint8Array; readonly secretKey: Uint8Array }> {
    await person.client.close();
    const store = await openNodeStore(join(scene.folder, "people", person.name));
    const account = await store.transact("read", (tx) => loadOwnAccount(tx));
    await store.close();
    if (account === undefined) throw new Error("an account");
    return { deviceId: account.deviceId, secretKey: account.signatureKeyPair.secretKey };
  }

  get own(): DeviceIdentity {
    const { own } = this.state.roster ?? {};
    if (own === undefined) throw new Error("a leaf");
    return { host: own.host, accountId: own.accountId, deviceId: own.deviceId };
  }

  leafOf(person: Person): LeafIndex {
    const leaf = [...(this.state.roster?.leaves.values() ?? [])].find(({ account }) => account === person.accountId);
    if (leaf === undefined) throw new Error("a member");
    return leaf.leafIndex;
  }

  identityOf(person: Person): DeviceIdentity {
    const leaf = this.state.roster?.leaves.get(this.leafOf(person));
    if (leaf === undefined) throw new Error("a member");
    return { host, accountId: leaf.accountId, deviceId: leaf.deviceId };
  }

  /** A key package under any identity, by a key of the insider's. */
  async keyPackage(identity: DeviceIdentity): Promise<KeyPackage> {
    return (await this.createKeyPackage(identity)).keyPackage;
  }

  /** As `keyPackage`, with its secrets. */
  async createKeyPackage(identity: DeviceIdentity): Promise<CreatedKeyPackage> {
    const { suite } = this.group;
    return await createKeyPackage({
      suite,
      credential: credentialOf(identity),
      signatureKeyPair: await suite.generateSignatureKeyPair(node.random),
      lifetime: { notBefore: 1n, notAfter: 1n << 40n },
      capabilities: {
        versions: [1],
        cipherSuites: [0xf001, 0x0001],
        extensions: [latchkeyGroupExtensionType],
        proposals: [],
        credentials: [1],
      },
      random: node.random,
    });
  }

  async forge({ identity, cheats, ...params }: Forgery = {}): Promise<CreatedCommit> {
    const { chain, epoch } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const authenticatedData = encode(authenticatedDataCodec, {
      format: 3,
      viewTag: viewTagOf(node.sha256, epoch.view, chain),
      generation: 0,
      ownNumber: 0,
      previousOwn: zeroHash,
      seen: zeroHash,
      accountVersion: 0,
      accountChain: zeroHash,
      gossip: nothing,
      ext: nothing,
    });
    const state = doctored(this.group, {
      credential: identity === undefined ? undefined : credentialOf(identity),
      cheats: cheats === undefined ? undefined : [this.leafOf(cheats)],
    });
    return await createCommit(state, {
      authenticatedData,
      random: node.random,
      nowSeconds: BigInt(Math.floor(Date.now() / 1000)),
      ...params,
    });
  }

  /** A commit with a confirmation tag that is wrong, and the membership tag that any member can make. */
  breakConfirmation(message: Uint8Array): Uint8Array {
    return breakConfirmation(this.group, message);
  }

  /** Puts a commit into the log of the true server, behind all others of its epoch. */
  async post(
    created: Pick<CreatedCommit, "message" | "next">,
    beside: { readonly leaves?: Uint8Array; readonly directoryProofs?: Uint8Array } = {},
  ): Promise<Reply> {
    const { logId, epoch, chain } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const nextAccessHash = node.sha256(exportSecret(created.next, accessLabel, logId, 32));
    const { blob, external } = sealEnvelope({
      key: epoch.envelope,
      logId,
      epochId: epoch.epochId,
      kind: "commit",
      nextAccessHash,
      body: { ...emptyBody, seq: chain.seq, mlsMessage: created.message, ...beside },
      random: node.random,
      sha256: node.sha256,
    });
    if (external !== undefined) throw new Error("too large for an entry");
    return await this.postBlob(blob, nextAccessHash);
  }

  /** Goes on in the epoch that a commit of its own began. */
  follow({ next }: Pick<CreatedCommit, "next">, { seq, head }: { readonly seq: number; readonly head: Uint8Array }): void {
    this.group = next;
    this.state = { ...this.state, chain: { seq, head }, epoch: epochKeys(next, this.state.logId, seq) };
  }

  /** Any bytes as a commit. */
  async postBlob(blob: Uint8Array, nextAccessHash: Uint8Array): Promise<Reply> {
    const { logId, epoch } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { epochId } = epoch;
    const opened = await this.open();
    if (opened.kind !== "opened") throw new Error(`not opened: ${opened.kind}`);
    const afterSeq = opened.lastSeq;
    const answer = await this.#log.ask({ kind: "commit", logId, epochId, afterSeq, nextAccessHash, blob, token: nothing });
    if (answer.kind !== "error" || answer.code !== "rate_limited") return answer;
    // The server has commits take turns (spec L-13).
    await delay(answer.retryAfterMs);
    return await this.postBlob(blob, nextAccessHash);
  }

  /** Any bytes as a message in an epoch that begins with a commit of its own. */
  async speakIn(epochId: number, access: Uint8Array, blob: Uint8Array): Promise<Reply> {
    const { logId } = this.state;
    await this.#log.ask({ kind: "open", logId, epochId, access, afterSeq: epochId, closed: [] });
    return await this.append(epochId, blob);
  }

  /** Any bytes as a message in an epoch that is open. */
  async append(epochId: number, blob: Uint8Array): Promise<Reply> {
    return await this.#log.ask({ kind: "append", logId: this.state.logId, epochId, entryKind: "message", blob });
  }

  /** What another member signed, as `keptIn` gives it, under the next key of that member's own; `copies` of it, one after the other. */
  async copy(kept: MessageEvidence, copies: number): Promise<void> {
    const { logId, epoch, chain } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { epochId } = epoch;
    await this.open();
    let { group } = this;
    for (let made = 0; made < copies; made++) {
      const { state, message } = await copied(group, kept, node.random);
      group = { ...group, secretTree: state.secretTree };
      const body = { ...emptyBody, seq: chain.seq, mlsMessage: message };
      const address = { key: epoch.envelope, logId, epochId, kind: "message" } as const;
      const { blob } = sealEnvelope({ ...address, body, random: node.random, sha256: node.sha256 });
      const answer = await this.append(epochId, blob);
      if (answer.kind !== "accepted") throw new Error(`the server answered ${answer.kind}`);
    }
  }

  /** Opens the epoch that its client was in. */
  async open(): Promise<Reply> {
    const { logId, epoch, chain } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { epochId, access } = epoch;
    return await this.#log.ask({ kind: "open", logId, epochId, access, afterSeq: chain.seq, closed: [] });
  }

  [Symbol.dispose](): void {
    this.#log.close();
  }
}
