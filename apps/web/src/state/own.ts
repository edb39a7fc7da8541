import type { Conversation, MuteTime } from "@latchkey/client";
import { t } from "../messages/text.ts";

/** Which conversations the list shows. */
export type Folder = "all" | "archived";

/** How long a conversation can be muted for. */
export const muteTimes: readonly MuteTime[] = ["1h", "8h", "morning", "always"];

/** Whether it stands in that part of the list. */
export function isIn(folder: Folder, { own }: Conversation): boolean {
  return own.isArchived === (folder === "archived");
}

/** Whether nothing of it is to be noticed now. */
export function isMuted({ own }: Pick<Conversation, "own">, nowMs: number): boolean {
  return own.mutedUntil === "always" || (own.mutedUntil !== undefined && own.mutedUntil > nowMs);
}

/** What is waiting to be read in all conversations that are not muted. */
export function totalUnread(conversations: ReadonlyMap<string, Conversation>): number {
  let sum = 0;
  for (const conversation of conversations.values()) if (!isMuted(conversation, Date.now())) sum += conversation.unreadCount;
  return sum;
}

/** What a conversation is called here. */
export function titleOf({ peer, title }: Pick<Conversation, "peer" | "title">): string {
  return peer?.isSelf === true ? t("list.noteToSelf") : title;
}
