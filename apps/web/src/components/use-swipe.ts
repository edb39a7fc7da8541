import { useRef } from "react";
import type { PointerEvent } from "react";

/** A finger that moved so far sideways, in CSS pixels, swipes; before that it may scroll. */
const slackPx = 12;
/** So far a row has to be drawn for something to be done. */
const enoughPx = 84;
const mostPx = 132;
const edgePx = 24;

/** Where a finger draws a row to: in the direction of writing, or against it. */
export type SwipeSide = "forward" | "back";

interface Handlers {
  readonly onPointerDown: (event: PointerEvent) => void;
  readonly onPointerMove: (event: PointerEvent) => void;
  readonly onPointerUp: (event: PointerEvent) => void;
  readonly onPointerCancel: () => void;
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
}): Handlers {
  const swipe = useRef<{ row: HTMLElement; x: number; y: number; isOn: boolean }>(undefined);
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
        swipe.current = { row, x: event.clientX, y: event.clientY, isOn: false };
    },
    onPointerMove(event) {
      const now = swipe.current;
      if (now === undefined) return;
      const byPx = drawn(event);
      if (!now.isOn) {
        const downPx = Math.abs(event.clientY - now.y);
        if (downPx > slackPx) swipe.current = undefined;
        if (Math.abs(byPx) <= slackPx || downPx > Math.abs(byPx)) return;
        if (isForwardOnly && sideOf(byPx) === "back") {
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
