import "../styles/group.css";
import { useId } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { textOf } from "../state/acting.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { formatAgo, formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { useGroupReports } from "../state/use-group-reports.ts";
import { systemText } from "../state/system-text.ts";
import { useNow } from "../state/use-now.ts";

/** What members told those who lead a group: nothing is drawn where there is nothing. */
export function GroupReports({ conversationId }: { readonly conversationId: string }): ReactElement | undefined {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const nowMs = useNow();
  const id = useId();
  const reports = useGroupReports(conversationId);
  if (reports.length === 0) return undefined;
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        {t("moderation.reports.heading")}
      </h2>
      <p className="setting-hint">{t("moderation.reports.hint")}</p>
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="group-reports" aria-labelledby={`${id}heading`}>
        {reports.map(({ reportId, from, receivedAtMs, reason, words, messages }) => (
          <li key={reportId}>
            <strong>{t(`moderation.reason.${reason}`)}</strong>
            <span className="person-address" title={formatFull(receivedAtMs)}>
              {t("moderation.reports.by", { name: nameOf(from), ago: formatAgo(receivedAtMs, nowMs) })}
            </span>
            {words !== "" && <p dir="auto">{words}</p>}
            <ul className="report-messages">
              {messages.map(({ messageId, message }) => (
                <li key={messageId}>
                  {message === undefined ? (
                    <span className="details-note">{t("moderation.reports.gone")}</span>
                  ) : (
                    <>
                      <bdi>{message.author === undefined ? "" : nameOf(message.author)}</bdi>
                      <span dir="auto">{message.body.kind === "text" ? textOf(message) : systemText(message, "group")}</span>
                      <button
                        type="button"
                        className="link-button"
                        onClick={() => void controller.reveal(conversationId, messageId).catch(() => undefined)}
                      >
                        {t("moderation.reports.show")}
                      </button>
                    </>
                  )}
                </li>
              ))}
            </ul>
            <button
              type="button"
              className="button button-small"
              disabled={isBusy}
              onClick={() => void act(() => controller.client.dismissGroupReport(conversationId, reportId))}
            >
              {t("moderation.reports.done")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
