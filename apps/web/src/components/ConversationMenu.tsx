import "../styles/menu.css";
import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { Dialog, Menu, MenuItem, Popover } from "react-aria-components";
import { MenuLanguage } from "./MenuLanguage.tsx";
import type { Conversation, MuteTime } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { conversationActions, isGrave } from "../state/conversation-actions.ts";
import type { ConversationAction } from "../state/conversation-actions.ts";
import { muteTimes, titleOf } from "../state/own.ts";
import { useNow } from "../state/use-now.ts";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./Icon.tsx";
import type { MenuPlace } from "./message-menu-context.ts";

const icons: Readonly<Record<ConversationAction, IconName>> = {
  pin: "pin",
  unpin: "pin",
  mute: "mute",
  unmute: "mute",
  archive: "archive",
  unarchive: "archive",
  markRead: "check",
  markUnread: "unread",
  erase: "bin",
  block: "close",
  unblock: "addPerson",
  leave: "leave",
};

/** What can be done with one conversation of the list. */
export function ConversationMenu({
  conversation,
  at,
  act,
  mute,
  close,
}: {
  readonly conversation: Conversation;
  readonly at: MenuPlace;
  /** Does what was chosen, and closes the menu. */
  readonly act: (action: Exclude<ConversationAction, "mute">) => void;
  readonly mute: (time: MuteTime) => void;
  readonly close: () => void;
}): ReactElement {
  const nowMs = useNow();
  const [isMuting, setIsMuting] = useState(false);
  const pointRef = useRef<HTMLSpanElement>(null);
  const elementRef = useRef<HTMLElement>(at instanceof HTMLElement ? at : null);
  const label = t("list.menu", { title: titleOf(conversation) });
  const actions = conversationActions(conversation, nowMs);
  const choose = (key: string | number): void => {
    const action = actions.find((one) => one === key);
    if (action === "mute") {
      setIsMuting(true);
      return;
    }
    if (action === undefined) close();
    else act(action);
  };
  const chooseTime = (key: string | number): void => {
    const time = muteTimes.find((one) => one === key);
    if (time === undefined) close();
    else mute(time);
  };
  return (
    <>
      {!(at instanceof HTMLElement) && <span ref={pointRef} className="menu-point" style={{ left: at.x, top: at.y }} />}
      <MenuLanguage>
        <Popover
          triggerRef={at instanceof HTMLElement ? elementRef : pointRef}
          isOpen
          onOpenChange={(isOpen) => {
            if (!isOpen) close();
          }}
          placement="bottom start"
          offset={4}
          className="popover"
        >
          <Dialog aria-label={label} className="popover-dialog">
            {isMuting ? (
              <Menu
                key="mute"
                aria-label={t("list.actions.mute")}
                className="menu"
                // A menu begins at its first line.
                // oxlint-disable-next-line jsx-a11y/no-autofocus
                autoFocus="first"
                onAction={chooseTime}
              >
                {muteTimes.map((time) => (
                  <MenuItem key={time} id={time} textValue={t(`own.muteTimes.${time}`)} className="menu-item">
                    <span>{t(`own.muteTimes.${time}`)}</span>
                  </MenuItem>
                ))}
              </Menu>
            ) : (
              <Menu
                key="all"
                aria-label={label}
                className="menu"
                // A menu begins at its first line.
                // oxlint-disable-next-line jsx-a11y/no-autofocus
                autoFocus="first"
                onAction={choose}
              >
                {actions.map((action) => (
                  <MenuItem
                    key={action}
                    id={action}
                    textValue={t(`list.actions.${action}`)}
                    className={`menu-item${isGrave(action) ? " menu-item-danger" : ""}`}
                  >
                    <Icon name={icons[action]} size={18} />
                    <span>{t(`list.actions.${action}`)}</span>
                  </MenuItem>
                ))}
              </Menu>
            )}
          </Dialog>
        </Popover>
      </MenuLanguage>
    </>
  );
}
