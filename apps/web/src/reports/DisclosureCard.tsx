import type { ReactElement } from "react";
import type { Notice } from "@latchkey/client";
import { rowOf, t } from "../messages/words.ts";
import { dayText } from "../state/days.ts";
import { formatBytes } from "../state/format.ts";

/** What was given out about this account upon a request of an authority: who asked, for what, what they got, and how to complain. */
export function DisclosureCard({ body }: { readonly body: Extract<Notice["body"], { kind: "disclosure" }> }): ReactElement {
  const { authority, country, reference, basis, categories, fromDay, toDay, sizeBytes, asOfDay, sha256, secretUntilDay } = body;
  const day = (one: number): string => (one === 0 ? t("report.anyDay") : dayText(one));
  return (
    <article className="report-card">
      <h3>{t("report.disclosed")}</h3>
      <p className="section-hint">{t("report.disclosedOn", { day: dayText(body.releasedDay) })}</p>
      {secretUntilDay > 0 && <p>{t("report.secret", { day: dayText(secretUntilDay) })}</p>}
      <dl className="report-reasons">
        <dt>{t("report.asked")}</dt>
        <dd dir="auto">
          {rowOf([authority, country, reference])}
          {"\n"}
          {t("report.askedOn", { day: dayText(body.receivedDay) })}
        </dd>
        <dt>{t("report.law")}</dt>
        <dd dir="auto">{basis}</dd>
        <dt>{t("report.wanted")}</dt>
        {categories.map((one) => (
          <dd key={one}>{t(`report.data.${one}`)}</dd>
        ))}
        {fromDay + toDay > 0 && <dd>{t("report.period", { from: day(fromDay), to: day(toDay) })}</dd>}
        <dt>{t("report.given")}</dt>
        <dd>{t("report.givenSize", { size: formatBytes(sizeBytes), day: dayText(asOfDay) })}</dd>
        {body.isPreserved && <dd>{t("report.givenKept")}</dd>}
        <dt>{t("report.givenHash")}</dt>
        <dd dir="ltr">
          <code>{sha256}</code>
        </dd>
        <dt>{t("report.approved")}</dt>
        <dd>{t(`report.approved.${body.rule}`)}</dd>
      </dl>
      <p className="section-hint">{t("report.complain")}</p>
    </article>
  );
}
