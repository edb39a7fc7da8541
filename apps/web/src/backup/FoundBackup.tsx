import "../styles/backup.css";
import { useId } from "react";
import type { ReactElement } from "react";
import type { FoundHistory } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { formatFull } from "../state/format.ts";

/** What was found of the messages from before this device, and how far it is read. @param begun the person wants it read */
export function FoundBackup({ found, begun }: { readonly found: FoundHistory; readonly begun?: () => void }): ReactElement | undefined {
  const { controller } = useApp();
  const act = useAction();
  const id = useId();
  const { stage, atMs, messages, done, total, restored, missing, unreadable } = found;
  const isWhole = missing + unreadable === 0;
  const restore = (): void => {
    void act(() => controller.client.restoreHistoryBackup());
    begun?.();
  };
  const decline = (
    <>
      <button type="button" className="button" onClick={() => void act(() => controller.client.declineHistoryBackup())}>
        {t("backup.decline")}
      </button>
      <p className="section-hint">{t("backup.declineFirst")}</p>
    </>
  );
  switch (stage) {
    case "none":
      return <p>{t("backup.none")}</p>;
    case "declined":
      return undefined;
    case "offered":
      return (
        <div className="backup-found">
          <p>
            <strong>{t("backup.found", { time: formatFull(atMs), n: messages })}</strong>
          </p>
          <p>{t("backup.foundDate")}</p>
          <p>{t("backup.foundReadOnly")}</p>
          <button type="button" className="button button-primary" onClick={restore}>
            {t("backup.restore")}
          </button>
          {decline}
        </div>
      );
    case "running":
      return (
        <div className="backup-found">
          <p id={id} className="tabular">
            {t("backup.reading", { done, total })}
          </p>
          <progress className="progress" aria-labelledby={id} value={done} max={Math.max(1, total)} />
          <p className="section-hint">{t("backup.readingHint")}</p>
        </div>
      );
    case "done":
      return (
        <div className={isWhole ? "notice notice-good" : "notice notice-danger"}>
          <strong>{t("backup.restored", { n: restored })}</strong>
          {missing > 0 && <p>{t("backup.missing", { n: missing })}</p>}
          {unreadable > 0 && <p>{t("backup.unreadable", { n: unreadable })}</p>}
          <p>{t("backup.foundReadOnly")}</p>
          {!isWhole && decline}
        </div>
      );
  }
}
