import { useId } from "react";
import type { KeyboardEvent, MouseEvent, ReactElement } from "react";
import type { FoundMessage } from "@latchkey/client";
import "../styles/search.css";
import { failureWords, listOf, t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatFull, formatListTime, isoTime } from "../state/format.ts";
import { staysHere } from "../state/link-press.ts";
import { titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { revealFound } from "../state/reveal-found.ts";
import { formatRoute } from "../state/router.ts";
import { useSearch } from "../state/use-search.ts";
import type { Search } from "../state/use-search.ts";
import { useNow } from "../state/use-now.ts";
import { formatLength } from "../files/transfer.ts";
import { Avatar } from "./Avatar.tsx";
import { Snippet } from "./Snippet.tsx";

/** Below the conversations that are called so: the messages that say it. `onKeyDown` moves the focus through both lists. */
export function FoundMessages({
  query,
  conversations,
  headingLevel,
  onKeyDown,
}: {
  readonly query: string;
  /** So many conversations are called so. */
  readonly conversations: number;
  readonly headingLevel: 2 | 3;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}): ReactElement {
  const nowMs = useNow();
  const id = useId();
  const [search, more] = useSearch(query);
  const { found, hasMore, isSearching, indexing, failure, unknown } = search;
  const isOver = !isSearching && search.query === query.trim();
  const Heading = headingLevel === 2 ? "h2" : "h3";
  const text = isOver ? outcome(search, conversations) : undefined;
  return (
    <section className="found" aria-labelledby={`${id}heading`}>
      <Heading id={`${id}heading`} className={found.length > 0 ? "found-heading" : "visually-hidden"}>
        {t("search.messages")}
      </Heading>
      <p role="status" className={found.length > 0 || text === undefined ? "visually-hidden" : "list-empty"}>
        {text}
      </p>
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles, jsx-a11y/no-noninteractive-element-interactions */}
      <ul role="list" aria-labelledby={`${id}heading`} className="list" onKeyDown={onKeyDown}>
        {found.map((message, at) => (
          <FoundItem key={message.messageId} message={message} nowMs={nowMs} isTabStop={at === 0} />
        ))}
      </ul>
      {isSearching && found.length === 0 && <p className="found-note">{t("search.searching")}</p>}
      {found.length > 0 && hasMore && (
        <button type="button" className="found-more" disabled={isSearching} onClick={more}>
          {isSearching ? t("search.searching") : t("search.older")}
        </button>
      )}
      {indexing !== undefined && <p className="found-note">{t("search.indexing", indexing)}</p>}
      {failure === undefined && unknown.length === 0 && isOver && (found.length === 0 || !hasMore) && (
        <p className="found-note">{t("search.hint")}</p>
      )}
    </section>
  );
}

/** What came of it, in a sentence. */
function outcome({ query, found, hasMore, unknown, failure }: Search, conversations: number): string {
  if (failure !== undefined) return failureWords(failure).title;
  if (unknown.length > 0) return t("search.unknown", { what: listOf(unknown) });
  if (found.length > 0) return t(hasMore ? "search.foundNewest" : "search.found", { n: found.length });
  return conversations > 0 ? t("search.noMessages") : t("search.nothing", { query });
}

function FoundItem({
  message,
  nowMs,
  isTabStop,
}: {
  readonly message: FoundMessage;
  readonly nowMs: number;
  readonly isTabStop: boolean;
}): ReactElement | undefined {
  const app = useApp();
  const act = useAction();
  const id = useId();
  const { conversationId, messageId, author, sentAtMs, snippet, hits, voiceMs } = message;
  const conversation = useSelector((state) => state.conversations.get(conversationId));
  if (conversation === undefined) return undefined;
  const title = titleOf(conversation);
  const prefix =
    author?.isSelf === true ? t("common.you") : conversation.kind === "group" && author !== undefined ? nameOf(author) : undefined;
  const open = (event: MouseEvent): void => {
    if (!staysHere(event)) return;
    void act(async () => {
      if ((await revealFound(app, conversationId, messageId)) === false) app.notify(t("menu.notHere"));
    });
  };
  return (
    <li className="list-item">
      <Avatar id={conversation.peer?.accountId ?? conversation.id} name={title} isGroup={conversation.kind === "group"} />
      <div className="list-text">
        <div className="list-row">
          <a
            href={formatRoute({ kind: "conversation", id: conversationId, details: false })}
            className="list-link"
            aria-describedby={`${id}text ${id}time`}
            tabIndex={isTabStop ? 0 : -1}
            onClick={open}
          >
            <span dir="auto">{title}</span>
          </a>
          <time id={`${id}time`} className="list-time" dateTime={isoTime(sentAtMs)} title={formatFull(sentAtMs)}>
            {formatListTime(sentAtMs, nowMs)}
          </time>
        </div>
        <p id={`${id}text`} className="found-text">
          {prefix !== undefined && (
            <span className="found-author">
              <bdi>{prefix}</bdi>:{" "}
            </span>
          )}
          {voiceMs !== undefined && (
            <span className="tabular">
              {t("files.kind.voice")} · {formatLength(voiceMs / 1000)}{" "}
            </span>
          )}
          <bdi>
            <Snippet snippet={snippet} hits={hits} />
          </bdi>
        </p>
      </div>
    </li>
  );
}
