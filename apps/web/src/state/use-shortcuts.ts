import { useEffect } from "react";
import { sortConversations } from "./app-state.ts";
import { isIn } from "./own.ts";
import { twoColumns, useApp } from "./context.ts";
import { isInSettings } from "./router.ts";

/** The keys that work everywhere; `showHelp` opens the sheet that lists them. */
export function useShortcuts(showHelp: () => void): void {
  const { controller, router } = useApp();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const isTyping = event.target instanceof HTMLElement && event.target.closest("input, textarea, [contenteditable]") !== null;
      const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      if (isCommand && event.key.toLowerCase() === "k") {
        event.preventDefault();
        const search = (): unknown => document.dispatchEvent(new Event("latchkey:search"));
        const isListShown = globalThis.matchMedia(twoColumns).matches && !isInSettings(router.get());
        if (isListShown || router.get().kind === "home") search();
        else {
          // On a phone, and beside the settings, the list has to come first.
          router.go({ kind: "home" });
          requestAnimationFrame(search);
        }
      } else if (event.key === "?" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        showHelp();
      } else if (event.altKey && !event.ctrlKey && !event.metaKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        step(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Escape" && document.querySelector("dialog[open]") === null) {
        const route = router.get();
        if (route.kind === "home" || (route.kind === "conversation" && !route.details)) return;
        event.preventDefault();
        router.back();
      }
    };
    const step = (by: 1 | -1): void => {
      const { conversations, folder } = controller.store.get();
      const all = sortConversations(conversations).filter((one) => isIn(folder, one));
      const route = router.get();
      const at = all.findIndex(({ id }) => route.kind === "conversation" && id === route.id);
      const next = all[at < 0 ? 0 : at + by];
      if (next !== undefined) router.go({ kind: "conversation", id: next.id, details: false });
    };
    document.addEventListener("keydown", onKeyDown);
    document.addEventListener("latchkey:help", showHelp);
    return () => {
      document.removeEventListener("keydown", onKeyDown);
      document.removeEventListener("latchkey:help", showHelp);
    };
  }, [controller, router, showHelp]);
}
