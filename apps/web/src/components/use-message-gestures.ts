import { useEffect, useRef } from "react";
import type { KeyboardEvent, MouseEvent, PointerEvent } from "react";
import type { Message } from "@latchkey/client";
import { hasActions } from "../state/message-actions.ts";
import type { MenuPlace } from "./message-menu-context.ts";

/** A finger that rests so long asks for the menu. */
const longPressMs = 450;
/** A finger that moved so far, in CSS pixels, scrolls. */
const slackPx = 10;

interface Handlers {
  readonly onContextMenu: (event: MouseEvent) => void;
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: () => void;
  readonly onPointerCancel: () => void;
  readonly onClickCapture: (event: MouseEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/**
 * How the menu of a message is asked for, on the list of them: by the secondary button of a mouse, a finger that rests, Enter, or the keys
 * that open menus everywhere, which come as `contextmenu`.
 * @param messageAt the message of a row, by its key
 */
export function useMessageGestures(
  messageAt: (key: string) => Message | undefined,
  open: (message: Message, at: MenuPlace) => void,
): Handlers {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number }>(undefined);
  const hasPressed = useRef(false);
  const stop = (): void => {
    clearTimeout(press.current?.timer);
    press.current = undefined;
  };
  useEffect(() => stop, []);

  const find = (target: EventTarget): { readonly row: HTMLElement; readonly message: Message } | undefined => {
    const row = target instanceof Element ? target.closest<HTMLElement>("[data-key]") : null;
    const message = row === null ? undefined : messageAt(row.dataset["key"] ?? "");
    return row === null || message === undefined || !hasActions(message) ? undefined : { row, message };
  };
  const openAtRow = (row: HTMLElement, message: Message): void => open(message, row.querySelector<HTMLElement>(".bubble") ?? row);
  return {
    onContextMenu(event) {
      const found = find(event.target);
      // What was selected, and addresses, have the browser's own menu.
      const isText = event.target instanceof Element && event.target.closest("a, input, textarea") !== null;
      if (found === undefined || isText || (globalThis.getSelection()?.isCollapsed === false && press.current === undefined)) return;
      event.preventDefault();
      stop();
      // Keys give no place, or that of what has the focus.
      if (event.target === found.row || (event.clientX === 0 && event.clientY === 0)) openAtRow(found.row, found.message);
      else open(found.message, { x: event.clientX, y: event.clientY });
    },
    onPointerDown(event) {
      stop();
      hasPressed.current = false;
      if (event.pointerType !== "touch") return;
      const found = find(event.target);
      if (found === undefined) return;
      const { clientX: x, clientY: y } = event;
      const timer = setTimeout(() => {
        press.current = undefined;
        hasPressed.current = true;
        open(found.message, { x, y });
      }, longPressMs);
      press.current = { timer, x, y };
    },
    onPointerMove({ clientX, clientY }) {
      if (press.current !== undefined && Math.hypot(clientX - press.current.x, clientY - press.current.y) > slackPx) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onClickCapture(event) {
      // The finger that asked for the menu presses nothing.
      if (!hasPressed.current) return;
      hasPressed.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
    onKeyDown(event) {
      if (event.key !== "Enter" || event.target !== event.currentTarget.querySelector(":focus")) return;
      const found = find(event.target);
      if (found === undefined || event.target !== found.row) return;
      event.preventDefault();
      openAtRow(found.row, found.message);
    },
  };
}
