import { useEffect, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { begun } from "../state/acting.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { copyText } from "../state/message-actions.ts";
import type { MessageAction } from "../state/message-actions.ts";
import { nameOf } from "../state/person-name.ts";
import { useCopy } from "../state/use-copy.ts";
import { lazyComponent } from "./lazy.tsx";
import { MessageMenuContext } from "./message-menu-context.ts";
import type { MenuRequest } from "./message-menu-context.ts";
import type { MessageQuestionOf } from "./MessageQuestion.tsx";
import { SelectionBar } from "./SelectionBar.tsx";

const MessageMenu = lazyComponent(async () => {
  const [{ MessageMenu: Menu }, { fetchEmojiData }] = await Promise.all([import("./MessageMenu.tsx"), import("../state/emoji-names.ts")]);
  // So that it is there without a connection, too.
  void fetchEmojiData().catch(() => undefined);
  return Menu;
});
const MessageQuestion = lazyComponent(async () => (await import("./MessageQuestion.tsx")).MessageQuestion);

/**
 * Whatever is done with the messages of one conversation: the menu that they open, the questions that come of it, and those that are
 * chosen together. `composer` gives way to the latter.
 */
export function MessageMenuHost({
  conversation,
  composer,
  children,
}: {
  readonly conversation: Conversation;
  readonly composer: ReactNode;
  readonly children: ReactNode;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const { id } = conversation;
  const [request, setRequest] = useState<MenuRequest>();
  const [question, setQuestion] = useState<MessageQuestionOf>();
  const selection = useSelector((state) => (state.selection?.conversationId === id ? state.selection : undefined));
  const { client } = controller;
  useEffect(() => () => controller.select(undefined), [controller]);

  const copyTo = useCopy();
  const copy = (messages: readonly Message[]): Promise<void> =>
    copyTo(
      copyText(
        messages,
        ({ author, sentAtMs }) =>
          `${author === undefined ? "" : author.isSelf ? t("common.you") : nameOf(author)}, ${formatFull(sentAtMs)}`,
      ),
    );
  const run = (action: MessageAction, message: Message): void => {
    switch (action) {
      case "reply":
      case "edit":
        controller.compose(id, begun(action, message));
        break;
      case "copy":
        void copy([message]);
        break;
      case "pin":
      case "unpin":
        void act(() => client.pin(id, message.id, action === "pin" ? "forever" : "never"));
        break;
      case "star":
      case "unstar":
        void act(() => client.star(id, message.id, action === "star"));
        break;
      case "select":
        controller.select({ conversationId: id, ids: new Set([message.id]) });
        break;
      case "person":
        controller.showPerson(message.author);
        break;
      case "save":
        void act(async () => {
          const { fileSourceOf } = await import("../files/use-files.ts");
          for (const file of message.files ?? []) await fileSourceOf(controller).save({ message, file });
        });
        break;
      case "forward":
      case "info":
      case "remind":
      case "tellAdministrators":
      case "report":
      case "delete":
        setQuestion({ kind: action, messages: [message] });
        break;
    }
  };
  const closeQuestion = (isDone: boolean): void => {
    setQuestion(undefined);
    if (isDone) controller.select(undefined);
  };
  return (
    <MessageMenuContext value={setRequest}>
      {children}
      {selection === undefined ? (
        composer
      ) : (
        <SelectionBar
          conversationId={id}
          selection={selection}
          copy={(messages) => void copy(messages).then(() => controller.select(undefined))}
          ask={(kind, messages) => setQuestion({ kind, messages })}
        />
      )}
      {request !== undefined && (
        <MessageMenu
          key={request.message.id}
          request={request}
          act={(action) => run(action, request.message)}
          close={() => setRequest(undefined)}
        />
      )}
      {question !== undefined && <MessageQuestion question={question} close={closeQuestion} />}
    </MessageMenuContext>
  );
}
