import { useEffect, useRef } from "react";
import type { ReactElement } from "react";
import { Avatar } from "./Avatar.tsx";
import type { Suggestions } from "./use-suggestions.ts";

/** Above the field: who may be meant. The focus stays in the field, whose keys move in the list and take from it. */
export function SuggestionList({ suggestions }: { readonly suggestions: Suggestions }): ReactElement | undefined {
  const { listId, label, found, active } = suggestions;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  if (found.length === 0) return undefined;
  return (
    <div ref={list} id={listId} className="suggested" role="listbox" aria-label={label}>
      {found.map((one, index) => (
        // The focus, and with it the keys, stay in the field.
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
        <div
          key={one.key}
          id={`${listId}-${index}`}
          role="option"
          aria-selected={index === active}
          className="suggested-one"
          onPointerDown={(event) => event.preventDefault()}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => one.take()}
        >
          {one.person !== undefined && <Avatar id={one.person.accountId} name={one.person.displayName} size="small" />}
          {one.emoji !== undefined && <span className="suggested-emoji">{one.emoji}</span>}
          <bdi className="suggested-name">{one.name}</bdi>
          {one.person !== undefined && <bdi className="suggested-note">{one.person.address}</bdi>}
        </div>
      ))}
    </div>
  );
}
