import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { begun } from "../state/acting.ts";
import { useApp } from "../state/context.ts";
import { isSaid } from "../state/message-actions.ts";
import { Icon } from "./Icon.tsx";
import { useMessageMenu } from "./message-menu-context.ts";

/** What a mouse over a message offers. Keys and fingers have the menu, which holds the same and more. */
export function MessageTools({ message }: { readonly message: Message }): ReactElement {
  const { controller } = useApp();
  const openMenu = useMessageMenu();
  const canAnswer = isSaid(message);
  return (
    <span className="message-tools">
      {canAnswer && (
        <>
          <button
            type="button"
            tabIndex={-1}
            className="message-tool"
            aria-label={t("menu.tools.react")}
            title={t("menu.tools.react")}
            aria-haspopup="dialog"
            onClick={(event) => openMenu({ message, at: event.currentTarget, view: "reactions" })}
          >
            <Icon name="smile" size={18} />
          </button>
          <button
            type="button"
            tabIndex={-1}
            className="message-tool"
            aria-label={t("menu.tools.reply")}
            title={t("menu.tools.reply")}
            onClick={() => controller.compose(message.conversationId, begun("reply", message))}
          >
            <Icon name="reply" size={18} />
          </button>
        </>
      )}
      <button
        type="button"
        tabIndex={-1}
        className="message-tool"
        aria-label={t("menu.tools.more")}
        title={t("menu.tools.more")}
        aria-haspopup="menu"
        onClick={(event) => openMenu({ message, at: event.currentTarget, view: "menu" })}
      >
        <Icon name="more" size={18} />
      </button>
    </span>
  );
}
