import { useEffect, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure, Message } from "@latchkey/client";
import { alarmWords, failureWords, listOf, t } from "../messages/words.ts";
import { groupAlarms } from "../state/app-state.ts";
import type { AlarmGroup, AppState } from "../state/app-state.ts";
import { useAction, useApp, useRoute, useSelector } from "../state/context.ts";
import { formatAgo, formatTime, isoTime } from "../state/format.ts";
import { loadNewest } from "../state/load-newest.ts";
import { readAnnouncement, rememberAnnouncement } from "../state/preferences.ts";
import { Icon } from "./Icon.tsx";
import { nameOf } from "../state/person-name.ts";
import { useNow } from "../state/use-now.ts";
import { lazyComponent } from "./lazy.tsx";

const AlarmFacts = lazyComponent(async () => (await import("./AlarmFacts.tsx")).AlarmFacts);

const patienceMs = 2000;
/** Warnings after which one looks at one's devices. */
const devicesCodes: readonly ClientFailure["code"][] = ["account_changed", "device_added", "device_removed", "profile_restored"];

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
            {connection.cause === undefined
              ? t("connection.offline", { since: formatTime(connection.sinceMs) })
              : failureWords(connection.cause).title}
            {connection.waitingCount > 0 && ` · ${t("connection.waiting", { n: connection.waitingCount })}`}
          </span>
          {connection.cause?.code === "app_outdated" ? (
            // The server that is too new for this page has a newer one.
            <button type="button" className="link-button" onClick={loadNewest}>
              {t("connection.update")}
            </button>
          ) : (
            <button type="button" className="link-button" onClick={() => controller.client.wake()}>
              {t("connection.tryNow")}
            </button>
          )}
        </p>
      )}
      {isConnecting && isLate && <p className="connection-line">{t("connection.connecting")}</p>}
    </div>
  );
}

/** The thin line while much is read that came meanwhile. It moves too often to be read out. */
export function CatchUpLine(): ReactElement | undefined {
  const progress = useSelector((state) => state.catchUp);
  if (progress === undefined) return undefined;
  const { read, of } = progress;
  const text = t("connection.reading", { done: read, total: of });
  return (
    <div className="connection">
      <p role="progressbar" aria-label={text} aria-valuenow={read} aria-valuemax={of} className="connection-line tabular">
        {text}
      </p>
    </div>
  );
}

/** The thin line while conversations still come to a device that was linked just now. */
export function HistoryLine(): ReactElement | undefined {
  const link = useSelector((state) => state.link);
  const isLinkPage = useRoute().kind === "link";
  if (link?.kind !== "moving" || isLinkPage) return undefined;
  return (
    <div role="status" className="connection">
      <p className="connection-line tabular">{t("connection.fetching", { done: link.done, total: link.total })}</p>
    </div>
  );
}

/** What the operator tells everybody: the server's word, shown as that, as plain text, until it is put away. Another one is shown again. */
export function AnnouncementLine(): ReactElement | undefined {
  const server = useSelector((state) => state.server);
  const [read, setRead] = useState(readAnnouncement);
  if (server === undefined || server.announcement === "" || server.announcement === read) return undefined;
  const dismiss = (): void => {
    rememberAnnouncement(server.announcement);
    setRead(server.announcement);
  };
  return (
    <aside aria-label={t("announcementRegion")} className="announcement">
      <p className="connection-line">
        <span>
          <strong>{t("announcedBy", { host: server.host })}</strong> <bdi>{server.announcement}</bdi>
        </span>
        <button type="button" className="icon-button icon-button-small" aria-label={t("common.dismiss")} onClick={dismiss}>
          <Icon name="close" size={16} />
        </button>
      </p>
    </aside>
  );
}

/** Warnings, full width, until the person has handled them; those with most at stake first. */
export function AlarmBanners(): ReactElement {
  const alarms = useSelector((state) => state.alarms);
  const groups = useMemo(() => groupAlarms(alarms), [alarms]);
  return (
    <div role="alert" aria-label={t("alarmRegion")} className="alarms">
      {groups.map((group) => (
        <AlarmBanner key={group.key} group={group} isOpen={groups.length < 3 || group === groups[0]} />
      ))}
    </div>
  );
}

function AlarmBanner({ group, isOpen }: { readonly group: AlarmGroup; readonly isOpen: boolean }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const route = useRoute();
  const nowMs = useNow();
  const conversations = useSelector((state) => state.conversations);
  const { alarms } = group;
  const [{ failure, id, atMs }] = alarms;
  // What is not in the list, such as the group of one's own devices, has no name to tell.
  const places = alarms.flatMap(({ conversationId }) => conversations.get(conversationId ?? "") ?? []);
  const elsewhere = places.find((place) => !(route.kind === "conversation" && route.id === place.id));
  const handle = (): void => {
    void act(async () => {
      for (const alarm of alarms) await controller.handleAlarm(alarm);
    });
  };
  const [isExpanded, setIsExpanded] = useState(isOpen);
  const [isSure, setIsSure] = useState(false);
  const sureRef = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isSure) sureRef.current?.focus();
  }, [isSure]);
  const text = alarmWords(failure);
  return (
    <section className="alarm">
      <Icon name="alert" size={24} />
      <div className="alarm-text">
        <strong>
          {places.length > 0 && `${placeNames(places.map(({ title }) => title))}: `}
          {text.title}
        </strong>{" "}
        {id !== undefined && (
          <time className="alarm-time" dateTime={isoTime(atMs)}>
            {formatAgo(atMs, nowMs)}
          </time>
        )}
        {isExpanded && (
          <>
            {text.meaning !== "" && <p>{text.meaning}</p>}
            {text.done !== "" && (
              <p>
                <b>{text.done}</b>
              </p>
            )}
            <p>{text.advice}</p>
            <AlarmFacts alarms={alarms} />
          </>
        )}
      </div>
      <div className="alarm-actions">
        {!isExpanded && (
          <button type="button" className="button" onClick={() => setIsExpanded(true)}>
            {t("alarmMore")}
          </button>
        )}
        {isExpanded && elsewhere !== undefined && (
          <button type="button" className="button" onClick={() => router.go({ kind: "conversation", id: elsewhere.id, details: false })}>
            {t("openConversation")}
          </button>
        )}
        {isExpanded && devicesCodes.includes(failure.code) && route.kind !== "devices" && (
          <button type="button" className="button" onClick={() => router.go({ kind: "devices" })}>
            {t("openDevices")}
          </button>
        )}
        {isExpanded && !isSure && (
          <button
            type="button"
            className="button"
            // What the client does not keep goes away by itself when it is over: nothing to be sure about.
            onClick={() => (id === undefined ? handle() : setIsSure(true))}
          >
            {id === undefined ? t("acknowledge") : t("alarmHandled")}
          </button>
        )}
      </div>
      {isSure && (
        <div className="alarm-sure">
          <p>{t("alarmSure")}</p>
          <div className="alarm-actions">
            <button type="button" className="button" onClick={() => setIsSure(false)}>
              {t("alarmKeep")}
            </button>
            <button ref={sureRef} type="button" className="button button-danger" onClick={handle}>
              {t("alarmRemove")}
            </button>
          </div>
        </div>
      )}
    </section>
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
  const heard = describeHeard(message, openId, conversations);
  const { doubt, author } = message;
  return doubt === undefined || author === undefined ? heard : `${t(`conversation.doubt.${doubt}`, { author: nameOf(author) })}. ${heard}`;
}

function describeHeard(message: Message, openId: string | undefined, conversations: AppState["conversations"]): string {
  const author = message.author === undefined ? t("system.someone") : nameOf(message.author);
  if (message.conversationId !== openId) {
    const conversation = conversations.get(message.conversationId);
    // A conversation of two is called after the other one.
    if (conversation === undefined || conversation.kind === "direct") return t("conversation.heardFrom", { author });
    return t("conversation.heardElsewhere", { author, title: conversation.title });
  }
  const text = message.body.kind === "text" ? message.body.text.slice(0, 300) : t("system.unreadable");
  return t("conversation.heard", { author, text });
}

/** Three of the conversations that a warning is about, and how many more. */
function placeNames(titles: readonly string[]): string {
  return listOf(titles.length > 3 ? [...titles.slice(0, 3), t("common.others", { n: titles.length - 3 })] : titles);
}
