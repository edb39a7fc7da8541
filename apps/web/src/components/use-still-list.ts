import { useEffect, useLayoutEffect, useRef } from "react";
import type { RefObject } from "react";

/**
 * Has rows that have `data-id` stay where they are seen while others move above them; where nothing was scrolled the top is seen, whatever
 * comes there.
 * @param shown what is shown: with another one nothing is kept
 */
export function useStillList(scroller: RefObject<HTMLElement | null>, shown: string): void {
  const top = useRef<{ readonly shown: string; readonly id: string; readonly atPx: number }>(undefined);
  const look = useRef((): void => undefined);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const edge = element.getBoundingClientRect().top;
    const kept = top.current;
    const row = kept?.shown === shown ? element.querySelector(`[data-id="${CSS.escape(kept.id)}"]`) : null;
    if (kept !== undefined && row !== null && element.scrollTop > 0) {
      const movedPx = row.getBoundingClientRect().top - edge - kept.atPx;
      if (Math.abs(movedPx) >= 1) element.scrollBy(0, movedPx);
    }
    look.current = () => {
      const upper = element.getBoundingClientRect().top;
      top.current = undefined;
      for (const one of element.querySelectorAll<HTMLElement>("[data-id]")) {
        const box = one.getBoundingClientRect();
        if (box.bottom <= upper + 1) continue;
        top.current = { shown, id: one.dataset["id"] ?? "", atPx: box.top - upper };
        return;
      }
    };
    look.current();
  });
  useEffect(() => {
    const element = scroller.current;
    const onScroll = (): void => look.current();
    element?.addEventListener("scroll", onScroll, { passive: true });
    return () => element?.removeEventListener("scroll", onScroll);
  }, [scroller]);
}
