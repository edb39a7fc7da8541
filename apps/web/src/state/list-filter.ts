import type { Conversation, Message } from "@latchkey/client";
import { isUnread } from "./conversation-actions.ts";

/** Which conversations of the list are shown. */
export type ListFilter = "all" | "unread" | "people" | "groups" | "mentions";

/** In the order in which they are offered. */
export const listFilters: readonly ListFilter[] = ["all", "unread", "people", "groups", "mentions"];

/** Of conversations, the place of the newest message that names this person or answers them, as far as it was known to be unread. */
export type Mentions = ReadonlyMap<string, number>;

/** Whether something unread in a conversation names this person or answers them. */
export function isMentioned({ id, unreadCount, readThrough }: Conversation, mentions: Mentions): boolean {
  return unreadCount > 0 && (mentions.get(id) ?? -1) > readThrough;
}

/** Whether a filter shows a conversation. */
export function passes(filter: ListFilter, conversation: Conversation, mentions: Mentions): boolean {
  switch (filter) {
    case "all":
      return true;
    case "unread":
      return isUnread(conversation);
    case "people":
      return conversation.kind === "direct";
    case "groups":
      return conversation.kind === "group";
    case "mentions":
      return isMentioned(conversation, mentions);
  }
}

/** What is known of mentions after messages came. */
export function withMentions(mentions: Mentions, messages: readonly Message[]): Mentions {
  const naming = messages.filter(
    ({ author, isMentioned: isNamed, quote, conversationId, order, folded }) =>
      author?.isSelf === false &&
      folded !== true &&
      (isNamed === true || quote?.author?.isSelf === true) &&
      order > (mentions.get(conversationId) ?? -1),
  );
  return naming.length === 0
    ? mentions
    : new Map([...mentions, ...naming.map(({ conversationId, order }) => [conversationId, order] as const)]);
}
