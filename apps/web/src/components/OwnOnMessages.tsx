import type { ReactElement } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { previewText } from "../state/message-text.ts";
import { Icon } from "./Icon.tsx";

/** The star that the person gave a message. */
export function StarMark({ message }: { readonly message: Message }): ReactElement | undefined {
  const isStarred = useSelector((state) => state.stars.has(message.id));
  if (!isStarred) return undefined;
  return (
    <span className="star" title={t("own.starMark")}>
      <Icon name="star" size={13} />
      <span className="visually-hidden">{t("own.starMark")}</span>
    </span>
  );
}

/** Another device has a draft of this conversation, and this one has another: none is lost. */
export function OtherDraft({ conversation }: { readonly conversation: Conversation }): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  const { id, own } = conversation;
  if (own.otherDraft === "") return undefined;
  const decide = (isTaken: boolean): void => {
    void controller.flushDrafts();
    void act(() => controller.client.decideDraft(id, isTaken));
  };
  return (
    <p className="other-draft" role="status">
      <span className="other-draft-text">
        {t("own.otherDraft")} <bdi>{previewText(own.otherDraft)}</bdi>
      </span>
      <button type="button" className="link-button" onClick={() => decide(true)}>
        {t("own.takeDraft")}
      </button>
      <button type="button" className="link-button" onClick={() => decide(false)}>
        {t("own.dropDraft")}
      </button>
    </p>
  );
}
