import { useEffect, useRef, useState } from "react";
import type { KeyboardEvent, ReactElement } from "react";
import "../styles/search.css";
import { failureWords, listOf, t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { useSearch } from "../state/use-search.ts";
import { markWords } from "../state/word-marks.ts";
import { Icon } from "./Icon.tsx";

/** Words that are marked, as they are written. */
const mostWords = 50;

/** Below the head of a conversation: looks for messages in it and goes from one to the next, the newest first. */
export function ConversationSearch({ id, close }: { readonly id: string; readonly close: () => void }): ReactElement {
  const { controller, notify } = useApp();
  const act = useAction();
  const [query, setQuery] = useState("");
  const [search, more] = useSearch(query, id);
  const { found, hasMore, isSearching, failure, unknown } = search;
  const [at, setAt] = useState(0);
  const barRef = useRef<HTMLDivElement>(null);
  const fieldRef = useRef<HTMLInputElement>(null);
  useEffect(() => fieldRef.current?.focus(), []);

  const place = Math.min(at, Math.max(0, found.length - 1));
  const shown = found[place]?.messageId;
  useEffect(() => setAt(0), [search.query]);
  // One after the other, and of several only the last: what is far up takes longer than what comes after it.
  const wanted = useRef<string>(undefined);
  const isRevealing = useRef(false);
  useEffect(() => {
    wanted.current = shown;
    if (isRevealing.current || shown === undefined) return;
    isRevealing.current = true;
    void act(async () => {
      for (let next: string | undefined = shown, last: string | undefined; next !== undefined && next !== last; next = wanted.current) {
        last = next;
        if (!(await controller.reveal(id, next, { keepsFocus: true }))) notify(t("menu.notHere"));
      }
    }).finally(() => (isRevealing.current = false));
  }, [act, controller, id, notify, shown]);
  useEffect(() => () => void (wanted.current = undefined), []);

  // As they are written there, in whatever case.
  const words = [...new Set(found.flatMap(({ snippet, hits }) => hits.map(({ start, end }) => snippet.slice(start, end))))].slice(
    0,
    mostWords,
  );
  const wordsKey = words.join("\n");
  useEffect(() => {
    const page = barRef.current?.parentElement;
    return page === null || page === undefined
      ? undefined
      : markWords(page, ".messages .text", new Set(wordsKey.split("\n").filter((word) => word !== "")));
  }, [wordsKey]);

  const go = (by: 1 | -1): void => {
    const next = place + by;
    if (next < 0 || next >= found.length) return;
    setAt(next);
    if (next >= found.length - 2 && hasMore && !isSearching) more();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    else if (event.key === "ArrowUp") go(1);
    else if (event.key === "ArrowDown") go(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isOver = query.trim() !== "" && search.query === query.trim() && !(isSearching && found.length === 0);
  const text =
    failure !== undefined
      ? failureWords(failure).title
      : unknown.length > 0
        ? t("search.unknown", { what: listOf(unknown) })
        : found.length === 0
          ? t("search.noMessages")
          : t(hasMore ? "search.placeOfMore" : "search.place", { place: place + 1, of: found.length });
  return (
    <div ref={barRef} className="conversation-search" role="search" aria-label={t("search.inConversation")}>
      <input
        ref={fieldRef}
        type="search"
        value={query}
        aria-label={t("search.inConversation")}
        placeholder={t("search.inConversation")}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <span role="status" className="conversation-search-place">
        {isOver ? text : undefined}
      </span>
      <Step name="up" label={t("search.stepOlder")} isOff={place >= found.length - 1} step={() => go(1)} />
      <Step name="down" label={t("search.stepNewer")} isOff={place === 0 || found.length === 0} step={() => go(-1)} />
      <Step name="close" label={t("search.end")} isOff={false} step={close} />
    </div>
  );
}

function Step({
  name,
  label,
  isOff,
  step,
}: {
  readonly name: "up" | "down" | "close";
  readonly label: string;
  readonly isOff: boolean;
  readonly step: () => void;
}): ReactElement {
  return (
    // Not disabled: the focus would fall to the page at the last one.
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      aria-disabled={isOff}
      onClick={() => (isOff ? undefined : step())}
    >
      <Icon name={name} size={20} />
    </button>
  );
}
