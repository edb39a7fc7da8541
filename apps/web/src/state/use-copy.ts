import { useCallback } from "react";
import { words } from "../messages/words.ts";
import { useApp } from "./context.ts";

/** Copies a text, and tells at the bottom of the screen whether the browser did. */
export function useCopy(): (text: string) => Promise<void> {
  const { notify } = useApp();
  return useCallback(
    async (text) => {
      try {
        await navigator.clipboard.writeText(text);
        notify(words.common.copied);
      } catch {
        notify(words.messageParts.notCopied);
      }
    },
    [notify],
  );
}
