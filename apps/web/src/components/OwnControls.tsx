import { muteEnd } from "@latchkey/client/own";
import { useCallback, useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import type { Conversation, Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatListTime } from "../state/format.ts";
import { previewText } from "../state/message-text.ts";
import { muteState } from "../state/mute-state.ts";
import { isMuted, muteTimes } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { useNow } from "../state/use-now.ts";
import { EraseConversationDialog } from "./EraseConversationDialog.tsx";
import { Icon } from "./Icon.tsx";

/** What the person sets of a conversation for themselves, on all of their devices. */
export function OwnControls({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const headingId = useId();
  const [isAsking, setIsAsking] = useState(false);
  const { client } = controller;
  const { id, own } = conversation;
  const markUnread = async (): Promise<void> => {
    if (await act(() => client.markUnread(id))) router.go({ kind: "home" });
  };
  return (
    <section aria-labelledby={headingId} className="details-section">
      <h2 id={headingId} className="section-heading">
        {t("own.heading")}
      </h2>
      <MuteField conversation={conversation} />
      <div className="own-actions">
        <button
          type="button"
          className="button"
          onClick={() => void act(() => client.pinConversation(id, own.pinnedPlace === undefined ? 0 : undefined))}
        >
          <Icon name="pin" size={18} />
          {own.pinnedPlace === undefined ? t("own.pin") : t("own.unpin")}
        </button>
        <button type="button" className="button" onClick={() => void act(() => client.archive(id, !own.isArchived))}>
          <Icon name="archive" size={18} />
          {own.isArchived ? t("own.unarchive") : t("own.archive")}
        </button>
        <button type="button" className="button" onClick={() => void markUnread()}>
          <Icon name="unread" size={18} />
          {t("own.markUnread")}
        </button>
      </div>
      <Starred id={id} />
      <button type="button" className="button button-wide button-danger-quiet" onClick={() => setIsAsking(true)}>
        {t("own.erase")}
      </button>
      {isAsking && <EraseConversationDialog conversation={conversation} close={() => setIsAsking(false)} />}
    </section>
  );
}

function MuteField({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const nowMs = useNow();
  const id = useId();
  const { mutedUntil } = conversation.own;
  const value = !isMuted(conversation, nowMs) ? "off" : mutedUntil === "always" ? "always" : "until";
  const change = (given: string): void => {
    const time = muteTimes.find((one) => one === given);
    if (given !== "until")
      void act(() => controller.client.mute(conversation.id, time === undefined ? undefined : muteEnd(time, Date.now())));
  };
  return (
    <div className="field own-mute">
      <label htmlFor={id}>{t("own.mute")}</label>
      <select id={id} className="input" value={value} onChange={(event) => change(event.target.value)}>
        <option value="off">{t("own.notMuted")}</option>
        {value === "until" && typeof mutedUntil === "number" && <option value="until">{muteState(mutedUntil, nowMs)}</option>}
        {muteTimes.map((time) => (
          <option key={time} value={time}>
            {t(`own.muteTimes.${time}`)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Starred({ id }: { readonly id: string }): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  const nowMs = useNow();
  const stars = useSelector((state) => state.stars);
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const headingId = useId();
  const load = useCallback(async () => setMessages(await controller.client.starred(id)), [controller, id]);
  useEffect(() => {
    void load().catch(() => undefined);
  }, [load, stars]);
  if (messages.length === 0) return undefined;
  return (
    <>
      <h3 id={headingId} className="own-starred-heading">
        {t("own.starred")}
      </h3>
      <ul className="own-starred" aria-labelledby={headingId}>
        {messages.map((message) => (
          <li key={message.id}>
            <p>
              <bdi className="own-starred-who">{message.author === undefined ? "" : nameOf(message.author)}</bdi>{" "}
              <time>{formatListTime(message.sentAtMs, nowMs)}</time>
            </p>
            <p dir="auto" className="own-starred-text">
              {message.body.kind === "text" ? previewText(message.body.text) : message.body.kind === "poll" ? message.body.question : ""}
            </p>
            <button
              type="button"
              className="icon-button"
              aria-label={t("own.unstar")}
              title={t("own.unstar")}
              onClick={() => void act(() => controller.client.star(id, message.id, false))}
            >
              <Icon name="star" size={18} />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
