import { equalBytes } from "@latchkey/codec";
import { MlsError, decodeKeyPackage, memberAt } from "@latchkey/mls";
import type { GroupState, InspectedCommit } from "@latchkey/mls";
import { complaintReasons, maxClosedEpochs, maxComplaintLeafKeys, zeroHash } from "@latchkey/protocol";
import type { Complaint, EntryEvent, EpochAccess } from "@latchkey/protocol";
import { openEnvelope } from "../group/envelope.ts";
import { isInboxKey } from "../group/inbox-seal.ts";
import { isOnWay, noteArrived, writeArrival } from "./arrival.ts";
import { headAt } from "./chain.ts";
import { parseComplaint, sealComplaint, verifyComplaint } from "./complaint-entry.ts";
import type { FreshKeys } from "./complaint-entry.ts";
import { othersFirstMs } from "./delay.ts";
import { loseRace } from "./epoch.ts";
import { isSameDevice, leafOf, mayManage } from "./roster.ts";
import { openAgain, tellSkipped } from "./skipped.ts";
import { addLine, nextOrder, pause, set } from "./turn.ts";
import type { Passed } from "./public-check.ts";
import type { Turn } from "./turn.ts";
import { numbersIn } from "./contested.ts";
import type { Ask } from "./contested.ts";
import type { ClosedEpoch, ConversationState, Joiner, Roster, RosterLeaf, Stranded } from "./types.ts";
import { isVoid } from "./which-commit-counts.ts";

const nothing = new Uint8Array(0);
/** How long a device waits to be let back in before it says that it was in vain (spec G-9). */
export const givesUpAfterMs = 86_400_000;
/** The first complaint that is not heard is made again after this, each further one after four times as long (spec G-4). */
const againAfterMs = 600_000;
/** How often a device is heard that asks to be let in behind one commit: its complaints, and where it arrived. */
const maxAsks = maxComplaintLeafKeys;
const answerDelayMs = 4000;
/** Commits that are followed from afar; behind them nobody is let in, and the complaint ends as one that nobody hears. */
const maxBehind = 4096;

/** A commit that counts and that this device cannot follow: it stays in the epoch, complains and waits (spec G-4). */
export function strand(
  turn: Turn,
  commit: {
    event: EntryEvent;
    /** Nobody where the server keeps its content back: who wrote it stands in there. */
    author: RosterLeaf | undefined;
    /** Without one every member counts as kept. */
    verdict: Pick<Passed, "keeps" | "readds"> | undefined;
    reason: number;
  },
): void {
  const { event, author, reason, verdict } = commit;
  const { roster, group } = turn.state;
  const { self, nowMs } = turn.context;
  const own = roster?.own;
  const ownKey = own === undefined || group === undefined ? undefined : memberAt(group, own.leafIndex)?.leafNode.encryptionKey;
  if (roster === undefined || ownKey === undefined) return;
  loseRace(turn);
  if (roster.leaves.size <= 2) {
    pause(turn, "unreadable_commit", author?.accountId);
    return;
  }
  const { keeps, readds } = verdict ?? { keeps: [...roster.leaves.keys()], readds: [] };
  addLine(turn, { order: nextOrder(turn), author: author?.accountId, body: { kind: "complaint", account: self.accountId } });
  set(turn, {
    stranded: {
      seq: event.seq,
      author: author?.leafIndex,
      keeps,
      readds,
      reason,
      sinceMs: nowMs,
      leafKeys: [ownKey.slice()],
      entry: undefined,
      complainers: [],
      arrived: [],
      behind: [event.seq],
    },
  });
  turn.effects.push({ kind: "complain" }, { kind: "schedule", name: "give_up", delayMs: givesUpAfterMs });
  openAgain(turn);
}

/** Follows from afar where the commit leads that this device cannot follow: a commit in the log, of an epoch that is sealed to it. */
export function noteBehind(turn: Turn, { seq, epochId }: { readonly seq: number; readonly epochId: number }): void {
  const { stranded } = turn.state;
  if (stranded === undefined || !stranded.behind.includes(epochId) || stranded.behind.length >= maxBehind) return;
  set(turn, { stranded: { ...stranded, behind: [...stranded.behind, seq] } });
}

/** Writes the complaint, now that there is a fresh key package to be let back in by; or where this device arrived (spec G-5). */
export async function complain(turn: Turn, fresh: FreshKeys): Promise<void> {
  const { stranded, epoch } = turn.state;
  if (stranded === undefined) {
    await writeArrival(turn, fresh);
    return;
  }
  if (stranded.entry !== undefined || epoch === undefined) return;
  const { leafKeys, seq, reason } = stranded;
  const authorId = authorOf(turn.state)?.accountId ?? zeroHash;
  const entry = await sealComplaint(turn, epoch, { ...fresh, seq, authorId, reason, at: 0, leafKeys: [...leafKeys] });
  // Whoever answers makes the leaf of that key package: a later complaint may have to name it.
  const { encryptionKey } = decodeKeyPackage(fresh.keyPackage).leafNode;
  set(turn, { stranded: { ...stranded, entry, leafKeys: [...leafKeys, encryptionKey.slice()].slice(-maxComplaintLeafKeys) } });
}

/** Its own complaint stands in the log: it is made again, with a new key package, while nobody hears it (spec G-4). */
export async function onOwnComplaint(turn: Turn): Promise<void> {
  const { stranded, roster } = turn.state;
  if (stranded === undefined || roster?.own === undefined) return;
  const made = stranded.leafKeys.length - 1;
  if (made < maxComplaintLeafKeys - 1) {
    turn.effects.push({ kind: "schedule", name: "complain", delayMs: againAfterMs * 4 ** (made - 1) });
  }
  await count(turn, roster.own);
}

/** With a new connection: a complaint that was not written yet is, and what waits for an answer is answered. */
export function resumeComplaint(turn: Turn): void {
  const { stranded, asks, arrival } = turn.state;
  if (arrival !== undefined && arrival.entry === undefined) turn.effects.push({ kind: "complain" });
  if (stranded !== undefined) {
    if (stranded.entry === undefined) turn.effects.push({ kind: "complain" });
    const leftMs = stranded.sinceMs + givesUpAfterMs - turn.context.nowMs;
    turn.effects.push({ kind: "schedule", name: "give_up", delayMs: Math.min(Math.max(leftMs, 0), givesUpAfterMs) });
  }
  if (asks.length > 0) planAnswer(turn);
}

/** Epochs that closed of late, to be opened along with one's own, so that complaints in them are heard (spec G-5). */
export function heardClosed({ closedEpochs }: ConversationState, nowMs: number): readonly EpochAccess[] {
  const late = closedEpochs.filter(({ closedAtMs }) => nowMs - closedAtMs < givesUpAfterMs).slice(-maxClosedEpochs);
  return late.map(({ epochId, access }) => ({ epochId, access }));
}

/** A complaint of somebody's (spec G-4): in this device's own epoch it counts against the commit, from an earlier one it asks to be answered. */
export async function onComplaint(turn: Turn, event: EntryEvent): Promise<void> {
  const { epoch, closedEpochs, logId, roster, group, stranded } = turn.state;
  const closed = closedEpochs.find(({ epochId }) => epochId === event.epochId);
  const isCurrent = event.epochId === epoch?.epochId;
  const key = isCurrent ? epoch.envelope : closed?.envelope;
  if (key === undefined || roster === undefined || group === undefined) return;
  const { epochId, nextAccessHash, blob } = event;
  const opened = openEnvelope({ key, logId, epochId, kind: "complaint", nextAccessHash, blob });
  if (opened.kind !== "inline") return;
  const signed = opened.body.complaint.slice();
  const found = await verifyComplaint(signed, { logId, roster, signatures: turn.context.signatures });
  if (found === undefined || found.complaint.epochId !== epochId) return;
  const { complaint, leaf } = found;
  const isArrival = complaint.reason === complaintReasons.arrived;
  if (isCurrent) {
    if (stranded === undefined || complaint.seq !== stranded.seq) return;
    if (isArrival) {
      // It stands behind the commit now, and counts against it no more (spec G-6).
      const complainers = stranded.complainers.filter((other) => other !== leaf.leafIndex);
      set(turn, { stranded: { ...stranded, complainers, arrived: [...new Set([...stranded.arrived, leaf.leafIndex])] } });
      return;
    }
    if (stranded.arrived.includes(leaf.leafIndex)) return;
    tellComplaint(turn, leaf, authorOf(turn.state)?.accountId);
    await count(turn, leaf);
    return;
  }
  if (closed === undefined || complaint.seq !== closed.child) return;
  if (isArrival) noteArrived(turn, epochId, leaf);
  else if (noteStuck(turn, closed, leaf)) {
    tellComplaint(turn, leaf, closed.childAuthor);
    pause(turn, "left_behind", equalBytes(closed.childAuthor, zeroHash) ? undefined : closed.childAuthor);
    return;
  }
  // Who arrived elsewhere was let in by a liar, or late, and asks to be let in here.
  if ((isArrival && isOnWay(turn.state, complaint.at)) || !isUnanswered(group, leaf, complaint)) return;
  // Nobody could be let back in by it (spec E-18).
  const { suite, random } = turn.context;
  if (!(await isInboxKey({ crypto: { suite }, random }, complaint.inboxKey))) return;
  if (!noteAsked(turn, epochId, leaf)) return;
  const others = turn.state.asks.filter((ask) => ask.leafIndex !== leaf.leafIndex);
  tellComplaint(turn, leaf, closed.childAuthor);
  set(turn, { asks: [...others, { leafIndex: leaf.leafIndex, signed }] });
  // Whom it cannot follow it does not follow back.
  if (equalBytes(closed.childAuthor, turn.context.self.accountId)) return;
  planAnswer(turn);
}

/**
 * A member said that it cannot follow a commit that this device followed, or wrote. Answers whether the commit is void thereby (spec G-6):
 * those who said so go on without it.
 */
function noteStuck(turn: Turn, closed: ClosedEpoch, leaf: RosterLeaf): boolean {
  if ([...closed.stuck, ...closed.arrived].some((other) => isSameDevice(other, leaf))) return false;
  const { accountId, deviceId } = leaf;
  const stuck = [...closed.stuck, { accountId, deviceId }];
  const closedEpochs = turn.state.closedEpochs.map((other) => (other.epochId === closed.epochId ? { ...closed, stuck } : other));
  set(turn, { closedEpochs });
  const { roster } = turn.state;
  if (roster === undefined) return false;
  const keeps = numbersIn(closed.kept);
  const others = Array.from({ length: closed.keptCount - keeps.length }, (_, at) => `added again ${at}`);
  const complainers = stuck.flatMap((device) => leafOf(roster, device)?.leafIndex ?? []);
  return isVoidBy({ seq: closed.child, keeps, readds: others }, complainers);
}

/** Counts who asks to be let in behind a commit. Answers whether it is heard once more: as often as an honest one asks (spec G-4). */
function noteAsked(turn: Turn, epochId: number, { accountId, deviceId }: RosterLeaf): boolean {
  const device = { accountId, deviceId };
  const closed = turn.state.closedEpochs.find((other) => other.epochId === epochId);
  if (closed === undefined || closed.asked.filter((other) => isSameDevice(other, device)).length >= maxAsks) return false;
  const asked = [...closed.asked, device];
  set(turn, { closedEpochs: turn.state.closedEpochs.map((other) => (other === closed ? { ...closed, asked } : other)) });
  return true;
}

function planAnswer(turn: Turn): void {
  turn.effects.push({ kind: "schedule", name: "answer", delayMs: othersFirstMs(turn.context.random, answerDelayMs) });
}

/** One line for each complainer, however often it complains. */
function tellComplaint(turn: Turn, leaf: RosterLeaf, author: Uint8Array | undefined): void {
  const { asks, stranded } = turn.state;
  if (asks.some((ask) => ask.leafIndex === leaf.leafIndex) || stranded?.complainers.includes(leaf.leafIndex) === true) return;
  addLine(turn, { order: nextOrder(turn), author, body: { kind: "complaint", account: leaf.accountId } });
}

/** Who wrote the commit that this device cannot follow, where that is known. */
export function authorOf({ stranded, roster }: Pick<ConversationState, "stranded" | "roster">): RosterLeaf | undefined {
  return stranded?.author === undefined ? undefined : roster?.leaves.get(stranded.author);
}

/** A complaint about the commit that this device cannot follow either: with all of them the commit is void (spec G-6). */
async function count(turn: Turn, by: RosterLeaf): Promise<void> {
  const { stranded, roster } = turn.state;
  if (stranded === undefined || roster === undefined || stranded.complainers.includes(by.leafIndex)) return;
  const complainers = [...stranded.complainers, by.leafIndex];
  set(turn, { stranded: { ...stranded, complainers } });
  const { seq, keeps, readds } = stranded;
  if (isVoidBy({ seq, keeps, readds: readds.map(String) }, complainers)) await dropVoid(turn, stranded);
}

/** Whether a commit that passes the public check is void when these leaves said that it is broken, and have not arrived (spec G-6). */
function isVoidBy(
  { seq, keeps, readds }: { readonly seq: number; readonly keeps: readonly number[]; readonly readds: readonly string[] },
  complainers: readonly number[],
): boolean {
  const commit = { seq, author: undefined, passes: true, keeps: new Set(keeps.map(String)), readds: new Set(readds) };
  const says = { kind: "broken" } as const;
  const complaints = complainers.map((leafIndex) => ({ seq, by: `${leafIndex}`, about: seq, says }));
  return isVoid({ commits: [commit], complaints }, commit);
}

/** The commit is void: as if it had been skipped. What stands behind it in the log is read again without it, from there on. */
async function dropVoid(turn: Turn, { seq, author }: Stranded): Promise<void> {
  const { barred, chain, recentHeads } = turn.state;
  const named = authorOf(turn.state);
  const head = await headAt(turn, seq);
  if (head === undefined) return;
  const behind = chain.seq - seq;
  const heads = recentHeads.length > behind ? recentHeads.slice(0, recentHeads.length - behind) : [head];
  set(turn, {
    stranded: undefined,
    barred: author === undefined ? barred : [...barred, author],
    lastCommitSeq: seq,
    chain: { seq, head },
    recentHeads: heads,
  });
  tellSkipped(turn, named);
  turn.effects.push({ kind: "close" });
  set(turn, { link: { ...turn.state.link, kind: "up" } });
}

/** Lets back in who complained and still stands where it stood (spec G-5), unless it is known by then. */
export function asksToAnswer({
  asks,
  group,
  roster,
}: ConversationState): readonly { readonly leaf: RosterLeaf; readonly joiner: Joiner }[] {
  if (group === undefined || roster === undefined) return [];
  return asks.flatMap(({ leafIndex, signed }) => {
    const leaf = roster.leaves.get(leafIndex);
    const complaint = parseComplaint(signed)?.complaint;
    if (leaf === undefined || complaint === undefined || !isUnanswered(group, leaf, complaint)) return [];
    if (roster.own === undefined || !mayAnswer(roster, roster.own, complaint)) return [];
    const { host, accountId, deviceId } = leaf;
    const { inboxId, inboxKey, keyPackage } = complaint;
    return [{ leaf, joiner: { host, accountId, deviceId, inboxId, inboxKey, keyPackage } }];
  });
}

/** The complaint that a commit answers, for its envelope. */
export function answeredBy(asks: readonly Ask[], removes: readonly RosterLeaf[]): Uint8Array {
  return asks.find((ask) => removes.some((leaf) => leaf.leafIndex === ask.leafIndex))?.signed ?? nothing;
}

/**
 * The leaves that a commit may remove for the complaint in its envelope (spec G-5): the complainer's, if it stands as it stood when it
 * complained, and is added again by the key package that it gave out. It proves itself: who joined since then finds the same.
 */
export async function complainersIn(
  turn: Turn,
  signed: Uint8Array,
  { group, roster, commit }: { readonly group: GroupState; readonly roster: Roster; readonly commit: InspectedCommit },
): Promise<readonly RosterLeaf[]> {
  if (signed.length === 0) return [];
  const found = await verifyComplaint(signed, { logId: turn.state.logId, roster, signatures: turn.context.signatures });
  const answerer = roster.leaves.get(commit.sender);
  if (found === undefined || answerer === undefined || !isUnanswered(group, found.leaf, found.complaint)) return [];
  if (!mayAnswer(roster, answerer, found.complaint)) return [];
  const { keyPackage } = found.complaint;
  try {
    const { initKey, leafNode } = decodeKeyPackage(keyPackage);
    const isIt = ({ keyPackage: added }: InspectedCommit["adds"][number]): boolean =>
      equalBytes(added.initKey, initKey) &&
      equalBytes(added.leafNode.encryptionKey, leafNode.encryptionKey) &&
      equalBytes(added.leafNode.signatureKey, found.leaf.signaturePublicKey);
    return commit.adds.some(isIt) ? [found.leaf] : [];
  } catch (error) {
    if (error instanceof MlsError) return [];
    throw error;
  }
}

/**
 * The commit's own author does not answer, with whatever device: the complainer takes no Welcome of theirs. Where nobody knows the author,
 * roles decide: whoever made it would else remove everybody who complained, or welcome them into a group of their own.
 */
function mayAnswer(roster: Roster, { accountId, account }: RosterLeaf, { authorId }: Pick<Complaint, "authorId">): boolean {
  return !equalBytes(accountId, authorId) && (!equalBytes(authorId, zeroHash) || mayManage(roster, account));
}

/** Whether its leaf stands as it did: one that has the key package's own key would ask again for ever, however often it is answered. */
function isUnanswered(group: GroupState, leaf: RosterLeaf, { leafKeys, keyPackage }: Complaint): boolean {
  const key = memberAt(group, leaf.leafIndex)?.leafNode.encryptionKey;
  if (key === undefined || !leafKeys.some((known) => equalBytes(known, key))) return false;
  try {
    const { encryptionKey } = decodeKeyPackage(keyPackage).leafNode;
    return !leafKeys.some((known) => equalBytes(known, encryptionKey));
  } catch (error) {
    if (error instanceof MlsError) return false;
    throw error;
  }
}

/**
 * Whether a Welcome is what this device asked for by its complaint (spec G-5): for a later commit of the same log, which was read, behind the
 * one that it cannot follow and not beside it, by a member that it knew in its epoch and who may answer: of no account that wrote that commit
 * or one that is void, and who manages the group where nobody knows who wrote it.
 * @param ownHead the head that this device has after the entry that the Welcome starts from; `undefined` for none
 */
export function answersComplaint(
  known: ConversationState,
  joined: ConversationState,
  signer: { readonly accountId: Uint8Array; readonly deviceId: Uint8Array },
  ownHead: Uint8Array | undefined,
): boolean {
  const { stranded, roster, barred } = known;
  const { seq, head } = joined.chain;
  if (stranded === undefined || roster === undefined || joined.id !== known.id) return false;
  if (seq <= stranded.seq || !stranded.behind.includes(seq) || ownHead === undefined || !equalBytes(ownHead, head)) return false;
  const leaf = leafOf(roster, signer);
  if (leaf === undefined || barred.some((other) => roster.leaves.get(other)?.account === leaf.account)) return false;
  return mayAnswer(roster, leaf, { authorId: authorOf(known)?.accountId ?? zeroHash });
}
