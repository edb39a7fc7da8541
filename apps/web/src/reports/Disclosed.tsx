import { useEffect, useRef } from "react";
import type { ReactElement } from "react";
import type { ReportFileChoice, ReportLine, ReportPreview } from "@latchkey/client";
import { rowOf, t } from "../messages/words.ts";
import { formatBytes, formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { LineFile } from "./LineFile.tsx";

interface Changing {
  readonly conversationId: string;
  readonly leaveOut: (messageId: string) => void;
  readonly toggleFile: (file: ReportFileChoice) => void;
  readonly isBusy: boolean;
}

/** What a report discloses, line by line as the desk will see it, and what it does not. */
export function Disclosed(props: Changing & { readonly preview: ReportPreview }): ReactElement {
  const { preview, ...changing } = props;
  const { host, lines, unproven, namesReporter, words, reason, sizeBytes } = preview;
  const ref = useRef<HTMLParagraphElement>(null);
  // What was pressed is not there any more.
  useEffect(() => ref.current?.focus(), []);
  return (
    <>
      <p ref={ref} tabIndex={-1} className="dialog-body report-lead">
        {t("report.disclosed.lead", { host, size: formatBytes(sizeBytes) })}
      </p>
      <DisclosedLines lines={lines} {...changing} />
      {unproven.length > 0 && <p className="notice">{t("report.disclosed.unproven", { n: unproven.length })}</p>}
      <ul className="report-facts">
        <li>{namesReporter ? t("report.disclosed.named") : t("report.disclosed.anonymous")}</li>
        <li>{t("report.disclosed.reason", { reason: t(`report.reasons.${reason}`) })}</li>
        {words !== "" && <li dir="auto">{words}</li>}
        <li>{t("report.disclosed.not")}</li>
        <li>{t("report.disclosed.lasting")}</li>
      </ul>
    </>
  );
}

/** The lines of a report or an appeal, read from the bytes that go; files go along as they are chosen here. */
export function DisclosedLines(props: Changing & { readonly lines: readonly ReportLine[] }): ReactElement {
  const { lines, ...changing } = props;
  return (
    <>
      <ol className="report-lines">
        {lines.map((line, index) => (
          <Line key={`${line.messageId} ${index}`} line={line} {...changing} isLast={countOf(lines) === 1} />
        ))}
      </ol>
      {lines.some(({ files }) => files.length > 0) && <p className="setting-hint">{t("report.file.hint")}</p>}
    </>
  );
}

/** Messages that are complained of: one must stay. */
function countOf(lines: readonly ReportLine[]): number {
  return lines.filter(({ role }) => role === "reported").length;
}

function Line(props: Changing & { readonly line: ReportLine; readonly isLast: boolean }): ReactElement {
  const { line, conversationId, leaveOut, toggleFile, isBusy, isLast } = props;
  const { messageId, role, author, text, saysAtMs, gapBefore, carries, files, claims } = line;
  const doubtful = claims.filter(({ verdict }) => verdict !== "proved");
  // What changes a message goes along with it by force.
  const canLeaveOut = (role === "reported" && !isLast) || role === "context";
  return (
    <>
      {gapBefore > 0 && <li className="report-gap">{t("report.gap", { n: gapBefore })}</li>}
      {gapBefore < 0 && <li className="report-gap">{t("report.gapUnknown")}</li>}
      <li className={role === "reported" ? "report-reported" : undefined}>
        <span className="report-line">
          <strong>
            <bdi>{author.isSelf ? t("common.you") : nameOf(author)}</bdi>
          </strong>{" "}
          <span className="setting-hint">
            {rowOf([t(`report.role.${role}`), ...(saysAtMs === undefined ? [] : [formatFull(saysAtMs)])])}
          </span>
          {text !== "" && (
            <span className="report-text" dir="auto">
              {text}
            </span>
          )}
          {carries.length > 0 && (
            <span className="setting-hint">{t("report.carries", { what: rowOf(carries.map((one) => t(`report.carry.${one}`))) })}</span>
          )}
          <span className="setting-hint">{doubtful.length === 0 ? t("report.proved") : t("report.doubtful")}</span>
          {files.map((file) => (
            <LineFile
              key={file.fileId}
              at={{ conversationId, messageId }}
              file={file}
              isBusy={isBusy}
              toggle={() => toggleFile({ messageId, fileId: file.fileId })}
            />
          ))}
        </span>
        {canLeaveOut && (
          <button
            type="button"
            className="button button-small"
            disabled={isBusy}
            aria-label={t("report.leaveOutLabel", { text: text.slice(0, 60) })}
            onClick={() => leaveOut(messageId)}
          >
            {t("report.leaveOut")}
          </button>
        )}
      </li>
    </>
  );
}
