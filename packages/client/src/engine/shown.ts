import { epoch } from "@latchkey/mls";
import { roomUri } from "@latchkey/protocol";
import type { ClientFailure, Conversation, ConversationDetails, GroupPermissions, GroupRights, Member, Person } from "../api.ts";
import { isBetween } from "../core/arrival.ts";
import { authorOf } from "../core/answering.ts";
import { isLeftOpen, removableLeaves } from "../core/proven.ts";
import { healsWithinDays } from "../core/renewal.ts";
import { holds, isLastOwner, manages, rightsOf, roleName, roleOf, roles } from "../core/rights.ts";
import type { ConversationState, Line } from "../core/types.ts";
import { pauseCode, pauseSentences, refusedLeafSentence, unprovenLeafSentence } from "../core/turn.ts";
import { cleanDescription } from "../names/clean.ts";
import { restoredSentence } from "./restored-servers.ts";
import { stallCode, stallSentences } from "../core/stall.ts";
import type { People } from "./people.ts";
import { ownSettingsOf, settingOf } from "../own/view.ts";
import { groupName, messageOfLine, messageOfOutgoing } from "./shown-message.ts";
import { hasEnded, isConfirmed } from "../core/phase.ts";
import { maxReceiptAccounts } from "../receipts/receipts.ts";
import type { World } from "./world.ts";

/**
 * Whether a list shows it: one that the person went on from stands above the other; the half of a doubled conversation that lost is read-only,
 * and is shown where something was said in it (spec L-12). Where somebody asks, each is.
 */
export function isListed({ kind, phase, invitations }: ConversationState, lastLine: Line | undefined): boolean {
  if (kind === "devices") return false;
  if (invitations.length > 0) return true;
  return phase.kind !== "continued" && (phase.kind !== "superseded" || lastLine?.message !== undefined);
}

/** What showing a conversation needs of the world. */
export type ShownWorld = Pick<World, "people" | "ownThings" | "receipts" | "platform">;

/** A conversation as a list shows it. */
export function conversationOf(world: ShownWorld, state: ConversationState, lastLine: Line | undefined): Conversation {
  const { people, ownThings, receipts, platform } = world;
  const peer = state.peer === undefined ? undefined : people.person(state.peer);
  const waiting = state.outgoing.findLast((item) => item.purpose === "text");
  const lastMessage =
    waiting !== undefined
      ? messageOfOutgoing(world, state, waiting)
      : lastLine === undefined
        ? undefined
        : messageOfLine(world, state, lastLine);
  return {
    id: state.id,
    kind: state.kind === "direct" ? "direct" : "group",
    title: state.kind === "direct" ? (peer?.displayName ?? groupName(state.name)) : groupName(state.name),
    peer,
    memberCount: state.memberCount,
    lastMessage,
    updatedAtMs: state.updatedAtMs,
    unreadCount: state.unread,
    readThrough: state.readThrough,
    timerS: state.opening.settings.timerS,
    draft: state.draft,
    status: statusOf(state),
    stop: stopShown(people, state),
    continuedIn: state.phase.kind === "continued" && !isListed(state, lastLine) ? state.phase.by : undefined,
    offers: state.offers.map(({ id, accountId, missing }) => ({
      conversationId: id,
      from: people.person(accountId),
      missing: missing.map((account) => people.person(account)),
    })),
    invitations: state.invitations.map(({ accountId, wasMember, missing, atMs }) => {
      const instead = isBetween(state) && state.arrival !== undefined ? people.person(state.arrival.by) : undefined;
      const { base } = state;
      const replaced = base === undefined || wasMember || isConfirmed(state) ? undefined : people.person(base.accountId);
      const from = people.person(accountId);
      return { from, wasMember, missing: missing.map((account) => people.person(account)), instead, replaced, atMs };
    }),
    isBlocked: state.kind === "direct" && state.peer !== undefined && people.isBlocked(state.peer),
    own: ownSettingsOf(ownThings, state, lastLine, platform.nowMs()),
    receipts: (settingOf(ownThings, "receipts") && state.memberCount <= maxReceiptAccounts
      ? receipts.ofOthers(state.id, people.self.account)
      : []
    ).map(({ accountId, mark }) => ({
      person: people.person(accountId),
      deliveredThrough: mark.delivered,
      readThrough: mark.read,
    })),
    host: state.host,
  };
}

function stopShown(people: People, state: ConversationState): Conversation["stop"] {
  const failure = stopOf(state);
  if (failure === undefined) return undefined;
  const author = failure.code === "change_unreadable" && state.kind === "group" ? authorOf(state) : undefined;
  const isOther = author !== undefined && author.account !== state.roster?.own?.account;
  const isOfLeaf = failure.code === "device_unproven" || failure.code === "directory_unproven";
  const unproven = isOfLeaf ? removableLeaves(state).map(({ account, accountId }) => [account, accountId] as const) : [];
  const removable = [...new Map(unproven).values()].map((accountId) => people.person(accountId));
  return { failure, by: isOther ? people.person(author.accountId) : undefined, removable };
}

const strandedSentence = "A change by a member cannot be read by this device. The others were asked to let it back in.";

const cannotRemoveSentence =
  "A device that left its account is still in this conversation, and what proves that to the others cannot be had now. What you write waits; it is tried again with each connection.";

function stopOf({ phase, link, stranded, unverified, departed, restoredFromMs }: ConversationState): ClientFailure | undefined {
  const isOver = hasEnded(phase) || phase.kind === "superseded";
  if (link.stall !== undefined && phase.kind !== "paused" && !isOver)
    return { code: stallCode, message: stallSentences[link.stall], canRetry: true };
  if (stranded !== undefined && phase.kind === "active") return { code: "change_unreadable", message: strandedSentence, canRetry: true };
  if (phase.kind === "active" && unverified.some((leaf) => leaf.refused))
    return { code: "device_unproven", message: refusedLeafSentence, canRetry: true };
  if (phase.kind === "active" && unverified.some((leaf) => isLeftOpen(leaf)))
    return { code: "directory_unproven", message: unprovenLeafSentence, canRetry: true };
  if (phase.kind === "active" && link.cannotRemove && departed.length > 0)
    return { code: "device_removed", message: cannotRemoveSentence, canRetry: false };
  if (phase.kind === "active" && restoredFromMs !== undefined)
    return { code: "server_restored", message: restoredSentence(restoredFromMs), canRetry: false };
  if (phase.kind !== "paused") return undefined;
  return { code: pauseCode(phase.reason), message: pauseSentences[phase.reason], canRetry: false };
}

/** Whether something stops the conversation from which the person may go on in a new one (spec M-9). */
export function isStopped(state: ConversationState): boolean {
  return stopOf(state) !== undefined;
}

function statusOf({ phase, unverified }: ConversationState): Conversation["status"] {
  switch (phase.kind) {
    case "creating":
      return "pending";
    case "active":
      // Nothing is sent while a device is in the group that its account does not have (spec G-8).
      return unverified.some((leaf) => leaf.refused) ? "paused" : "active";
    case "paused":
      return "paused";
    case "leaving":
    case "left":
    case "removed":
    case "superseded":
    case "continued":
      return "removed";
  }
}

function mayOf({ kind, phase, roster }: ConversationState, ownAccount: string): GroupPermissions {
  const isActive = phase.kind === "active" && roster !== undefined;
  if (kind !== "group") {
    const none = { add: false, remove: false, editInfo: false, slowMode: false, deleteOthers: false, invite: false, own: false };
    return { ...none, post: isActive, timer: isActive, pin: isActive };
  }
  const may = (right: Exclude<keyof GroupRights, "approval" | "history">): boolean =>
    isActive && holds(roster, ownAccount, roster.settings.rights[right]);
  return {
    add: may("add"),
    remove: may("remove"),
    post: may("post"),
    editInfo: may("editInfo"),
    timer: may("timer"),
    slowMode: isActive && manages(roster, ownAccount),
    pin: may("pin"),
    deleteOthers: may("deleteOthers"),
    invite: may("invite"),
    own: isActive && roleOf(roster, ownAccount) === roles.owner,
  };
}

function successorsOf(people: People, { kind, phase, roster }: ConversationState, ownAccount: string): readonly Person[] {
  if (kind !== "group" || phase.kind !== "active" || roster === undefined || !isLastOwner(roster, ownAccount)) return [];
  const others = [...roster.accounts.values()].flatMap(([leaf]) => (leaf === undefined || leaf.account === ownAccount ? [] : [leaf]));
  return others.toSorted((a, b) => roleOf(roster, b.account) - roleOf(roster, a.account)).map(({ accountId }) => people.person(accountId));
}

/** A conversation with its members. */
export function detailsOf(
  world: ShownWorld,
  state: ConversationState,
  lastLine: Line | undefined,
  ownAccount: string,
): ConversationDetails {
  const { people } = world;
  const {
    roster,
    opening: { settings },
  } = state;
  const members = [...(roster?.accounts ?? new Map<string, never>())].map(([account, leaves]): Member => {
    const [leaf] = leaves;
    if (leaf === undefined || roster === undefined) throw new Error("an account without a device");
    return { person: people.person(leaf.accountId), role: roleName(roleOf(roster, account)), deviceCount: leaves.length };
  });
  return {
    conversation: conversationOf(world, state, lastLine),
    members,
    epoch: state.group === undefined ? 0 : Number(epoch(state.group)),
    cipherSuite: state.suiteId === 0xf001 ? "X-Wing hybrid (post-quantum)" : "X25519 (classical)",
    description: cleanDescription(settings.description),
    timerS: settings.timerS,
    slowModeS: settings.slowModeS,
    keptOut: settings.keptOut.map((accountId) => people.person(accountId)),
    rights: state.kind === "group" ? settings.rights : undefined,
    healsWithinDays: healsWithinDays(roster?.leaves.size ?? 0),
    keysRenewedAtMs: state.renewal.ownAtMs === 0 ? undefined : state.renewal.ownAtMs,
    may: mayOf(state, ownAccount),
    ...(state.kind === "group" && rightsOf(state, { account: ownAccount }).mentionAll
      ? { mentionAllUri: roomUri(state.host, state.groupId) }
      : {}),
    successors: successorsOf(people, state, ownAccount),
  };
}
