import { equalBytes } from "@latchkey/codec";
import { decodeKeyPackage, memberAt } from "@latchkey/mls";
import { complaintReasons, maxComplaintLeafKeys, zeroHash } from "@latchkey/protocol";
import type { Complaint, EntryEvent } from "@latchkey/protocol";
import { openEnvelope } from "../group/envelope.ts";
import { isInboxKey } from "../group/inbox-seal.ts";
import { authorOf, isUnanswered } from "./answering.ts";
import { isOnWay, noteArrived, writeArrival } from "./arrival.ts";
import { headAt } from "./chain.ts";
import { sealComplaint, verifyComplaint, verifyOfGone } from "./complaint-entry.ts";
import type { FreshKeys } from "./complaint-entry.ts";
import { othersFirstMs } from "./delay.ts";
import { loseRace } from "./epoch.ts";
import { isSameDevice } from "./roster.ts";
import { openAgain, tellSkipped } from "./skipped.ts";
import { addLine, nextOrder, pause, set } from "./turn.ts";
import type { Passed } from "./public-check.ts";
import type { Turn } from "./turn.ts";
import { hasBit } from "./contested.ts";
import type { ClosedEpoch, DeviceReference, RosterLeaf, Stranded, TimerName } from "./types.ts";
import { isVoid } from "./which-commit-counts.ts";

/** How long a device waits to be let back in before it says that it was in vain (spec G-9). */
export const givesUpAfterMs = 86_400_000;
/** The first complaint that is not heard is made again after this, each further one after four times as long (spec G-4). */
const againAfterMs = 600_000;
/** How often a device is heard that asks to be let in behind one commit: its complaints, and where it arrived. */
const maxAsks = maxComplaintLeafKeys;
/** And about all commits of the last seven days. */
const maxAsksInAll = 4 * maxAsks;
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
    // Behind what it cannot follow one of its own would be a way that nobody else goes.
    refused: [],
    stranded: {
      seq: event.seq,
      author: author?.leafIndex,
      keeps,
      readds,
      reason,
      sinceMs: nowMs,
      leafKeys: [ownKey.slice()],
      entry: undefined,
      againAtMs: 0,
      complainers: [],
      arrived: [],
      behind: [event.seq],
      parents: [event.epochId],
    },
  });
  turn.effects.push({ kind: "complain" }, { kind: "schedule", name: "give_up", delayMs: givesUpAfterMs });
  openAgain(turn);
}

/** Follows from afar where the commit leads that this device cannot follow: a commit in the log, of an epoch that is sealed to it. */
export function noteBehind(turn: Turn, { seq, epochId }: { readonly seq: number; readonly epochId: number }): void {
  const { stranded } = turn.state;
  if (stranded === undefined || !stranded.behind.includes(epochId) || stranded.behind.length >= maxBehind) return;
  set(turn, { stranded: { ...stranded, behind: [...stranded.behind, seq], parents: [...stranded.parents, epochId] } });
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
    const delayMs = againAfterMs * 4 ** (made - 1);
    set(turn, { stranded: { ...stranded, againAtMs: turn.context.nowMs + delayMs } });
    turn.effects.push({ kind: "schedule", name: "complain", delayMs });
  }
  await count(turn, roster.own);
}

/** With a new connection: a complaint that was not written yet is, and what waits for an answer is answered. */
export function resumeComplaint(turn: Turn): void {
  const { stranded, asks, arrival, closedEpochs } = turn.state;
  const isToSay = arrival !== undefined && arrival.entry === undefined && closedEpochs.some(({ epochId }) => epochId === arrival.epochId);
  if (isToSay) turn.effects.push({ kind: "complain" });
  if (stranded !== undefined) {
    const schedule = (name: TimerName, atMs: number): void => {
      const leftMs = atMs - turn.context.nowMs;
      turn.effects.push({ kind: "schedule", name, delayMs: Math.min(Math.max(leftMs, 0), givesUpAfterMs) });
    };
    if (stranded.entry === undefined) turn.effects.push({ kind: "complain" });
    else if (stranded.againAtMs > 0) schedule("complain", stranded.againAtMs);
    schedule("give_up", stranded.sinceMs + givesUpAfterMs);
  }
  if (asks.length > 0) planAnswer(turn);
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
  const by = { logId, roster, signatures: turn.context.signatures };
  const found = await verifyComplaint(signed, by);
  // Whoever was not in that epoch, or was taken out by the commit, has no say in it; whoever is gone since has.
  const hasPlace = isCurrent || (found !== undefined && closed !== undefined && hasBit(closed.kept, found.leaf.leafIndex));
  if (!hasPlace) {
    const gone = closed === undefined ? undefined : await verifyOfGone(signed, closed, by);
    if (closed !== undefined && gone?.complaint.epochId === epochId && gone.complaint.seq === closed.child)
      onComplaintOfGone(turn, closed, gone);
    return;
  }
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
  if (!noteAsked(turn, closed, { leaf, signed })) return;
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
function noteStuck(turn: Turn, closed: ClosedEpoch, leaf: DeviceReference): boolean {
  if ([...closed.stuck, ...closed.arrived].some((other) => isSameDevice(other, leaf))) return false;
  const { accountId, deviceId } = leaf;
  const stuck = [...closed.stuck, { accountId, deviceId }];
  const closedEpochs = turn.state.closedEpochs.map((other) => (other.epochId === closed.epochId ? { ...closed, stuck } : other));
  set(turn, { closedEpochs });
  // Each of them was one of those whom the commit kept.
  const members = Array.from({ length: closed.keptCount }, (_, member) => member);
  return isVoidBy({ seq: closed.child, keeps: members, readds: [] }, members.slice(0, stuck.length));
}

/** What a member says who is in the group no more: it asks for nothing, and counts (spec E-26). */
function onComplaintOfGone(turn: Turn, closed: ClosedEpoch, { complaint }: { readonly complaint: Complaint }): void {
  const device = { accountId: complaint.accountId.slice(), deviceId: complaint.deviceId.slice() };
  if (complaint.reason === complaintReasons.arrived) noteArrived(turn, closed.epochId, device);
  else if (noteStuck(turn, closed, device))
    pause(turn, "left_behind", equalBytes(closed.childAuthor, zeroHash) ? undefined : closed.childAuthor);
}

/**
 * Counts what is asked by somebody who wants to be let in behind a commit. Answers whether it is heard: what was asked before is not, whoever
 * shows it again, and of new words so many as an honest one has (spec G-4).
 */
function noteAsked(
  turn: Turn,
  { epochId }: ClosedEpoch,
  { leaf, signed }: { readonly leaf: RosterLeaf; readonly signed: Uint8Array },
): boolean {
  const { closedEpochs } = turn.state;
  const closed = closedEpochs.find((other) => other.epochId === epochId);
  if (closed === undefined) return false;
  const inAll = closedEpochs.flatMap(({ asked }) => asked.filter((other) => isSameDevice(other, leaf)));
  if (inAll.length >= maxAsksInAll) return false;
  const { accountId, deviceId } = leaf;
  const complaint = turn.context.sha256(signed);
  const before = closed.asked.filter((other) => isSameDevice(other, leaf));
  if (before.length >= maxAsks || before.some((other) => equalBytes(other.complaint, complaint))) return false;
  const asked = [...closed.asked, { accountId, deviceId, complaint }];
  set(turn, { closedEpochs: closedEpochs.map((other) => (other === closed ? { ...closed, asked } : other)) });
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
