import type { Client, Conversation, Message } from "@latchkey/client";
import type { Notice } from "../service-worker/messages.ts";
import { totalUnread } from "../state/own.ts";
import { isFromOthers } from "../state/timeline.ts";
import type { NoticeDepth } from "./choices.ts";
import { isSilent, noticeOf } from "./notice.ts";

/** What a worker that was woken found. */
export interface News {
  /** One for each conversation in which something is to be told. */
  readonly notices: readonly Notice[];
  /** The tags of notifications of which everything was read. */
  readonly read: readonly string[];
  /** What waits to be read, of what is not muted. */
  readonly unread: number;
}

/** What of the client is asked. */
type AskedClient = Pick<Client, "conversations" | "messages" | "quietHours">;

/** Of what came the newest so many are looked through for one that is still there. */
const lookedThrough = 50;

/**
 * What is to be told of what came while no page was open, as it is now: what was read on another device meanwhile, was deleted, or whose time is over
 * is told no more.
 * @param params.came what came, in the order in which it did
 * @param params.counts of each notification that is shown, by its tag, of how many messages it tells
 */
export async function newsOf(
  client: AskedClient,
  params: {
    readonly came: readonly Message[];
    readonly depth: NoticeDepth;
    readonly counts: ReadonlyMap<string, number>;
    readonly nowMs: number;
  },
): Promise<News> {
  const { came, depth, counts, nowMs } = params;
  const quietHours = await client.quietHours();
  const conversations = new Map((await client.conversations()).map((one) => [one.id, one]));
  const newest = async ({ id }: Conversation, arrived: readonly Message[]): Promise<Message | undefined> => {
    const ids = new Set(arrived.map((one) => one.id));
    return (await client.messages(id, { limit: lookedThrough })).findLast(
      (one) => ids.has(one.id) && isFromOthers(one) && one.body.kind !== "deleted",
    );
  };
  const notices: Notice[] = [];
  for (const [id, arrived] of Map.groupBy(came.filter(isFromOthers), ({ conversationId }) => conversationId)) {
    const conversation = conversations.get(id);
    if (conversation === undefined || conversation.unreadCount === 0 || isSilent(conversation, quietHours, nowMs)) continue;
    const message = await newest(conversation, arrived);
    const count = Math.min((counts.get(id) ?? 0) + arrived.length, conversation.unreadCount);
    if (message !== undefined) notices.push(noticeOf({ message, conversation, depth, count, hasLock: false }));
  }
  const read = [...conversations.values()].flatMap(({ id, unreadCount }) => (unreadCount === 0 ? [id] : []));
  return {
    notices,
    read: read.length === conversations.size ? [...read, ""] : read,
    unread: totalUnread(conversations),
  };
}
