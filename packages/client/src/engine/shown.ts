import { equalBytes, toBase64Url } from "@latchkey/codec";
import { epoch } from "@latchkey/mls";
import type { ClientFailure, Conversation, ConversationDetails, Member, Message, MessageBody, Person } from "../api.ts";
import { isBetween } from "../core/arrival.ts";
import { awayAt } from "../core/away.ts";
import { authorOf } from "../core/answering.ts";
import { isLeftOpen, removableLeaves } from "../core/proven.ts";
import { manages, roleName, roleOf } from "../core/rights.ts";
import type { DoubtedText } from "../core/lines.ts";
import type { ConversationState, Line, LineBody, Outgoing } from "../core/types.ts";
import { pauseCode, pauseSentences, refusedLeafSentence, refusedSpeakerSentence, unprovenLeafSentence } from "../core/turn.ts";
import { cleanDescription, cleanName } from "../names/clean.ts";
import { stallCode, stallSentences } from "../core/stall.ts";
import { sentenceOf } from "./sentences.ts";
import type { People } from "./people.ts";
import { hasEnded, isConfirmed } from "../core/phase.ts";

function bodyOf(people: People, body: Exclude<LineBody, DoubtedText>): MessageBody {
  if (body.kind === "added" || body.kind === "removed") {
    return { kind: body.kind, people: body.accounts.map((accountId) => people.person(accountId)) };
  }
  if (body.kind === "created" || body.kind === "renamed") return { kind: body.kind, name: groupName(body.name) };
  if (body.kind === "role_changed") return { kind: body.kind, role: body.role, person: people.person(body.account) };
  if (body.kind === "described") return { kind: body.kind, description: cleanDescription(body.description) };
  return "account" in body ? { kind: body.kind, person: people.person(body.account) } : body;
}

/** A group's name as it is shown: it was written by a member (spec E-63). "" stays: a direct conversation has none. */
function groupName(name: string): string {
  return name === "" ? "" : cleanName(name) || unnamedGroup;
}

const unnamedGroup = "Group without a name";

/**
 * What is shown of a text whose device was not proven to be its author's, by what is known now: the text, with the doubt while there is one;
 * in place of one by a device that the account does not have, that alone, and nobody's name (spec G-8).
 */
function doubtedOf(people: People, state: ConversationState, line: Line & { readonly body: DoubtedText }): Shown {
  const { text, deviceId, signaturePublicKey, isDeparted } = line.body;
  const shown = { body: { kind: "text", text }, author: line.author } as const;
  if (isDeparted) return { ...shown, doubt: "departed" };
  if (line.author === undefined) return shown;
  const device = { host: state.host, accountId: line.author, account: toBase64Url(line.author), deviceId, signaturePublicKey };
  if (people.vouches(device) || people.departed(device)) return shown;
  const isOpen = state.unverified.some((leaf) => !leaf.refused && equalBytes(leaf.signaturePublicKey, signaturePublicKey));
  if (isOpen) return { ...shown, doubt: "unproven" };
  return { body: { kind: "unreadable", reason: refusedSpeakerSentence }, author: undefined };
}

interface Shown {
  readonly body: Exclude<LineBody, DoubtedText>;
  readonly author: Uint8Array | undefined;
  readonly doubt?: NonNullable<Message["doubt"]>;
}

function shownOf(people: People, state: ConversationState, line: Line): Shown {
  const { body, author } = line;
  return body.kind === "doubted" ? doubtedOf(people, state, { ...line, body }) : { body, author };
}

/** A stored line as people see it. */
export function messageOfLine(people: People, state: ConversationState, line: Line): Message {
  const { id: conversationId, away } = state;
  const { body, author: accountId, ...doubt } = shownOf(people, state, line);
  const author = accountId === undefined ? undefined : people.person(accountId);
  const isOwn = author?.isSelf === true && line.body.kind === "text";
  return {
    ...doubt,
    id: line.id,
    conversationId,
    order: line.order,
    author,
    body: bodyOf(people, body),
    sentAtMs: line.sentAtMs,
    delivery: isOwn ? { kind: "accepted", atMs: line.acceptedAtMs, ...withoutReader(people, awayAt(away, line.order)) } : undefined,
  };
}

function withoutReader(people: People, accountIds: readonly Uint8Array[]): { withoutReader?: readonly Person[] } {
  return accountIds.length === 0 ? {} : { withoutReader: accountIds.map((accountId) => people.person(accountId)) };
}

/** A message that is not in the log yet, as people see it. */
export function messageOfOutgoing(people: People, conversationId: string, own: Uint8Array, message: Outgoing): Message {
  const { failure } = message;
  return {
    id: message.id,
    conversationId,
    order: message.order,
    author: people.person(own),
    body: { kind: "text", text: message.text },
    sentAtMs: message.composedAtMs,
    delivery:
      failure !== undefined
        ? { kind: "failed", failure: { code: failure, message: sentenceOf(failure), canRetry: true } }
        : message.accepted !== undefined
          ? { kind: "accepted", atMs: message.composedAtMs }
          : { kind: "pending" },
  };
}

/**
 * Whether a list shows it: one that the person went on from stands above the other; the half of a doubled conversation that lost is read-only,
 * and is shown where something was said in it (spec L-12). Where somebody asks, each is.
 */
export function isListed({ kind, phase, invitations }: ConversationState, lastLine: Line | undefined): boolean {
  if (kind === "devices") return false;
  if (invitations.length > 0) return true;
  return phase.kind !== "continued" && (phase.kind !== "superseded" || lastLine?.body.kind === "text");
}

/** A conversation as a list shows it. */
export function conversationOf(people: People, state: ConversationState, lastLine: Line | undefined): Conversation {
  const peer = state.peer === undefined ? undefined : people.person(state.peer);
  const waiting = state.outgoing.findLast((item) => item.purpose === "text");
  const own = state.roster?.own?.accountId;
  const lastMessage =
    waiting !== undefined && own !== undefined
      ? messageOfOutgoing(people, state.id, own, waiting)
      : lastLine === undefined
        ? undefined
        : messageOfLine(people, state, lastLine);
  return {
    id: state.id,
    kind: state.kind === "direct" ? "direct" : "group",
    title: state.kind === "direct" ? (peer?.displayName ?? groupName(state.name)) : groupName(state.name),
    peer,
    memberCount: state.memberCount,
    lastMessage,
    updatedAtMs: state.updatedAtMs,
    unreadCount: state.unread,
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

function stopOf({ phase, link, stranded, unverified, departed }: ConversationState): ClientFailure | undefined {
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

/** A conversation with its members. */
export function detailsOf(people: People, state: ConversationState, lastLine: Line | undefined, ownAccount: string): ConversationDetails {
  const { roster } = state;
  const members = [...(roster?.accounts ?? new Map<string, never>())].map(([account, leaves]): Member => {
    const [leaf] = leaves;
    if (leaf === undefined || roster === undefined) throw new Error("an account without a device");
    return { person: people.person(leaf.accountId), role: roleName(roleOf(roster, account)), deviceCount: leaves.length };
  });
  return {
    conversation: conversationOf(people, state, lastLine),
    members,
    epoch: state.group === undefined ? 0 : Number(epoch(state.group)),
    cipherSuite: state.suiteId === 0xf001 ? "X-Wing hybrid (post-quantum)" : "X25519 (classical)",
    canManage: roster !== undefined && state.kind === "group" && state.phase.kind === "active" && manages(roster, ownAccount),
  };
}
