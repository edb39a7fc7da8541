import { encode, equalBytes } from "@latchkey/codec";
import { createCommit, createKeyPackage, encryptApplicationMessage, members, nextGeneration } from "@latchkey/mls";
import type { CreateCommitParams, CreatedCommit, CreatedKeyPackage, GroupState, KeyPackage, LeafIndex } from "@latchkey/mls";
import {
  authenticatedDataCodec,
  complaintCodec,
  complaintReasons,
  latchkeyGroupExtensionType,
  settingsOpeningCodec,
  viewTagOf,
  zeroHash,
} from "@latchkey/protocol";
import type { AuthenticatedData, Complaint, EntryKind } from "@latchkey/protocol";
import { nobleSignatures, signedCodec, signedContent } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { credentialOf } from "../group/credential.ts";
import type { DeviceIdentity } from "../group/credential.ts";
import { openEnvelope, sealEnvelope } from "../group/envelope.ts";
import { breakConfirmation, copied, doctored } from "./doctored.testing.ts";
import type { Doctoring } from "./doctored.testing.ts";
import { epochKeys } from "./keys.ts";
import { groupExtension } from "./roster.ts";
import { edited } from "./settings.ts";
import type { SettingsEdit } from "./settings-edit.ts";
import { simInboxKey } from "./sim.testing.ts";
import type { SimDevice, SimWorld } from "./sim.testing.ts";
import type { ConversationState, Joiner } from "./types.ts";

const nothing = new Uint8Array(0);

/** What a forged commit does besides what an honest one could. */
export interface Forgery
  extends
    Pick<CreateCommitParams, "adds" | "removes" | "groupContextExtensions" | "psks" | "psk" | "reInit">,
    Pick<Doctoring, "credential"> {
  /** The leaves of these devices get a path secret that does not open. */
  readonly cheats?: readonly SimDevice[] | undefined;
  /** What it says of its author's view. */
  readonly authenticatedData?: Uint8Array;
}

/**
 * A member that keeps to the formats and to nothing else. It has the state of one of the devices, which takes no part any more, and code of
 * its own: everything it makes is signed and tagged as it should be, so that only the rule behind can refuse it.
 */
export class HostileMember {
  readonly #world: SimWorld;
  readonly #device: SimDevice;
  readonly #reader = { cursor: 0, opened: new Set<number>() };
  /** How many messages it posted, and its group behind them. */
  #said = 0;
  #after: GroupState | undefined;

  constructor(world: SimWorld, device: SimDevice) {
    this.#world = world;
    this.#device = device;
  }

  get state(): ConversationState & { readonly group: GroupState } {
    const { state } = this.#device;
    if (state?.group === undefined) throw new Error("a member has a group");
    return { ...state, group: state.group };
  }

  /** The last entry that the server has. */
  get #end(): { readonly seq: number; readonly head: Uint8Array } {
    const last = this.#world.log.entries.at(-1);
    if (last === undefined) throw new Error("the group was founded");
    return { seq: last.seq, head: last.head };
  }

  /** What an honest member says of the log. */
  #view(key: Uint8Array): AuthenticatedData {
    const { accountVersion, accountChain } = this.#device.self;
    const viewTag = viewTagOf(sha256, key, this.#end);
    const own = { generation: 0, ownNumber: 0, previousOwn: zeroHash, seen: zeroHash };
    return { format: 3, viewTag, ...own, accountVersion, accountChain, gossip: nothing, ext: nothing };
  }

  /** A commit whose signatures, tags and secrets are all right. */
  async forge(forgery: Forgery = {}): Promise<CreatedCommit> {
    const { group, epoch } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { credential, cheats, authenticatedData, ...params } = forgery;
    return await createCommit(doctored(group, { credential, cheats: cheats?.map((victim) => leafOf(group, victim)) }), {
      authenticatedData: authenticatedData ?? encode(authenticatedDataCodec, this.#view(epoch.view)),
      random: this.#world.random,
      nowSeconds: 1_700_000_000n,
      ...params,
    });
  }

  /** Sets what it likes; `shown` is what lies in the envelope: what it set, another name under the same salt, or these bytes. */
  async set(edit: SettingsEdit, forgery: Forgery = {}, shown: Uint8Array | "true" | "another" = "true"): Promise<void> {
    const { opening, logId, roster } = this.state;
    if (roster === undefined) throw new Error("a member");
    const { host, conversationKind } = roster.settings;
    const next = { salt: this.#world.random(32), settings: edited(opening.settings, edit) };
    const extension = groupExtension(sha256, { host, conversationKind, logId, opening: next });
    const created = await this.forge({ ...forgery, groupContextExtensions: [extension] });
    const told = shown === "another" ? { ...next, settings: { ...next.settings, name: "Another" } } : next;
    const settings = shown instanceof Uint8Array ? shown : encode(settingsOpeningCodec, told);
    const nextAccessHash = sha256(epochKeys(created.next, logId, 0).access);
    this.postBlob(this.seal(created.message, nextAccessHash, "commit", { settings }), nextAccessHash);
  }

  /** A key package of anybody's, by a key of its own. */
  async keyPackage(identity: DeviceIdentity | Uint8Array): Promise<KeyPackage> {
    return (await this.createKeyPackage(identity)).keyPackage;
  }

  /** As `keyPackage`, for a change of an honest device's. */
  async joiner(identity: DeviceIdentity): Promise<Joiner> {
    const { message } = await this.createKeyPackage(identity);
    return { ...identity, inboxId: this.#world.random(32), inboxKey: simInboxKey, keyPackage: message };
  }

  /** As `keyPackage`, with its secrets. */
  async createKeyPackage(identity: DeviceIdentity | Uint8Array): Promise<CreatedKeyPackage> {
    const { suite } = this.state.group;
    const { random } = this.#world;
    return await createKeyPackage({
      suite,
      credential: identity instanceof Uint8Array ? { kind: "basic", identity } : credentialOf(identity),
      signatureKeyPair: await suite.generateSignatureKeyPair(random),
      lifetime: { notBefore: 1n, notAfter: 4_000_000_000n },
      capabilities: { versions: [1], cipherSuites: [suite.id], extensions: [latchkeyGroupExtensionType], proposals: [], credentials: [1] },
      random,
    });
  }

  /** Puts a commit into the log, behind all others of the epoch; answers its number. */
  post(created: Pick<CreatedCommit, "message" | "next">, params: { nextAccessHash?: Uint8Array; sealedHash?: Uint8Array } = {}): number {
    const derived = sha256(epochKeys(created.next, this.#world.logId, 0).access);
    const nextAccessHash = params.nextAccessHash ?? derived;
    return this.postBlob(this.seal(created.message, params.sealedHash ?? nextAccessHash), nextAccessHash);
  }

  /** A message of its own, with what it likes in its authenticated data. */
  async say(plaintext: Uint8Array, view: Partial<AuthenticatedData> = {}): Promise<void> {
    const { group, epoch } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { random } = this.#world;
    const from = this.#after ?? group;
    const said = { generation: nextGeneration(from), ownNumber: ++this.#said, ...view };
    const authenticatedData = encode(authenticatedDataCodec, { ...this.#view(epoch.view), ...said });
    const encrypted = await encryptApplicationMessage(from, { plaintext, authenticatedData, random });
    this.#after = encrypted.state;
    this.append(encrypted.message);
  }

  /** What stands on its device's line at `order`, encrypted once more in its author's name. */
  async copy(order: number): Promise<Uint8Array> {
    const kept = this.#device.evidence.get(order);
    if (kept === undefined) throw new Error("a line that it has read");
    const made = await copied(this.#after ?? this.state.group, kept.evidence, this.#world.random);
    const { suite, ownLeaf } = this.state.group;
    this.#after = { ...made.state, suite, ownLeaf };
    return made.message;
  }

  /** An MLSMessage as a message in the log. */
  append(message: Uint8Array): void {
    const { epoch } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { log } = this.#world;
    const { epochId, access } = epoch;
    log.open(this.#reader, { epochId, access, afterSeq: 0 });
    const answer = log.append(this.#reader, { entryKind: "message", epochId, blob: this.seal(message, zeroHash, "message") });
    if (answer.kind === "error") throw new Error(answer.code);
  }

  /** Any bytes as a commit. */
  postBlob(blob: Uint8Array, nextAccessHash: Uint8Array): number {
    const { epoch } = this.state;
    const { log } = this.#world;
    if (epoch === undefined) throw new Error("an epoch");
    const opened = log.open(this.#reader, { epochId: epoch.epochId, access: epoch.access, afterSeq: 0 });
    if (opened.kind === "error") throw new Error(opened.code);
    const answer = log.commit(this.#reader, { epochId: epoch.epochId, nextAccessHash, blob, afterSeq: log.entries.length });
    if (answer.kind === "error") throw new Error(answer.code);
    return answer.value.seq;
  }

  /** Puts what a complaint of somebody's holds into the log once more, sealed anew. */
  repeat(complaint: Uint8Array): void {
    const { epoch, logId } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { epochId, access, envelope: key } = epoch;
    const opened = openEnvelope({ key, logId, epochId, kind: "complaint", nextAccessHash: zeroHash, blob: complaint });
    if (opened.kind !== "inline") throw new Error(opened.kind);
    const blob = this.seal(nothing, zeroHash, "complaint", { complaint: opened.body.complaint.slice() });
    const { log } = this.#world;
    log.open(this.#reader, { epochId, access, afterSeq: 0 });
    const answer = log.append(this.#reader, { entryKind: "complaint", epochId, blob });
    if (answer.kind === "error") throw new Error(answer.code);
  }

  /** Says that it cannot follow the commit at `seq`, which may be its own; `leafKey`: of its leaf, as it stands on the other side. */
  async complain(seq: number, leafKey: Uint8Array, instead: Partial<Pick<Complaint, "inboxKey" | "keyPackage">> = {}): Promise<void> {
    const { epoch, logId } = this.state;
    const { self } = this.#device;
    if (epoch === undefined) throw new Error("an epoch");
    const { epochId } = epoch;
    const { inboxId, inboxKey, keyPackage } = await this.joiner(self);
    const { accountId, deviceId } = self;
    const reason = complaintReasons.pathSecret;
    const given = { inboxId, inboxKey, keyPackage, leafKeys: [leafKey], authorId: accountId, ext: nothing, ...instead };
    const body = encode(complaintCodec, { format: 1, logId, epochId, seq, accountId, deviceId, reason, at: 0, ...given });
    const signature = await nobleSignatures.sign(self.signatureKeyPair.secretKey, signedContent("Complaint", body));
    const blob = this.seal(nothing, zeroHash, "complaint", { complaint: encode(signedCodec, { body, signature }) });
    const { log } = this.#world;
    log.open(this.#reader, { epochId, access: epoch.access, afterSeq: 0 });
    const answer = log.append(this.#reader, { entryKind: "complaint", epochId, blob });
    if (answer.kind === "error") throw new Error(answer.code);
  }

  /** A commit whose content is said to lie in a blob that nobody stored. */
  postNowhere(): number {
    const { epoch, logId } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { random } = this.#world;
    const nextAccessHash = random(32);
    const body = {
      seq: this.#end.seq,
      mlsMessage: random(70_000),
      directoryProofs: nothing,
      settings: nothing,
      complaint: nothing,
      leaves: nothing,
    };
    const address = { key: epoch.envelope, logId, epochId: epoch.epochId, kind: "commit" } as const;
    return this.postBlob(sealEnvelope({ ...address, nextAccessHash, body, random, sha256 }).blob, nextAccessHash);
  }

  /**
   * An epoch of its own beside the conversation: a commit in `closed`, an epoch that is over (spec L-4 takes it there), and messages behind it.
   */
  speakElsewhere(closed: { readonly epochId: number; readonly access: Uint8Array }, messages: number): void {
    const { log, random } = this.#world;
    const reader = { cursor: 0, opened: new Set<number>() };
    log.open(reader, { ...closed, afterSeq: 0 });
    const access = random(32);
    const commit = { epochId: closed.epochId, nextAccessHash: sha256(access), blob: random(512), afterSeq: log.entries.length };
    const began = log.commit(reader, commit);
    if (began.kind === "error") throw new Error(began.code);
    const epochId = began.value.seq;
    log.open(reader, { epochId, access, afterSeq: 0 });
    for (let i = 0; i < messages; i++) log.append(reader, { epochId, entryKind: "message", blob: random(512) });
  }

  /** An MLSMessage in the epoch's envelope. */
  seal(
    mlsMessage: Uint8Array,
    nextAccessHash: Uint8Array,
    kind: EntryKind = "commit",
    beside: { readonly complaint?: Uint8Array; readonly leaves?: Uint8Array; readonly settings?: Uint8Array } = {},
  ): Uint8Array {
    const { epoch, logId, opening } = this.state;
    if (epoch === undefined) throw new Error("an epoch");
    const { random } = this.#world;
    const body = {
      seq: this.#end.seq,
      mlsMessage,
      directoryProofs: nothing,
      settings: encode(settingsOpeningCodec, opening),
      complaint: nothing,
      leaves: nothing,
      ...beside,
    };
    return sealEnvelope({ key: epoch.envelope, logId, epochId: epoch.epochId, kind, nextAccessHash, body, random, sha256 }).blob;
  }

  /** Somebody's commit with a confirmation tag that is wrong, and the membership tag that any member can make (spec G-7). */
  breakConfirmation(message: Uint8Array): Uint8Array {
    return breakConfirmation(this.state.group, message);
  }
}

function leafOf(group: GroupState, device: SimDevice): LeafIndex {
  const found = members(group).find(({ leafNode }) => equalBytes(leafNode.signatureKey, device.self.signatureKeyPair.publicKey));
  if (found === undefined) throw new Error("a member");
  return found.leafIndex;
}
