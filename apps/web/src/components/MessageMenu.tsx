import "../styles/menu.css";
import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { Dialog, Menu, MenuItem, Popover } from "react-aria-components";
import { MenuLanguage } from "./MenuLanguage.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { actionsOf, isSaid } from "../state/message-actions.ts";
import type { MessageAction } from "../state/message-actions.ts";
import { administratorsToTell } from "../state/group-members.ts";
import { recentEmoji, rememberEmoji } from "../state/recent-emoji.ts";
import { useNow } from "../state/use-now.ts";
import { EmojiPicker } from "./EmojiPicker.tsx";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./Icon.tsx";
import type { MenuRequest } from "./message-menu-context.ts";

const icons: Readonly<Record<MessageAction, IconName>> = {
  reply: "reply",
  edit: "compose",
  copy: "copy",
  forward: "forwardTo",
  save: "download",
  pin: "pin",
  unpin: "pin",
  star: "star",
  unstar: "star",
  remind: "clock",
  select: "checkCircle",
  info: "info",
  person: "people",
  tellAdministrators: "shield",
  report: "alert",
  delete: "bin",
};

/** What can be done with one message: emoji in a row, and the menu. */
export function MessageMenu({
  request,
  act: run,
  close,
}: {
  readonly request: MenuRequest;
  /** Does what was chosen; the menu is closed by then. */
  readonly act: (action: MessageAction) => void;
  readonly close: () => void;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const { message, at } = request;
  const { conversationId } = message;
  const details = useSelector((state) => state.details.get(conversationId));
  const isStarred = useSelector((state) => state.stars.has(message.id));
  const isPinned = useSelector((state) => state.pins.get(conversationId)?.some(({ id }) => id === message.id) === true);
  const nowMs = useNow();
  const [isPicking, setIsPicking] = useState(false);
  const pointRef = useRef<HTMLSpanElement>(null);
  const elementRef = useRef<HTMLElement>(at instanceof HTMLElement ? at : null);
  useEffect(() => {
    if (details === undefined) void controller.loadDetails(conversationId).catch(() => undefined);
  }, [controller, conversationId, details]);

  const mayTell = details !== undefined && administratorsToTell(details, [message]).length > 0;
  const may = details?.may ?? { post: true, pin: false };
  const own = new Set(message.reactions?.flatMap(({ emoji, isOwn }) => (isOwn ? [emoji] : [])));
  const react = (emoji: string): void => {
    close();
    rememberEmoji(emoji);
    void act(() => controller.react(message, emoji, !own.has(emoji)));
  };
  const canReact = isSaid(message) && may.post;
  const actions = request.view === "reactions" ? [] : actionsOf(message, { may, isStarred, isPinned, mayTell, nowMs });
  return (
    <MenuLanguage>
      {!(at instanceof HTMLElement) && <span ref={pointRef} className="menu-point" style={{ left: at.x, top: at.y }} />}
      <Popover
        triggerRef={at instanceof HTMLElement ? elementRef : pointRef}
        isOpen
        onOpenChange={(isOpen) => {
          if (!isOpen) close();
        }}
        placement={request.view === "menu" ? "bottom start" : "top"}
        offset={4}
        className="popover"
      >
        <Dialog aria-label={request.view === "menu" ? t("menu.label") : t("menu.reactions")} className="popover-dialog">
          {isPicking ? (
            <EmojiPicker choose={react} />
          ) : (
            <>
              {canReact && <ReactionBar own={own} isFirst={request.view === "reactions"} react={react} more={() => setIsPicking(true)} />}
              {actions.length > 0 && (
                <Menu
                  aria-label={t("menu.label")}
                  className="menu"
                  // A menu begins at its first line.
                  // oxlint-disable-next-line jsx-a11y/no-autofocus
                  autoFocus="first"
                  onAction={(key) => {
                    const action = actions.find((one) => one === key);
                    close();
                    if (action !== undefined) run(action);
                  }}
                >
                  {actions.map((action) => (
                    <MenuItem
                      key={action}
                      id={action}
                      textValue={t(`menu.actions.${action}`)}
                      className={`menu-item${action === "delete" ? " menu-item-danger" : ""}`}
                    >
                      <Icon name={icons[action]} size={18} />
                      <span>{t(`menu.actions.${action}`)}</span>
                    </MenuItem>
                  ))}
                </Menu>
              )}
            </>
          )}
        </Dialog>
      </Popover>
    </MenuLanguage>
  );
}

/** The emoji that are given most, and the way to all others. */
function ReactionBar({
  own,
  isFirst,
  react,
  more,
}: {
  readonly own: ReadonlySet<string>;
  /** Nothing else was asked for: it takes the focus. */
  readonly isFirst: boolean;
  readonly react: (emoji: string) => void;
  readonly more: () => void;
}): ReactElement {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isFirst) first.current?.focus({ preventScroll: true });
  }, [isFirst]);
  return (
    <div role="group" aria-label={t("menu.reactions")} className="menu-reactions">
      {recentEmoji().map((emoji, index) => (
        <button
          key={emoji}
          ref={index === 0 ? first : undefined}
          type="button"
          className="menu-reaction"
          aria-label={t("menu.reactWith", { emoji })}
          aria-pressed={own.has(emoji)}
          onClick={() => react(emoji)}
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        className="menu-reaction menu-reaction-more"
        aria-label={t("menu.moreEmoji")}
        title={t("menu.moreEmoji")}
        onClick={more}
      >
        <Icon name="add" size={20} />
      </button>
    </div>
  );
}
