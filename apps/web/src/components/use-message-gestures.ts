import type { Message } from "@latchkey/client";
import { hasActions } from "../state/message-actions.ts";
import type { MenuPlace } from "./message-menu-context.ts";
import { useMenuGestures } from "./use-menu-gestures.ts";
import type { MenuGestures } from "./use-menu-gestures.ts";

/**
 * How the menu of a message is asked for, on the list of them.
 * @param messageAt the message of a row, by its key
 */
export function useMessageGestures(
  messageAt: (key: string) => Message | undefined,
  open: (message: Message, at: MenuPlace) => void,
): MenuGestures {
  return useMenuGestures({
    rowAt(target) {
      const row = target.closest<HTMLElement>("[data-key]");
      const item = row === null ? undefined : messageAt(row.dataset["key"] ?? "");
      if (row === null || item === undefined || !hasActions(item)) return undefined;
      return { row, item, anchor: row.querySelector<HTMLElement>(".bubble") ?? row };
    },
    // What was selected, and addresses, have the browser's own menu.
    isLeft: (target) => target.closest("a, input, textarea") !== null || globalThis.getSelection()?.isCollapsed === false,
    open,
  });
}
