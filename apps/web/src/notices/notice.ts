import type { Conversation, Message, QuietHours } from "@latchkey/client";
import { quietUntil } from "@latchkey/client/own";
import { t } from "../messages/text.ts";
import type { Notice } from "../service-worker/messages.ts";
import { isMuted, titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { formatRoute } from "../state/router.ts";
import type { NoticeDepth } from "./choices.ts";

/** Of a long text so much is shown. */
const maxTextLength = 300;
/** What the app is called, where a notification says no more. */
const appName = "Latchkey";

/** Whether nothing of what comes in a conversation is told now: it is muted, or it is a quiet hour. */
export function isSilent(conversation: Pick<Conversation, "own">, quietHours: QuietHours, nowMs: number): boolean {
  return isMuted(conversation, nowMs) || quietUntil(quietHours, nowMs) !== undefined;
}

/**
 * What a notification says of the newest message of a conversation. Where it is to say nothing, all conversations have one notification, so
 * that their number says nothing either.
 * @param count messages that came there and were not looked at
 */
export function noticeOf(params: {
  readonly message: Message;
  readonly conversation: Pick<Conversation, "id" | "kind" | "peer" | "title">;
  readonly depth: NoticeDepth;
  readonly count: number;
  /** The profile has a lock: nothing outside of it says with whom one talks. */
  readonly hasLock: boolean;
}): Notice {
  const { message, conversation, count, hasLock } = params;
  const depth = hasLock ? "nothing" : params.depth;
  const path = hasLock ? "/" : formatRoute({ kind: "conversation", id: conversation.id, details: false });
  const amount = count === 1 ? t("app.notices.one") : t("app.notices.several", { n: count });
  if (depth === "nothing") return { tag: "", title: appName, body: t("app.notices.some"), path, messageId: message.id, count };
  const shown = { tag: conversation.id, title: titleOf(conversation), path, messageId: message.id, count };
  return { ...shown, body: depth === "text" ? (textOf(message, conversation) ?? amount) : amount };
}

/** What was written; nothing of what has no words, is to be seen once, goes after a time, or is of somebody who is doubted. */
function textOf({ body, author, doubt, isOnce, timer }: Message, { kind }: Pick<Conversation, "kind">): string | undefined {
  if (body.kind !== "text" || body.text === "" || author === undefined || doubt !== undefined || isOnce === true || timer !== undefined)
    return undefined;
  const text = body.text.slice(0, maxTextLength);
  return kind === "direct" ? text : t("app.notices.said", { author: nameOf(author), text });
}
