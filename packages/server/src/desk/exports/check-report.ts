import { dsaCategories } from "@latchkey/protocol/desk";
import type { ReportPart } from "./report-parts.ts";

const heads: Readonly<Record<ReportPart, readonly string[]>> = {
  "1.1-identification": ["field", "value"],
  "1.3-notices": [
    "category",
    "notices",
    "notices_by_trusted_flaggers",
    "actioned_by_law",
    "actioned_by_terms",
    "processed_by_automated_means_alone",
    "median_days_to_decision",
  ],
  "1.5-complaints-and-suspensions": ["measure", "count"],
  "1.6-automated-means": ["measure", "count"],
};

/** What is wrong with a part of a yearly report: its form, its rows, or counts that cannot be; empty where nothing is. It shares no code with what makes them. */
export function reportProblems(part: ReportPart, text: string): readonly string[] {
  const rows = rowsOf(text);
  if (rows === undefined) return ["no CSV"];
  const [head = [], ...body] = rows;
  if (head.join(",") !== heads[part].join(",")) return ["other columns"];
  const problems = body.flatMap((row, at) => (row.length === head.length ? [] : [`row ${String(at + 2)}: ${String(row.length)} cells`]));
  if (problems.length > 0) return problems;
  if (part === "1.1-identification") return identificationProblems(body);
  const isCount = (cell: string | undefined): boolean => cell !== undefined && /^(?:0|[1-9]\d{0,15})$/u.test(cell);
  const isMedian = (cell: string | undefined): boolean => cell !== undefined && /^(?:|(?:0|[1-9]\d{0,8})(?:\.5)?)$/u.test(cell);
  if (part === "1.3-notices") {
    if (body.map(([category]) => category).join() !== dsaCategories.join()) problems.push("not each category once");
    for (const [category = "", ...cells] of body) {
      const [notices, flagged, law, terms, automated, median] = cells;
      if (![notices, flagged, law, terms, automated].every(isCount) || !isMedian(median)) problems.push(`${category}: no count`);
      else if (Number(law) + Number(terms) > Number(notices) || Number(flagged) > Number(notices) || Number(automated) > Number(notices))
        problems.push(`${category}: more than came`);
      else if (Number(notices) === 0 && median !== "") problems.push(`${category}: a median of nothing`);
    }
    return problems;
  }
  const counts = new Map(body.map(([measure = "", count = ""]) => [measure, count]));
  if (counts.size < body.length) problems.push("a measure twice");
  for (const [measure, count] of counts)
    if (!(measure.endsWith("median_days") ? isMedian(count) : isCount(count))) problems.push(`${measure}: no count`);
  const sum = (...names: readonly string[]): number => names.reduce((all, name) => all + Number(counts.get(name) ?? Number.NaN), 0);
  if (part === "1.5-complaints-and-suspensions") {
    if (sum("complaints_by_recipients", "complaints_by_notifiers") !== sum("complaints"))
      problems.push("complaints: not the sum of both sides");
    const ended = ["upheld", "reversed", "replaced"].map((one) => `complaints_${one}_decision`);
    if (sum(...ended, "complaints_open") !== sum("complaints")) problems.push("complaints: not the sum of what became of them");
  } else if (sum("decisions_fully_automated", "decisions_partially_automated") > sum("decisions") || !counts.has("decisions"))
    problems.push("decisions: fewer than automated ones");
  return problems;
}

function identificationProblems(body: readonly (readonly string[])[]): readonly string[] {
  const fields = new Map(body.map(([field = "", value = ""]) => [field, value]));
  const missing = ["service", "host", "period_start", "period_end"].filter((field) => (fields.get(field) ?? "") === "");
  const year = fields.get("period_start")?.slice(0, 4) ?? "";
  const isYear = fields.get("period_start") === `${year}-01-01` && fields.get("period_end") === `${year}-12-31` && /^\d{4}$/u.test(year);
  return [...missing.map((field) => `${field}: missing`), ...(isYear ? [] : ["period: no calendar year"])];
}

/** The cells of a CSV by RFC 4180; `undefined` where it is none. */
function rowsOf(text: string): string[][] | undefined {
  const rows: string[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/uy;
  let row: string[] = [];
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (found === null) return undefined;
    const [, quoted, plain = "", end] = found;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return row.length === 0 && rows.length > 0 ? rows : undefined;
}
