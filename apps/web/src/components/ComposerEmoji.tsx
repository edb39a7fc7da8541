import "../styles/menu.css";
import { useRef } from "react";
import type { ReactElement, RefObject } from "react";
import { Dialog, Popover } from "react-aria-components";
import { t } from "../messages/words.ts";
import { hasFinePointer } from "../state/context.ts";
import { recentEmoji, rememberEmoji } from "../state/recent-emoji.ts";
import { EmojiPicker } from "./EmojiPicker.tsx";
import { MenuLanguage } from "./MenuLanguage.tsx";

/** Emoji for the field: several by mouse, one by Enter or finger, unless Shift is held. */
export function ComposerEmoji({
  button,
  insert,
  close,
}: {
  readonly button: RefObject<HTMLButtonElement | null>;
  readonly insert: (emoji: string) => void;
  readonly close: () => void;
}): ReactElement {
  const stays = useRef(false);
  const choose = (emoji: string): void => {
    rememberEmoji(emoji);
    insert(emoji);
    if (!stays.current) close();
  };
  return (
    <MenuLanguage>
      <Popover triggerRef={button} isOpen onOpenChange={(isOpen) => isOpen || close()} placement="top end" offset={8} className="popover">
        <Dialog aria-label={t("menu.emoji.heading")} className="popover-dialog">
          <div
            onKeyDownCapture={(event) => {
              stays.current = event.shiftKey;
            }}
            onPointerDownCapture={(event) => {
              stays.current = event.shiftKey || (event.pointerType === "mouse" && hasFinePointer());
            }}
          >
            <div role="group" aria-label={t("menu.emoji.recent")} className="menu-reactions emoji-recent">
              {recentEmoji().map((emoji) => (
                <button key={emoji} type="button" className="menu-reaction" onClick={() => choose(emoji)}>
                  {emoji}
                </button>
              ))}
            </div>
            <EmojiPicker choose={choose} />
          </div>
        </Dialog>
      </Popover>
    </MenuLanguage>
  );
}
