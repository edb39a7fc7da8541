import type { ReactElement, ReactNode } from "react";
import type { Message, Quote, ShownPoll, ShownReaction } from "@latchkey/client";
import { rowOf, t } from "../messages/words.ts";
import { formatBadge, formatNumber } from "../state/format.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { withNames } from "../state/mentions.ts";
import { nameOf } from "../state/person-name.ts";

/** What a message answers, as this device has it. */
export function QuoteBlock({ quote, conversationId }: { readonly quote: Quote; readonly conversationId: string }): ReactElement {
  const { controller, notify } = useApp();
  const act = useAction();
  const { author, text, isDeleted, messageId } = quote;
  const members = useSelector((state) => state.details.get(conversationId)?.members);
  const mentions = useSelector(
    ({ timelines }) => timelines.get(conversationId)?.messages.find(({ id }) => id === messageId && messageId !== undefined)?.mentions,
  );
  const words = withNames(text, mentions ?? members?.map(({ person }) => person) ?? []);
  const shown = isDeleted ? t("messageParts.quoteDeleted") : messageId === undefined ? t("messageParts.quoteUnknown") : words;
  const inside = (
    <>
      {author !== undefined && <bdi className="bubble-quote-author">{author.isSelf ? t("common.you") : nameOf(author)}</bdi>}
      <span className="bubble-quote-text">{shown}</span>
    </>
  );
  const show = async (): Promise<void> => {
    if (messageId !== undefined && !(await controller.reveal(conversationId, messageId))) notify(t("menu.notHere"));
  };
  return (
    <blockquote className="bubble-quote" dir="auto">
      {messageId === undefined || isDeleted ? (
        inside
      ) : (
        <button type="button" className="bubble-quote-show" onClick={() => void act(show)}>
          {inside}
        </button>
      )}
    </blockquote>
  );
}

/** The emoji given to a message; each gives one's own, or takes it back. */
export function Reactions({
  message,
  reactions,
}: {
  readonly message: Message;
  readonly reactions: readonly ShownReaction[];
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  return (
    <ul className="reactions" aria-label={t("messageParts.reactions")}>
      {reactions.map(({ emoji, count, people, isOwn }) => {
        const names = people.map((person) => (person.isSelf ? t("common.you") : nameOf(person)));
        const more = count > names.length ? [t("messageParts.more", { n: count - names.length })] : [];
        const label = t("messageParts.reaction", { emoji, count, names: rowOf([...names, ...more]) });
        return (
          <li key={emoji}>
            <button
              type="button"
              className="reaction"
              aria-pressed={isOwn}
              aria-label={label}
              title={label}
              onClick={() => void act(() => controller.react(message, emoji, !isOwn))}
            >
              <span aria-hidden="true">{emoji}</span>
              <span aria-hidden="true">{formatBadge(count)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** A poll: its options with who chose them, and one's own choice. */
export function PollBlock({
  message,
  poll,
  meta,
}: {
  readonly message: Message;
  readonly poll: ShownPoll;
  readonly meta: ReactNode;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const chosen = poll.options.flatMap(({ isChosen }, at) => (isChosen ? [at] : []));
  const choose = (at: number): void => {
    const others = poll.maxSelections === 1 ? [] : chosen.filter((other) => other !== at);
    const next = chosen.includes(at) ? chosen.filter((other) => other !== at) : [...others, at];
    void act(() => controller.vote(message, next));
  };
  const most = Math.max(1, ...poll.options.map(({ count }) => count));
  return (
    <div className="text poll">
      <strong className="poll-question" dir="auto">
        {poll.question}
      </strong>
      <ul className="poll-options">
        {poll.options.map(({ text, count, isChosen, people }, at) => (
          <li key={text}>
            <button
              type="button"
              className="poll-option"
              aria-pressed={isChosen}
              disabled={poll.isClosed || message.delivery?.kind === "pending"}
              title={rowOf(people.map((person) => (person.isSelf ? t("common.you") : nameOf(person))))}
              onClick={() => choose(at)}
            >
              <bdi>{text}</bdi>
              <span>{formatNumber(count)}</span>
            </button>
            <meter className="poll-share" min={0} max={most} value={count} aria-hidden="true" />
          </li>
        ))}
      </ul>
      <small className="poll-note">
        {poll.isClosed ? t("messageParts.pollEnded") : t("messageParts.pollChoices", { most: poll.maxSelections })}
      </small>
      {meta}
    </div>
  );
}
