import { equalBytes } from "@latchkey/codec";
import { complaintReasons, zeroHash } from "@latchkey/protocol";
import type { SealedEvent, WireErrorCode } from "@latchkey/protocol";
import type { Arrival } from "./contested.ts";
import { sealComplaint } from "./complaint-entry.ts";
import type { FreshKeys } from "./complaint-entry.ts";
import { mayAnswer } from "./answering.ts";
import { bounded, heardAnew, keptBy } from "./closed-epochs.ts";
import { isSameDevice, leafOf } from "./roster.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { ClosedEpoch, ConversationState, DeviceReference } from "./types.ts";

/** How long after it the person is asked about another place (spec G-5). */
const elsewhereMs = 7 * 86_400_000;
/** Commits elsewhere that are followed from afar. */
const maxBehind = 4096;

/**
 * What a device knows once a Welcome let it in behind a commit that it could not follow, or elsewhere behind it: it says where in the
 * epoch that the commit ended, so that the others count it no more among those who are stuck (spec G-5, G-6).
 * @param by the account that let it in
 */
export function arrivalOf(
  before: ConversationState,
  joined: ConversationState,
  by: Uint8Array,
): Pick<ConversationState, "arrival" | "closedEpochs"> | undefined {
  const { stranded, epoch, roster, arrival } = before;
  const place = { at: joined.chain.seq, by, entry: undefined, isWritten: false };
  if (arrival !== undefined && stranded === undefined) {
    // What it did elsewhere behind the commit was another's.
    const closedEpochs = before.closedEpochs.filter(({ epochId }) => epochId <= arrival.epochId);
    // Its keys are gone after a week: by then nobody listens there any more.
    if (!closedEpochs.some(({ epochId }) => epochId === arrival.epochId)) return undefined;
    return {
      arrival: { ...arrival, ...place, declined: [...arrival.declined, arrival.by] },
      closedEpochs: joined.roster === undefined ? [] : heardAnew(closedEpochs, roster, joined.roster),
    };
  }
  if (stranded === undefined || epoch === undefined || roster === undefined || joined.roster === undefined) return undefined;
  const { seq, author, keeps, readds, leafKeys, behind, parents, complainers, sinceMs } = stranded;
  const { epochId, access, envelope } = epoch;
  const writer = author === undefined ? undefined : roster.leaves.get(author);
  const authorId = writer?.accountId ?? zeroHash;
  const stay = [...keeps, ...readds].flatMap((leaf) => roster.leaves.get(leaf) ?? []);
  const mayLetIn = [...roster.leaves.values()].filter((leaf) => mayAnswer(roster, leaf, { authorId }));
  const answerers = [...new Map(mayLetIn.map(({ account, accountId }) => [account, accountId])).values()];
  const closed: ClosedEpoch = {
    epochId,
    access,
    envelope,
    closedAtMs: sinceMs,
    child: seq,
    childAuthor: authorId,
    ...keptBy(stay, joined.roster, writer),
    asked: [],
    gone: [],
    arrived: stranded.arrived.flatMap((leaf) => roster.leaves.get(leaf) ?? []).map(({ accountId, deviceId }) => ({ accountId, deviceId })),
    stuck: complainers
      .flatMap((leaf) => stay.find(({ leafIndex }) => leafIndex === leaf) ?? [])
      .map(({ accountId, deviceId }) => ({ accountId, deviceId })),
  };
  return {
    arrival: { seq, epochId, authorId, answerers, sinceMs, leafKeys, behind, parents, declined: [], ...place },
    closedEpochs: bounded([...heardAnew(before.closedEpochs, roster, joined.roster), closed]),
  };
}

/** Writes where it arrived, now that there is a fresh key package for those who are not there. */
export async function writeArrival(turn: Turn, fresh: FreshKeys): Promise<void> {
  const { arrival } = turn.state;
  const closed = turn.state.closedEpochs.find(({ epochId }) => epochId === arrival?.epochId);
  if (arrival === undefined || closed === undefined || arrival.entry !== undefined) return;
  const { seq, authorId, at, leafKeys } = arrival;
  const entry = await sealComplaint(turn, closed, { ...fresh, seq, authorId, at, leafKeys, reason: complaintReasons.arrived });
  set(turn, { arrival: { ...arrival, entry } });
}

/** Sends what it says of it, once on each connection, until it stands in the log. */
export function sendArrival(turn: Turn): void {
  const { arrival, link } = turn.state;
  if (arrival?.entry === undefined || arrival.isWritten || link.complainedIn === link.attempt) return;
  set(turn, { link: { ...link, complainedIn: link.attempt } });
  turn.effects.push({ kind: "append", entry: arrival.entry, entryKind: "complaint" });
}

/** The server refuses its word for good, for whatever reason: it does without. Answers whether the entry was that (spec E-31). */
export function onArrivalRefused(
  turn: Turn,
  { entryId, code }: { readonly entryId: Uint8Array | undefined; readonly code: WireErrorCode },
): boolean {
  const { arrival } = turn.state;
  // The server does not have the log now: it is asked again.
  if (code === "unknown_log" || code === "unknown_epoch") return false;
  if (arrival?.entry === undefined || entryId === undefined || !equalBytes(arrival.entry.entryId, entryId)) return false;
  set(turn, { arrival: { ...arrival, isWritten: true } });
  return true;
}

/** Its word stands in the log: from there on it is not stuck. */
export function onOwnArrival(turn: Turn): void {
  const { arrival } = turn.state;
  if (arrival === undefined) return;
  set(turn, { arrival: { ...arrival, isWritten: true } });
  noteArrived(turn, arrival.epochId, turn.context.self);
}

/** Of a closed epoch: this device is not stuck there any more. */
export function noteArrived(turn: Turn, epochId: number, { accountId, deviceId }: DeviceReference): void {
  const device = { accountId, deviceId };
  const isOther = (other: DeviceReference): boolean => !isSameDevice(other, device);
  const noted = (closed: ClosedEpoch): ClosedEpoch => ({
    ...closed,
    stuck: closed.stuck.filter(isOther),
    arrived: [...closed.arrived.filter(isOther), device],
  });
  const closedEpochs = turn.state.closedEpochs.map((closed) => (closed.epochId === epochId ? noted(closed) : closed));
  set(turn, { closedEpochs });
}

/** Whether this device went through the commit at `seq`. */
export function isOnWay({ epoch, closedEpochs, arrival }: ConversationState, seq: number): boolean {
  return (
    epoch?.epochId === seq || closedEpochs.some(({ epochId }) => epochId === seq) || (arrival !== undefined && wayTo(arrival).includes(seq))
  );
}

/** The commits that led from one that it could not follow to where it was let in: others went that way before it did. */
function wayTo({ seq, behind, parents, at }: Arrival): readonly number[] {
  const way: number[] = [];
  let place = behind.indexOf(at);
  // Each has a smaller number than what it led to.
  while (place >= 0 && behind[place] !== seq) {
    way.push(behind[place] ?? seq);
    place = behind.indexOf(parents[place] ?? seq);
  }
  return way;
}

/** Follows from afar where the commit leads that it could not follow, beside its own way: a commit of an epoch that is sealed to it. */
export function noteElsewhere(turn: Turn, { seq, epochId }: Pick<SealedEvent, "seq" | "epochId">): void {
  const { arrival } = turn.state;
  if (arrival === undefined || !arrival.behind.includes(epochId) || arrival.behind.length >= maxBehind) return;
  set(turn, { arrival: { ...arrival, behind: [...arrival.behind, seq], parents: [...arrival.parents, epochId] } });
}

/**
 * Whether a Welcome would let this device in at another place behind the commit that it could not follow than it was (spec G-5): by a
 * member of the epoch which that commit ended who might answer, was not heard where it is, and whom the person has not turned away there.
 * Whoever is where it is now has no say in it: that may be among liars.
 * @param at.ownHead the head that this device has after the entry that the Welcome starts from; `undefined` for none
 */
export function leadsElsewhere(
  known: ConversationState,
  joined: ConversationState,
  sender: DeviceReference,
  at: { readonly ownHead: Uint8Array | undefined; readonly nowMs: number },
): boolean {
  const { arrival, roster, spoken } = known;
  const { ownHead, nowMs } = at;
  if (arrival === undefined || roster === undefined || joined.id !== known.id || nowMs - arrival.sinceMs >= elsewhereMs) return false;
  const { seq, head } = joined.chain;
  if (isOnWay(known, seq) || !arrival.behind.includes(seq) || ownHead === undefined || !equalBytes(ownHead, head)) return false;
  const leaf = leafOf(roster, sender);
  if (leaf !== undefined && spoken.has(leaf.leafIndex)) return false;
  const isSender = (account: Uint8Array): boolean => equalBytes(account, sender.accountId);
  return arrival.answerers.some(isSender) && ![arrival.by, ...arrival.declined].some(isSender);
}

/** Somebody would let it in elsewhere, and the person has not said with whom to go: nothing is sent meanwhile. */
export function isBetween({ arrival, invitations, phase }: Pick<ConversationState, "arrival" | "invitations" | "phase">): boolean {
  return arrival !== undefined && phase.kind === "active" && invitations.length > 0;
}

/** The person does not go with this account. */
export function declineElsewhere(turn: Turn, accountId: Uint8Array): void {
  const { arrival } = turn.state;
  if (arrival !== undefined) set(turn, { arrival: { ...arrival, declined: [...arrival.declined, accountId] } });
}
