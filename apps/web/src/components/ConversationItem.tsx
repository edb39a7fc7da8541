import { memo, useId } from "react";
import type { MouseEvent, ReactElement, ComponentType } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { isUnread } from "../state/conversation-actions.ts";
import { formatBadge, formatFull, formatListTime, isoTime } from "../state/format.ts";
import { staysHere } from "../state/link-press.ts";
import { previewText } from "../state/message-text.ts";
import { previewOf } from "../state/preview.ts";
import { formatRoute } from "../state/router.ts";
import { systemText } from "../state/system-text.ts";
import { isMuted, titleOf } from "../state/own.ts";
import { Avatar } from "./Avatar.tsx";
import { useConversationMenu } from "./conversation-menu-context.ts";
import { Icon } from "./Icon.tsx";
import { nameOf } from "../state/person-name.ts";
import { typingText } from "../state/typing-text.ts";

interface ItemProps {
  readonly conversation: Conversation;
  readonly nowMs: number;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  /** Something unread names this person or answers them. */
  readonly isNamed: boolean;
  readonly hasAlarm: boolean;
}

/** One conversation in the list: a link named by the contact or group. */
export const ConversationItem: ComponentType<ItemProps> = memo(function ConversationItem({
  conversation,
  nowMs,
  isOpen,
  isTabStop,
  isNamed,
  hasAlarm,
}: ItemProps) {
  const { router } = useApp();
  const openMenu = useConversationMenu();
  const id = useId();
  const { unreadCount, lastMessage, own } = conversation;
  const title = titleOf(conversation);
  const areQuiet = isMuted(conversation, nowMs);
  const beside = conversation.peer?.besideName;
  const route = { kind: "conversation", id: conversation.id, details: false } as const;
  const open = (event: MouseEvent): void => {
    if (!staysHere(event)) return;
    router.go(route);
  };
  return (
    <li
      className="list-slot"
      data-id={conversation.id}
      data-back={own.isArchived ? t("list.actions.unarchive") : t("list.actions.archive")}
      data-forward={isUnread(conversation) ? t("list.actions.markRead") : t("list.actions.markUnread")}
    >
      <div className={`list-item${isOpen ? " list-item-open" : ""}`}>
        <Avatar id={conversation.peer?.accountId ?? conversation.id} name={title} isGroup={conversation.kind === "group"} />
        <div className="list-text">
          <div className="list-row">
            {/* The link is named by the title alone and stretched over the whole item. */}
            <a
              href={formatRoute(route)}
              className="list-link"
              aria-describedby={beside === undefined ? `${id}line ${id}time` : `${id}beside ${id}line ${id}time`}
              aria-current={isOpen ? "page" : undefined}
              tabIndex={isTabStop ? 0 : -1}
              onClick={open}
            >
              <span dir="auto">{title}</span>
            </a>
            {beside !== undefined && (
              <bdi id={`${id}beside`} className="list-beside">
                {beside}
              </bdi>
            )}
            <time
              id={`${id}time`}
              className={`list-time${unreadCount > 0 ? " list-time-unread" : ""}`}
              dateTime={isoTime(conversation.updatedAtMs)}
              title={formatFull(conversation.updatedAtMs)}
            >
              {formatListTime(conversation.updatedAtMs, nowMs)}
            </time>
          </div>
          <div className="list-row" id={`${id}line`}>
            <LastLine conversation={conversation} isOpen={isOpen} />
            <span className="list-marks">
              {hasAlarm && (
                <span className="list-mark-danger">
                  <Icon name="alert" size={16} />
                  <span className="visually-hidden">{t("list.alarm")}</span>
                </span>
              )}
              <DeliveryMark message={lastMessage} />
              {own.pinnedPlace !== undefined && <OwnMark name="pin" label={t("list.pinned")} />}
              {areQuiet && <OwnMark name="mute" label={t("list.muted")} />}
              {isNamed && (
                <span className="list-badge">
                  <span aria-hidden="true">@</span>
                  <span className="visually-hidden">{t("list.named")}</span>
                </span>
              )}
              {own.isMarkedUnread && unreadCount === 0 && (
                <span className="list-badge list-badge-dot">
                  <span className="visually-hidden">{t("list.markedUnread")}</span>
                </span>
              )}
              {unreadCount > 0 && (
                <span className={areQuiet ? "list-badge list-badge-quiet" : "list-badge"} data-count={unreadCount}>
                  <span aria-hidden="true">{formatBadge(unreadCount)}</span>
                  <span className="visually-hidden">{t("list.unread", { n: unreadCount })}</span>
                </span>
              )}
            </span>
          </div>
        </div>
        <button
          type="button"
          className="list-more"
          aria-label={t("list.more", { title })}
          title={t("list.more", { title })}
          aria-haspopup="menu"
          tabIndex={isTabStop ? 0 : -1}
          onClick={(event) => openMenu({ conversationId: conversation.id, at: event.currentTarget })}
        >
          <Icon name="more" size={18} />
        </button>
      </div>
    </li>
  );
});

function OwnMark({ name, label }: { readonly name: "pin" | "mute"; readonly label: string }): ReactElement {
  return (
    <span className="list-mark">
      <Icon name={name} size={15} />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}

function LastLine({ conversation, isOpen }: { readonly conversation: Conversation; readonly isOpen: boolean }): ReactElement {
  const { draft, lastMessage, kind } = conversation;
  const typers = useSelector((state) => state.typing.get(conversation.id));
  if (typers !== undefined && typers.count > 0)
    return (
      <span className="list-line">
        <span className="list-preview list-typing">{kind === "direct" ? t("messageParts.typingAlone") : typingText(typers)}</span>
      </span>
    );
  if (draft.trim() !== "" && !isOpen) {
    return (
      <span className="list-line">
        <span className="list-draft">{t("list.draft")}</span>
        <span className="list-preview" dir="auto">
          {previewText(draft)}
        </span>
      </span>
    );
  }
  if (lastMessage === undefined) return <span className="list-line" />;
  const author =
    lastMessage.author?.isSelf === true
      ? t("common.you")
      : kind === "group" && lastMessage.author !== undefined
        ? nameOf(lastMessage.author)
        : "";
  // A list has no room for both: what is not known to be theirs is not shown as theirs.
  if (lastMessage.doubt !== undefined && lastMessage.author !== undefined)
    return (
      <span className="list-line">
        <span className="list-preview list-line-system">
          {t(`conversation.doubt.${lastMessage.doubt}`, { author: nameOf(lastMessage.author) })}
        </span>
      </span>
    );
  if (lastMessage.body.kind !== "text")
    return (
      <span className="list-line">
        <span className="list-preview list-line-system">{systemText(lastMessage, kind)}</span>
      </span>
    );
  return (
    <span className="list-line">
      {author !== "" && (
        <span className="list-author">
          <bdi>{author}</bdi>:
        </span>
      )}
      <span className="list-preview" dir="auto">
        {previewOf(lastMessage)}
      </span>
    </span>
  );
}

function DeliveryMark({ message }: { readonly message: Message | undefined }): ReactElement | undefined {
  switch (message?.delivery?.kind) {
    case "pending":
      return (
        <span className="list-mark">
          <Icon name="clock" size={15} />
          <span className="visually-hidden">{t("list.pending")}</span>
        </span>
      );
    case "failed":
      return (
        <span className="list-mark-danger">
          <Icon name="failed" size={16} />
          <span className="visually-hidden">{t("list.failed")}</span>
        </span>
      );
    case "accepted":
    case undefined:
      return undefined;
  }
}
