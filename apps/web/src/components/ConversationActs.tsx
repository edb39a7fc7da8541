import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { muteEnd } from "@latchkey/client/own";
import type { Conversation } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useRoute, useSelector } from "../state/context.ts";
import { isUnread } from "../state/conversation-actions.ts";
import type { ConversationAction } from "../state/conversation-actions.ts";
import { titleOf } from "../state/own.ts";
import { ConversationMenu } from "./ConversationMenu.tsx";
import type { ConversationRequest } from "./conversation-menu-context.ts";
import { BlockDialog, EraseConversationDialog } from "./EraseConversationDialog.tsx";
import { LeaveDialog } from "./LeaveDialog.tsx";

type Question = "erase" | "block" | "leave";

/** What was asked for in the list: the menu of a conversation, what a swipe does, and the questions that come of it. */
export function ConversationActs({
  request,
  close,
}: {
  readonly request: ConversationRequest;
  readonly close: () => void;
}): ReactElement | undefined {
  const { controller, router, notify } = useApp();
  const act = useAction();
  const route = useRoute();
  const conversation = useSelector((state) => state.conversations.get(request.conversationId));
  const [question, setQuestion] = useState<Question>();
  const { client } = controller;

  const archive = async (one: Conversation, isArchived: boolean): Promise<void> => {
    const { id } = one;
    const title = titleOf(one);
    if (!(await act(() => client.archive(id, isArchived)))) return;
    const text = isArchived ? t("list.archivedNotice", { title }) : t("list.unarchivedNotice", { title });
    notify(text, { label: t("list.undo"), run: () => void act(() => client.archive(id, !isArchived)) });
  };
  const markUnread = async (id: string): Promise<void> => {
    // What is on the screen is being read.
    if ((await act(() => client.markUnread(id))) && route.kind === "conversation" && route.id === id) router.go({ kind: "home" });
  };
  const run = (action: Exclude<ConversationAction, "mute">, one: Conversation): void => {
    const { id, peer } = one;
    switch (action) {
      case "pin":
      case "unpin":
        void act(() => client.pinConversation(id, action === "pin" ? 0 : undefined));
        break;
      case "unmute":
        void act(() => client.mute(id, undefined));
        break;
      case "archive":
      case "unarchive":
        void archive(one, action === "archive");
        break;
      case "markRead":
        void act(() => client.markRead(id, Number.MAX_SAFE_INTEGER));
        break;
      case "markUnread":
        void markUnread(id);
        break;
      case "unblock":
        void act(() => client.unblock(peer?.accountId ?? ""));
        break;
      case "erase":
      case "block":
      case "leave":
        setQuestion(action);
        return;
    }
    close();
  };

  // A swipe is done once, when it comes.
  const swiped = useRef<ConversationRequest>(undefined);
  useEffect(() => {
    if (!("side" in request) || conversation === undefined || swiped.current === request) return;
    swiped.current = request;
    if (request.side === "back") run(conversation.own.isArchived ? "unarchive" : "archive", conversation);
    else run(isUnread(conversation) ? "markRead" : "markUnread", conversation);
  });

  if (conversation === undefined) return undefined;
  switch (question) {
    case "erase":
      return <EraseConversationDialog conversation={conversation} close={close} />;
    case "block":
      return <BlockDialog conversation={conversation} close={close} />;
    case "leave":
      return <LeaveDialog conversationId={conversation.id} close={close} />;
    case undefined:
      break;
  }
  if ("side" in request) return undefined;
  return (
    <ConversationMenu
      key={conversation.id}
      conversation={conversation}
      at={request.at}
      act={(action) => run(action, conversation)}
      mute={(time) => {
        close();
        void act(() => client.mute(conversation.id, muteEnd(time, Date.now())));
      }}
      close={close}
    />
  );
}
