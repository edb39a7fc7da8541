import "./report.css";
import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import type { ClientErrorCode, Message, Person, ReportFileChoice, ReportPreview, ReportReason } from "@latchkey/client";
import { maxReportWordsBytes, reportReasons } from "@latchkey/client/limits";
import { Modal } from "../components/Dialog.tsx";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { failureOf } from "../worker/protocol.ts";
import { Choose } from "./Choose.tsx";
import { choiceOf, paramsOf, partIn, withFile, withMessage } from "./report-choice.ts";
import { Disclosed } from "./Disclosed.tsx";

/** What keeps a report from being made or sent. */
type ReportRefusal = "nothingProved" | "nothingUnnamed" | "noDesk" | "changed" | "fileGone" | "fileLarge";
/** By the client's code for it. */
type Told = Partial<Readonly<Record<ClientErrorCode, ReportRefusal>>>;

const lookRefusals: Told = { not_permitted: "nothingProved", file_gone: "fileGone", message_too_large: "fileLarge" };

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
  const [files, setFiles] = useState<readonly ReportFileChoice[]>([]);
  const [preview, setPreview] = useState<ReportPreview>();
  const id = useId();
  const { host } = accused;
  useEffect(() => {
    let isGone = false;
    // Said before somebody writes what nobody takes; where it cannot be asked now, sending says it.
    void controller.client.takesReports(host).then(
      (answer) => {
        if (!isGone && answer === "no") setRefusal("noDesk");
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [controller, host]);
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
  const look = (which = choice, along = files): Promise<boolean> =>
    run({ ...lookRefusals, ...(isAnonymous ? { invalid_setting: "nothingUnnamed" } : {}) }, async () => {
      setPreview(await controller.client.previewReport(conversationId, paramsOf(which, { reason, words, isAnonymous, files: along })));
      setFiles(along);
    });
  const leaveOut = (messageId: string): void => {
    const changed = withMessage(choice, messageId, "none");
    setChoice(changed);
    if (changed.complained.size === 0) setPreview(undefined);
    else void look(changed);
  };
  const send = (): void => {
    if (preview === undefined) return;
    const params = { ...paramsOf(choice, { reason, words, isAnonymous, files }), shown: preview.fingerprint };
    const changed = { is: false };
    void run({ not_permitted: "noDesk" }, async () => {
      try {
        await controller.client.report(conversationId, params);
      } catch (error) {
        changed.is = failureOf(error).code === "conflict";
        if (!changed.is) throw error;
      }
    }).then(async (isDone) => {
      if (changed.is) {
        // An edit, or a deletion: what is sent was looked at.
        if (await look()) setRefusal("changed");
        return;
      }
      if (!isDone) return;
      notify(t("report.sent"));
      close(true);
    });
  };
  const title = t("report.title", { name: nameOf(accused) });
  if (preview !== undefined) {
    return (
      <Modal title={t("report.disclosed.title")} close={() => close(false)}>
        <Disclosed
          conversationId={conversationId}
          preview={preview}
          leaveOut={leaveOut}
          toggleFile={(file) => void look(choice, withFile(files, file))}
          isBusy={isBusy}
        />
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
          void look();
        }}
      >
        <p className="dialog-body">{t("report.lead", { host: accused.host })}</p>
        {refusal === "noDesk" && <Refused why={refusal} host={accused.host} />}
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
          chosen={messages}
          partOf={(messageId) => partIn(choice, messageId)}
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
        {refusal !== "noDesk" && <Refused why={refusal} host={accused.host} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => close(false)}>
            {t("common.cancel")}
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={isBusy || over > 0 || choice.complained.size === 0 || refusal === "noDesk"}
          >
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
