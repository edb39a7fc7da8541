import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { KeyboardEvent, ReactElement } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { receiptOf } from "@latchkey/client/methods";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { formatBadge, formatDay } from "../state/format.ts";
import { dayAbove, estimateHeight, lastOrderUpTo, messageFrom, rowAt } from "../state/row-places.ts";
import type { Timeline } from "../state/timeline.ts";
import { useNow } from "../state/use-now.ts";
import { Boundary } from "./Boundary.tsx";
import { Icon } from "./Icon.tsx";
import { lazyComponent } from "./lazy.tsx";
import { MessageRow } from "./MessageRow.tsx";
import { useMessageMenu } from "./message-menu-context.ts";
import { useMessageGestures } from "./use-message-gestures.ts";
import { useMessagePull } from "./use-message-pull.ts";
import { useMessageRows } from "./use-message-rows.ts";
import { bothGestures } from "./use-swipe.ts";

const DateDialog = lazyComponent(async () => (await import("./DateDialog.tsx")).DateDialog);

const nearEnd = 90;
const loadAheadRows = 12;
const markMs = 1600;
/** So many frames it takes at most until what was landed at stands where it is to stand, once it is measured; and until it is. */
const settlingFrames = 8;
const measuringFrames = 300;

/** The messages of a conversation: only those near the screen are in the document, and what is read stays where it is. */
export function MessageList({
  conversation,
  timeline,
}: {
  readonly conversation: Conversation;
  readonly timeline: Timeline;
}): ReactElement {
  const { controller } = useApp();
  const isAttentive = useSelector((state) => state.isAttentive);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const open = useCallback(
    (key: string) => setOpened((before) => new Set(before.has(key) ? [...before].filter((other) => other !== key) : [...before, key])),
    [],
  );
  const rows = useMessageRows(conversation, timeline, opened);
  const openMenu = useMessageMenu();
  const selection = useSelector((state) => (state.selection?.conversationId === conversation.id ? state.selection : undefined));
  const revealed = useSelector((state) => (state.revealed?.conversationId === conversation.id ? state.revealed : undefined));
  const nowMs = useNow();
  const scrollRef = useRef<HTMLDivElement>(null);
  const listRef = useRef<HTMLOListElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const [focusKey, setFocusKey] = useState<string>();
  const wantsFocus = useRef(false);
  const [markedKey, setMarkedKey] = useState<string>();
  /** The day that is offered where another one is asked for. */
  const [dateFrom, setDateFrom] = useState<number>();
  /** The landing that was gone to last. */
  const landed = useRef<number>(undefined);
  /** The row that was gone to, until it is measured: by then what it is said to be high may have put it elsewhere. */
  const goneTo = useRef<number>(undefined);

  const { landing } = timeline;
  const isSettled = useSettled(landing?.key, landed, goneTo);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: (index) => estimateHeight(rows[index]),
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: "end",
    // What comes behind a part of the history is no news.
    followOnAppend: !timeline.hasNewer,
    scrollEndThreshold: nearEnd,
    overscan: 8,
    paddingStart: 12,
    // How much of the row that one lands at is above the screen, whatever is measured meanwhile.
    scrollPaddingStart: landing?.to.kind === "place" && !isSettled ? -landing.to.at.abovePx : 0,
    paddingEnd: 12,
    onChange: (instance) => {
      setIsAtEnd(instance.isAtEnd(nearEnd));
    },
  });
  // Where one stands is kept for when one comes back.
  const keepPlace = (): void => {
    if (landed.current === undefined || landed.current !== timeline.landing?.key) return;
    const offset = virtualizer.scrollOffset ?? 0;
    const item = virtualizer.isAtEnd(nearEnd) && !timeline.hasNewer ? undefined : virtualizer.getVirtualItemForOffset(offset);
    const top = item === undefined ? undefined : messageFrom(rows, item.index);
    const start = top === undefined ? undefined : virtualizer.measurementsCache[top.index]?.start;
    controller.history.stand(
      conversation.id,
      top && start !== undefined ? { order: top.message.order, abovePx: Math.round(offset - start) } : undefined,
    );
  };
  const keep = useRef(keepPlace);
  useLayoutEffect(() => {
    keep.current = keepPlace;
  });
  useLayoutEffect(
    () => () => {
      controller.history.leave(conversation.id);
      landed.current = undefined;
    },
    [controller, conversation.id],
  );
  const items = virtualizer.getVirtualItems();

  // Where a conversation opens, or somebody wants to go: each landing is gone to once.
  useLayoutEffect(() => {
    if (landing === undefined || landed.current === landing.key || timeline.isLoading || rows.length === 0) return;
    landed.current = landing.key;
    goneTo.current = undefined;
    const { to } = landing;
    if (to.kind === "place") {
      const index = rowAt(rows, to.at);
      const top = to.isFocused && rows[index - 1]?.kind === "day" ? index - 1 : index;
      goneTo.current = top;
      virtualizer.scrollToIndex(top, { align: "start" });
      const key = rows[index]?.key;
      if (!to.isFocused || key === undefined) return;
      wantsFocus.current = true;
      setFocusKey(key);
      setMarkedKey(key);
      return;
    }
    const line = to.kind === "unread" ? rows.findIndex((row) => row.kind === "new") : -1;
    if (line > 0) virtualizer.scrollToIndex((goneTo.current = line), { align: "start" });
    else virtualizer.scrollToEnd();
  }, [landing, rows, timeline.isLoading, virtualizer]);

  // Whoever reads the end stays there when the composer grows or a keyboard comes up: neither is a scroll.
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const element = scrollRef.current;
    if (element === null) return undefined;
    const onScroll = (): void => {
      wasAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd;
      keep.current();
    };
    const observer = new ResizeObserver(() => {
      if (wasAtEnd.current && landed.current !== undefined) virtualizer.scrollToEnd();
    });
    element.addEventListener("scroll", onScroll, { passive: true });
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", onScroll);
      observer.disconnect();
    };
  }, [virtualizer]);

  // One's own new message always comes into view.
  const lastRow = rows.at(-1);
  const lastOwn = lastRow?.kind === "message" && lastRow.message.delivery?.kind === "pending" ? lastRow.key : undefined;
  const seenOwn = useRef(lastOwn);
  useLayoutEffect(() => {
    if (lastOwn !== undefined && lastOwn !== seenOwn.current && landed.current !== undefined) virtualizer.scrollToEnd();
    seenOwn.current = lastOwn;
  }, [lastOwn, virtualizer]);

  const range = virtualizer.range;
  const lastSeen = range === null ? undefined : lastOrderUpTo(rows, range.endIndex);
  const [firstIndex, lastIndex] = [items[0]?.index, items.at(-1)?.index];
  const side =
    firstIndex !== undefined && firstIndex < loadAheadRows && timeline.hasOlder
      ? "older"
      : lastIndex !== undefined && lastIndex >= rows.length - loadAheadRows && timeline.hasNewer
        ? "newer"
        : undefined;
  useLayoutEffect(() => {
    const at = goneTo.current;
    if (at === undefined || !items.some(({ index }) => index === at)) return;
    goneTo.current = undefined;
    virtualizer.scrollToIndex(at, { align: "start" });
  });
  useEffect(() => {
    if (!isSettled || side === undefined || timeline.isLoading) return;
    const first = messageFrom(rows, virtualizer.range?.startIndex ?? 0)?.message.order ?? 0;
    void controller.history.loadMore(conversation.id, side, { first, last: lastSeen ?? first }).catch(() => undefined);
  }, [controller, conversation.id, isSettled, lastSeen, rows, side, timeline.isLoading, virtualizer]);

  // What is on the screen of someone who is looking has been read.
  const seen = isAttentive && isSettled ? lastSeen : undefined;
  useEffect(() => {
    if (seen === undefined) return undefined;
    const timer = setTimeout(() => controller.markRead(conversation.id, seen), 200);
    return () => clearTimeout(timer);
  }, [controller, conversation.id, seen, conversation.unreadCount]);

  const moveFocus = useCallback(
    (event: KeyboardEvent) => {
      if (event.target instanceof HTMLElement && event.target.closest("a, button") !== null) return;
      const at = rows.findIndex((row) => row.key === focusKey);
      const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
      if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const index = Math.max(0, Math.min(rows.length - 1, target));
      wantsFocus.current = true;
      virtualizer.scrollToIndex(index);
      setFocusKey(rows[index]?.key);
    },
    [focusKey, rows, virtualizer],
  );
  useEffect(() => {
    if (!wantsFocus.current || focusKey === undefined) return;
    const element = listRef.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(focusKey)}"]`);
    if (element === null || element === undefined) return;
    wantsFocus.current = false;
    element.focus({ preventScroll: true });
  });

  const messageOf = (key: string): Message | undefined => {
    const row = rows.find((one) => one.key === key);
    return row?.kind === "message" ? row.message : undefined;
  };
  const gestures = useMessageGestures(messageOf, (message, at) => {
    if (selection === undefined) openMenu({ message, at, view: "menu" });
  });
  const pulls = useMessagePull(conversation, messageOf);

  // A message that was asked for stands in the middle, and is marked for a moment.
  useEffect(() => {
    if (revealed === undefined) return;
    const index = rows.findIndex((row) => row.kind === "message" && row.message.id === revealed.messageId);
    const key = rows[index]?.key;
    if (key === undefined) {
      // It may stand behind a line that opens.
      const fold = rows.find((row) => row.kind === "folded" && row.throughOrder >= revealed.order);
      if (fold?.kind === "folded" && !fold.isOpen) open(fold.key);
      return;
    }
    controller.forgetRevealed();
    virtualizer.scrollToIndex(index, { align: "center" });
    wantsFocus.current = revealed.keepsFocus !== true;
    setFocusKey(key);
    setMarkedKey(key);
  }, [controller, open, revealed, rows, virtualizer]);
  useEffect(() => {
    if (markedKey === undefined) return undefined;
    const timer = setTimeout(() => setMarkedKey(undefined), markMs);
    return () => clearTimeout(timer);
  }, [markedKey]);

  const jumpDown = (): void => {
    const isAboveNew = timeline.newAfter !== undefined && conversation.unreadCount > 0 && (lastSeen ?? 0) < timeline.newAfter;
    if (isAboveNew || timeline.hasNewer)
      void controller.history.land(conversation.id, { kind: isAboveNew ? "unread" : "end" }).catch(() => undefined);
    else virtualizer.scrollToEnd({ behavior: prefersStill() ? "auto" : "smooth" });
  };
  const tabStop = items.some((item) => item.key === focusKey) ? focusKey : items.at(-1)?.key;
  const topDay = range === null || isAtEnd ? undefined : dayAbove(rows, range.startIndex);
  return (
    <div className="messages">
      <div ref={scrollRef} className="messages-scroll">
        {timeline.isLoading && timeline.messages.length > 0 && <p className="messages-loading">{t("conversation.loadingOlder")}</p>}
        {/* A list without markers is no list to some screen readers unless told; the keys move the focus inside. */}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles, jsx-a11y/no-noninteractive-element-interactions */}
        <ol
          ref={listRef}
          role="list"
          aria-label={t("conversation.messages")}
          className={`messages-list${selection === undefined ? "" : " messages-choosing"}`}
          style={{ height: virtualizer.getTotalSize() }}
          {...bothGestures(gestures, pulls)}
          onKeyDown={(event) => {
            moveFocus(event);
            gestures.onKeyDown(event);
          }}
        >
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return undefined;
            return (
              <li
                key={item.key}
                ref={virtualizer.measureElement}
                data-index={item.index}
                data-key={row.key}
                className={`messages-item${row.key === markedKey ? " messages-item-marked" : ""}`}
                style={{ transform: `translateY(${item.start}px)` }}
                // Roving focus: the arrow keys move through the messages.
                // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
                tabIndex={item.key === tabStop ? 0 : -1}
                onFocus={() => setFocusKey(row.key)}
              >
                <Boundary kind="line">
                  <MessageRow
                    row={row}
                    kind={conversation.kind}
                    title={conversation.title}
                    nowMs={nowMs}
                    onOpen={open}
                    onDay={setDateFrom}
                    receipt={row.kind === "message" ? receiptOf(row.message, conversation) : undefined}
                    isChosen={selection === undefined || row.kind !== "message" ? undefined : selection.ids.has(row.message.id)}
                  />
                </Boundary>
              </li>
            );
          })}
        </ol>
      </div>
      {topDay !== undefined && (
        // For the mouse and the finger; the rows of days are there for keys.
        <button type="button" className="messages-day" aria-hidden="true" tabIndex={-1} onClick={() => setDateFrom(topDay)}>
          {formatDay(topDay, nowMs)}
        </button>
      )}
      {(!isAtEnd || timeline.hasNewer) && (
        <button
          type="button"
          className="jump-down"
          aria-label={
            conversation.unreadCount > 0 ? t("conversation.jumpDownUnread", { n: conversation.unreadCount }) : t("conversation.jumpDown")
          }
          onClick={jumpDown}
        >
          <Icon name="down" />
          {conversation.unreadCount > 0 && <span className="jump-down-count">{formatBadge(conversation.unreadCount)}</span>}
        </button>
      )}
      {dateFrom !== undefined && <DateDialog conversationId={conversation.id} fromMs={dateFrom} close={() => setDateFrom(undefined)} />}
    </div>
  );
}

/** Whether the list has come to where a landing leads: rows are measured on the way, and until then nothing is put above or below. */
function useSettled(
  key: number | undefined,
  landed: { readonly current: number | undefined },
  goneTo: { readonly current: number | undefined },
): boolean {
  const [settled, setSettled] = useState<number>();
  useEffect(() => {
    if (key === undefined || settled === key) return undefined;
    let left = settlingFrames;
    let waits = measuringFrames;
    const step = (): void => {
      if (landed.current === key && (goneTo.current === undefined || --waits <= 0)) left -= 1;
      if (left <= 0) setSettled(key);
      else frame = requestAnimationFrame(step);
    };
    let frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [key, landed, goneTo, settled]);
  return key !== undefined && settled === key;
}

function prefersStill(): boolean {
  return globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
