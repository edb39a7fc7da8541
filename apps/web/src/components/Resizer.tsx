import { useLayoutEffect, useState } from "react";
import type { KeyboardEvent, PointerEvent, ReactElement, RefObject } from "react";
import { t } from "../messages/words.ts";
import { clampListWidth, listWidths, loadListWidth, saveListWidth } from "../state/preferences.ts";

const keyStep = 16;

/** The edge of the conversation list, to be dragged, or moved with the arrow keys. */
export function Resizer({ columnsRef }: { readonly columnsRef: RefObject<HTMLDivElement | null> }): ReactElement {
  const [width, setWidth] = useState(loadListWidth);
  useLayoutEffect(() => columnsRef.current?.style.setProperty("--list-width", `${width}px`), [columnsRef, width]);

  const change = (next: number): void => {
    const clamped = clampListWidth(next);
    setWidth(clamped);
    saveListWidth(clamped);
  };
  const isRtl = (): boolean => document.documentElement.dir === "rtl";
  const drag = (event: PointerEvent): void => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) change(isRtl() ? globalThis.innerWidth - event.clientX : event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    change(width + direction * keyStep * (isRtl() ? -1 : 1));
  };
  return (
    // A separator that can be moved is a control by its specification.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      className="resizer"
      role="separator"
      aria-orientation="vertical"
      aria-label={t("list.resize")}
      aria-valuenow={width}
      aria-valuemin={listWidths.least}
      aria-valuemax={listWidths.most}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={onKeyDown}
      onDoubleClick={() => change(listWidths.usual)}
    />
  );
}
