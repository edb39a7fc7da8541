import { useMemo } from "react";
import type { Conversation, Message } from "@latchkey/client";
import type { Outgoing } from "../state/app-state.ts";
import { useSelector } from "../state/context.ts";
import { foldRows } from "../state/folded-rows.ts";
import { dayKey } from "../state/format.ts";
import { toRows } from "../state/timeline.ts";
import type { Row, Timeline } from "../state/timeline.ts";

/** The rows, with messages that are just being handed to the client at their end. */
export function useMessageRows(
  { id: conversationId, kind }: Pick<Conversation, "id" | "kind">,
  timeline: Timeline,
  opened: ReadonlySet<string>,
): readonly Row[] {
  const outgoing = useSelector((state) => state.outgoing);
  const account = useSelector((state) => state.account);
  return useMemo(() => {
    const mine = outgoing.filter((item) => item.conversationId === conversationId);
    const isBehind = account === undefined || timeline.hasNewer;
    const waiting = isBehind ? [] : mine.filter((item) => item.messageId === undefined);
    const messages = waiting.length === 0 ? timeline.messages : [...timeline.messages, ...waiting.map((item) => asMessage(item, account))];
    const keys = new Map(mine.flatMap((item) => (item.messageId === undefined ? [] : [[item.messageId, item.key] as const])));
    const shown = kind === "direct" ? messages.filter(({ body, author }) => body.kind !== "added" || author?.isSelf !== true) : messages;
    const rows = foldRows(
      toRows({ ...timeline, messages: shown }, (atMs) => dayKey(atMs)),
      opened,
    );
    // A message keeps the key under which it first came onto the screen.
    return keys.size === 0 ? rows : rows.map((row) => (row.kind === "message" ? { ...row, key: keys.get(row.key) ?? row.key } : row));
  }, [account, conversationId, kind, opened, outgoing, timeline]);
}

function asMessage(item: Outgoing, author: Message["author"]): Message {
  return {
    id: item.key,
    conversationId: item.conversationId,
    order: Number.MAX_SAFE_INTEGER,
    author,
    body: { kind: "text", text: item.text },
    sentAtMs: item.atMs,
    ...(item.quote === undefined ? {} : { quote: item.quote }),
    ...(item.mentions === undefined ? {} : { mentions: item.mentions }),
    delivery: { kind: "pending" },
  };
}
