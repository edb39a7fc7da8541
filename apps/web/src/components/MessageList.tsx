import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { KeyboardEvent, ReactElement } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { receiptOf } from "@latchkey/client/methods";
import { t } from "../messages/words.ts";
import type { Outgoing } from "../state/app-state.ts";
import { useApp, useNow, useSelector } from "../state/context.ts";
import { dayKey, formatDay } from "../state/format.ts";
import { foldRows } from "../state/folded-rows.ts";
import { toRows } from "../state/timeline.ts";
import type { Row, Timeline } from "../state/timeline.ts";
import { Boundary } from "./Boundary.tsx";
import { Icon } from "./Icon.tsx";
import { MessageRow } from "./MessageRow.tsx";
import { useMessageMenu } from "./message-menu-context.ts";
import { useMessageGestures } from "./use-message-gestures.ts";

const nearEnd = 90;
const loadAheadRows = 12;
const markMs = 1600;

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
  const rows = useRows(conversation, timeline, opened);
  const openMenu = useMessageMenu();
  const selection = useSelector((state) => (state.selection?.conversationId === conversation.id ? state.selection : undefined));
  const revealed = useSelector((state) => (state.revealed?.conversationId === conversation.id ? state.revealed : undefined));
  const nowMs = useNow();
  const scrollRef = useRef<HTMLDivElement>(null);
  const listRef = useRef<HTMLOListElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const [isScrolling, setIsScrolling] = useState(false);
  const [focusKey, setFocusKey] = useState<string>();
  const wantsFocus = useRef(false);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: (index) => estimateHeight(rows[index]),
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: nearEnd,
    overscan: 8,
    paddingStart: 12,
    paddingEnd: 12,
    onChange: (instance, isMoving) => {
      setIsAtEnd(instance.isAtEnd(nearEnd));
      setIsScrolling(isMoving);
    },
  });
  const items = virtualizer.getVirtualItems();

  // Where a conversation opens: at the line of new messages, else at the end.
  const hasOpened = useRef(false);
  const isLoaded = timeline.messages.length > 0 || !timeline.isLoading;
  useLayoutEffect(
    () => () => {
      hasOpened.current = false;
    },
    [],
  );
  useLayoutEffect(() => {
    if (hasOpened.current || !isLoaded || rows.length === 0) return;
    hasOpened.current = true;
    const line = rows.findIndex((row) => row.kind === "new");
    if (line > 0) virtualizer.scrollToIndex(line, { align: "start" });
    else virtualizer.scrollToEnd();
  }, [isLoaded, rows, virtualizer]);

  // Whoever reads the end stays there when the composer grows or a keyboard comes up: neither is a scroll.
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const element = scrollRef.current;
    if (element === null) return undefined;
    const onScroll = (): void => {
      wasAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd;
    };
    const observer = new ResizeObserver(() => {
      if (wasAtEnd.current && hasOpened.current) virtualizer.scrollToEnd();
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
  const lastOwn = lastRow?.kind === "message" && lastRow.message.author?.isSelf === true ? lastRow.key : undefined;
  const seenOwn = useRef(lastOwn);
  useLayoutEffect(() => {
    if (lastOwn !== undefined && lastOwn !== seenOwn.current && hasOpened.current) virtualizer.scrollToEnd();
    seenOwn.current = lastOwn;
  }, [lastOwn, virtualizer]);

  const firstIndex = items[0]?.index;
  useEffect(() => {
    if (hasOpened.current && firstIndex !== undefined && firstIndex < loadAheadRows && timeline.hasOlder && !timeline.isLoading) {
      void controller.loadOlder(conversation.id).catch(() => undefined);
    }
  }, [controller, conversation.id, firstIndex, timeline.hasOlder, timeline.isLoading]);

  // What is on the screen of someone who is looking has been read.
  const range = virtualizer.range;
  const seen = isAttentive && range !== null ? lastOrderUpTo(rows, range.endIndex) : undefined;
  useEffect(() => {
    if (seen === undefined || !hasOpened.current) return undefined;
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

  // A message that was asked for stands in the middle, and is marked for a moment.
  const [markedKey, setMarkedKey] = useState<string>();
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
          {...gestures}
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
        <div className={`messages-day${isScrolling ? " messages-day-shown" : ""}`} aria-hidden="true">
          {formatDay(topDay, nowMs)}
        </div>
      )}
      {!isAtEnd && (
        <button
          type="button"
          className="jump-down"
          aria-label={
            conversation.unreadCount > 0 ? t("conversation.jumpDownUnread", { n: conversation.unreadCount }) : t("conversation.jumpDown")
          }
          onClick={() => virtualizer.scrollToEnd({ behavior: prefersStill() ? "auto" : "smooth" })}
        >
          <Icon name="down" />
          {conversation.unreadCount > 0 && (
            <span className="jump-down-count">{conversation.unreadCount > 999 ? "999+" : conversation.unreadCount}</span>
          )}
        </button>
      )}
    </div>
  );
}

function prefersStill(): boolean {
  return globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** The rows, with messages that are just being handed to the client at their end. */
function useRows({ id: conversationId, kind }: Conversation, timeline: Timeline, opened: ReadonlySet<string>): readonly Row[] {
  const outgoing = useSelector((state) => state.outgoing);
  const account = useSelector((state) => state.account);
  return useMemo(() => {
    const mine = outgoing.filter((item) => item.conversationId === conversationId);
    const waiting = account === undefined ? [] : mine.filter((item) => item.messageId === undefined);
    const messages = waiting.length === 0 ? timeline.messages : [...timeline.messages, ...waiting.map((item) => asMessage(item, account))];
    const keys = new Map(mine.flatMap((item) => (item.messageId === undefined ? [] : [[item.messageId, item.key] as const])));
    const shown = kind === "direct" ? messages.filter(({ body, author }) => body.kind !== "added" || author?.isSelf !== true) : messages;
    const rows = foldRows(
      toRows({ ...timeline, messages: shown }, (atMs) => dayKey(atMs)),
      opened,
    );
    // A message keeps the key under which it first came onto the screen.
    return keys.size === 0 ? rows : rows.map((row) => (row.kind === "message" ? { ...row, key: keys.get(row.key) ?? row.key } : row));
  }, [account, conversationId, kind, opened, outgoing, timeline]);
}

function asMessage(item: Outgoing, author: Message["author"]): Message {
  return {
    id: item.key,
    conversationId: item.conversationId,
    order: Number.MAX_SAFE_INTEGER,
    author,
    body: { kind: "text", text: item.text },
    sentAtMs: item.atMs,
    ...(item.quote === undefined ? {} : { quote: item.quote }),
    delivery: { kind: "pending" },
  };
}

function estimateHeight(row: Row | undefined): number {
  switch (row?.kind) {
    case "start":
      return 132;
    case "day":
    case "new":
      return 44;
    case "alarm":
      return 120;
    case "message": {
      const { body } = row.message;
      const lines = body.kind === "text" ? Math.min(20, Math.ceil(body.text.length / 52) + body.text.split("\n", 21).length - 1) : 2;
      return 18 + Math.max(1, lines) * 22 + (row.isFirst ? 8 : 0);
    }
    case "system":
    case "folded":
    case undefined:
      return 34;
  }
}

function lastOrderUpTo(rows: readonly Row[], endIndex: number): number | undefined {
  for (let index = Math.min(endIndex, rows.length - 1); index >= 0; index -= 1) {
    const row = rows[index];
    if (row?.kind === "folded" && !row.isOpen) return row.throughOrder;
    if (row === undefined || !("message" in row)) continue;
    if (row.message.delivery === undefined || row.message.delivery.kind === "accepted") return row.message.order;
  }
  return undefined;
}

function dayAbove(rows: readonly Row[], startIndex: number): number | undefined {
  const row = rows[startIndex];
  if (row === undefined || row.kind === "start" || row.kind === "day") return undefined;
  for (let index = startIndex; index < rows.length; index += 1) {
    const next = rows[index];
    if (next !== undefined && "message" in next) return next.message.sentAtMs;
  }
  return undefined;
}
