import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { failureWords, words } from "../messages/words.ts";
import type { AppState } from "../state/app-state.ts";
import { useApp, useRoute, useSelector } from "../state/context.ts";
import { formatTime } from "../state/format.ts";
import { Icon } from "./Icon.tsx";

const patienceMs = 2000;

/** The thin line while there is no connection. Coming back is silent. */
export function ConnectionLine(): ReactElement | undefined {
  const { controller } = useApp();
  const connection = useSelector((state) => state.connection);
  const [isLate, setIsLate] = useState(false);
  const isConnecting = connection.kind === "connecting";
  useEffect(() => {
    setIsLate(false);
    if (!isConnecting) return undefined;
    const timer = setTimeout(() => setIsLate(true), patienceMs);
    return () => clearTimeout(timer);
  }, [isConnecting]);
  return (
    <div role="status" className="connection">
      {connection.kind === "offline" && (
        <p className="connection-line">
          <span>
            {words.connection.offline(formatTime(connection.sinceMs))}
            {connection.waitingCount > 0 && ` · ${words.connection.waiting(connection.waitingCount)}`}
          </span>
          <button type="button" className="link-button" onClick={() => controller.client.wake()}>
            {words.connection.tryNow}
          </button>
        </p>
      )}
      {isConnecting && isLate && <p className="connection-line">{words.connection.connecting}</p>}
    </div>
  );
}

/** Warnings, full width: those of no conversation, and those of other conversations than the one on the screen. */
export function AlarmBanners(): ReactElement {
  const { controller, router } = useApp();
  const alarms = useSelector((state) => state.alarms);
  const conversations = useSelector((state) => state.conversations);
  const route = useRoute();
  const openId = route.kind === "conversation" ? route.id : undefined;
  return (
    <div role="alert" aria-label={words.alarmRegion} className="alarms">
      {alarms.map(({ key, failure, conversationId }) => {
        const { title, advice } = failureWords(failure);
        const conversation = conversationId === undefined ? undefined : conversations.get(conversationId);
        return (
          <section key={key} className="alarm">
            <Icon name="alert" size={24} />
            <div className="alarm-text">
              <strong>
                {conversation !== undefined && <bdi>{conversation.title}: </bdi>}
                {title}
              </strong>
              <p>{advice}</p>
            </div>
            <div className="alarm-actions">
              {conversation !== undefined && conversation.id !== openId && (
                <button
                  type="button"
                  className="button"
                  onClick={() => router.go({ kind: "conversation", id: conversation.id, details: false })}
                >
                  {words.openConversation}
                </button>
              )}
              <button type="button" className="button" onClick={() => controller.handleAlarm(key)}>
                {words.acknowledge}
              </button>
            </div>
          </section>
        );
      })}
    </div>
  );
}

/** Tells a screen reader of messages that have come. */
export function LiveMessages(): ReactElement {
  const heard = useSelector((state) => state.heard);
  const openId = useSelector((state) => state.openId);
  const conversations = useSelector((state) => state.conversations);
  return (
    <div aria-live="polite" className="visually-hidden">
      {heard.message === undefined ? "" : <p key={heard.key}>{describe(heard.message, openId, conversations)}</p>}
    </div>
  );
}

function describe(message: Message, openId: string | undefined, conversations: AppState["conversations"]): string {
  const author = message.author?.displayName ?? words.system.someone;
  if (message.conversationId !== openId) {
    return words.conversation.heardElsewhere(author, conversations.get(message.conversationId)?.title ?? author);
  }
  const text = message.body.kind === "text" ? message.body.text.slice(0, 300) : words.system.unreadable;
  return words.conversation.heard(author, text);
}
