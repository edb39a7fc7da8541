import { useEffect, useId, useState } from "react";
import type { KeyboardEvent } from "react";
import type { Conversation, Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { isOfInputMethod } from "../state/composer-keys.ts";
import { useApp, useSelector } from "../state/context.ts";
import type { NamedEmoji } from "../state/emoji-names.ts";
import { mentionable } from "../state/mentionable.ts";
import { nameOf } from "../state/person-name.ts";
import { rememberEmoji } from "../state/recent-emoji.ts";
import { askedAt } from "../state/written.ts";
import type { ComposerField } from "./use-composer-field.ts";

/** Something that may be meant. */
export interface Suggestion {
  readonly key: string;
  readonly person?: Person | undefined;
  readonly emoji?: string;
  readonly name: string;
  /** Puts it in the place of what was written. */
  take(): void;
}

/** What is offered for what is being written where the caret stands. */
export interface Suggestions {
  readonly listId: string;
  /** What the list is of. */
  readonly label: string;
  readonly found: readonly Suggestion[];
  /** Of `found`, the one that Enter takes. */
  readonly active: number;
  /** Whether the key was for the list. */
  onKeyDown(event: KeyboardEvent): boolean;
}

/** Members of a group whose name is being written behind an `@`, and emoji whose name is behind a colon. */
export function useSuggestions({ id, kind }: Conversation, { written, caret, replace }: ComposerField): Suggestions {
  const { controller } = useApp();
  const listId = useId();
  const details = useSelector((state) => state.details.get(id));
  const asksName = kind === "group" ? askedAt(written, caret, "@") : undefined;
  const asksEmoji = asksName === undefined ? askedAt(written, caret, ":") : undefined;
  const asked = asksName ?? asksEmoji;
  const [closed, setClosed] = useState<number>();
  const [chosen, setChosen] = useState({ query: "", at: 0 });
  const findEmoji = useEmojiNames(asksEmoji !== undefined);
  const areWanted = details === undefined && (asksName !== undefined || written.mentions.length > 0);
  useEffect(() => {
    if (areWanted) void controller.loadDetails(id).catch(() => undefined);
  }, [areWanted, controller, id]);
  const isAsked = asked !== undefined;
  useEffect(() => {
    if (!isAsked) setClosed(undefined);
  }, [isAsked]);

  const suggest = (): readonly Suggestion[] => {
    if (asked === undefined || asked.start === closed) return [];
    const { start, end, query } = asked;
    if (asksName === undefined)
      return findEmoji(query).map(({ emoji, label }) => ({
        key: emoji,
        emoji,
        name: label,
        take() {
          rememberEmoji(emoji);
          replace({ start, end, text: emoji });
        },
      }));
    if (details === undefined) return [];
    return mentionable(details, query, t("messageParts.everybody")).map(({ uri, hint, person }) => {
      const text = person === undefined ? t("messageParts.everybody") : `@${nameOf(person)}`;
      const name = person === undefined ? text : person.displayName;
      return {
        key: uri,
        person,
        name,
        take: () => replace({ start, end, text: `${text} ` }, { start, end: start + text.length, uri, hint }),
      };
    });
  };
  const found = suggest();
  const active = chosen.query === asked?.query ? Math.min(chosen.at, found.length - 1) : 0;
  const onKeyDown = (event: KeyboardEvent): boolean => {
    const one = found[active];
    if (asked === undefined || one === undefined || isOfInputMethod(event.nativeEvent)) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isTaking = (event.key === "Enter" || event.key === "Tab") && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (by !== undefined) setChosen({ query: asked.query, at: (active + by + found.length) % found.length });
    else if (event.key === "Escape") setClosed(asked.start);
    else if (isTaking) one.take();
    else return false;
    event.preventDefault();
    return true;
  };
  return { listId, label: asksName === undefined ? t("menu.emoji.heading") : t("composer.members"), found, active, onKeyDown };
}

const nothingFound = (): readonly NamedEmoji[] => [];

/** What finds emoji by their names, fetched when it is wanted first. */
function useEmojiNames(isWanted: boolean): (query: string) => readonly NamedEmoji[] {
  const [find, setFind] = useState<(query: string) => readonly NamedEmoji[]>(() => nothingFound);
  const isMissing = isWanted && find === nothingFound;
  useEffect(() => {
    if (!isMissing) return;
    const fetchNames = async (): Promise<void> => {
      const { emojiCalled, fetchEmojiData } = await import("../state/emoji-names.ts");
      const data = await fetchEmojiData();
      setFind(() => (query: string) => emojiCalled(data, query));
    };
    // Without a connection nothing is offered.
    void fetchNames().catch(() => undefined);
  }, [isMissing]);
  return find;
}
