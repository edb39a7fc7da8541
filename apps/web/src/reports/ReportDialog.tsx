import "./report.css";
import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import type { ClientErrorCode, Message, Person, ReportPreview, ReportReason } from "@latchkey/client";
import { maxReportWordsBytes, reportReasons } from "@latchkey/client/limits";
import { Modal } from "../components/Dialog.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useBusyAction } from "../state/context.ts";
import { textOf } from "../state/acting.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { failureOf } from "../worker/protocol.ts";
import { choiceOf, choicesAround, isEnclosable, paramsOf, withMessage } from "./report-choice.ts";
import { Disclosed } from "./Disclosed.tsx";

/** What keeps a report from being made or sent. */
type ReportRefusal = "nothingProved" | "nothingUnnamed" | "noDesk";
/** By the client's code for it. */
type Told = Partial<Readonly<Record<ClientErrorCode, ReportRefusal>>>;

/**
 * Reports somebody's messages to whoever runs their server: chosen, said why, then looked at as they will be disclosed, and sent.
 * @param messages what was chosen already; none where a person is reported from elsewhere
 */
export function ReportDialog(props: {
  readonly conversationId: string;
  readonly accused: Person;
  readonly messages: readonly Message[];
  readonly close: (isDone: boolean) => void;
}): ReactElement {
  const { conversationId, accused, messages, close } = props;
  const { controller, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const [refusal, setRefusal] = useState<ReportRefusal>();
  const [choice, setChoice] = useState(() => choiceOf(messages, accused.accountId));
  const [reason, setReason] = useState<ReportReason>("other");
  const [words, setWords] = useState("");
  const [isAnonymous, setIsAnonymous] = useState(false);
  const [preview, setPreview] = useState<ReportPreview>();
  const id = useId();
  const over = new TextEncoder().encode(words.trim()).length - maxReportWordsBytes;
  /** Does it; why it cannot be done stands in the dialog, as far as that hangs on what was chosen here. */
  const run = async (told: Told, work: () => Promise<unknown>): Promise<boolean> => {
    const found: { refusal?: ReportRefusal | undefined } = {};
    const isDone = await act(async () => {
      try {
        await work();
      } catch (error) {
        found.refusal = told[failureOf(error).code];
        if (found.refusal === undefined) throw error;
      }
    });
    setRefusal(found.refusal);
    return isDone && found.refusal === undefined;
  };
  const look = (which = choice): void =>
    void run({ not_permitted: "nothingProved", ...(isAnonymous ? { invalid_setting: "nothingUnnamed" } : {}) }, async () => {
      setPreview(await controller.client.previewReport(conversationId, paramsOf(which, { reason, words, isAnonymous })));
    });
  const leaveOut = (messageId: string): void => {
    const changed = withMessage(choice, messageId, "none");
    setChoice(changed);
    if (changed.complained.size === 0) setPreview(undefined);
    else look(changed);
  };
  const send = (): void =>
    void run({ not_permitted: "noDesk" }, async () => {
      await controller.client.report(conversationId, paramsOf(choice, { reason, words, isAnonymous }));
    }).then((isDone) => {
      if (!isDone) return;
      notify(t("report.sent"));
      close(true);
    });
  const title = t("report.title", { name: nameOf(accused) });
  if (preview !== undefined) {
    return (
      <Modal title={t("report.disclosed.title")} close={() => close(false)}>
        <Disclosed preview={preview} leaveOut={leaveOut} isBusy={isBusy} />
        <Refused why={refusal} host={accused.host} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => setPreview(undefined)}>
            {t("report.change")}
          </button>
          <button type="button" className="button button-danger" disabled={isBusy} onClick={send}>
            {t("report.send")}
          </button>
        </div>
      </Modal>
    );
  }
  return (
    <Modal title={title} close={() => close(false)}>
      <form
        className="report"
        onSubmit={(event) => {
          event.preventDefault();
          look();
        }}
      >
        <p className="dialog-body">{t("report.lead", { host: accused.host })}</p>
        <div className="field">
          <label htmlFor={`${id}reason`}>{t("report.reason")}</label>
          <select
            id={`${id}reason`}
            className="input"
            value={reason}
            onChange={(event) => setReason(reportReasons.find((one) => one === event.target.value) ?? "other")}
          >
            {reportReasons.map((one) => (
              <option key={one} value={one}>
                {t(`report.reasons.${one}`)}
              </option>
            ))}
          </select>
        </div>
        <Choose
          conversationId={conversationId}
          accused={accused}
          around={messages[0]}
          partOf={(messageId) => (choice.complained.has(messageId) ? "complained" : choice.beside.has(messageId) ? "beside" : "none")}
          change={(messageId, as) => setChoice(withMessage(choice, messageId, as))}
        />
        <div className="field">
          <label htmlFor={`${id}words`}>{t("report.words")}</label>
          <textarea
            id={`${id}words`}
            className="input"
            rows={3}
            dir="auto"
            value={words}
            aria-invalid={over > 0}
            onChange={(event) => setWords(event.target.value)}
          />
          {over > 0 && <p className="field-error">{t("report.wordsLong", { bytes: over })}</p>}
        </div>
        <fieldset className="report-who">
          <legend>{t("report.who")}</legend>
          {[false, true].map((one) => (
            <label key={String(one)}>
              <input type="radio" name={`${id}who`} checked={isAnonymous === one} onChange={() => setIsAnonymous(one)} />
              <span>
                {one ? t("report.anonymous") : t("report.named")}
                <span className="setting-hint">{one ? t("report.anonymousHint") : t("report.namedHint")}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Refused why={refusal} host={accused.host} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => close(false)}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-primary" disabled={isBusy || over > 0 || choice.complained.size === 0}>
            {t("report.look")}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function Refused({ why, host }: { readonly why: ReportRefusal | undefined; readonly host: string }): ReactElement | undefined {
  if (why === undefined) return undefined;
  return (
    <p role="alert" className="notice notice-danger">
      {t(`report.refused.${why}`, { host })}
    </p>
  );
}

/** Messages around those that were chosen: what is complained of, what is shown beside it, and what is not shown. */
function Choose(props: {
  readonly conversationId: string;
  readonly accused: Person;
  readonly around: Message | undefined;
  readonly partOf: (messageId: string) => "complained" | "beside" | "none";
  readonly change: (messageId: string, as: "complained" | "beside" | "none") => void;
}): ReactElement {
  const { conversationId, accused, around, partOf, change } = props;
  const { controller } = useApp();
  const act = useAction();
  const [near, setNear] = useState<readonly Message[]>(around === undefined ? [] : [around]);
  const order = around?.order;
  useEffect(() => {
    let isGone = false;
    void act(async () => {
      const { client } = controller;
      const before = await client.messages(conversationId, {
        limit: choicesAround,
        ...(order === undefined ? {} : { beforeOrder: order + 1 }),
      });
      const after = order === undefined ? [] : await client.messages(conversationId, { limit: choicesAround, afterOrder: order });
      if (!isGone) setNear([...before, ...after].filter(isEnclosable));
    });
    return () => {
      isGone = true;
    };
  }, [act, controller, conversationId, order]);
  return (
    <fieldset className="report-choose">
      <legend>{t("report.choose")}</legend>
      <p className="setting-hint">{t("report.chooseHint")}</p>
      {/* A long list scrolls by itself: reachable by keyboard through its controls. */}
      <ul className="report-lines">
        {near.map((message) => {
          const isTheirs = message.author?.accountId === accused.accountId;
          return (
            <li key={message.id}>
              <span className="report-line">
                <strong>
                  <bdi>
                    {message.author?.isSelf === true ? t("common.you") : message.author === undefined ? "" : nameOf(message.author)}
                  </bdi>
                </strong>{" "}
                <time className="setting-hint">{formatFull(message.sentAtMs)}</time>
                <span className="report-text" dir="auto">
                  {textOf(message) === "" ? t("report.noText") : textOf(message)}
                </span>
              </span>
              <select
                className="input"
                aria-label={t("report.partOf", { text: textOf(message).slice(0, 60) })}
                value={partOf(message.id)}
                onChange={({ target: { value } }) => change(message.id, value === "complained" || value === "beside" ? value : "none")}
              >
                {isTheirs && <option value="complained">{t("report.part.complained")}</option>}
                <option value="beside">{t("report.part.beside")}</option>
                <option value="none">{t("report.part.none")}</option>
              </select>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}
