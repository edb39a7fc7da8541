import { encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { createCommit, decodeKeyPackage, encodeRatchetTree } from "@latchkey/mls";
import type { CreatedCommit, Extension, GroupState } from "@latchkey/mls";
import { entryId, maxInlineProofBytes, maxInlineTreeBytes, settingsOpeningCodec } from "@latchkey/protocol";
import type { BlobReference, EnvelopeBody, ProofSource, SettingsOpening, TreeSource } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { encryptBlob } from "../group/blobs.ts";
import { sealEnvelope } from "../group/envelope.ts";
import { answerId, answeredBy, asksToAnswer, isAnswer } from "./answering.ts";
import { updateRank } from "./epoch.ts";
import { departedBy } from "./departed.ts";
import { judge } from "./judge.ts";
import { tellOutcome, withWaitingSettings } from "./merged-settings.ts";
import { epochKeys } from "./keys.ts";
import { leaversOf, removableAtOnce, wordsFor } from "./leaving.ts";
import type { PublicFailure } from "./public-check.ts";
import { needsProof, outranks } from "./permitted.ts";
import { accountIdsOf, groupExtension, isSameDevice, rosterOf } from "./roster.ts";
import { pendingOrder } from "./order.ts";
import { groupPictureNames } from "./pictures.ts";
import { encodeRenewalStamp, isRenewalDue } from "./renewal.ts";
import { isBlocked } from "./skipped.ts";
import { openingAfter } from "./staged-settings.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Change, ConversationState, EpochKeys, Joiner, PendingBlob, Roster, RosterLeaf, WantedChange } from "./types.ts";
import { authenticatedData } from "./view.ts";

/** Adds in one commit once the group is large (spec M-5). */
const addsPerCommit = 50;
const largeGroup = 100;
/** The changes that a client wants by itself. */
const ofLeavers = "leavers";
const ofDeparted = "departed";
const ofOwnGhosts = "own_ghosts";
const ofRenewal = "renew";

/** Accounts whose devices one commit proves to have left: with the longest histories that there are, their records fit. */
const departedAtOnce = 8;

/** Puts a wanted change in the queue. */
export function requestChange(turn: Turn, change: WantedChange): void {
  const { changes, nextLocal } = turn.state;
  set(turn, { changes: [...changes, { ...change, order: pendingOrder(nextLocal), attempts: 0 }], nextLocal: nextLocal + 1 });
}

/** Puts a commit that changes nothing before everything else that waits: it lets messages through again (spec G-3). */
export function requestUnblocking(turn: Turn): void {
  const { changes } = turn.state;
  if (changes.some(({ id }) => id === "unblock")) return;
  const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0) };
  set(turn, { changes: [{ id: "unblock", ...nothing, update: true, order: 0, attempts: 0 }, ...changes] });
}

/** Wants those out who left, and the devices that their accounts no longer have (spec M-3): apart, so that neither waits for the other. */
export function requestRemovals(turn: Turn): void {
  const { changes, staged, departed } = turn.state;
  const leavers = leaversOf(turn.state);
  const isPlanned = (id: string): boolean => changes.some((change) => change.id === id) || staged?.change.id === id;
  const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
  if (leavers.length > 0 && !isPlanned(ofLeavers)) {
    requestChange(turn, { ...nothing, id: ofLeavers, removes: removableAtOnce(leavers).map(({ accountId }) => accountId) });
  }
  if (departed.length > 0 && !isPlanned(ofDeparted)) {
    const accounts = [...new Set(departed.map(({ accountId }) => toBase64Url(accountId)))].slice(0, departedAtOnce);
    const removeDevices = departed.flatMap(({ accountId, deviceId }) =>
      accounts.includes(toBase64Url(accountId)) ? [{ accountId, deviceId }] : [],
    );
    // What proves to every member that those devices left their accounts (spec M-2).
    const proofs = turn.context.standingRecordsOf(removeDevices.map(({ accountId }) => accountId));
    requestChange(turn, { ...nothing, id: ofDeparted, removeDevices, proofs });
  }
}

/** Wants those leaves of one's own account out that the account does not have: its devices may take them out, whatever the policy (M-2, G-8). */
export function removeOwnGhosts(turn: Turn): void {
  const { unverified, changes, staged, phase } = turn.state;
  const ghosts = unverified.filter(({ accountId, refused }) => refused && equalBytes(accountId, turn.context.self.accountId));
  if (ghosts.length === 0 || phase.kind !== "active") return;
  if (changes.some(({ id }) => id === ofOwnGhosts) || staged?.change.id === ofOwnGhosts) return;
  const removeDevices = ghosts.map(({ accountId, deviceId }) => ({ accountId, deviceId }));
  requestChange(turn, { id: ofOwnGhosts, adds: [], removes: [], removeDevices, proofs: new Uint8Array(0), update: false });
}

/** Whether a leaf is to go when its turn comes: who left may have gone and come back since it was planned. */
function isStillMeant(state: ConversationState, { id }: Change, leaf: RosterLeaf): boolean {
  const { departed } = state;
  if (id === ofLeavers) return leaversOf(state).some(({ accountId }) => equalBytes(accountId, leaf.accountId));
  return id !== ofDeparted || departed.some(({ leafIndex }) => leafIndex === leaf.leafIndex);
}

/** Whether nobody else has answered the complaint since: its key package lets in once, and who was let in by it would be out again. */
function stillAnswers(state: ConversationState, { id, adds: [joiner] }: Change): boolean {
  return asksToAnswer(state).some(
    (ask) => answerId(ask.leaf) === id && joiner !== undefined && equalBytes(ask.joiner.keyPackage, joiner.keyPackage),
  );
}

/** Whether one's own leaf is to be renewed still: when the change was asked for, it was. */
function isUpdateMeant({ state, context }: Turn, { id }: Change, { group, roster }: { group: GroupState; roster: Roster }): boolean {
  if (isBlocked(state)) return true;
  return id === ofRenewal ? isRenewalDue(state.renewal, context.nowMs) : updateRank(group, roster) !== undefined;
}

/** Renews one's own leaf, where it is due and nobody did so in this hour (spec R-6). */
export function requestRenewal(turn: Turn): void {
  const { phase, changes, staged, renewal } = turn.state;
  const isPlanned = staged?.change.update === true || changes.some(({ update }) => update);
  if (phase.kind !== "active" || turn.context.isHeld || isPlanned || !isRenewalDue(renewal, turn.context.nowMs)) return;
  requestChange(turn, { id: ofRenewal, adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: true });
}

/** Ends a change without a commit. */
function finish(turn: Turn, change: Change, failed?: ClientErrorCode): void {
  const { changes, asks } = turn.state;
  const isDone = ({ id }: Change): boolean => id === change.id || change.merged?.includes(id) === true;
  set(turn, { changes: changes.filter((other) => !isDone(other)) });
  if (change.id === ofDeparted) set(turn, { link: { ...turn.state.link, cannotRemove: failed !== undefined } });
  // A complaint that cannot be answered keeps no other one waiting: its author makes it again (spec G-4).
  if (failed !== undefined) set(turn, { asks: asks.filter((ask) => answerId(ask) !== change.id) });
  tellOutcome(turn, change, failed === undefined ? { kind: "done" } : { kind: "failed", code: failed });
}

/**
 * Turns the first waiting change into a commit, as far as it still means something.
 * @param isAlone without the other settings that wait: together they would not count
 */
export async function stageNextChange(turn: Turn, isAlone = false): Promise<void> {
  const { roster, group, epoch, changes } = turn.state;
  const change = isAlone ? changes[0] : withWaitingSettings(changes);
  if (change === undefined || roster?.own === undefined || group === undefined || epoch === undefined) return;
  if (isAnswer(change) && !stillAnswers(turn.state, change)) {
    finish(turn, change);
    return;
  }
  const removes = leavesOf(roster, change).filter((leaf) => isStillMeant(turn.state, change, leaf));
  // A device that goes and comes back in one commit is re-added (spec M-9).
  const adds = change.adds.filter((joiner) => !stands(roster, joiner, removes));
  const updates = change.update && isUpdateMeant(turn, change, { group, roster });
  const opening = await openingAfter(turn, change, { roster, adds, removes });
  if (adds.length === 0 && removes.length === 0 && !updates && opening === undefined) {
    finish(turn, change);
    return;
  }
  const first = addsOfOneCommit(turn, { roster, adds, hasRemoves: removes.length > 0 });
  const now: Change = { ...change, adds: first };
  const rest = adds.filter((joiner) => !first.includes(joiner));
  const later: Change[] = rest.length > 0 ? [{ ...change, adds: rest, removes: [], removeDevices: [], settings: undefined }] : [];
  try {
    const made = await commitOf(turn, { change: now, removes, group, opening });
    // What others would not follow is not sent (spec G-1).
    const verdict = await judge(turn, made.body, { group, roster });
    if (verdict.kind === "fails") {
      turn.groups.push(made.created.next);
      if (change !== changes[0]) return await stageNextChange(turn, true);
      const fewer = await withProven(turn, change, { removes, roster });
      if (fewer === undefined) {
        finish(turn, change, codeOf(verdict.reason));
        return;
      }
      set(turn, { changes: [fewer, ...changes.slice(1)] });
      return await stageNextChange(turn);
    }
    stage(turn, now, { ...made, epoch });
    set(turn, { changes: [...later, ...changes.slice(1).filter(({ id }) => change.merged?.includes(id) !== true)] });
  } catch {
    if (change !== changes[0]) return await stageNextChange(turn, true);
    // Whatever it is, it is of this change: the next one is made all the same (spec E-17).
    finish(turn, change, adds.length > 0 ? "invalid_key_package" : "server_refused");
  }
}

/**
 * Whom the next commit adds: of many a part. Those who would manage over this device come last and all at once: behind them it may add nobody,
 * and what proves their devices has room of its own (spec M-2).
 */
function addsOfOneCommit(
  turn: Turn,
  params: { readonly roster: Roster; readonly adds: readonly Joiner[]; readonly hasRemoves: boolean },
): readonly Joiner[] {
  const { roster, adds, hasRemoves } = params;
  const isLarge = roster.leaves.size + adds.length > largeGroup && adds.length > addsPerCommit;
  const isRanked = ({ accountId }: Joiner): boolean => outranks(roster, toBase64Url(accountId), turn.context.self.account);
  const others = adds.filter((joiner) => !isRanked(joiner));
  if (others.length === 0) return adds;
  if (isLarge) return others.slice(0, addsPerCommit);
  // Who is removed to be added again is so in one commit; and whoever founds a group proves nothing.
  return hasRemoves || roster.accounts.size === 1 ? adds : others;
}

/** The removal of those alone whom its records prove to have left; `undefined` for none of them, or all (spec E-55). */
async function withProven(
  turn: Turn,
  change: Change,
  { removes, roster }: { readonly removes: readonly RosterLeaf[]; readonly roster: Roster },
): Promise<Change | undefined> {
  if (change.id !== ofDeparted || removes.length < 2) return undefined;
  const proven = await departedBy(change.proofs, removes, roster.settings, turn.context.signatures);
  if (proven.length === 0 || proven.length >= removes.length) return undefined;
  return { ...change, removeDevices: proven.map(({ accountId, deviceId }) => ({ accountId, deviceId })) };
}

/** What a person reads of a change that nobody would follow: of the key packages that it adds, or of their own role. */
function codeOf(reason: PublicFailure): ClientErrorCode {
  return leafFailures.has(reason) ? "invalid_key_package" : "not_permitted";
}

const leafFailures: ReadonlySet<PublicFailure> = new Set<PublicFailure>([
  "not_valid",
  "identity",
  "changed_leaf",
  "host",
  "device_twice",
  "too_many_leaves",
]);

/** A commit that is made and not staged, with what its envelope holds. */
interface Made {
  readonly created: CreatedCommit;
  readonly body: EnvelopeBody;
  /** The settings that it leaves, where it sets any. */
  readonly opening: SettingsOpening | undefined;
}

/** @throws MlsError when a key package is none, or not for this group. */
async function commitOf(
  turn: Turn,
  made: { change: Change; removes: readonly RosterLeaf[]; group: GroupState; opening: SettingsOpening | undefined },
): Promise<Made> {
  const { state, context } = turn;
  const { change, removes, group, opening } = made;
  const created = await createCommit(group, {
    ...(opening === undefined ? {} : { groupContextExtensions: [extensionOf(turn, opening)] }),
    adds: change.adds.map((joiner) => decodeKeyPackage(joiner.keyPackage)),
    removes: removes.map((leaf) => leaf.leafIndex),
    authenticatedData: authenticatedData(turn, undefined, change.update ? encodeRenewalStamp(context.nowMs) : undefined),
    random: context.random,
    nowSeconds: BigInt(Math.floor(context.nowMs / 1000)),
  });
  const body = {
    seq: state.chain.seq,
    mlsMessage: created.message,
    directoryProofs: proofsFor(turn, change),
    settings: opening === undefined ? new Uint8Array(0) : encode(settingsOpeningCodec, opening),
    complaint: answeredBy(state.asks, removes),
    leaves: wordsFor(state, removes),
  };
  return { created, body, opening };
}

/** The group's extension for these settings; what else it says never changes (spec M-1). */
function extensionOf({ state, context }: Turn, opening: SettingsOpening): Extension {
  const { roster, logId } = state;
  if (roster === undefined) throw new Error("a change without a group");
  const { host, conversationKind } = roster.settings;
  return groupExtension(context.sha256, { host, conversationKind, logId, opening });
}

/** What members need to verify whom it adds, and where its author has to prove that, what all need to judge alike (spec M-2). */
function proofsFor({ state, context }: Turn, { adds, proofs }: Change): Uint8Array {
  const { roster } = state;
  const ids = adds.map(({ accountId }) => accountId);
  const ranked = ids.filter((accountId) => roster !== undefined && needsProof(roster, context.self.account, toBase64Url(accountId)));
  return ranked.length > 0 ? context.standingRecordsOf(ranked) : proofs;
}

function stage(turn: Turn, change: Change, { created, body, opening, epoch }: Made & { epoch: EpochKeys }): void {
  const { state, context } = turn;
  const { logId } = state;
  const { random, sha256 } = context;
  // The access key does not depend on the entry's number: only the epoch's id does, which the server gives.
  const nextAccessHash = sha256(epochKeys(created.next, logId, 0).access);
  const { epochId } = epoch;
  const settings = (opening ?? state.opening).settings;
  const names = state.roster === undefined ? [] : groupPictureNames(state.roster.settings, settings);
  const sealed = sealEnvelope({ key: epoch.envelope, logId, epochId, kind: "commit", nextAccessHash, body, names, random, sha256 });
  const blobs: PendingBlob[] = [];
  if (sealed.external !== undefined) blobs.push({ blobId: sealed.external.reference.blobId, ciphertext: sealed.external.ciphertext });
  let tree: TreeSource | undefined;
  let proofs: ProofSource | undefined;
  if (change.adds.length > 0) {
    const asBlob = (plaintext: Uint8Array): BlobReference => {
      const { reference, ciphertext } = encryptBlob({ plaintext, random, sha256 });
      blobs.push({ blobId: reference.blobId, ciphertext });
      return reference;
    };
    const encoded = encodeRatchetTree(created.next);
    tree = encoded.length <= maxInlineTreeBytes ? { kind: "inline", tree: encoded } : { kind: "blob", ...asBlob(encoded) };
    const records = context.recordsOf(accountIdsOf(rosterOf(created.next, state.opening)));
    proofs = records.length <= maxInlineProofBytes ? { kind: "inline", proofs: records } : { kind: "blob", ...asBlob(records) };
  }
  const id = entryId(sha256, { epochId, kind: "commit", nextAccessHash, blob: sealed.blob });
  set(turn, {
    staged: {
      change,
      entry: { entryId: id, epochId, blob: sealed.blob, blobs },
      nextAccessHash,
      afterSeq: state.lastCommitSeq,
      next: created.next,
      welcomes: created.welcomes,
      tree,
      proofs,
      opening,
      sentIn: 0,
      accepted: undefined,
    },
  });
}

/** Whether the joiner's device is in the group, and stays. */
function stands(roster: Roster, joiner: Joiner, removes: readonly RosterLeaf[]): boolean {
  return [...roster.leaves.values()].some((leaf) => isSameDevice(leaf, joiner) && !removes.includes(leaf));
}

function leavesOf(roster: Roster, { removes, removeDevices }: Change): readonly RosterLeaf[] {
  const isMeant = (leaf: RosterLeaf): boolean =>
    removes.some((account) => equalBytes(account, leaf.accountId)) || removeDevices.some((device) => isSameDevice(device, leaf));
  return [...roster.leaves.values()].filter((leaf) => leaf !== roster.own && isMeant(leaf));
}
