import { describe, expect, test } from "vitest";
import { reportProblems } from "./check-report.ts";
import { reportOf, reportParts } from "./report-parts.ts";
import type { CountedCase, ReportPart } from "./report-parts.ts";

const day = (text: string): number => Date.parse(text) / 86_400_000;
const at = (text: string): number => Date.parse(`${text}T12:00:00Z`);
const of = { service: "Chat", host: "chat.example", year: 2026 };
const decided = (over: Partial<CountedCase["decisions"][number]>): CountedCase["decisions"][number] => ({
  atMs: at("2026-03-05"),
  kind: "suspend",
  category: "VIOLENCE",
  isIllegal: true,
  ...over,
});
const cases: readonly CountedCase[] = [
  {
    received: [{ arrivedDay: day("2026-03-01") }, { arrivedDay: day("2026-03-04") }, { arrivedDay: day("2025-12-31") }],
    decisions: [decided({})],
    appeals: [
      {
        by: "accused",
        arrivedDay: day("2026-04-01"),
        outcome: { kind: "upheld", atMs: at("2026-04-03") },
      },
    ],
  },
  {
    received: [{ arrivedDay: day("2026-05-01") }],
    decisions: [
      decided({ kind: "restrict", isIllegal: false, category: "SCAMS_AND_FRAUD" }),
      decided({ kind: "dismiss", category: "SCAMS_AND_FRAUD", limitedReporters: 2 }),
    ],
    appeals: [{ by: "reporter", arrivedDay: day("2026-05-09") }],
  },
  { received: [{ arrivedDay: day("2026-12-31") }], decisions: [], appeals: [] },
  { received: [{ arrivedDay: day("2027-01-01") }], decisions: [decided({ kind: "dismiss", atMs: at("2027-01-02") })], appeals: [] },
];
const part = (name: ReportPart): string => reportOf(of, cases).get(name) ?? "";
const row = (name: ReportPart, first: string): string | undefined =>
  part(name)
    .split("\r\n")
    .find((line) => line.startsWith(`${first},`));

describe("[F-11] a year's report by Implementing Regulation 2024/2835", () => {
  test("counts notices by category, what became of them, complaints of both sides, and no automated means; each part passes its check", () => {
    expect([...reportOf(of, cases).keys()]).toEqual(reportParts);
    for (const name of reportParts) expect([name, reportProblems(name, part(name))]).toEqual([name, []]);
    expect(row("1.3-notices", "VIOLENCE")).toBe("VIOLENCE,2,0,2,0,0,2.5");
    expect(row("1.3-notices", "SCAMS_AND_FRAUD")).toBe("SCAMS_AND_FRAUD,1,0,0,1,0,0");
    expect(row("1.3-notices", "NOT_SPECIFIED_NOTICE")).toBe("NOT_SPECIFIED_NOTICE,1,0,0,0,0,");
    expect(part("1.5-complaints-and-suspensions").split("\r\n").slice(1, -1)).toEqual([
      "complaints,2",
      "complaints_by_recipients,1",
      "complaints_by_notifiers,1",
      "complaints_upheld_decision,1",
      "complaints_reversed_decision,0",
      "complaints_replaced_decision,0",
      "complaints_open,1",
      "complaints_median_days,2",
      "restrictions_of_the_service,1",
      "suspensions_of_accounts,1",
      "suspensions_for_unfounded_notices,2",
      "warnings,0",
    ]);
    expect(row("1.6-automated-means", "decisions")).toBe("decisions,3");
    expect(part("1.1-identification")).toBe(
      "field,value\r\nservice,Chat\r\nhost,chat.example\r\nperiod_start,2026-01-01\r\nperiod_end,2026-12-31\r\n",
    );
  });

  test("a name of a service is a cell and no formula, whatever stands in it", () => {
    const text = reportOf({ ...of, service: '=HYPERLINK("a"),\r\nb' }, []).get("1.1-identification") ?? "";
    expect(text).toContain(`service,"'=HYPERLINK(""a""),\r\nb"\r\n`);
    expect(reportProblems("1.1-identification", text)).toEqual([]);
  });

  test.each<readonly [ReportPart, string, string]>([
    ["1.3-notices", "VIOLENCE,2,0,2,0,0,2.5", "VIOLENCE,2,0,2,1,0,2.5"],
    ["1.3-notices", "VIOLENCE,2,0,2,0,0,2.5", "VIOLENCE,2,0,2,0,0,-1"],
    ["1.3-notices", "VIOLENCE,2,0,2,0,0,2.5", "VIOLENCE,2,3,2,0,0,2.5"],
    ["1.3-notices", "VIOLENCE,2,0,2,0,0,2.5", "VIOLENCE,02,0,2,0,0,2.5"],
    ["1.3-notices", "VIOLENCE,2,0,2,0,0,2.5", "VIOLENCE,2,0,2,0,0"],
    ["1.3-notices", "VIOLENCE,2", "SELF_HARM,2"],
    ["1.3-notices", "SELF_HARM,0,0,0,0,0,", "SELF_HARM,0,0,0,0,0,3"],
    ["1.5-complaints-and-suspensions", "complaints,2", "complaints,3"],
    ["1.5-complaints-and-suspensions", "complaints_open,1", "complaints_open,0"],
    ["1.6-automated-means", "decisions_fully_automated,0", "decisions_fully_automated,9"],
    ["1.6-automated-means", "measure,count", "measure,number"],
    ["1.1-identification", "period_end,2026-12-31", "period_end,2027-12-31"],
    ["1.1-identification", "service,Chat", "service,"],
    ["1.1-identification", "service,Chat", 'service,"Chat'],
  ])("the check of %s finds %s made %s", (name, good, bad) => {
    const text = part(name);
    expect(text).toContain(good);
    expect(reportProblems(name, text.replace(good, bad)).length).toBeGreaterThan(0);
  });

  test("nothing, and half a file, is no part", () => {
    for (const name of reportParts) {
      expect(reportProblems(name, "").length).toBeGreaterThan(0);
      expect(reportProblems(name, part(name).slice(0, -1)).length).toBeGreaterThan(0);
    }
  });
});
