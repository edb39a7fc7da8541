import "../styles/later.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Reminder } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { titleOf } from "../state/own.ts";
import { previewOf } from "../state/preview.ts";
import { revealFound } from "../state/reveal-found.ts";

/** At the head of the list: the messages that the person wanted to be reminded of by now. */
export function DueReminders(): ReactElement | undefined {
  const app = useApp();
  const { controller } = app;
  const act = useAction();
  const version = useSelector((state) => state.noticesVersion);
  const conversations = useSelector((state) => state.conversations);
  const [due, setDue] = useState<readonly Reminder[]>([]);
  useEffect(() => {
    let isGone = false;
    void controller.client
      .reminders()
      .then((all) => isGone || setDue(all.filter(({ isDue }) => isDue)))
      .catch(() => undefined);
    return () => {
      isGone = true;
    };
  }, [controller, version]);
  if (due.length === 0) return undefined;
  return (
    <ul className="reminders" aria-label={t("later.reminders")}>
      {due.map(({ message }) => {
        const conversation = conversations.get(message.conversationId);
        return (
          <li key={message.id} className="list-note">
            <button
              type="button"
              title={t("later.reminders")}
              onClick={() => void act(() => revealFound(app, message.conversationId, message.id))}
            >
              <Icon name="clock" size={16} />
              <span className="reminder-text" dir="auto">
                {conversation === undefined ? "" : `${titleOf(conversation)}: `}
                {previewOf(message)}
              </span>
            </button>
            <button
              type="button"
              className="icon-button icon-button-small"
              aria-label={t("later.done")}
              title={t("later.done")}
              onClick={() => void act(() => controller.client.remind(message.conversationId, message.id, undefined))}
            >
              <Icon name="check" size={16} />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
