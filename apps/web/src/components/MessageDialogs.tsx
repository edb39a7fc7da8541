import "../styles/menu.css";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import type { Message, MessageInfo, Person } from "@latchkey/client";
import { manyHops, maxForwards } from "@latchkey/client/limits";
import { rowOf, t } from "../messages/words.ts";
import { sortConversations } from "../state/app-state.ts";
import { useAction, useApp, useBusyAction, useSelector } from "../state/context.ts";
import { formatBytes, formatFull } from "../state/format.ts";
import { forwardAll } from "../state/forwarding.ts";
import { canDeleteForEveryone } from "../state/message-actions.ts";
import { namesWith } from "../state/name-search.ts";
import { titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { previewOf } from "../state/preview.ts";
import { useNow } from "../state/use-now.ts";
import { Avatar } from "./Avatar.tsx";
import { Modal } from "./Dialog.tsx";

/** Asks for whom messages are deleted. */
export function DeleteDialog({
  messages,
  close,
}: {
  readonly messages: readonly Message[];
  readonly close: (isDone: boolean) => void;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const conversationId = messages[0]?.conversationId ?? "";
  const may = useSelector((state) => state.details.get(conversationId)?.may);
  const forAll = canDeleteForEveryone(messages, may ?? { deleteOthers: false }, useNow());
  const run = (forEveryone: boolean): void => {
    const ids = messages.map(({ id }) => id);
    void act(() => controller.client.deleteMessages(conversationId, ids, { forEveryone })).then((isDone) => isDone && close(true));
  };
  return (
    <Modal title={t("menu.remove.title", { n: messages.length })} close={() => close(false)} isAlert>
      <p className="dialog-body">{forAll ? t("menu.remove.body") : t("menu.remove.bodyAlone")}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => close(false)}>
          {t("common.cancel")}
        </button>
        <button type="button" className="button button-danger-quiet" disabled={isBusy} onClick={() => run(false)}>
          {t("menu.remove.forMe")}
        </button>
        {forAll && (
          <button type="button" className="button button-danger" disabled={isBusy} onClick={() => run(true)}>
            {t("menu.remove.forEveryone")}
          </button>
        )}
      </div>
    </Modal>
  );
}

/** Asks to whom messages are sent on. */
export function ForwardDialog({
  messages,
  close,
}: {
  readonly messages: readonly Message[];
  readonly close: (isDone: boolean) => void;
}): ReactElement {
  const { controller, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const conversations = useSelector((state) => state.conversations);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState("");
  const id = useId();
  const limit = messages.some(({ forwardedHops = 0 }) => forwardedHops >= manyHops) ? 1 : maxForwards;
  const found = useMemo(() => {
    const isCalled = namesWith(asked);
    return sortConversations(conversations).filter((one) => one.status === "active" && !one.isBlocked && isCalled(titleOf(one)));
  }, [asked, conversations]);
  const toggle = (conversationId: string): void => {
    const next = new Set(chosen);
    if (!next.delete(conversationId)) next.add(conversationId);
    if (next.size <= limit) setChosen(next);
  };
  const gone = useRef(new Set<string>());
  const [note, setNote] = useState("");
  const run = async (): Promise<void> => {
    const forward = (message: Message, to: string): Promise<unknown> => controller.client.forward(message.conversationId, message.id, [to]);
    const { done, stopped } = await forwardAll({ messages, to: chosen, gone: gone.current, forward });
    if (stopped === undefined) {
      notify(t("menu.forwarded", { n: done.length }));
      return;
    }
    const conversation = conversations.get(stopped.to);
    setNote(t("menu.forward.stopped", { title: conversation === undefined ? "" : titleOf(conversation), done: done.length }));
    // What is left stays chosen.
    setChosen(new Set([...chosen].filter((one) => !done.includes(one))));
    throw stopped.error;
  };
  return (
    <Modal title={t("menu.forward.title")} close={() => close(false)}>
      <label htmlFor={id} className="visually-hidden">
        {t("menu.forward.search")}
      </label>
      <input
        id={id}
        type="search"
        className="input forward-search"
        placeholder={t("menu.forward.search")}
        value={asked}
        onChange={(event) => setAsked(event.target.value)}
      />
      <ul className="forward-list">
        {found.map((one) => (
          <li key={one.id}>
            <label className="forward-row">
              <Avatar id={one.peer?.accountId ?? one.id} name={titleOf(one)} size="small" isGroup={one.kind === "group"} />
              <bdi>{titleOf(one)}</bdi>
              <input
                type="checkbox"
                checked={chosen.has(one.id)}
                disabled={!chosen.has(one.id) && chosen.size >= limit}
                onChange={() => toggle(one.id)}
              />
            </label>
          </li>
        ))}
        {found.length === 0 && <li className="dialog-body">{t("menu.forward.none")}</li>}
      </ul>
      <p className="forward-note" role="status">
        {note} {chosen.size > 0 ? t("menu.forward.chosen", { n: chosen.size }) : t("menu.forward.most", { n: limit })}
      </p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => close(false)}>
          {t("common.cancel")}
        </button>
        <button
          type="button"
          className="button button-primary"
          disabled={isBusy || chosen.size === 0}
          onClick={() => void act(run).then((isDone) => isDone && close(true))}
        >
          {t("menu.forward.send")}
        </button>
      </div>
    </Modal>
  );
}

/** Everything that this device knows of a message. */
export function InfoDialog({ message, close }: { readonly message: Message; readonly close: () => void }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [info, setInfo] = useState<MessageInfo>();
  const isGone = useRef(false);
  const { conversationId, id } = message;
  useEffect(() => {
    isGone.current = false;
    void act(async () => {
      const found = await controller.client.messageInfo(conversationId, id);
      if (!isGone.current) setInfo(found);
    });
    return () => {
      isGone.current = true;
    };
    // The message as it is now: it may change while it is looked at.
  }, [act, controller, conversationId, id, message]);
  return (
    <Modal title={t("menu.info.title")} close={close}>
      {info !== undefined && (
        <dl className="message-info">
          <Fact name={t(info.message.author?.isSelf === true ? "menu.info.sentOwn" : "menu.info.sent")}>
            {info.claimedAtMs === undefined ? t("menu.info.noTime") : formatFull(info.claimedAtMs)}
          </Fact>
          <Fact name={t("menu.info.arrived")}>{formatFull(info.arrivedAtMs)}</Fact>
          {info.message.sharedBy !== undefined && (
            <Fact name={t("menu.info.sharedBy")}>
              <People people={[info.message.sharedBy]} />
            </Fact>
          )}
          {message.author?.isSelf === true && (
            <>
              <Fact name={t("menu.info.read")}>
                <People people={info.readBy} />
              </Fact>
              <Fact name={t("menu.info.delivered")}>
                <People people={info.deliveredTo} />
              </Fact>
            </>
          )}
          {message.files !== undefined && (
            <Fact name={t("menu.info.files")}>
              {message.files.map((file) => (
                <span key={file.id} className="message-info-version">
                  <bdi>{file.name}</bdi>
                  <small>
                    {file.mediaType} · {formatBytes(file.sizeBytes)}
                  </small>
                </span>
              ))}
            </Fact>
          )}
          {info.reactions.map(({ emoji, people }) => (
            <Fact key={emoji} name={emoji}>
              <People people={people} />
            </Fact>
          ))}
          {info.versions.length > 1 && (
            <Fact name={t("menu.info.versions")}>
              {info.versions.slice(0, -1).map((version) => (
                <span key={version.arrivedAtMs} className="message-info-version">
                  {/* Of one without words what came with it. */}
                  <bdi dir="auto">{version.text || previewOf({ ...message, body: { kind: "text", text: "" } })}</bdi>
                  <small>{formatFull(version.claimedAtMs ?? version.arrivedAtMs)}</small>
                </span>
              ))}
            </Fact>
          )}
          {info.refused.length > 0 && (
            <Fact name={t("menu.info.refused")}>
              {rowOf(info.refused.map(({ person, count }) => `${nameOf(person)} (${t("menu.info.times", { n: count })})`))}
            </Fact>
          )}
        </dl>
      )}
    </Modal>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function People({ people }: { readonly people: readonly Person[] }): ReactElement {
  return (
    <>{people.length === 0 ? t("menu.info.nobody") : rowOf(people.map((person) => (person.isSelf ? t("common.you") : nameOf(person))))}</>
  );
}
