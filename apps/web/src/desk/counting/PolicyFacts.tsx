import type { ReactElement } from "react";
import type { CountingChoice } from "@latchkey/client/desk";
import { named, t } from "../../messages/words.ts";
import { formatNumber } from "../../state/format.ts";
import { sealedInHalfYear } from "./counting-draft.ts";

/** How it is counted. */
export function PolicyFacts({ choice }: { readonly choice: CountingChoice }): ReactElement {
  const { everyDays, hour, slots, sealed, openingDays, delayPeriods, smallNumber, band } = choice;
  return (
    <dl className="case-facts">
      <dt>{t("counting.batches")}</dt>
      <dd>{t(everyDays === 1 ? "counting.daily" : "counting.weekly", { time: `${String(hour).padStart(2, "0")}:00`, n: slots })}</dd>
      <dt>{t("counting.staysSealed")}</dt>
      <dd>{sealed === 0 ? t("counting.exact") : t("counting.covered", { n: sealed, all: formatNumber(sealedInHalfYear(choice)) })}</dd>
      <dt>{t("counting.opening")}</dt>
      <dd>
        {t("counting.openedAfter", { n: openingDays })} {delayPeriods > 0 && t("counting.delayed", { n: delayPeriods })}
      </dd>
      <dt>{t("counting.few")}</dt>
      <dd>{smallNumber === 0 ? t("counting.allNamed") : t("counting.namedFrom", { n: smallNumber })}</dd>
      <dt>{t("counting.band")}</dt>
      <dd>{bandWords(band)}</dd>
    </dl>
  );
}

/** A band in words; as it is written where there are none. */
export function bandWords(band: string): string {
  const id = band.replaceAll(" ", "-");
  const words = named("counting.bandOf", id);
  return words === id ? band : words;
}

/** `2027-1` in words. */
export function halfYearWords(period: string): string {
  const [year = "", half = ""] = period.split("-");
  return t(half === "1" ? "counting.halfYear.first" : "counting.halfYear.second", { year });
}
