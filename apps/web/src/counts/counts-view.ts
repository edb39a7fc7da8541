import { isHarmless, parsePeriod } from "@latchkey/client/counts";
import type { Counted, Finding, FindingKind, KindSummary, PeriodReport, ShownNumber, VerifiedHalfYear } from "@latchkey/client/counts";
import { named, t } from "../messages/words.ts";
import { countryName, formatNumber } from "../state/format.ts";

/** A half-year as it is shown: as the server says, and once it was asked for, as it was verified. */
export interface ShownHalfYear {
  readonly period: string;
  readonly claimed: PeriodReport;
  readonly verified: VerifiedHalfYear | undefined;
}

/** What is said of findings of one sort, and in how many places. */
export interface FoundLine {
  readonly text: string;
  readonly isHarmless: boolean;
}

type Sort = "altered" | "missing" | "time" | "sealed" | "restored" | "late";
const sorts: Readonly<Record<FindingKind, Sort>> = {
  no_policy: "missing",
  policy_late: "time",
  begun_again: "missing",
  policy_changed: "time",
  batch_missing: "missing",
  batch_doubled: "time",
  batch_early: "time",
  batch_late: "late",
  batch_lost: "missing",
  batch_differs: "altered",
  sealed_count: "sealed",
  record_unreadable: "altered",
  case_twice: "altered",
  trail_missing: "missing",
  trail_back: "restored",
  country_differs: "altered",
  country_small: "sealed",
  cleared_unasked: "sealed",
  opening_unannounced: "altered",
  opening_early: "time",
  opening_late: "late",
  opening_of_other: "altered",
  opening_before_missing: "missing",
  opening_taken_back: "altered",
};

/** What was found, a line for each sort. */
export function foundLines(findings: readonly Finding[]): readonly FoundLine[] {
  const bySort = Map.groupBy(findings, ({ kind }) => sorts[kind]);
  return [...bySort].map(([sort, of]) => ({
    text: t(`counts.found.${sort}`, { n: formatNumber(of.length) }),
    isHarmless: of.every(isHarmless),
  }));
}

/** `January to June 2026` of `2026-1`. */
export function halfYearText(period: string): string {
  const number = parsePeriod(period) ?? 0;
  const year = String(Math.floor(number / 2));
  return number % 2 === 0 ? t("counts.halfYear.first", { year }) : t("counts.halfYear.second", { year });
}

/** A number, or the range that it is in. */
export function numberText({ least, most }: ShownNumber): string {
  return least === most ? formatNumber(least) : t("counts.range", { least: formatNumber(least), most: formatNumber(most) });
}

/** A table of one kind of cases. */
export interface CountTableView {
  readonly heading: string;
  readonly rows: readonly { readonly name: string; readonly text: string; readonly share: number }[];
}

/** The tables of a kind of cases, those with nothing in them left out. Bars are shares of the largest number. */
export function tablesOf({ of, types, countries, results, approvals }: KindSummary): readonly CountTableView[] {
  const approved = approvals.filter(({ name }) => name !== "none");
  const table = (heading: string, counted: readonly Counted[], nameOf: (name: string) => string): CountTableView => {
    const largest = Math.max(1, ...counted.map(({ about }) => about));
    const rows = counted.map(({ name, number, about }) => ({ name: nameOf(name), text: numberText(number), share: about / largest }));
    return { heading, rows };
  };
  return [
    table(t("counts.by.type"), types, (name) => name),
    table(t("counts.by.country"), countries, countryText),
    table(t("counts.by.result"), results, (name) => named("counts.result", name.replace(/^appeal-/, ""))),
    ...(of === "request" ? [table(t("counts.by.approval"), approved, (name) => named("counts.approval", name))] : []),
  ].filter(({ rows }) => rows.length > 0);
}

function countryText(code: string): string {
  if (code === "") return t("counts.otherCountries");
  return countryName(code);
}
