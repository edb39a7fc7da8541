import type { ReactElement } from "react";
import type { DecisionRecord, TimelineEvent } from "@latchkey/client/desk";
import { named, t } from "../../messages/words.ts";
import { dayText } from "../../state/days.ts";
import { formatFull, isoTime } from "../../state/format.ts";
import { sanctionText } from "./case-words.ts";

/** What was decided, with its reasons, the newest last. */
export function Decisions({ decisions }: { readonly decisions: readonly DecisionRecord[] }): ReactElement {
  return (
    <>
      {decisions.map((one) => (
        <article key={one.puid} className="case-decision">
          <p>
            <strong>{sanctionText(one)}</strong> <span className="case-state">{t(`cases.decisionState.${one.state}`)}</span>
          </p>
          <p className="section-hint">{t("cases.decidedBy", { name: one.by, time: formatFull(one.atMs) })}</p>
          <dl className="case-facts">
            {one.ground !== undefined && (
              <>
                <dt>{t(`cases.ground.${one.ground.kind}`)}</dt>
                <dd dir="auto">
                  {one.ground.basis}
                  {"\n"}
                  {one.ground.explanation}
                </dd>
              </>
            )}
            <dt>{t("cases.field.facts")}</dt>
            <dd dir="auto">{one.facts}</dd>
            <dt>{t("cases.field.category")}</dt>
            <dd>{named("cases.category", one.category)}</dd>
            {one.unfounded !== undefined && (
              <>
                <dt>{t("cases.unfounded")}</dt>
                <dd>{t("cases.unfounded.decided", { n: one.unfounded.days })}</dd>
              </>
            )}
            {one.toReporter !== "" && (
              <>
                <dt>{t("cases.field.toReporter")}</dt>
                <dd dir="auto">{one.toReporter}</dd>
              </>
            )}
          </dl>
          <p className="section-hint">{t("cases.appealUntil", { day: dayText(one.appealUntilDay) })}</p>
        </article>
      ))}
    </>
  );
}

/** What came and what was done, in order. */
export function Timeline({ events }: { readonly events: readonly TimelineEvent[] }): ReactElement {
  return (
    <ol className="case-timeline">
      {events.map((event, index) => (
        <li key={`${event.atMs} ${index}`}>
          <span>
            {event.by === undefined
              ? t(`cases.event.${event.kind}`)
              : t("cases.eventBy", { event: t(`cases.event.${event.kind}`), name: event.by })}
            {event.kind === "note" && event.text !== undefined && <q dir="auto">{event.text}</q>}
            {event.kind !== "note" && event.text !== undefined && ` (${detailOf(event)})`}
          </span>
          <time className="section-hint" dateTime={isoTime(event.atMs)}>
            {formatFull(event.atMs)}
          </time>
        </li>
      ))}
    </ol>
  );
}

/** What an event says beside its kind: a kind of decision, a side, an outcome, a number. */
function detailOf({ kind, text = "" }: TimelineEvent): string {
  switch (kind) {
    case "decision":
      return named("cases.kind", text);
    case "appeal":
      return named("cases.side", text);
    case "appeal-decided":
      return named("cases.outcome", text);
    default:
      return text;
  }
}
