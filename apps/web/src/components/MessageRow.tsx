import { memo } from "react";
import type { ComponentType, ReactElement, ReactNode } from "react";
import type { Message, Person, ReceiptState } from "@latchkey/client";
import { manyHops } from "@latchkey/client/limits";
import { fetchWords, language, listOf, t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { avatarColour, formatDay, formatFull, formatTime, isoTime } from "../state/format.ts";
import { hasActions, isChoosable } from "../state/message-actions.ts";
import { isEmojiOnly } from "../state/message-text.ts";
import { namesSomebody, by } from "../state/system-text.ts";
import type { Row } from "../state/timeline.ts";
import { Avatar } from "./Avatar.tsx";
import { Icon } from "./Icon.tsx";
import { lazyComponent } from "./lazy.tsx";
import { MessageText } from "./MessageText.tsx";
import { PollBlock, QuoteBlock, Reactions } from "./MessageParts.tsx";
import { MessageTools } from "./MessageTools.tsx";
import { PersonButton } from "./PersonButton.tsx";
import { StarMark } from "./OwnOnMessages.tsx";
import { UndoLine } from "./UndoLine.tsx";
import { SystemLine } from "./SystemLine.tsx";
import { NamedLine } from "./NamedLine.tsx";
import { nameOf } from "../state/person-name.ts";

const importFiles = () => Promise.all([import("../files/MessageFiles.tsx"), fetchWords("files")]);
const MessageFiles = lazyComponent(async () => (await importFiles())[0].MessageFiles);
const TimerMark = lazyComponent(async () => (await import("../later/parts.ts")).TimerMark, "files");
// Beside the conversation, so that nothing moves once it comes.
void importFiles().catch(() => undefined);

interface RowProps {
  readonly row: Row;
  readonly kind: "direct" | "group";
  readonly title: string;
  readonly nowMs: number;
  /** How a message of one's own fares with those who read it. */
  readonly receipt?: ReceiptState | undefined;
  /** The person opens or closes what stands behind this line. */
  readonly onOpen?: (key: string) => void;
  /** The person wants to go to another day. */
  readonly onDay?: (atMs: number) => void;
  /** Whether it is one of those that are chosen; absent while none are. */
  readonly isChosen?: boolean | undefined;
}

/** One line of the conversation. */
export const MessageRow: ComponentType<RowProps> = memo(function MessageRow({
  row,
  kind,
  title,
  nowMs,
  receipt,
  onOpen,
  onDay,
  isChosen,
}: RowProps) {
  switch (row.kind) {
    case "start":
      return (
        <div className="row-start">
          <span className="row-start-icon">
            <Icon name="lock" size={18} />
          </span>
          <p>{kind === "direct" ? t("conversation.start", { name: title }) : t("conversation.startGroup", { name: title })}</p>
          <p>{t("conversation.startKeys")}</p>
        </div>
      );
    case "day":
      return (
        <div className="row-day">
          <button type="button" className="row-day-button" title={t("conversation.goToDate")} onClick={() => onDay?.(row.atMs)}>
            <time dateTime={isoTime(row.atMs)}>{formatDay(row.atMs, nowMs)}</time>
          </button>
        </div>
      );
    case "new":
      return (
        <div className="row-new">
          <span>{t("conversation.newMessages", { n: row.count })}</span>
        </div>
      );
    case "system":
      if (kind === "group" && namesSomebody(row.message)) return <NamedLine message={row.message} group={title} />;
      return (
        <div className="row-system" title={formatFull(row.message.sentAtMs)}>
          <SystemLine message={row.message} kind={kind} />
        </div>
      );
    case "alarm":
      return (
        <div className="row-alarm">
          <Icon name="alert" size={22} />
          <div>
            <strong>{t("system.alarm")}</strong>
            {row.message.body.kind === "alarm" && speaksEnglish() && <p>{row.message.body.reason}</p>}
            {row.message.author !== undefined && !row.message.author.isSelf && (
              <p>
                <PersonButton person={row.message.author} className="link-button">
                  {t("person.open", { person: nameOf(row.message.author) })}
                </PersonButton>
              </p>
            )}
            <p>{t("system.alarmDone")}</p>
          </div>
        </div>
      );
    case "folded":
      return (
        <div className="row-system">
          <bdi>{t(`groupSettings.folded.${row.what}`, { ...by(row.author), count: row.count })}</bdi>{" "}
          <button type="button" className="link-button" aria-expanded={row.isOpen} onClick={() => onOpen?.(row.key)}>
            {row.isOpen ? t("groupSettings.folded.hide") : t("groupSettings.folded.show")}
          </button>
        </div>
      );
    case "message":
      return (
        <Bubble
          message={row.message}
          isFirst={row.isFirst}
          isLast={row.isLast}
          isGroup={kind === "group"}
          receipt={receipt}
          isChosen={isChosen}
        />
      );
  }
});

function Bubble({
  message,
  isFirst,
  isLast,
  isGroup,
  receipt,
  isChosen,
}: {
  readonly message: Message;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly isGroup: boolean;
  readonly receipt: ReceiptState | undefined;
  readonly isChosen: boolean | undefined;
}): ReactElement {
  const { author, body, delivery } = message;
  const isOwn = author?.isSelf === true;
  const isFailed = delivery?.kind === "failed";
  const without = delivery?.kind === "accepted" ? (delivery.withoutReader ?? []) : [];
  const hasTools = hasActions(message);
  const isLarge = body.kind === "text" && message.files === undefined && isEmojiOnly(body.text);
  const classes = ["bubble-row", isOwn ? "own" : "other", isFirst ? "first" : "", isLast ? "last" : "", isFailed ? "failed" : ""];
  return (
    <div className={classes.filter((name) => name !== "").join(" ")}>
      {isChosen !== undefined && isChoosable(message) && <ChooseBox message={message} isChosen={isChosen} />}
      {isGroup && !isOwn && (
        <span className="bubble-avatar">
          {isLast && author !== undefined && (
            // The name says the same to who cannot see it.
            <span aria-hidden="true">
              <PersonButton person={author} isPassed>
                <Avatar id={author.accountId} name={author.displayName} size="small" />
              </PersonButton>
            </span>
          )}
        </span>
      )}
      <div className="bubble-column">
        <div className={`bubble${isLarge ? " bubble-large" : ""}`}>
          {author !== undefined && <AuthorName message={message} isShown={isGroup && !isOwn && isFirst} />}
          {message.forwardedHops !== undefined && (
            <p className="bubble-forwarded">
              {t(message.forwardedHops >= manyHops ? "messageParts.forwardedOften" : "messageParts.forwarded")}
            </p>
          )}
          {message.sharedBy !== undefined && isFirst && (
            <p className="bubble-forwarded">
              {t("messageParts.sharedBy", { who: message.sharedBy.isSelf ? t("common.you") : nameOf(message.sharedBy) })}
            </p>
          )}
          {message.quote !== undefined && <QuoteBlock quote={message.quote} conversationId={message.conversationId} />}
          <Body message={message} meta={<Meta message={message} receipt={receipt} />} />
        </div>
        {hasTools && isChosen === undefined && <MessageTools message={message} />}
        {message.reactions !== undefined && <Reactions message={message} reactions={message.reactions} />}
        {message.doubt !== undefined && author !== undefined && (
          <p className="bubble-note">{t(`conversation.doubt.${message.doubt}`, { author: nameOf(author) })}</p>
        )}
        {isFailed && <Failed message={message} />}
        {delivery?.kind === "pending" && delivery.undoUntilMs !== undefined && <UndoLine message={message} />}
        {isLast && without.length > 0 && (
          <p className="bubble-note">{t("conversation.delivery.unread", { names: listOf(without.map(nameOf)) })}</p>
        )}
      </div>
    </div>
  );
}

function ChooseBox({ message, isChosen }: { readonly message: Message; readonly isChosen: boolean }): ReactElement {
  const { controller } = useApp();
  return (
    <input
      type="checkbox"
      className="choose-box"
      aria-label={t("menu.selection.choose")}
      checked={isChosen}
      onChange={() => controller.toggleSelected(message.id)}
    />
  );
}

function AuthorName({ message, isShown }: { readonly message: Message; readonly isShown: boolean }): ReactElement | undefined {
  const { author } = message;
  if (author === undefined) return undefined;
  if (!isShown) return <span className="visually-hidden">{author.isSelf ? t("common.you") : nameOf(author)}: </span>;
  return (
    <span className="bubble-names">
      <PersonButton person={author} isPassed className={`bubble-author author-colour-${avatarColour(author.accountId)}`}>
        <bdi>{author.displayName}</bdi>
      </PersonButton>
      {author.besideName !== undefined && <bdi className="beside-name">{author.besideName}</bdi>}
    </span>
  );
}

const noMentions: readonly Person[] = [];

function Body({ message, meta }: { readonly message: Message; readonly meta: ReactNode }): ReactElement {
  const { body } = message;
  if (body.kind === "text" && message.files !== undefined)
    return (
      <>
        <MessageFiles message={message} />
        {body.text === "" ? meta : <MessageText text={body.text} mentions={message.mentions ?? noMentions} meta={meta} />}
      </>
    );
  if (body.kind === "text") return <MessageText text={body.text} mentions={message.mentions ?? noMentions} meta={meta} />;
  if (body.kind === "poll") return <PollBlock message={message} poll={body} meta={meta} />;
  return (
    <div className="text text-unreadable">
      <span>{body.kind === "unsupported" ? t("system.unsupported") : t("system.unreadable")}</span>
      {body.kind === "unreadable" && speaksEnglish() && <small>{body.reason}</small>}
      {meta}
    </div>
  );
}

function Meta({ message, receipt }: { readonly message: Message; readonly receipt: ReceiptState | undefined }): ReactElement {
  return (
    <span className="meta">
      <span dir="ltr">
        <StarMark message={message} />
        {message.edited !== undefined && <span title={formatFull(message.edited.atMs)}>{t("messageParts.edited")}</span>}
        {message.timer !== undefined && <TimerMark timer={message.timer} />}
        <time dateTime={isoTime(message.sentAtMs)} title={formatFull(message.sentAtMs)}>
          {formatTime(message.sentAtMs)}
        </time>
        <DeliveryIcon message={message} receipt={receipt} />
      </span>
    </span>
  );
}

const deliveryIcons = { pending: "clock", accepted: "check", delivered: "checks", read: "checks", failed: "failed" } as const;

function DeliveryIcon({
  message,
  receipt,
}: {
  readonly message: Message;
  readonly receipt: ReceiptState | undefined;
}): ReactElement | undefined {
  const { delivery } = message;
  if (delivery === undefined) return undefined;
  // A tick would say that it reaches everybody.
  const without = delivery.kind === "accepted" ? (delivery.withoutReader ?? []) : [];
  const kind = receipt === "delivered" || receipt === "read" ? receipt : delivery.kind;
  const name = without.length > 0 ? "info" : deliveryIcons[kind];
  const text =
    without.length > 0
      ? t("conversation.delivery.withoutReader", { names: listOf(without.map(nameOf)) })
      : t(`conversation.delivery.${kind}`);
  return (
    <span className={`delivery delivery-${kind}`} title={text}>
      <Icon name={name} size={14} />
      <span className="visually-hidden">{text}</span>
    </span>
  );
}

function Failed({ message }: { readonly message: Message }): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  if (message.delivery?.kind !== "failed") return undefined;
  const { failure } = message.delivery;
  const { title, advice } = failureWords(failure);
  return (
    <div className="bubble-failed">
      <p>
        <strong>{t("conversation.delivery.failed")}.</strong> {title}. {advice}
      </p>
      <p className="bubble-actions">
        <button type="button" className="link-button" onClick={() => void act(() => controller.retry(message))}>
          {failure.code === "members_changed" ? t("conversation.sendAnyway") : t("conversation.tryAgain")}
        </button>
        <button type="button" className="link-button link-danger" onClick={() => void act(() => controller.discard(message))}>
          {t("conversation.discard")}
        </button>
      </p>
    </div>
  );
}

/** What the client says beyond that is kept in its own words, which nobody translates. */
function speaksEnglish(): boolean {
  return language() === "en";
}
