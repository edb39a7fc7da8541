import { equalBytes, toBase64Url } from "@latchkey/codec";
import { authorOf } from "./answering.ts";
import { namesOfBoth } from "./continuity.ts";
import { arrivalOf } from "./arrival.ts";
import { withReturn } from "./away.ts";
import { isAnswer } from "./answering.ts";
import { lineId } from "./turn.ts";
import { entryOrder } from "./order.ts";
import type { ConversationState, Effect, Invitation, RosterLeaf, WantedChange } from "./types.ts";
import { hasEnded, isConfirmed, isReading } from "./phase.ts";
import { roles } from "./rights.ts";
import { accountIdsOf, isSameDevice } from "./roster.ts";
import { isSameSettings } from "./settings.ts";

/** What is done with a verified Welcome into a conversation that this device knows (spec M-9). */
export type RejoinVerdict =
  /** It continues what this device was in: the answer to its own complaint, the commit that it saw, or its own account's act. */
  | { readonly kind: "take" }
  /**
   * The person decides. `wasMember`: whoever asks was in the group when this device last knew; `missing`: accounts that were and are not where
   * this leads.
   */
  | { readonly kind: "ask"; readonly wasMember: boolean; readonly missing: readonly Uint8Array[] }
  /** The entry that it starts from was not read: only behind it can be told whether this device is still in. */
  | { readonly kind: "wait" }
  | { readonly kind: "ignore"; readonly reason: "still_in" | "other_group" | "older" | "other_people" };

/** Invitations into one conversation that wait at a time: one of each sender. */
export const maxInvitations = 4;

/**
 * Judges a Welcome into a known conversation. It replaces nothing by itself: the conversation keeps its group, its place in the log and
 * the people of a direct one for life, and what a Welcome may do is to let this device go on in it. Only what nobody but a Welcome ever said, of a
 * group that its log knows nothing of, must not keep the true one out: there the person decides.
 * @param known the conversation as this device has it
 * @param joined what the Welcome would make of it: its group, its members and its signer are verified
 * @param params.sender the account whose device signed the Welcome and the inbox item
 * @param params.answersComplaint whether it is what this device asked for by a complaint of its own (spec G-5)
 * @param params.leadsElsewhere whether it would let this device in elsewhere than it was, after such a complaint
 */
export function judgeRejoin(
  known: ConversationState,
  joined: ConversationState,
  params: { readonly self: Uint8Array; readonly sender: Uint8Array; readonly answersComplaint: boolean; readonly leadsElsewhere?: boolean },
): RejoinVerdict {
  const { phase } = known;
  const { answersComplaint, leadsElsewhere = false } = params;
  const isOut = phase.kind !== "continued" && (hasEnded(phase) || phase.kind === "paused");
  const isOther = isOtherGroup(known, joined);
  if (isOther && isReplaceable(known, joined, params.self)) return { kind: "ask", wasMember: false, missing: missingIn(known, joined) };
  if (isOther || known.host !== joined.host || known.kind !== joined.kind) return { kind: "ignore", reason: "other_group" };
  const isRead = joined.chain.seq <= known.chain.seq;
  // What comes by the inbox may be here before the log.
  if (isReading(phase) && !isRead) return { kind: "wait" };
  // A Welcome into a group that this device is in would turn its clock back (attack C7).
  if (!isOut && !answersComplaint && !leadsElsewhere) return { kind: "ignore", reason: "still_in" };
  const isReadd = isReadded(known, joined, params.sender);
  // In the same log, after everything that was read of it.
  if (isRead && !isReadd && !answersComplaint && !leadsElsewhere) return { kind: "ignore", reason: "older" };
  if (known.kind === "direct" && !isSamePeople(known, joined)) return { kind: "ignore", reason: "other_people" };
  const missing = missingIn(known, joined);
  if (leadsElsewhere) return { kind: "ask", wasMember: true, missing };
  const culprit = authorOf(known)?.accountId;
  // Who lets in may have taken out whoever wrote the commit that this device cannot follow, and nobody else unasked.
  const isWhole = isReadd || missing.every((accountId) => culprit !== undefined && equalBytes(accountId, culprit));
  if ((isReadd || answersComplaint) && isWhole && isAsKnown(known, joined)) return { kind: "take" };
  if (equalBytes(params.sender, params.self) && phase.kind !== "paused") return { kind: "take" };
  return { kind: "ask", wasMember: wasMember(known, params.sender), missing };
}

/** Whether it is not the group that is known. One whose past another device wrote down knows of none yet: the first one binds it. */
export function isOtherGroup({ groupId }: ConversationState, joined: ConversationState): boolean {
  return groupId.length > 0 && !equalBytes(groupId, joined.groupId);
}

/** Whether another group may take the place of the known one: its log never confirmed it, and it is not the word of one's own account. */
function isReplaceable(known: ConversationState, joined: ConversationState, self: Uint8Array): boolean {
  if (isConfirmed(known) || known.base === undefined || equalBytes(known.base.accountId, self)) return false;
  return known.host === joined.host && known.kind !== "devices" && joined.kind !== "devices";
}

/** Accounts that were in the conversation when this device last knew, and are not where a Welcome leads. */
function missingIn({ roster, formerMembers }: ConversationState, joined: ConversationState): readonly Uint8Array[] {
  const before = roster === undefined ? formerMembers : accountIdsOf(roster);
  return before.filter((accountId) => joined.roster?.accounts.has(toBase64Url(accountId)) !== true);
}

function wasMember({ roster, formerMembers }: ConversationState, accountId: Uint8Array): boolean {
  if (roster !== undefined) return roster.accounts.has(toBase64Url(accountId));
  return formerMembers.some((member) => equalBytes(member, accountId));
}

/**
 * Whether the group is as this device last knew it: nobody new, the same roles and rights, the same name. What was committed since it has not
 * read, so that of anything else it has the signer's word alone: a Welcome leads into any group that its signer likes.
 */
function isAsKnown({ roster, formerMembers, opening }: ConversationState, joined: ConversationState): boolean {
  const now = joined.roster;
  if (now === undefined) return false;
  const before = roster?.settings ?? opening.settings;
  const isKnown = (account: string): boolean =>
    roster === undefined ? formerMembers.some((member) => toBase64Url(member) === account) : roster.accounts.has(account);
  return [...now.accounts.keys()].every(isKnown) && isSameSettings(now.settings, before);
}

/** Whether the commit that removed this device added it again: it was checked like any other, and its author's Welcome follows. */
function isReadded(known: ConversationState, joined: ConversationState, sender: Uint8Array): boolean {
  const { phase, chain, readdedBy, base } = known;
  if (phase.kind !== "removed" || readdedBy === undefined || !equalBytes(readdedBy, sender)) return false;
  // Where the head at which it joined was one member's word, that of who takes it in again counts as much.
  return joined.chain.seq === chain.seq && (base !== undefined || equalBytes(joined.chain.head, chain.head));
}

/** The two people of a direct conversation stay the same two. */
function isSamePeople(known: ConversationState, joined: ConversationState): boolean {
  return known.peer !== undefined && joined.peer !== undefined && equalBytes(known.peer, joined.peer);
}

/**
 * The change that adds devices to a group of which some may be members already: whose leaf is dead (its device left its account, or is
 * none of it) goes in the same commit, and so does, with `again`, every leaf whose device comes back with a fresh key package.
 * @returns `undefined` when somebody is in the group with all that there is to add
 */
export function readdition(params: {
  readonly state: ConversationState;
  readonly added: WantedChange;
  readonly again: boolean;
  readonly departed: (leaf: RosterLeaf) => boolean;
}): WantedChange | undefined {
  const { state, added, again, departed } = params;
  const accounts = new Set(added.adds.map((joiner) => toBase64Url(joiner.accountId)));
  const standing = [...(state.roster?.leaves.values() ?? [])].filter((leaf) => accounts.has(leaf.account));
  const isDead = (leaf: RosterLeaf): boolean =>
    departed(leaf) || state.unverified.some((known) => known.leafIndex === leaf.leafIndex && known.refused);
  const comesBack = (leaf: RosterLeaf): boolean => added.adds.some((joiner) => isSameDevice(joiner, leaf));
  const goes = standing.filter((leaf) => isDead(leaf) || (again && comesBack(leaf)));
  const adds = added.adds.filter((joiner) => !standing.some((leaf) => isSameDevice(joiner, leaf) && !goes.includes(leaf)));
  const isComplete = [...accounts].every((account) => adds.some((joiner) => toBase64Url(joiner.accountId) === account));
  if (!isComplete) return undefined;
  const removeDevices = goes.map(({ accountId, deviceId }) => ({ accountId, deviceId }));
  return { ...added, adds, removeDevices: [...added.removeDevices, ...removeDevices] };
}

/**
 * Puts an invitation beside those that wait: the newest of each sender, those of whoever managed the group when this device last knew before
 * those of other members, and then the newest.
 */
export function addInvitation(known: Pick<ConversationState, "invitations" | "opening">, invitation: Invitation): readonly Invitation[] {
  const managers = known.opening.settings.roles.filter(({ role }) => role >= roles.administrator);
  const rank = ({ wasMember, accountId }: Invitation): number => {
    if (!wasMember) return 0;
    return managers.some((entry) => equalBytes(entry.accountId, accountId)) ? 2 : 1;
  };
  const others = known.invitations.filter((other) => !equalBytes(other.accountId, invitation.accountId));
  return [invitation, ...others].toSorted((a, b) => rank(b) - rank(a) || b.atMs - a.atMs).slice(0, maxInvitations);
}

/**
 * The invitations that stay once this account's was taken. Whoever was let in behind a commit that it could not follow may be let in elsewhere
 * by another's, or have been taken out and in again by it: the person decides (spec G-5).
 */
export function otherInvitations(
  { invitations, stranded, arrival, phase }: ConversationState,
  accountId: Uint8Array,
): readonly Invitation[] {
  if (stranded === undefined && (arrival === undefined || phase.kind !== "active")) return [];
  return invitations.filter((invitation) => invitation.wasMember && !equalBytes(invitation.accountId, accountId));
}

/**
 * What a conversation has behind it where a Welcome lets it go on. What its log never confirmed names no epoch that it was in, and where another
 * group takes its place (spec M-9) only the lines stay, and what its person typed.
 */
function pastOf(before: ConversationState, joined: ConversationState): ConversationState {
  if (!isOtherGroup(before, joined)) return isConfirmed(before) ? before : { ...before, continuity: [] };
  const { nextLocal, unread, readThrough, draft, lastOrder } = before;
  const outgoing = before.outgoing.filter(({ purpose }) => purpose === "text");
  return { ...joined, continuity: [], nextLocal, unread, readThrough, draft, lastOrder, outgoing };
}

/**
 * The conversation going on where a Welcome put this device: what was written and read stays, and nothing takes the place of a line.
 * @param stood as it stood
 * @param joined what `joinConversation` made of the Welcome
 * @param by the account that signed it
 */
export function carryOver(
  stood: ConversationState,
  joined: { readonly state: ConversationState; readonly effects: readonly Effect[] },
  by: Uint8Array,
): { readonly state: ConversationState; readonly effects: readonly Effect[] } {
  const before = pastOf(stood, joined.state);
  // It goes on counting: to those who stayed it is the same device.
  const { nextLocal, unread, readThrough, draft, own, continuesId, offers, staged } = before;
  const { effects, lastOrder } = renumbered(
    joined.effects,
    joined.state.id,
    Math.max(entryOrder(joined.state.chain.seq), before.lastOrder + 1),
  );
  const isLeaving = before.phase.kind === "leaving";
  // Who goes on by their own word after all does not leave.
  const outgoing = before.outgoing
    .filter(({ purpose }) => isLeaving || purpose !== "leave")
    .map((item) => ({
      ...item,
      sealed: undefined,
      accepted: undefined,
      failure: item.purpose === "leave" ? undefined : (item.failure ?? ("not_a_member" as const)),
    }));
  const kept = {
    nextLocal,
    unread,
    readThrough,
    draft,
    own,
    outgoing,
    lastOrder,
    continuesId,
    offers,
    ...arrivalOf(before, joined.state, by),
  };
  return {
    state: {
      ...joined.state,
      closedEpochs: before.phase.kind === "removed" ? before.closedEpochs : joined.state.closedEpochs,
      ...kept,
      // What it asked for is made here; who said that they leave does.
      changes: [...(staged === undefined ? [] : [staged.change]), ...before.changes].filter((change) => !isAnswer(change)),
      phase: isLeaving ? before.phase : joined.state.phase,
      away: [...(joined.state.roster?.accounts.values() ?? [])].reduce(
        (away, [leaf]) => (leaf === undefined ? away : withReturn(away, leaf.accountId, lastOrder)),
        before.away,
      ),
      continuity: namesOfBoth(before.continuity, joined.state.continuity),
      invitations: otherInvitations(before, by),
      recovered: before.recovered.filter(({ accountId }) => joined.state.roster?.accounts.has(toBase64Url(accountId)) === true),
    },
    effects,
  };
}

/** Effects whose lines stand one after the other from a place on, and the last of these places. */
export function renumbered(
  effects: readonly Effect[],
  conversationId: string,
  firstOrder: number,
): { readonly effects: readonly Effect[]; readonly lastOrder: number } {
  let order = firstOrder;
  const placed = effects.map((effect): Effect => {
    if (effect.kind !== "line") return effect;
    const line = { ...effect.line, order, id: lineId(conversationId, order) };
    order += 1;
    return { ...effect, line };
  });
  return { effects: placed, lastOrder: order - 1 };
}
