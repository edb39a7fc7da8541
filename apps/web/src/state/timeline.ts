import type { Message } from "@latchkey/client";

/** Where somebody who reads a conversation stands: the first message on the screen, and how much of it is above. */
export interface Standing {
  readonly order: number;
  readonly abovePx: number;
}

/** Where the list of messages goes to stand. */
export type Landing =
  | { readonly kind: "end" }
  /** The line "New messages" is on top; the end where there is none. */
  | { readonly kind: "unread" }
  | { readonly kind: "place"; readonly at: Standing; readonly isFocused: boolean };

/** The loaded part of one conversation's messages: all of them from one place to another, by `order`. */
export interface Timeline {
  readonly messages: readonly Message[];
  /** Whether the client has messages before the first loaded one. */
  readonly hasOlder: boolean;
  /** Whether it has messages behind the last one. */
  readonly hasNewer: boolean;
  readonly isLoading: boolean;
  /** What came while something was loaded: it may belong to that. */
  readonly aside: readonly Message[];
  /** Whether the person reads the end: then what comes is followed, and what is far above may go. */
  readonly isAtEnd: boolean;
  /** The line "New messages" stands above the first of others behind this place. */
  readonly newAfter: number | undefined;
  readonly newCount: number;
  /** With a new `key` the list goes there. */
  readonly landing: { readonly key: number; readonly to: Landing } | undefined;
}

/** A timeline of which nothing is loaded yet. */
export const emptyTimeline: Timeline = {
  messages: [],
  hasOlder: true,
  hasNewer: false,
  isLoading: true,
  aside: [],
  isAtEnd: true,
  newAfter: undefined,
  newCount: 0,
  landing: undefined,
};

/** A line of the list on the screen. */
export type Row =
  | { readonly kind: "start"; readonly key: string }
  | { readonly kind: "day"; readonly key: string; readonly atMs: number }
  | { readonly kind: "new"; readonly key: string; readonly count: number }
  | {
      readonly kind: "message";
      readonly key: string;
      readonly message: Message;
      /** First and last of a run of one author. */
      readonly isFirst: boolean;
      readonly isLast: boolean;
    }
  | { readonly kind: "system"; readonly key: string; readonly message: Message }
  /** Lines of one person that stand behind this one. */
  | {
      readonly kind: "folded";
      readonly key: string;
      readonly what: "early" | "settings";
      readonly count: number;
      readonly author: Message["author"];
      readonly isOpen: boolean;
      /** The place of the last of them. */
      readonly throughOrder: number;
    }
  | { readonly kind: "alarm"; readonly key: string; readonly message: Message };

const runGapMs = 5 * 60_000;

const shownAsMessage: ReadonlySet<Message["body"]["kind"]> = new Set<Message["body"]["kind"]>([
  "text",
  "poll",
  "unsupported",
  "unreadable",
]);

/** Whether a message counts as something to read: what was said before one came does not. */
export function isFromOthers({ body, author, sharedBy }: Message): boolean {
  return author !== undefined && !author.isSelf && sharedBy === undefined && shownAsMessage.has(body.kind);
}

/** What happened in the group, as against what somebody wrote. */
export function isSystemMessage(message: Message): boolean {
  switch (message.body.kind) {
    case "created":
    case "added":
    case "removed":
    case "left":
    case "renamed":
    case "described":
    case "picture_changed":
    case "timer_changed":
    case "slow_mode_changed":
    case "rights_changed":
    case "role_changed":
    case "kept_out":
    case "kept_out_ended":
    case "keys_updated":
    case "device_added":
    case "device_removed":
    case "recovered":
    case "skipped":
    case "complaint":
    case "let_back":
    case "away":
    case "expired":
    case "other_view":
    case "misnumbered":
    case "deleted":
    case "pinned":
    case "unpermitted":
    case "history_given":
    case "left_out":
      return true;
    case "text":
    case "poll":
    case "unsupported":
    case "unreadable":
    case "alarm":
      return false;
  }
}

/** The rows of a timeline: day separators, the line of new messages, runs of one author. `dayOf` tells days apart. */
export function toRows(timeline: Timeline, dayOf: (atMs: number) => string): readonly Row[] {
  const rows: Row[] = [];
  if (!timeline.hasOlder && !timeline.isLoading) rows.push({ kind: "start", key: "start" });
  let day = "";
  let previous: Message | undefined;
  let broken = true;
  let isNewDue = false;
  const { newAfter = Number.POSITIVE_INFINITY, hasOlder } = timeline;
  const isBeyond = ({ order }: Message, before: Message | undefined): boolean =>
    order > newAfter && (before === undefined ? !hasOlder : before.order <= newAfter);
  for (const message of timeline.messages) {
    const messageDay = dayOf(message.sentAtMs);
    if (messageDay !== day) {
      // Above the first one the day is said once it is known to begin there: a row that would go when older ones come leaves no anchor.
      if (previous !== undefined || !hasOlder) rows.push({ kind: "day", key: `day:${messageDay}:${message.id}`, atMs: message.sentAtMs });
      day = messageDay;
      broken = true;
    }
    isNewDue ||= isBeyond(message, previous);
    // What was deleted since, or happened to the group, is nothing to read: the mark stands above the first that is.
    if (isNewDue && isFromOthers(message)) {
      rows.push({ kind: "new", key: "new", count: timeline.newCount });
      isNewDue = false;
      broken = true;
    }
    if (message.body.kind === "alarm") {
      rows.push({ kind: "alarm", key: message.id, message });
      broken = true;
    } else if (isSystemMessage(message)) {
      rows.push({ kind: "system", key: message.id, message });
      broken = true;
    } else {
      const joins = !broken && previous !== undefined && isOneRun(previous, message);
      if (joins) endRunLater(rows);
      rows.push({ kind: "message", key: message.id, message, isFirst: !joins, isLast: true });
      broken = false;
    }
    previous = message;
  }
  return rows;
}

function isOneRun(a: Message, b: Message): boolean {
  const isGivenAlike = a.sharedBy?.accountId === b.sharedBy?.accountId;
  return isGivenAlike && a.author?.accountId === b.author?.accountId && Math.abs(b.sentAtMs - a.sentAtMs) < runGapMs;
}

function endRunLater(rows: Row[]): void {
  const last = rows.at(-1);
  if (last?.kind === "message") rows[rows.length - 1] = { ...last, isLast: false };
}
