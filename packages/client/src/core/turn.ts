import type { GroupState } from "@latchkey/mls";
import { retentionDays } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { groupsOf } from "./erase.ts";
import { entryOrder } from "./order.ts";
import type { Context, ConversationState, Effect, Line, LineBody, Link, Outgoing, PauseReason } from "./types.ts";

/** One step under way: the state so far and what it set off. Lives only inside `step`. */
export interface Turn {
  readonly context: Context;
  readonly effects: Effect[];
  /** Every state of the group that this step made or met, for `eraseLeftBehind`. */
  readonly groups: GroupState[];
  state: ConversationState;
}

/** Replaces fields of the turn's state. */
export function set(turn: Turn, changes: Partial<ConversationState>): void {
  turn.state = { ...turn.state, ...changes };
  turn.groups.push(...groupsOf(changes));
}

export const linkDown: Link = {
  kind: "down",
  stall: undefined,
  stalls: 0,
  retentionDays,
  readUpTo: 0,
  headThere: undefined,
  cannotRemove: false,
  opened: undefined,
  isUnblockPlanned: false,
  complainedIn: 0,
  heldIn: 0,
  attempt: 0,
};

/** Adds a line to the history, with what a list shows of it: it tells what happened to the group, and nobody has it to read. */
export function addLine(
  turn: Turn,
  params: {
    order: number;
    author?: Uint8Array | undefined;
    sentAtMs?: number | undefined;
    body: LineBody;
    id?: string;
    acceptedAtMs?: number;
  },
): void {
  const { nowMs } = turn.context;
  const line: Line = {
    id: params.id ?? lineId(turn.state.id, params.order),
    order: params.order,
    author: params.author,
    sentAtMs: params.sentAtMs ?? nowMs,
    body: params.body,
    acceptedAtMs: params.acceptedAtMs ?? 0,
  };
  turn.effects.push({ kind: "line", line });
  const { state } = turn;
  set(turn, {
    lastOrder: Math.max(state.lastOrder, line.order),
    // Devices that come and go are told in the stream; the conversation keeps its place among the others.
    updatedAtMs: isQuiet(params.body) ? state.updatedAtMs : nowMs,
    unreadEntries: state.unreadEntries + unreadBy(params.body),
  });
}

/** The id of a line that tells a change of the group: no other line of the profile has it. */
export function lineId(conversationId: string, order: number): string {
  return `${conversationId}.${String(order)}`;
}

/** How many entries a line says that this device could not read: whose they were, nobody knows (spec L-10). */
function unreadBy(body: LineBody): number {
  if (body.kind === "expired") return body.count;
  return body.kind === "unreadable" ? 1 : 0;
}

/** Whether a line is told in the stream only: it neither moves a conversation in the list nor stands there in place of what was said. */
export function isQuiet(body: LineBody): boolean {
  return quietKinds.has(body.kind);
}

const quietKinds: ReadonlySet<LineBody["kind"]> = new Set<LineBody["kind"]>([
  "keys_updated",
  "device_added",
  "device_removed",
  "skipped",
  "complaint",
  "let_back",
  "other_view",
  "misnumbered",
  "away",
  "described",
  "picture_changed",
  "slow_mode_changed",
  "rights_changed",
  "role_changed",
  "kept_out",
  "kept_out_ended",
  "pinned",
  "unpermitted",
  "history_given",
  "left_out",
]);

/** The next free line of the entry that ends the chain: lines of one entry follow one another. */
export function nextOrder(turn: Turn): number {
  return Math.max(entryOrder(turn.state.chain.seq), turn.state.lastOrder + 1);
}

/** What a person reads about a pause. */
export const pauseSentences: Readonly<Record<PauseReason, string>> = {
  left_behind: "The others cannot read a change that this device followed: they went on without it, and read nothing that is sent here.",
  unreadable_commit: "A change by a member cannot be read by this device.",
  missed_commit: "Changes of this group expired before this device read them. Ask a member to add you again.",
  foreign_head: "The server's public record has another version of this conversation than the one you were shown.",
  profile_restored: "This profile is an old copy: the conversation went on without it. It must not send.",
};

/** What a person reads in place of what such a leaf says. */
export const refusedSpeakerSentence = "It is by a device that does not belong to the account that it names.";

/** What a person reads of a leaf that its account does not have (spec G-8). */
export const refusedLeafSentence =
  "A device in this group does not belong to the account that it names. Nothing is sent until it is removed.";

/** What a person reads of a leaf of which nothing could be found out for minutes (spec E-69). */
export const unprovenLeafSentence =
  "Whether a device in this conversation belongs to the account that it names cannot be found out now. Nothing is sent until that is known, or the device is removed.";

/** The code under which sending into a paused conversation fails. */
export function pauseCode(reason: PauseReason): ClientErrorCode {
  switch (reason) {
    case "profile_restored":
      return "profile_restored";
    case "foreign_head":
      return "log_fork";
    case "missed_commit":
      return "changes_expired";
    case "left_behind":
      return "left_behind";
    case "unreadable_commit":
      return "change_unreadable";
  }
}

/** Stops the conversation for good, in front of everybody's eyes (spec L-10). */
export function pause(turn: Turn, reason: PauseReason, author?: Uint8Array): void {
  const sentence = pauseSentences[reason];
  addLine(turn, { order: nextOrder(turn), body: { kind: "alarm", reason: sentence }, author });
  dropAllChanges(turn, pauseCode(reason));
  set(turn, { phase: { kind: "paused", reason } });
  turn.effects.push({ kind: "alarm", code: pauseCode(reason), reason: sentence, about: reason, accountId: author }, { kind: "close" });
  if (reason === "foreign_head") turn.effects.push({ kind: "tell_fork" });
}

/** Changes one pending message and tells. */
export function setOutgoing(turn: Turn, id: string, changes: Partial<Outgoing>): void {
  const outgoing = turn.state.outgoing.map((item) => (item.id === id ? { ...item, ...changes } : item));
  set(turn, { outgoing });
  const message = outgoing.find((item) => item.id === id);
  if (message !== undefined) turn.effects.push({ kind: "outgoing", message });
}

/** Whether people see it: a message, or something that is done to one. */
export function isSaid({ purpose }: Pick<Outgoing, "purpose">): boolean {
  return purpose === "text" || purpose === "change";
}

/** Takes out of what waits, and tells: a message is gone, and one to which something was done is as it was. */
export function dropOutgoing(turn: Turn, isDropped: (item: Outgoing) => boolean): void {
  const { outgoing } = turn.state;
  const dropped = outgoing.filter((item) => isDropped(item));
  if (dropped.length === 0) return;
  set(turn, { outgoing: outgoing.filter((item) => !dropped.includes(item)) });
  for (const message of dropped) if (isSaid(message)) turn.effects.push({ kind: "dropped", message });
}

/** The changes that wait here are made by nobody any more: whoever asked for them is told why. One that is on its way is left alone. */
export function dropChanges(turn: Turn, code: ClientErrorCode): void {
  for (const { id, merged = [] } of turn.state.changes)
    for (const one of [id, ...merged]) turn.effects.push({ kind: "change_outcome", id: one, outcome: { kind: "failed", code } });
  set(turn, { changes: [] });
}

/** As `dropChanges`, of a conversation in which nothing is waited for any more: what is on its way too. */
export function dropAllChanges(turn: Turn, code: ClientErrorCode): void {
  const { staged, changes } = turn.state;
  if (staged !== undefined) set(turn, { staged: undefined, changes: [staged.change, ...changes] });
  dropChanges(turn, code);
}

/** Whether the log was read to its end on this connection. */
export function isCaughtUp(state: ConversationState): boolean {
  const { link } = state;
  // A commit that is followed opens its epoch, and one that is skipped opens this one again: both say anew how far the log goes.
  return link.kind === "following" && state.chain.seq >= link.readUpTo;
}
