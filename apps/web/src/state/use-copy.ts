import { useCallback } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "./context.ts";

/** Copies a text, and tells at the bottom of the screen whether the browser did. */
export function useCopy(): (text: string) => Promise<void> {
  const { notify } = useApp();
  return useCallback(
    async (text) => {
      try {
        await navigator.clipboard.writeText(text);
        notify(t("common.copied"));
      } catch {
        notify(t("messageParts.notCopied"));
      }
    },
    [notify],
  );
}
