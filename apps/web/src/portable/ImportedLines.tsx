import { Fragment, useEffect, useMemo, useRef } from "react";
import type { ReactElement, RefObject } from "react";
import type { FoundLine, PlacedLine } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { Snippet } from "../components/Snippet.tsx";
import { t } from "../messages/words.ts";
import { holderOf } from "../files/holder.ts";
import type { FileHolder } from "../files/holder.ts";
import { dayKey, formatDate, formatTime, isoTime } from "../state/format.ts";

const HeldFiles = lazyComponent(async () => (await import("../files/MessageFiles.tsx")).HeldFiles, "files");

/** Lines of another messenger, with the days that they stand under. Everything in them was written by whoever made the file: it is text. */
export function ImportedLines({
  importId,
  lines,
  target,
}: {
  readonly importId: string;
  readonly lines: readonly PlacedLine[];
  /** The place of one that was found: it is brought before the person, with the focus. */
  readonly target: number | undefined;
}): ReactElement {
  const sought = useRef<HTMLLIElement>(null);
  const holders = useMemo(() => lines.filter(({ files }) => files.length > 0).map((line) => holderOf(importId, line)), [importId, lines]);
  useEffect(() => {
    if (target === undefined) return;
    sought.current?.scrollIntoView({ block: "center" });
    sought.current?.focus({ preventScroll: true });
  }, [lines, target]);
  return (
    // A list without markers is no list to some screen readers unless told.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ol role="list" className="imported">
      {lines.map((line, at) => (
        <Fragment key={line.order}>
          {dayOf(line) !== dayOf(lines[at - 1]) && line.sentAtMs !== undefined && (
            <li className="imported-day">{formatDate(line.sentAtMs)}</li>
          )}
          <Line line={line} holders={holders} place={line.order === target ? sought : undefined} />
        </Fragment>
      ))}
    </ol>
  );
}

function dayOf(line: PlacedLine | undefined): string | undefined {
  return line?.sentAtMs === undefined ? undefined : dayKey(line.sentAtMs);
}

function Line({
  line,
  holders,
  place,
}: {
  readonly line: PlacedLine;
  /** Of all lines that are shown, those with files. */
  readonly holders: readonly FileHolder[];
  readonly place: RefObject<HTMLLIElement | null> | undefined;
}): ReactElement {
  const { kind, text, fileNames, files, isOwn } = line;
  const holder = files.length === 0 ? undefined : holders.find(({ order }) => order === line.order);
  if (kind === "event" && line.author === "")
    return (
      <li ref={place} tabIndex={-1} className="imported-event">
        <bdi>{text}</bdi> <When line={line} />
      </li>
    );
  return (
    <li ref={place} tabIndex={-1} className={isOwn ? "imported-line imported-own" : "imported-line"}>
      <p className="imported-head">
        <bdi>{isOwn ? t("portable.you") : line.author || t("portable.somebody")}</bdi> <When line={line} />
      </p>
      {holder !== undefined && <HeldFiles message={holder} around={holders} />}
      {kind === "deleted" || kind === "left_out" ? (
        <p className="imported-note">{t(`portable.line.${kind}`)}</p>
      ) : (
        text !== "" && (
          <p className="imported-text" dir="auto">
            {text}
          </p>
        )
      )}
      {fileNames.map(
        (name, at) =>
          !files.some((file) => file.at === at) && (
            // oxlint-disable-next-line react/no-array-index-key
            <p key={at} className="imported-note">
              {t("portable.fileNamed", { name })}
            </p>
          ),
      )}
    </li>
  );
}

function When({ line: { sentAtMs } }: { readonly line: PlacedLine }): ReactElement | undefined {
  return sentAtMs === undefined ? undefined : <time dateTime={isoTime(sentAtMs)}>{formatTime(sentAtMs)}</time>;
}

/** Lines that were found, the last first. */
export function ImportedFound({
  found,
  open,
}: {
  readonly found: readonly FoundLine[];
  readonly open: (order: number) => void;
}): ReactElement {
  return (
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ul role="list" className="portable-list">
      {found.map(({ line, snippet, hits }) => (
        <li key={line.order}>
          {/* Its text lies deeper than the rule looks. */}
          {/* oxlint-disable-next-line jsx-a11y/control-has-associated-label */}
          <button type="button" className="row-button" onClick={() => open(line.order)}>
            <span>
              <bdi>
                <Snippet snippet={snippet} hits={hits} />
              </bdi>
              <small className="setting-hint">
                <bdi>{line.isOwn ? t("portable.you") : line.author}</bdi> {line.sentAtMs !== undefined && formatDate(line.sentAtMs)}
              </small>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
