import { useEffect, useRef } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { Avatar } from "./Avatar.tsx";
import { mentionName } from "./use-suggestions.ts";
import type { Suggestions } from "./use-suggestions.ts";

/** Above the field: who may be meant. The focus stays in the field, whose keys move in the list and take from it. */
export function SuggestionList({ suggestions }: { readonly suggestions: Suggestions }): ReactElement | undefined {
  const { listId, found, active, choose } = suggestions;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  if (found.length === 0) return undefined;
  return (
    <div ref={list} id={listId} className="suggested" role="listbox" aria-label={t("composer.members")}>
      {found.map((one, index) => (
        // The focus, and with it the keys, stay in the field.
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
        <div
          key={one.uri}
          id={`${listId}-${index}`}
          role="option"
          aria-selected={index === active}
          className="suggested-one"
          onPointerDown={(event) => event.preventDefault()}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => choose(one)}
        >
          {one.person !== undefined && <Avatar id={one.person.accountId} name={one.person.displayName} size="small" />}
          <bdi className="suggested-name">{one.person === undefined ? mentionName(one) : one.person.displayName}</bdi>
          {one.person !== undefined && <bdi className="suggested-note">{one.person.address}</bdi>}
        </div>
      ))}
    </div>
  );
}
