import { equalBytes } from "@latchkey/codec";
import { MlsError, createCommit, decodeKeyPackage, encodeRatchetTree } from "@latchkey/mls";
import type { KeyPackage } from "@latchkey/mls";
import { entryId, maxInlineProofBytes, maxInlineTreeBytes } from "@latchkey/protocol";
import type { BlobReference, ProofSource, TreeSource } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { encryptBlob } from "../group/blobs.ts";
import { sealEnvelope } from "../group/envelope.ts";
import { answeredBy, asksToAnswer } from "./complaints.ts";
import { departedBy } from "./departed.ts";
import { updateRank } from "./epoch.ts";
import { epochKeys } from "./keys.ts";
import { accountIdsOf, identityOf, isPermitted, isSameDevice, rosterOf } from "./roster.ts";
import { pendingOrder } from "./order.ts";
import { isBlocked } from "./skipped.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Change, Joiner, PendingBlob, Roster, RosterLeaf, WantedChange } from "./types.ts";
import { authenticatedData } from "./view.ts";

/** Adds in one commit once the group is large (spec M-5). */
const addsPerCommit = 50;
const largeGroup = 100;

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

/** Ends a change without a commit. */
function finish(turn: Turn, change: Change, failed?: ClientErrorCode): void {
  set(turn, { changes: turn.state.changes.filter((other) => other.id !== change.id) });
  turn.effects.push({
    kind: "change_outcome",
    id: change.id,
    outcome: failed === undefined ? { kind: "done" } : { kind: "failed", code: failed },
  });
}

/** Turns the first waiting change into a commit, as far as it still means something. */
export async function stageNextChange(turn: Turn): Promise<void> {
  const { roster, group, epoch, leavers, changes } = turn.state;
  const { signatures } = turn.context;
  const change = changes[0];
  const author = roster?.own;
  if (change === undefined || roster === undefined || group === undefined || epoch === undefined || author === undefined) return;
  const removes = leavesOf(roster, change);
  // By the key package of the complaint that stands now: an answer to an earlier one is not permitted any more (spec G-5).
  const complainers = asksToAnswer(turn.state)
    .filter(({ joiner }) => change.adds.some(({ keyPackage }) => equalBytes(keyPackage, joiner.keyPackage)))
    .map(({ leaf }) => leaf);
  // A device that goes and comes back in one commit is re-added (spec M-9).
  const adds = change.adds.filter((joiner) => !stands(roster, joiner, removes));
  const updates = change.update && (updateRank(group, roster) !== undefined || isBlocked(turn.state));
  if (adds.length === 0 && removes.length === 0 && !updates) {
    finish(turn, change);
    return;
  }
  const isLarge = roster.leaves.size + adds.length > largeGroup && adds.length > addsPerCommit;
  const now: Change = { ...change, adds: isLarge ? adds.slice(0, addsPerCommit) : adds };
  const later: Change[] = isLarge ? [{ ...change, adds: adds.slice(addsPerCommit), removes: [], removeDevices: [] }] : [];
  try {
    const keyPackages = now.adds.map((joiner) => decodeKeyPackage(joiner.keyPackage));
    const identities = keyPackages.map((keyPackage) => identityOf(keyPackage.leafNode.credential));
    const departed = await departedBy(change.proofs, removes, roster.settings, signatures);
    if (!isPermitted(roster, { leavers, departed, complainers }, { author, adds: identities, removes, settings: undefined })) {
      finish(turn, change, "not_permitted");
      return;
    }
    await stage(turn, { change: now, keyPackages, removes });
    set(turn, { changes: [...later, ...changes.slice(1)] });
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    finish(turn, change, "invalid_key_package");
  }
}

async function stage(
  turn: Turn,
  params: { change: Change; keyPackages: readonly KeyPackage[]; removes: readonly RosterLeaf[] },
): Promise<void> {
  const { state, context } = turn;
  const { group, epoch, logId } = state;
  if (group === undefined || epoch === undefined) return;
  const { random, sha256 } = context;
  const created = await createCommit(group, {
    adds: params.keyPackages,
    removes: params.removes.map((leaf) => leaf.leafIndex),
    authenticatedData: authenticatedData(turn, undefined),
    random,
    nowSeconds: BigInt(Math.floor(context.nowMs / 1000)),
  });
  // The access key does not depend on the entry's number: only the epoch's id does, which the server gives.
  const nextAccessHash = sha256(epochKeys(created.next, logId, 0).access);
  const body = {
    seq: state.chain.seq,
    mlsMessage: created.message,
    directoryProofs: params.change.proofs,
    settings: new Uint8Array(0),
    complaint: answeredBy(state.asks, params.removes),
  };
  const sealed = sealEnvelope({ key: epoch.envelope, logId, epochId: epoch.epochId, kind: "commit", nextAccessHash, body, random, sha256 });
  const blobs: PendingBlob[] = [];
  if (sealed.external !== undefined) blobs.push({ blobId: sealed.external.reference.blobId, ciphertext: sealed.external.ciphertext });
  let tree: TreeSource | undefined;
  let proofs: ProofSource | undefined;
  if (params.keyPackages.length > 0) {
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
  const id = entryId(sha256, { epochId: epoch.epochId, kind: "commit", nextAccessHash, blob: sealed.blob });
  set(turn, {
    staged: {
      change: params.change,
      entry: { entryId: id, epochId: epoch.epochId, blob: sealed.blob, blobs },
      nextAccessHash,
      afterSeq: state.lastCommitSeq,
      next: created.next,
      welcomes: created.welcomes,
      tree,
      proofs,
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
