import type { Conversation } from "@latchkey/client";
import { isMuted } from "./own.ts";

/** What can be done with a conversation where it stands in the list. */
export type ConversationAction =
  | "pin"
  | "unpin"
  | "mute"
  | "unmute"
  | "archive"
  | "unarchive"
  | "markRead"
  | "markUnread"
  | "erase"
  | "block"
  | "unblock"
  | "leave";

/** What can be done with a conversation now, in the order in which a menu has it. */
export function conversationActions(conversation: Conversation, nowMs: number): readonly ConversationAction[] {
  const { own, kind, peer, status, isBlocked } = conversation;
  const actions: ConversationAction[] = [
    isUnread(conversation) ? "markRead" : "markUnread",
    own.pinnedPlace === undefined ? "pin" : "unpin",
    isMuted(conversation, nowMs) ? "unmute" : "mute",
    own.isArchived ? "unarchive" : "archive",
    "erase",
  ];
  if (kind === "direct" && peer?.isSelf === false) actions.push(isBlocked ? "unblock" : "block");
  if (kind === "group" && status !== "removed") actions.push("leave");
  return actions;
}

/** Whether something of it waits to be read, or the person marked it so. */
export function isUnread({ unreadCount, own }: Pick<Conversation, "unreadCount" | "own">): boolean {
  return unreadCount > 0 || own.isMarkedUnread;
}

/** Whether an action takes something away for good: it stands apart, and asks first. */
export function isGrave(action: ConversationAction): boolean {
  return action === "erase" || action === "block" || action === "leave";
}
