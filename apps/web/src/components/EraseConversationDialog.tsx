import type { ReactElement } from "react";
import type { Conversation } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useRoute } from "../state/context.ts";
import { titleOf } from "../state/own.ts";
import { ConfirmDialog } from "./Dialog.tsx";

/** Asks before what was said in a conversation is deleted for oneself. */
export function EraseConversationDialog({
  conversation,
  close,
}: {
  readonly conversation: Conversation;
  readonly close: () => void;
}): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const route = useRoute();
  const { id } = conversation;
  const erase = async (): Promise<boolean> => {
    const isDone = await act(() => controller.client.deleteConversation(id));
    if (isDone && route.kind === "conversation" && route.id === id) router.go({ kind: "home" }, { replace: true });
    return isDone;
  };
  return (
    <ConfirmDialog
      title={t("own.eraseTitle", { title: titleOf(conversation) })}
      body={t("own.eraseBody")}
      confirmLabel={t("own.eraseConfirm")}
      confirm={erase}
      close={close}
    />
  );
}

/** Asks before a person is blocked. */
export function BlockDialog({ conversation, close }: { readonly conversation: Conversation; readonly close: () => void }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const name = titleOf(conversation);
  const block = (): Promise<boolean> => act(() => controller.client.block(conversation.peer?.accountId ?? ""));
  return (
    <ConfirmDialog
      title={t("list.blockTitle", { name })}
      body={t("list.blockBody")}
      confirmLabel={t("list.blockConfirm")}
      confirm={block}
      close={close}
    />
  );
}
