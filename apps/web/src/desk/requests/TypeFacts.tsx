import type { ReactElement } from "react";
import type { RequestType } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { Unchecked } from "./Clocks.tsx";
import { categoriesText, dayWords, durationText } from "./request-words.ts";

/** What a row of the table says of a type: its law, its times, who tells the person, what is kept, and where that was read. */
export function TypeFacts({ type }: { readonly type: RequestType }): ReactElement {
  const { basis, source, checkedOn, isChecked, categories, notice, answer, remark, region } = type;
  return (
    <>
      <dl className="case-facts">
        <dt>{t("legal.type.basis")}</dt>
        <dd lang="en" dir="ltr">
          {basis} ({region})
        </dd>
        <dt>{t("legal.type.times")}</dt>
        <dd>{timesText(type)}</dd>
        <dt>{t("legal.type.preservation")}</dt>
        <dd>{preservationText(type)}</dd>
        <dt>{t("legal.type.notice")}</dt>
        <dd>{t(`legal.noticeOwner.${notice}`)}</dd>
        <dt>{t("legal.type.secrecy")}</dt>
        <dd>
          {type.secrecy.isDefault
            ? t("legal.type.secretUsually", { n: type.secrecy.reviewDays })
            : t("legal.type.openUsually", { n: type.secrecy.reviewDays })}
        </dd>
        <dt>{t("legal.type.categories")}</dt>
        <dd>{categoriesText(categories)}</dd>
        <dt>{t("legal.type.answer")}</dt>
        <dd>{t(`legal.answer.${answer}`)}</dd>
      </dl>
      {remark !== undefined && (
        <p lang="en" dir="ltr">
          {remark}
        </p>
      )}
      <p className="section-hint">
        {t("legal.type.source")} <bdi lang="en">{source}</bdi>
        {checkedOn !== undefined && ` ${t("legal.type.checkedOn", { day: dayWords(checkedOn) })}`}
      </p>
      {!isChecked && <Unchecked />}
    </>
  );
}

/** When something may be given out and until when it has to be, as the row has it. */
function timesText({ times }: RequestType): string {
  const { notBefore, isNotBeforeIfNotified = false, deadline, emergencyDeadline, extension, validation } = times;
  const parts = [
    ...(notBefore === undefined
      ? []
      : [
          isNotBeforeIfNotified
            ? t("legal.times.notBeforeIfNotified", { span: durationText(notBefore) })
            : t("legal.times.notBefore", { span: durationText(notBefore) }),
        ]),
    ...(deadline === undefined ? [] : [t("legal.times.deadline", { span: durationText(deadline) })]),
    ...(emergencyDeadline === undefined ? [] : [t("legal.times.emergency", { span: durationText(emergencyDeadline) })]),
    ...(extension === undefined ? [] : [t("legal.times.extension", { span: durationText(extension) })]),
    ...(validation === undefined ? [] : [t("legal.times.validation", { span: durationText(validation) })]),
  ];
  return parts.length === 0 ? t("legal.times.none") : rowOf(parts);
}

function preservationText({ preservation }: RequestType): string {
  if (preservation === undefined) return t("legal.preserve.none");
  const span = durationText(preservation.period);
  return preservation.isAtIntake ? t("legal.preserve.atIntake", { span }) : t("legal.preserve.asked", { span });
}
