import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import type { AppealParams, Conversation, Message, ReportFileChoice, ReportLine } from "@latchkey/client";
import { Modal } from "../components/Dialog.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useBusyAction } from "../state/context.ts";
import { Choose } from "./Choose.tsx";
import { DisclosedLines } from "./Disclosed.tsx";
import { findMessage } from "./own-copies.ts";
import { withFile } from "./report-choice.ts";

/** Against what one appeals, and where messages that show more may stand. */
export interface Appealing {
  readonly target: { readonly noticeId: string } | { readonly reportId: string };
  /** Those that the decision rests on. */
  readonly messageIds: readonly string[];
  readonly conversationId?: string;
}

const nothing: readonly Message[] = [];

/** Says why a decision is wrong, and shows messages and files that prove more, as they will be disclosed. */
export function AppealDialog(props: Appealing & { readonly close: (isDone: boolean) => void }): ReactElement {
  const { target, messageIds, close } = props;
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [words, setWords] = useState("");
  const [conversationId, setConversationId] = useState(props.conversationId);
  const [isAdding, setIsAdding] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [files, setFiles] = useState<readonly ReportFileChoice[]>([]);
  const [lines, setLines] = useState<readonly ReportLine[]>();
  const around = useAround(messageIds, conversationId, setConversationId);
  const id = useId();
  const appealOf = (shown: ReadonlySet<string>, along: readonly ReportFileChoice[]): AppealParams => ({
    ...target,
    words: words.trim(),
    ...(conversationId === undefined || shown.size === 0
      ? {}
      : { evidence: { conversationId, messageIds: [...shown], files: along.filter(({ messageId }) => shown.has(messageId)) } }),
  });
  const send = (): void => void act(() => controller.client.appeal(appealOf(chosen, files))).then((isDone) => isDone && close(true));
  const look = (shown = chosen, along = files): void =>
    void act(async () => {
      setLines(await controller.client.previewAppeal(appealOf(shown, along)));
      setFiles(along);
    });
  const put = (messageId: string, isShown: boolean): ReadonlySet<string> => {
    const changed = new Set(chosen);
    if (isShown) changed.add(messageId);
    else changed.delete(messageId);
    setChosen(changed);
    return changed;
  };
  if (lines !== undefined && conversationId !== undefined) {
    return (
      <Modal title={t("report.disclosed.title")} close={() => close(false)}>
        <DisclosedLines
          conversationId={conversationId}
          lines={lines}
          isBusy={isBusy}
          leaveOut={(messageId) => {
            const left = put(messageId, false);
            if (left.size === 0) setLines(undefined);
            else look(left);
          }}
          toggleFile={(file) => look(chosen, withFile(files, file))}
        />
        <p className="setting-hint">{t("report.disclosed.lasting")}</p>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => setLines(undefined)}>
            {t("report.change")}
          </button>
          <button type="button" className="button button-primary" disabled={isBusy} onClick={send}>
            {t("report.appeal.send")}
          </button>
        </div>
      </Modal>
    );
  }
  return (
    <Modal title={t("report.appeal.title")} close={() => close(false)}>
      <form
        className="report"
        onSubmit={(event) => {
          event.preventDefault();
          if (isAdding && chosen.size > 0) look();
          else send();
        }}
      >
        <p className="dialog-body">{t("report.appeal.lead")}</p>
        <div className="field">
          <label htmlFor={id}>{t("report.appeal.words")}</label>
          <textarea id={id} className="input" rows={5} dir="auto" value={words} onChange={(event) => setWords(event.target.value)} />
        </div>
        {isAdding ? (
          <>
            <WhichConversation
              id={`${id}from`}
              value={conversationId}
              change={(other) => {
                setConversationId(other);
                setChosen(new Set());
              }}
            />
            {conversationId !== undefined && (
              <Choose
                key={`${conversationId} ${around.length}`}
                conversationId={conversationId}
                chosen={around}
                partOf={(messageId) => (chosen.has(messageId) ? "beside" : "none")}
                change={(messageId, as) => void put(messageId, as !== "none")}
              />
            )}
          </>
        ) : (
          <button type="button" className="button" onClick={() => setIsAdding(true)}>
            {t("report.appeal.add")}
          </button>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => close(false)}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-primary" disabled={isBusy || words.trim() === ""}>
            {isAdding && chosen.size > 0 ? t("report.look") : t("report.appeal.send")}
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** The messages that a decision rests on, where this device has them in the conversation that is looked at; it is found by the first of them. */
function useAround(
  messageIds: readonly string[],
  conversationId: string | undefined,
  found: (conversationId: string) => void,
): readonly Message[] {
  const { controller } = useApp();
  const [around, setAround] = useState(nothing);
  const [first] = messageIds;
  useEffect(() => {
    if (first === undefined) return undefined;
    let isGone = false;
    void findMessage(controller.client, first).then(
      (message) => {
        if (isGone || message === undefined) return;
        setAround([message]);
        found(message.conversationId);
      },
      // Then the person says from which conversation.
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [controller, first, found]);
  return around.some((message) => message.conversationId === conversationId) ? around : nothing;
}

function WhichConversation(props: {
  readonly id: string;
  readonly value: string | undefined;
  readonly change: (conversationId: string | undefined) => void;
}): ReactElement {
  const { id, value, change } = props;
  const { controller } = useApp();
  const act = useAction();
  const [all, setAll] = useState<readonly Conversation[]>([]);
  useEffect(() => void act(async () => setAll(await controller.client.conversations())), [act, controller]);
  return (
    <div className="field">
      <label htmlFor={id}>{t("report.appeal.conversation")}</label>
      <select
        id={id}
        className="input"
        value={value ?? ""}
        onChange={({ target }) => change(target.value === "" ? undefined : target.value)}
      >
        <option value="">{t("report.appeal.none")}</option>
        {all.map((one) => (
          <option key={one.id} value={one.id}>
            {one.title}
          </option>
        ))}
      </select>
    </div>
  );
}
