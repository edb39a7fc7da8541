import { useEffect, useId, useState } from "react";
import type { KeyboardEvent } from "react";
import type { Conversation } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { isOfInputMethod } from "../state/composer-keys.ts";
import { useApp, useSelector } from "../state/context.ts";
import { mentionable } from "../state/mentionable.ts";
import type { Mentionable } from "../state/mentionable.ts";
import { nameOf } from "../state/person-name.ts";
import { askedAt } from "../state/written.ts";
import type { ComposerField } from "./use-composer-field.ts";

/** What is offered for what is being written where the caret stands. */
export interface Suggestions {
  readonly listId: string;
  readonly found: readonly Mentionable[];
  /** Of `found`, the one that Enter takes. */
  readonly active: number;
  choose(one: Mentionable): void;
  /** Whether the key was for the list. */
  onKeyDown(event: KeyboardEvent): boolean;
}

/** How somebody is called in a mention. */
export function mentionName({ person }: Mentionable): string {
  return person === undefined ? t("messageParts.everybody") : `@${nameOf(person)}`;
}

/** Members of a group whose name is being written behind an `@`. */
export function useSuggestions({ id, kind }: Conversation, { written, caret, replace }: ComposerField): Suggestions {
  const { controller } = useApp();
  const listId = useId();
  const details = useSelector((state) => state.details.get(id));
  const asked = kind === "group" ? askedAt(written, caret) : undefined;
  const [closed, setClosed] = useState<number>();
  const [chosen, setChosen] = useState({ query: "", at: 0 });
  const isAsked = asked !== undefined;
  const areWanted = details === undefined && (isAsked || written.mentions.length > 0);
  useEffect(() => {
    if (areWanted) void controller.loadDetails(id).catch(() => undefined);
  }, [areWanted, controller, id]);
  useEffect(() => {
    if (!isAsked) setClosed(undefined);
  }, [isAsked]);

  const isOpen = asked !== undefined && details !== undefined && asked.start !== closed;
  const found = isOpen ? mentionable(details, asked.query, t("messageParts.everybody")) : [];
  const active = chosen.query === asked?.query ? Math.min(chosen.at, found.length - 1) : 0;
  const choose = (one: Mentionable): void => {
    if (asked === undefined) return;
    const name = mentionName(one);
    const { start, end } = asked;
    replace({ start, end, text: `${name} ` }, { start, end: start + name.length, uri: one.uri, hint: one.hint });
  };
  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (asked === undefined || found.length === 0 || isOfInputMethod(event.nativeEvent)) return false;
    const one = found[active];
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isTaking = (event.key === "Enter" || event.key === "Tab") && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (by !== undefined) setChosen({ query: asked.query, at: (active + by + found.length) % found.length });
    else if (event.key === "Escape") setClosed(asked.start);
    else if (isTaking && one !== undefined) choose(one);
    else return false;
    event.preventDefault();
    return true;
  };
  return { listId, found, active, choose, onKeyDown };
}
