import type { ReactElement } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { pageWords } from "../messages/page-words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { previewText } from "../state/message-text.ts";
import { Icon } from "./Icon.tsx";

/** A star beside a message that the person gave it, or may give it. */
export function StarButton({ message }: { readonly message: Message }): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  const isStarred = useSelector((state) => state.stars.has(message.id));
  const isSaid = message.body.kind === "text" || message.body.kind === "poll";
  // What waits may get another id.
  if (!isSaid || (message.delivery !== undefined && message.delivery.kind !== "accepted")) return undefined;
  return (
    <button
      type="button"
      className="star"
      aria-pressed={isStarred}
      aria-label={pageWords.own.star}
      title={isStarred ? pageWords.own.unstar : pageWords.own.star}
      onClick={() => void act(() => controller.client.star(message.conversationId, message.id, !isStarred))}
    >
      <Icon name="star" size={16} />
    </button>
  );
}

/** Another device has a draft of this conversation, and this one has another: none is lost. */
export function OtherDraft({ conversation }: { readonly conversation: Conversation }): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  const { id, own } = conversation;
  if (own.otherDraft === "") return undefined;
  const decide = (isTaken: boolean): void => {
    controller.flushDrafts();
    void act(() => controller.client.decideDraft(id, isTaken));
  };
  return (
    <p className="other-draft" role="status">
      <span className="other-draft-text">
        {pageWords.own.otherDraft} <bdi>{previewText(own.otherDraft)}</bdi>
      </span>
      <button type="button" className="link-button" onClick={() => decide(true)}>
        {pageWords.own.takeDraft}
      </button>
      <button type="button" className="link-button" onClick={() => decide(false)}>
        {pageWords.own.dropDraft}
      </button>
    </p>
  );
}
