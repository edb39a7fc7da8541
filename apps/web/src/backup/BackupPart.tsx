import "../styles/backup.css";
import { useState } from "react";
import type { ReactElement } from "react";
import type { HistoryBackup } from "@latchkey/client";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { Section } from "../components/settings/Section.tsx";
import { failureWords, t } from "../messages/words.ts";
import { useAction, useApp, useBusyAction, useSelector } from "../state/context.ts";
import { formatBytes, formatFull } from "../state/format.ts";
import { FoundBackup } from "./FoundBackup.tsx";
import { PhraseForm } from "./PhraseForm.tsx";
import { useBackup } from "./use-backup.ts";

/** The backup of the messages at the server: on or off, what is in it, and what came back of one. */
export function BackupPart(): ReactElement | undefined {
  const [backup, load] = useBackup();
  const isRecovered = useSelector((state) => state.account?.isRecovered === true);
  if (backup === undefined) return undefined;
  const { found, keptBy } = backup;
  // Another one would take its place.
  const isInPart = found?.stage === "done" && found.missing + found.unreadable > 0;
  const isUnread = found?.stage === "offered" || found?.stage === "running" || isInPart;
  return (
    <>
      {found !== undefined && found.stage !== "none" && found.stage !== "declined" && (
        <Section heading={t("backup.foundHeading")}>
          <div className="backup">
            <FoundBackup found={found} />
          </div>
        </Section>
      )}
      <Section heading={t("backup.heading")}>
        <div className="backup">
          <p>{t("backup.intro")}</p>
          <p className="section-hint">{t("backup.not")}</p>
          <Standing backup={backup} />
          {keptBy === "this" && <Kept backup={backup} load={load} />}
          {keptBy !== "this" && !isUnread && <TurnOn backup={backup} load={load} />}
          {isRecovered && (found === undefined || isInPart) && keptBy !== "this" && (
            <Look hint={isInPart ? t("backup.againHint") : t("backup.lookHint")} load={load} />
          )}
        </div>
      </Section>
    </>
  );
}

/** Who keeps it, what was written, and what went wrong. */
function Standing({ backup }: { readonly backup: HistoryBackup }): ReactElement {
  const { keptBy, written, writing, leftOut, failure, isToBeErased } = backup;
  const words = failure === undefined ? undefined : failureWords(failure);
  return (
    <div role="status">
      {keptBy !== "nobody" && <p>{t(`backup.kept.${keptBy}`)}</p>}
      {keptBy === "this" && written === undefined && writing === undefined && <p>{t("backup.never")}</p>}
      {written !== undefined && (
        <p>{t("backup.written", { time: formatFull(written.atMs), n: written.messages, size: formatBytes(written.sizeBytes) })}</p>
      )}
      {writing !== undefined && <p className="tabular">{writing.total > 0 ? t("backup.writingOf", writing) : t("backup.writing")}</p>}
      {leftOut > 0 && <p>{t("backup.leftOut", { n: leftOut })}</p>}
      {isToBeErased && <p>{t("backup.toBeErased")}</p>}
      {words !== undefined && (
        <p className="notice notice-danger">
          {words.title}. {words.advice}
        </p>
      )}
    </div>
  );
}

function Kept({ backup, load }: { readonly backup: HistoryBackup; readonly load: () => void }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [isAsking, setIsAsking] = useState(false);
  const isBusy = backup.writing !== undefined;
  const write = (isAnew: boolean): void => {
    void act(() => controller.client.writeHistoryBackup({ isAnew })).finally(load);
  };
  return (
    <>
      <div className="backup-acts">
        <button type="button" className="button" disabled={isBusy} onClick={() => write(false)}>
          {t("backup.write")}
        </button>
        <button type="button" className="button" disabled={isBusy} aria-describedby="backup-anew" onClick={() => write(true)}>
          {t("backup.anew")}
        </button>
        <button type="button" className="button button-danger-quiet" onClick={() => setIsAsking(true)}>
          {t("backup.off")}
        </button>
      </div>
      <p id="backup-anew" className="section-hint">
        {t("backup.anewHint")}
      </p>
      {isAsking && (
        <ConfirmDialog
          title={t("backup.offTitle")}
          body={t("backup.offBody")}
          confirmLabel={t("backup.offConfirm")}
          confirm={() => act(() => controller.client.dropHistoryBackup()).finally(load)}
          close={() => setIsAsking(false)}
        />
      )}
    </>
  );
}

/** Here it is not kept: by the words, which this device may still have. */
function TurnOn({ backup, load }: { readonly backup: HistoryBackup; readonly load: () => void }): ReactElement {
  const { controller } = useApp();
  const hasPhrase = useSelector((state) => state.account?.hasRecoveryPhrase === true);
  const [isBusy, act] = useBusyAction();
  const [isTyping, setIsTyping] = useState(false);
  const keep = (phrase?: string): void => {
    void act(() => controller.client.keepHistoryBackup(phrase)).then((isDone) => {
      if (isDone) setIsTyping(false);
      load();
    });
  };
  const label = backup.keptBy === "nobody" ? t("backup.on") : t("backup.takeOver");
  if (isTyping) return <PhraseForm label={label} hint={t("backup.needsPhrase")} isBusy={isBusy} done={keep} />;
  return (
    <>
      <button type="button" className="button button-primary" disabled={isBusy} onClick={() => (hasPhrase ? keep() : setIsTyping(true))}>
        {label}
      </button>
      <p className="section-hint">{t("backup.onHint")}</p>
    </>
  );
}

/** Nobody looked for one while the words were at hand, as the server did not answer then; or not all of it could be read. */
function Look({ hint, load }: { readonly hint: string; readonly load: () => void }): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [isTyping, setIsTyping] = useState(false);
  if (!isTyping)
    return (
      <button type="button" className="button" onClick={() => setIsTyping(true)}>
        {t("backup.look")}
      </button>
    );
  const find = (phrase: string): void => {
    void act(() => controller.client.findHistoryBackup(phrase)).finally(load);
  };
  return <PhraseForm label={t("backup.look")} hint={hint} isBusy={isBusy} done={find} />;
}
