import { useEffect, useRef } from "react";
import type { KeyboardEvent, MouseEvent, PointerEvent } from "react";
import type { MenuPlace } from "./message-menu-context.ts";

/** A finger that rests so long asks for the menu. */
export const longPressMs = 450;
/** A finger that moved so far, in CSS pixels, scrolls. */
const slackPx = 10;

/** What is listened to on a list whose rows have menus. */
export interface MenuGestures {
  readonly onContextMenu: (event: MouseEvent) => void;
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: (event: PointerEvent) => void;
  readonly onPointerCancel: (event: PointerEvent) => void;
  readonly onClickCapture: (event: MouseEvent) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** A row with a menu. */
export interface MenuRow<T> {
  readonly row: HTMLElement;
  readonly item: T;
  /** Beside what the menu opens when no place was pointed at. */
  readonly anchor: HTMLElement;
}

/**
 * How the menu of a row is asked for, on the list of rows: by the secondary button of a mouse, a finger that rests, or the keys that open
 * menus everywhere, which come as `contextmenu`; by Enter where the row itself has the focus.
 * @param rowAt the row around an element
 * @param isLeft whether the browser's own menu stands there instead
 */
export function useMenuGestures<T>(params: {
  readonly rowAt: (target: Element) => MenuRow<T> | undefined;
  readonly isLeft: (target: Element) => boolean;
  readonly open: (item: T, at: MenuPlace) => void;
}): MenuGestures {
  const { rowAt, isLeft, open } = params;
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number }>(undefined);
  const hasPressed = useRef(false);
  const stop = (): void => {
    clearTimeout(press.current?.timer);
    press.current = undefined;
  };
  useEffect(() => stop, []);
  const find = (target: EventTarget): MenuRow<T> | undefined => (target instanceof Element ? rowAt(target) : undefined);
  return {
    onContextMenu(event) {
      const found = find(event.target);
      if (found === undefined || !(event.target instanceof Element)) return;
      if (press.current === undefined && !hasPressed.current && isLeft(event.target)) return;
      event.preventDefault();
      stop();
      // A finger that rested has its menu already.
      if (hasPressed.current) return;
      // Keys give no place, or that of what has the focus.
      const hasFocus = event.target === document.activeElement && event.button !== 2;
      if (hasFocus || (event.clientX === 0 && event.clientY === 0)) open(found.item, found.anchor);
      else open(found.item, { x: event.clientX, y: event.clientY });
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
        open(found.item, { x, y });
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
      const found = event.key === "Enter" && event.target === document.activeElement ? find(event.target) : undefined;
      if (found === undefined || event.target !== found.row) return;
      event.preventDefault();
      open(found.item, found.anchor);
    },
  };
}
