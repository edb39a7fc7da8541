import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { RefObject } from "react";
import { hasManyLines } from "../state/text-size.ts";
import { afterChange, markdownOf, withMention, writtenOf } from "../state/written.ts";
import type { Written, WrittenMention } from "../state/written.ts";

/** A field for messages: what stands in it, and how that is changed by others than the person's keys. */
export interface ComposerField {
  readonly written: Written;
  /** Where the caret stands, or the selection ends. */
  readonly caret: number;
  /** Takes in what the element has. */
  onInput(): void;
  /** Notices where the caret is. */
  onSelect(): void;
  /** Puts a text in the place of another, as if it was typed there: what was done can be undone. Of it a mention becomes one. */
  replace(edit: { readonly start: number; readonly end: number; readonly text: string }, mention?: WrittenMention): void;
}

/**
 * @param markdown what is written, as it is sent and kept
 * @param nameOf how whoever an address names is called here
 * @param change takes what is written from now on
 */
export function useComposerField(
  element: RefObject<HTMLTextAreaElement | null>,
  markdown: string,
  { nameOf, change }: { readonly nameOf: (uri: string) => string | undefined; readonly change: (markdown: string) => void },
): ComposerField {
  const [typed, setTyped] = useState<{ readonly markdown: string; readonly written: Written }>();
  const [caret, setCaret] = useState(0);
  // What came from elsewhere stands as people are known here by now; what was typed stays as it was typed.
  const read = useMemo(() => writtenOf(markdown, nameOf), [markdown, nameOf]);
  const written = typed?.markdown === markdown ? typed.written : read;
  const latest = useRef(written);
  const mentioned = useRef<WrittenMention>(undefined);
  const placed = useRef<number>(undefined);
  useLayoutEffect(() => {
    latest.current = written;
    const at = placed.current;
    placed.current = undefined;
    if (at !== undefined) element.current?.setSelectionRange(at, at);
  });

  const onInput = useCallback(() => {
    const { current } = element;
    if (current === null) return;
    const after = afterChange(latest.current, current.value, current.selectionEnd);
    const next = mentioned.current === undefined ? after.written : withMention(after.written, mentioned.current);
    mentioned.current = undefined;
    if (next.text !== current.value) placed.current = after.caret;
    latest.current = next;
    const sent = markdownOf(next);
    setTyped({ markdown: sent, written: next });
    setCaret(after.caret);
    change(sent);
  }, [change, element]);

  const replace: ComposerField["replace"] = ({ start, end, text }, mention) => {
    const { current } = element;
    if (current === null) return;
    mentioned.current = mention;
    // Of many lines a browser makes one after the other, and takes seconds.
    if (document.activeElement === current && !hasManyLines(text)) {
      current.setSelectionRange(start, end);
      // The one way that the browser can undo again; deprecated without another in its place.
      if (document.execCommand(text === "" ? "delete" : "insertText", false, text)) return;
    }
    current.setRangeText(text, start, end, "end");
    current.dispatchEvent(new Event("input", { bubbles: true }));
  };
  return { written, caret, onInput, onSelect: () => setCaret(element.current?.selectionEnd ?? 0), replace };
}
