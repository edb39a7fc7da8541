import { dsaCategories } from "@latchkey/protocol/desk";
import type { CaseAppeal, CaseReport, DecisionRecord, DsaCategory } from "@latchkey/protocol/desk";

type Answer = NonNullable<CaseAppeal["outcome"]>;

/** Of a case what a yearly report counts: no text, no name. */
export interface CountedCase {
  readonly received: readonly Pick<CaseReport, "arrivedDay">[];
  readonly decisions: readonly (Pick<DecisionRecord, "atMs" | "kind" | "category"> & {
    readonly isIllegal: boolean;
    /** Absent of cases that were erased before it was counted. */
    readonly limitedReporters?: number;
  })[];
  readonly appeals: readonly (Pick<CaseAppeal, "by" | "arrivedDay"> & { readonly outcome?: Pick<Answer, "kind" | "atMs"> })[];
}

/** Whose report it is, and of which calendar year. */
export interface ReportOf {
  readonly service: string;
  readonly host: string;
  readonly year: number;
}

/** The parts of the template that there is anything to say in, by the numbers of Annex I. */
export const reportParts = ["1.1-identification", "1.3-notices", "1.5-complaints-and-suspensions", "1.6-automated-means"] as const;
/** One of them. */
export type ReportPart = (typeof reportParts)[number];

const dayMs = 86_400_000;

/**
 * A year's report by Implementing Regulation (EU) 2024/2835, as CSV (RFC 4180, UTF-8), a file for each part. Pure. The content is what the
 * parts ask (DSA Art. 15(1)(b), (d), (e), 24(1)(b)); how columns are called is this project's: the Commission's files were not at hand.
 * There are no orders, nothing on the server's own initiative and no out-of-court disputes to count here, so that those parts are left out.
 */
export function reportOf(of: ReportOf, cases: readonly CountedCase[]): ReadonlyMap<ReportPart, string> {
  const [firstDay, endDay] = [Date.UTC(of.year, 0, 1) / dayMs, Date.UTC(of.year + 1, 0, 1) / dayMs];
  const isIn = (day: number): boolean => day >= firstDay && day < endDay;
  const decisions = cases.flatMap((one) => one.decisions.filter(({ atMs }) => isIn(atMs / dayMs)));
  const appeals = cases.flatMap((one) => one.appeals.filter(({ arrivedDay }) => isIn(arrivedDay)));
  return new Map<ReportPart, string>([
    [
      "1.1-identification",
      csv([
        ["field", "value"],
        ["service", of.service],
        ["host", of.host],
        ["period_start", `${String(of.year)}-01-01`],
        ["period_end", `${String(of.year)}-12-31`],
      ]),
    ],
    ["1.3-notices", csv([noticeColumns, ...dsaCategories.map((category) => noticeRow(category, cases, isIn))])],
    ["1.5-complaints-and-suspensions", csv([["measure", "count"], ...complaintRows(appeals, decisions)])],
    [
      "1.6-automated-means",
      csv([
        ["measure", "count"],
        ["decisions", decisions.length],
        ["decisions_fully_automated", 0],
        ["decisions_partially_automated", 0],
      ]),
    ],
  ]);
}

const noticeColumns = [
  "category",
  "notices",
  "notices_by_trusted_flaggers",
  "actioned_by_law",
  "actioned_by_terms",
  "processed_by_automated_means_alone",
  "median_days_to_decision",
];

/** Notices that came in the year, by the category of the first decision of their case; none yet: not specified. */
function noticeRow(category: DsaCategory, cases: readonly CountedCase[], isIn: (day: number) => boolean): readonly Cell[] {
  let [notices, byLaw, byTerms] = [0, 0, 0];
  const days: number[] = [];
  for (const { received, decisions } of cases) {
    const [first] = decisions.toSorted((a, b) => a.atMs - b.atMs);
    if ((first?.category ?? "NOT_SPECIFIED_NOTICE") !== category) continue;
    for (const { arrivedDay } of received.filter((report) => isIn(report.arrivedDay))) {
      notices++;
      if (first === undefined) continue;
      days.push(Math.max(0, Math.floor(first.atMs / dayMs) - arrivedDay));
      if (first.kind === "dismiss") continue;
      if (first.isIllegal) byLaw++;
      else byTerms++;
    }
  }
  return [category, notices, 0, byLaw, byTerms, 0, medianOf(days)];
}

function complaintRows(
  appeals: readonly CountedCase["appeals"][number][],
  decisions: readonly CountedCase["decisions"][number][],
): Cell[][] {
  const count = (is: (appeal: CountedCase["appeals"][number]) => boolean): number => appeals.filter(is).length;
  const days = appeals.flatMap(({ arrivedDay, outcome }) =>
    outcome === undefined ? [] : [Math.max(0, Math.floor(outcome.atMs / dayMs) - arrivedDay)],
  );
  return [
    ["complaints", appeals.length],
    ["complaints_by_recipients", count(({ by }) => by === "accused")],
    ["complaints_by_notifiers", count(({ by }) => by === "reporter")],
    ["complaints_upheld_decision", count(({ outcome }) => outcome?.kind === "upheld")],
    ["complaints_reversed_decision", count(({ outcome }) => outcome?.kind === "reversed")],
    ["complaints_replaced_decision", count(({ outcome }) => outcome?.kind === "replaced")],
    ["complaints_open", count(({ outcome }) => outcome === undefined)],
    ["complaints_median_days", medianOf(days)],
    ["restrictions_of_the_service", decisions.filter(({ kind }) => kind === "restrict").length],
    ["suspensions_of_accounts", decisions.filter(({ kind }) => kind === "suspend").length],
    ["suspensions_for_unfounded_notices", decisions.reduce((sum, { limitedReporters = 0 }) => sum + limitedReporters, 0)],
    ["warnings", decisions.filter(({ kind }) => kind === "warn").length],
  ];
}

/** Of an even number the mean of both in the middle; nothing of none. */
function medianOf(numbers: readonly number[]): number | "" {
  if (numbers.length === 0) return "";
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}

type Cell = string | number;

function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cellText).join(",")}\r\n`).join("");
}

/** What begins like a formula is none to a spreadsheet behind an apostrophe. */
function cellText(cell: Cell): string {
  const text = typeof cell === "number" ? String(cell) : /^[=+\-@\t\r]/u.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
