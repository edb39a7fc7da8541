import { equalBytes, fromBase64Url } from "@latchkey/codec";
import { members, unmergedLeafCount } from "@latchkey/mls";
import type { GroupState, LeafIndex } from "@latchkey/mls";
import type { SettingsOpening } from "@latchkey/protocol";
import { withContinuity } from "./continuity.ts";
import { closeLinksOfGone } from "./join-links.ts";
import { leaversOf, stillLeaving } from "./leaving.ts";
import { scheduleRemoval } from "./removal.ts";
import { accountsGone, isAway, withAway, withReturn } from "./away.ts";
import { withoutGroup } from "./erase.ts";
import { standingAsks } from "./answering.ts";
import { closeEpoch, keptBy, withMoved, withoutPlaces } from "./closed-epochs.ts";
import { standingOffers } from "./continuation.ts";
import { tellOutcome } from "./merged-settings.ts";
import { noteRenewal, planRenewal } from "./renewing.ts";
import { isSameDevice, leafOf } from "./roster.ts";
import { endNumbers } from "./numbers.ts";
import { settingsLines } from "./settings-lines.ts";
import { addLine, dropAllChanges, dropOutgoing, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Change, DepartedLeaf, EpochKeys, Outgoing, Roster, RosterLeaf, UnverifiedLeaf } from "./types.ts";
import { nothingExpired } from "./stall.ts";

/** Races that a change loses before the person is told; it is tried on. */
const attemptsUntilTold = 16;
/** Above this many unmerged leaves joiners start to renew their paths, one a minute and group (spec M-5). */
const unmergedLeavesTolerated = 16;
const updateSpacingMs = 60_000;

/** Moves into the epoch that the entry at the end of the chain opened. */
export async function enterEpoch(
  turn: Turn,
  params: {
    group: GroupState;
    keys: EpochKeys;
    roster: Roster;
    opening: SettingsOpening;
    author: RosterLeaf;
    isOwn: boolean;
    /** When it was made by its author's word, of one that does nothing but renew its author's leaf. */
    pathAloneAtMs: number | undefined;
    proofs: Uint8Array;
    /** Accounts (base64url) that the commit proves to leave. */
    leaving: ReadonlySet<string>;
  },
): Promise<void> {
  const { state, context } = turn;
  const { group, keys, roster, opening, author } = params;
  endNumbers(turn, roster);
  closeLinksOfGone(turn, roster);
  const gone = await accountsGone(turn, roster, params.proofs);
  tellDifference(turn, { author, roster, isOwn: params.isOwn, gone, leaving: params.leaving });
  // Whoever learns of it by this commit learns why: so a recovery is told here too.
  if (params.proofs.length > 0) {
    for (const account of gone) turn.effects.push({ kind: "accounts", proofs: params.proofs.slice(), accountId: fromBase64Url(account) });
  }
  noteRenewal(turn, { author, group, after: roster, isOwn: params.isOwn, pathAloneAtMs: params.pathAloneAtMs });
  const stay = [...(state.roster?.leaves.values() ?? [])].filter((leaf) => leafOf(roster, leaf) !== undefined);
  const kept = keptBy(stay, roster, state.roster?.leaves.get(author.leafIndex));
  const by = { nowMs: context.nowMs, child: keys.epochId, childAuthor: author.accountId, ...kept };
  const closedBefore = withMoved(state.closedEpochs, state.roster, roster);
  const stands = (leaf: { leafIndex: LeafIndex; accountId: Uint8Array }): boolean => {
    const now = roster.leaves.get(leaf.leafIndex);
    return now !== undefined && equalBytes(now.accountId, leaf.accountId);
  };
  // What is known of a leaf is of its device and key: another one may take over its place.
  const isSameLeaf = (leaf: UnverifiedLeaf | DepartedLeaf): boolean => {
    const now = roster.leaves.get(leaf.leafIndex);
    if (now === undefined || !isSameDevice(now, leaf)) return false;
    return !("signaturePublicKey" in leaf) || equalBytes(now.signaturePublicKey, leaf.signaturePublicKey);
  };
  set(turn, {
    group,
    roster,
    memberCount: roster.accounts.size,
    epoch: keys,
    opening,
    lastCommitSeq: 0,
    barred: [],
    refused: [],
    closedEpochs: state.epoch === undefined ? closedBefore : closeEpoch(closedBefore, state.epoch, by),
    asks: standingAsks(state.asks, { group, roster }),
    offers: standingOffers(state.offers, roster),
    name: roster.settings.name,
    unverified: state.unverified.filter(isSameLeaf),
    leavers: stillLeaving(context.sha256, state.leavers, group),
    departed: state.departed.filter(isSameLeaf),
    expired: nothingExpired,
    doubts: state.doubts.filter(stands),
    continuity: withContinuity(state.continuity, context.sha256, group),
    // A closed epoch takes no more messages (L-4): what is not in the log by now never will be, and is encrypted again.
    outgoing: state.outgoing.map((item) => unsealed(item)),
  });
  if (!params.isOwn) loseRace(turn);
  if (turn.state.leavers.length > 0 || turn.state.departed.length > 0) scheduleRemoval(turn);
  planUpdate(turn, group, roster);
  planRenewal(turn);
  if (turn.state.departed.length === 0) set(turn, { link: { ...turn.state.link, cannotRemove: false } });
  const { link } = turn.state;
  if (link.kind === "following") {
    set(turn, { link: { ...link, kind: "opening", isUnblockPlanned: false } });
    turn.effects.push({ kind: "open", epochId: keys.epochId, access: keys.access, afterSeq: turn.state.chain.seq, closed: [] });
  }
}

function unsealed(item: Outgoing): Outgoing {
  return item.sealed === undefined ? item : { ...item, sealed: undefined, accepted: undefined };
}

/** One line for each thing that a commit did. */
function tellDifference(
  turn: Turn,
  params: { author: RosterLeaf; roster: Roster; isOwn: boolean; gone: readonly string[]; leaving: ReadonlySet<string> },
): void {
  const { author, roster, isOwn, gone, leaving } = params;
  const { roster: before } = turn.state;
  const leavers = leaversOf(turn.state);
  if (before === undefined) return;
  const added = [...roster.accounts].filter(([account]) => !before.accounts.has(account));
  const removed = [...before.accounts].filter(([account]) => !roster.accounts.has(account));
  const ids = (entries: typeof added): Uint8Array[] => entries.flatMap(([, leaves]) => leaves.slice(0, 1).map((leaf) => leaf.accountId));
  const acceptedAtMs = isOwn ? turn.context.nowMs : 0;
  const line = { author: author.accountId, acceptedAtMs };
  const returned = ids(added).filter((accountId) => isAway(turn.state.away, accountId));
  const joined = ids(added).filter((accountId) => !returned.includes(accountId));
  if (joined.length > 0) addLine(turn, { ...line, order: nextOrder(turn), body: { kind: "added", accounts: joined } });
  for (const account of returned) {
    const order = nextOrder(turn);
    addLine(turn, { ...line, order, body: { kind: "let_back", account } });
    set(turn, { away: withReturn(turn.state.away, account, order) });
  }
  // Who left said so in a line of their own; who has not read it finds it in the commit.
  const hasTold = (accountId: Uint8Array): boolean => leavers.some((leaver) => equalBytes(leaver.accountId, accountId));
  const left = removed.filter(([account]) => leaving.has(account));
  for (const accountId of ids(left).filter((id) => !hasTold(id)))
    addLine(turn, { order: nextOrder(turn), author: accountId, body: { kind: "left" }, acceptedAtMs });
  const thrownOut = removed.filter(([account]) => !gone.includes(account) && !leaving.has(account));
  if (thrownOut.length > 0) addLine(turn, { ...line, order: nextOrder(turn), body: { kind: "removed", accounts: ids(thrownOut) } });
  for (const accountId of ids(removed.filter(([account]) => gone.includes(account)))) {
    const order = nextOrder(turn);
    addLine(turn, { order, acceptedAtMs, body: { kind: "away", account: accountId } });
    set(turn, { away: withAway(turn.state.away, accountId, order) });
  }
  const devices = deviceChanges(before, roster);
  const others = devices.replaced.filter((account) => !equalBytes(account, author.accountId));
  for (const account of others) addLine(turn, { ...line, order: nextOrder(turn), body: { kind: "let_back", account } });
  for (const account of devices.added) addLine(turn, { ...line, order: nextOrder(turn), body: { kind: "device_added", account } });
  for (const account of devices.removed) addLine(turn, { ...line, order: nextOrder(turn), body: { kind: "device_removed", account } });
  for (const body of settingsLines(before.settings, roster)) addLine(turn, { ...line, order: nextOrder(turn), body });
}

/** Accounts that stay, with other devices than before. */
function deviceChanges(before: Roster, after: Roster): { added: Uint8Array[]; removed: Uint8Array[]; replaced: Uint8Array[] } {
  const added: Uint8Array[] = [];
  const replaced: Uint8Array[] = [];
  const removed: Uint8Array[] = [];
  for (const [account, now] of after.accounts) {
    const old = before.accounts.get(account);
    if (old === undefined) continue;
    const lacks = (leaves: readonly RosterLeaf[]) => (leaf: RosterLeaf) =>
      !leaves.some((other) => equalBytes(other.deviceId, leaf.deviceId));
    const [joined, ...rest] = now.filter(lacks(old));
    // All of them at once: somebody let the account back.
    if (joined !== undefined && rest.length + 1 === now.length) {
      replaced.push(joined.accountId);
      continue;
    }
    const [gone] = old.filter(lacks(now));
    if (joined !== undefined) added.push(joined.accountId);
    if (gone !== undefined) removed.push(gone.accountId);
  }
  return { added, removed, replaced };
}

/**
 * Somebody else's commit came first: one's own is dropped and made again on top of it for as long as it means something. After many times
 * the person is told that it takes long.
 */
export function loseRace(turn: Turn): void {
  const { staged, changes } = turn.state;
  if (staged === undefined) return;
  const change: Change = { ...staged.change, attempts: staged.change.attempts + 1 };
  set(turn, { staged: undefined, changes: [change, ...changes] });
  if (change.attempts === attemptsUntilTold) {
    tellOutcome(turn, change, { kind: "failed", code: "change_waits" });
  }
}

/** A fresh leaf renews its path while too many others have not: in order of their leaves, a minute apart (spec M-5). */
export function planUpdate(turn: Turn, group: GroupState, roster: Roster): void {
  const rank = updateRank(group, roster);
  if (rank === undefined) return;
  const [jitter = 0] = turn.context.random(1);
  turn.effects.push({ kind: "schedule", name: "self_update", delayMs: 2000 + jitter * 40 + rank * updateSpacingMs });
}

/** The place of one's own leaf among those that should renew their paths, or `undefined` when it should not (spec M-5). */
export function updateRank(group: GroupState, { own }: Roster): number | undefined {
  if (own === undefined || unmergedLeafCount(group) <= unmergedLeavesTolerated) return undefined;
  const fresh = members(group).filter((member) => member.leafNode.source.kind === "key-package");
  const rank = fresh.findIndex((member) => member.leafIndex === own.leafIndex);
  return rank === -1 ? undefined : rank;
}

/**
 * One's own leaf was removed: every secret of the group goes, what was written stays readable.
 * @param isReadded whether the same commit added this device again; its Welcome follows (spec M-9)
 */
export function endMembership(turn: Turn, author: RosterLeaf, isReadded: boolean): void {
  const { state, context } = turn;
  const wasLeaving = state.phase.kind === "leaving";
  set(turn, { readdedBy: isReadded && !wasLeaving ? author.accountId : undefined });
  if (!wasLeaving && !isReadded) {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "removed", accounts: [context.self.accountId] } });
  }
  const closedEpochs = isReadded && !wasLeaving ? withoutPlaces(state.closedEpochs, state.roster) : [];
  forgetGroup(turn, wasLeaving ? "left" : "removed");
  // Who may be left behind by a change before is heard where it goes on (spec E-26).
  set(turn, { closedEpochs });
}

/** Erases the group's keys; pending messages fail, waiting changes too. */
export function forgetGroup(turn: Turn, kind: "removed" | "left"): void {
  dropAllChanges(turn, "not_a_member");
  dropOutgoing(turn, ({ purpose }) => purpose !== "text");
  const { state } = turn;
  const outgoing = state.outgoing.map((item): Outgoing => ({ ...unsealed(item), failure: "not_a_member" }));
  set(turn, {
    ...withoutGroup(state),
    phase: { kind },
    roster: undefined,
    away: [],
    outgoing,
  });
  for (const message of outgoing) turn.effects.push({ kind: "outgoing", message });
  turn.effects.push({ kind: "close" });
}
