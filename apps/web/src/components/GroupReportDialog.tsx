import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import type { GroupReportReason, Message } from "@latchkey/client";
import { groupReportReasons, maxGroupReportWordsBytes } from "@latchkey/client/limits";
import { listOf, t } from "../messages/words.ts";
import { textOf } from "../state/acting.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { administratorsToTell } from "../state/group-members.ts";
import { nameOf } from "../state/person-name.ts";
import { Modal } from "./Dialog.tsx";

/** Tells those who lead a group of messages: nobody else in it learns of it. */
export function GroupReportDialog({
  messages,
  close,
}: {
  readonly messages: readonly Message[];
  readonly close: (isDone: boolean) => void;
}): ReactElement {
  const { controller, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const conversationId = messages[0]?.conversationId ?? "";
  const details = useSelector((state) => state.details.get(conversationId));
  const [reason, setReason] = useState<GroupReportReason>("spam");
  const [words, setWords] = useState("");
  const id = useId();
  const told = details === undefined ? [] : administratorsToTell(details, messages);
  const over = new TextEncoder().encode(words.trim()).length - maxGroupReportWordsBytes;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const report = { messageIds: messages.map((message) => message.id), reason, words: words.trim() };
    void act(async () => {
      const people = await controller.client.reportToAdministrators(conversationId, report);
      notify(t("moderation.report.sent", { names: listOf(people.map(nameOf)) }));
    }).then((isDone) => isDone && close(true));
  };
  return (
    <Modal title={t("moderation.report.title")} close={() => close(false)}>
      <form className="group-form" onSubmit={submit}>
        <ul className="report-messages">
          {messages.map((message) => (
            <li key={message.id}>
              <bdi>{message.author === undefined ? "" : nameOf(message.author)}</bdi>
              <span dir="auto">{textOf(message)}</span>
            </li>
          ))}
        </ul>
        <p className="dialog-body">{t("moderation.report.body", { names: listOf(told.map(nameOf)), n: messages.length })}</p>
        <div className="field">
          <label htmlFor={`${id}reason`}>{t("moderation.report.reason")}</label>
          <select id={`${id}reason`} className="input" value={reason} onChange={(event) => setReason(reasonOf(event.target.value))}>
            {groupReportReasons.map((one) => (
              <option key={one} value={one}>
                {t(`moderation.reason.${one}`)}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}words`}>{t("moderation.report.words")}</label>
          <textarea
            id={`${id}words`}
            className="input"
            rows={3}
            dir="auto"
            value={words}
            aria-invalid={over > 0}
            aria-describedby={`${id}over`}
            onChange={(event) => setWords(event.target.value)}
          />
          <p id={`${id}over`} className="field-error">
            {over > 0 && t("group.settings.nameLong", { bytes: over })}
          </p>
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => close(false)}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-danger" disabled={isBusy || over > 0 || told.length === 0}>
            {t("moderation.report.send")}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function reasonOf(value: string): GroupReportReason {
  return groupReportReasons.find((one) => one === value) ?? "other";
}
