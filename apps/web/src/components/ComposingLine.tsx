import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import type { Composing } from "../state/acting.ts";
import { previewOf } from "../state/preview.ts";
import { nameOf } from "../state/person-name.ts";
import { useSelector } from "../state/context.ts";
import { Icon } from "./Icon.tsx";

/** Above the field: the message that is answered or changed. */
export function ComposingLine({ composing, cancel }: { readonly composing: Composing; readonly cancel: () => void }): ReactElement {
  const { kind, message } = composing;
  const isDeleted = useSelector(
    ({ timelines }) => timelines.get(message.conversationId)?.messages.find(({ id }) => id === message.id)?.body.kind === "deleted",
  );
  const who = message.author === undefined ? "" : message.author.isSelf ? t("common.you") : nameOf(message.author);
  const label = kind === "reply" ? t("menu.composing.cancelReply") : t("menu.composing.cancelEdit");
  return (
    <div className="composing">
      <Icon name={kind === "reply" ? "reply" : "compose"} size={20} />
      <div className="composing-text">
        <strong>{kind === "reply" ? t("menu.composing.reply", { who }) : t("menu.composing.edit")}</strong>
        <span dir="auto">{isDeleted ? t("messageParts.quoteDeleted") : previewOf(message)}</span>
      </div>
      <button type="button" className="icon-button" aria-label={label} title={label} onClick={cancel}>
        <Icon name="close" size={18} />
      </button>
    </div>
  );
}
