import { useRef } from "react";
import type { PointerEvent } from "react";
import { longPressMs } from "./use-menu-gestures.ts";
import type { MenuGestures } from "./use-menu-gestures.ts";

/** A finger that moved so far sideways, in CSS pixels, swipes; before that it may scroll. */
const slackPx = 12;
/** So far a row has to be drawn for something to be done. */
const enoughPx = 84;
const mostPx = 132;
const edgePx = 24;

/** Where a finger draws a row to: in the direction of writing, or against it. */
export type SwipeSide = "forward" | "back";

/** What is listened to on a list whose rows are drawn. */
export interface Swipes {
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: (event: PointerEvent) => void;
  readonly onPointerCancel: (event: PointerEvent) => void;
}

/**
 * Rows of a list that a finger draws aside. While it does, the row has `data-swipe`, and once letting go does something `data-swipe-done`.
 * @param rowAt the row around an element
 */
export function useSwipe({
  rowAt,
  act,
  isForwardOnly = false,
}: {
  readonly rowAt: (target: Element) => HTMLElement | undefined;
  readonly act: (row: HTMLElement, side: SwipeSide) => void;
  /** Rows are drawn in the direction of writing alone, and not from the edge of the screen, where a browser goes back. */
  readonly isForwardOnly?: boolean;
}): Swipes {
  const swipe = useRef<{ row: HTMLElement; x: number; y: number; atMs: number; isOn: boolean }>(undefined);
  const drawn = (event: PointerEvent): number => event.clientX - (swipe.current?.x ?? 0);
  const sideOf = (byPx: number): SwipeSide => (byPx > 0 === (document.documentElement.dir !== "rtl") ? "forward" : "back");
  const end = (): void => {
    const row = swipe.current?.row;
    swipe.current = undefined;
    if (row === undefined) return;
    row.style.removeProperty("--swipe");
    delete row.dataset["swipe"];
    delete row.dataset["swipeDone"];
  };
  return {
    onPointerDown(event) {
      end();
      const row = event.pointerType === "touch" && event.target instanceof Element ? rowAt(event.target) : undefined;
      const fromEdge = sideOf(1) === "forward" ? event.clientX : globalThis.innerWidth - event.clientX;
      if (row !== undefined && !(isForwardOnly && fromEdge < edgePx))
        swipe.current = { row, x: event.clientX, y: event.clientY, atMs: event.timeStamp, isOn: false };
    },
    onPointerMove(event) {
      const now = swipe.current;
      if (now === undefined) return;
      const byPx = drawn(event);
      if (!now.isOn) {
        const [sidePx, downPx] = [Math.abs(byPx), Math.abs(event.clientY - now.y)];
        if (Math.max(sidePx, downPx) <= slackPx) return;
        // A finger that rested has asked for the menu, and one that goes up or down scrolls.
        if (event.timeStamp - now.atMs >= longPressMs || downPx > sidePx || (isForwardOnly && sideOf(byPx) === "back")) {
          swipe.current = undefined;
          return;
        }
        now.isOn = true;
        now.row.setPointerCapture(event.pointerId);
      }
      const isBack = isForwardOnly && sideOf(byPx) === "back";
      now.row.style.setProperty("--swipe", `${isBack ? 0 : Math.max(-mostPx, Math.min(mostPx, byPx))}px`);
      now.row.dataset["swipe"] = sideOf(byPx);
      if (Math.abs(byPx) >= enoughPx && !isBack) {
        // A finger feels where it may let go.
        if (now.row.dataset["swipeDone"] === undefined) navigator.vibrate?.(10);
        now.row.dataset["swipeDone"] = "";
      } else delete now.row.dataset["swipeDone"];
    },
    onPointerUp(event) {
      const now = swipe.current;
      const byPx = drawn(event);
      end();
      if (now?.isOn === true && Math.abs(byPx) >= enoughPx && !(isForwardOnly && sideOf(byPx) === "back")) act(now.row, sideOf(byPx));
    },
    onPointerCancel: end,
  };
}

/** What a list listens to for both: a menu that a finger asks for by resting, and a row that it draws. */
export function bothGestures(menu: MenuGestures, swipes: Swipes): MenuGestures {
  const both = (name: keyof Swipes) => (event: PointerEvent) => {
    menu[name](event);
    swipes[name](event);
  };
  return {
    ...menu,
    onPointerDown: both("onPointerDown"),
    onPointerMove: both("onPointerMove"),
    onPointerUp: both("onPointerUp"),
    onPointerCancel: both("onPointerCancel"),
  };
}
