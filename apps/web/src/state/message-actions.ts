import type { GroupPermissions, Message } from "@latchkey/client";
import { editWindowMs, maxEdits, ownDeletionMs } from "@latchkey/client/limits";
import { textOf } from "./acting.ts";
import { withNames } from "./mentions.ts";

/** What can be done with a message, in the order in which a menu offers it. */
export type MessageAction =
  | "reply"
  | "edit"
  | "copy"
  | "forward"
  | "save"
  | "pin"
  | "unpin"
  | "star"
  | "unstar"
  | "remind"
  | "select"
  | "info"
  | "person"
  | "tellAdministrators"
  | "report"
  | "delete";

/** What decides what can be done with a message. */
export interface ActionWorld {
  readonly may: Pick<GroupPermissions, "post" | "pin">;
  readonly isStarred: boolean;
  readonly isPinned: boolean;
  /** Whether somebody else leads the group, who could be told of it. */
  readonly mayTell?: boolean;
  readonly nowMs: number;
}

/** Whether somebody said something here that others have as well. */
export function isSaid(message: Message): boolean {
  return (message.body.kind === "text" || message.body.kind === "poll") && isSettled(message);
}

/** Whether it is a line that the menu is for. */
export function hasActions(message: Message): boolean {
  return actionsOf(message, { may: { post: false, pin: false }, isStarred: false, isPinned: false, nowMs: 0 }).length > 0;
}

/** Whether it can be chosen with others. */
export function isChoosable(message: Message): boolean {
  return actionsOf(message, { may: { post: false, pin: false }, isStarred: false, isPinned: false, nowMs: 0 }).includes("select");
}

/** What can be done with a message now. */
export function actionsOf(message: Message, { may, isStarred, isPinned, mayTell = false, nowMs }: ActionWorld): readonly MessageAction[] {
  const { body, author } = message;
  if (author === undefined) return [];
  switch (body.kind) {
    case "text":
    case "poll": {
      // What waits, or failed, may get another id.
      if (!isSettled(message)) return body.kind === "text" && body.text === "" ? [] : ["copy"];
      const isText = body.kind === "text";
      // What is to be seen once goes nowhere else.
      const isOnce = message.isOnce === true;
      const hasFiles = message.files !== undefined && !isOnce;
      const hasWords = !isText || body.text !== "";
      const isYoung = nowMs - message.sentAtMs < editWindowMs && (message.edited?.count ?? 0) < maxEdits;
      return [
        ...(may.post && !isOnce ? (["reply"] as const) : []),
        ...(may.post && isText && author.isSelf && isYoung && message.forwardedHops === undefined ? (["edit"] as const) : []),
        ...(hasWords && !isOnce ? (["copy"] as const) : []),
        ...(isText && !isOnce ? (["forward"] as const) : []),
        ...(hasFiles ? (["save"] as const) : []),
        ...(may.pin ? ([isPinned ? "unpin" : "pin"] as const) : []),
        isStarred ? "unstar" : "star",
        "remind",
        "select",
        "info",
        ...(author.isSelf ? [] : (["person"] as const)),
        ...(author.isSelf || !mayTell ? [] : (["tellAdministrators"] as const)),
        ...(author.isSelf ? [] : (["report"] as const)),
        "delete",
      ];
    }
    case "deleted":
      // What proves it is here for a day.
      return author.isSelf ? [] : ["report"];
    case "unsupported":
    case "unreadable":
      return isSettled(message) ? ["select", "info", ...(author.isSelf ? [] : (["person"] as const)), "delete"] : [];
    default:
      return [];
  }
}

/** Whether all of these can be deleted for everybody: one's own for a week, what others said by who may (spec X-4). */
export function canDeleteForEveryone(messages: readonly Message[], may: Pick<GroupPermissions, "deleteOthers">, nowMs: number): boolean {
  return messages.every(
    (message) =>
      message.body.kind !== "unreadable" &&
      (may.deleteOthers || (message.author?.isSelf === true && nowMs - message.sentAtMs < ownDeletionMs)),
  );
}

/** The last thing that the person said here, if they may change it now; what is still on its way is nothing that others have. */
export function lastEditable(messages: readonly Message[], nowMs: number): Message | undefined {
  const last = messages.findLast(({ author, body }) => author?.isSelf === true && (body.kind === "text" || body.kind === "poll"));
  const world = { may: { post: true, pin: false }, isStarred: false, isPinned: false, nowMs };
  return last !== undefined && actionsOf(last, world).includes("edit") ? last : undefined;
}

/** Whether its author can still take it back before anybody has it. */
export function isUndoable({ delivery }: Message, nowMs: number): boolean {
  return delivery?.kind === "pending" && (delivery.undoUntilMs ?? 0) > nowMs;
}

/** The last thing that the person said here, if it can be taken back. */
export function lastUndoable(messages: readonly Message[], nowMs: number): Message | undefined {
  const last = messages.findLast(({ author, body }) => author?.isSelf === true && body.kind === "text");
  return last !== undefined && isUndoable(last, nowMs) ? last : undefined;
}

/** Messages as a text to be taken elsewhere: one alone as it is, several with who said them and when. */
export function copyText(messages: readonly Message[], headOf: (message: Message) => string): string {
  const [first] = messages;
  if (first === undefined) return "";
  const wordsOf = (message: Message): string => withNames(textOf(message), message.mentions ?? []);
  if (messages.length === 1) return wordsOf(first);
  return messages.map((message) => `${headOf(message)}\n${wordsOf(message)}`).join("\n\n");
}

function isSettled({ delivery }: Message): boolean {
  return delivery === undefined || delivery.kind === "accepted";
}
