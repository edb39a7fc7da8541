import type { Conversation, Message } from "@latchkey/client";
import { begun } from "../state/acting.ts";
import { useApp, useSelector } from "../state/context.ts";
import { isSaid } from "../state/message-actions.ts";
import { useSwipe } from "./use-swipe.ts";
import type { Swipes } from "./use-swipe.ts";

/** A finger that draws a message in the direction of writing answers it, where that can be done. */
export function useMessagePull({ id, status, isBlocked }: Conversation, messageAt: (key: string) => Message | undefined): Swipes {
  const { controller } = useApp();
  const mayPost = useSelector((state) => state.details.get(id)?.may.post !== false);
  const isChoosing = useSelector((state) => state.selection?.conversationId === id);
  const messageOf = (row: HTMLElement): Message | undefined => messageAt(row.dataset["key"] ?? "");
  return useSwipe({
    isForwardOnly: true,
    rowAt(target) {
      const row = target.closest<HTMLElement>("[data-key]");
      const message = row === null ? undefined : messageOf(row);
      const canAnswer = message !== undefined && isSaid(message) && mayPost && status === "active" && !isBlocked && !isChoosing;
      return row !== null && canAnswer ? row : undefined;
    },
    act(row) {
      const message = messageOf(row);
      if (message !== undefined) controller.compose(id, begun("reply", message));
    },
  });
}
