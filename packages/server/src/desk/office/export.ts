import type { DecisionRecord } from "@latchkey/protocol/desk";
import { reportProblems } from "../exports/check-report.ts";
import { requestProblems, statementProblems } from "../exports/check-statement.ts";
import { reportOf } from "../exports/report-parts.ts";
import { statementsAtOnce, statementOf } from "../exports/statement.ts";
import type { Statement } from "../exports/statement.ts";
import type { CountedTable } from "./counted.ts";

/** What a year's export holds, all of it checked: nothing in it is of a person. */
export interface YearExport {
  /** Requests to the transparency database. */
  readonly requests: readonly { readonly statements: readonly Statement[] }[];
  /** Decisions of which no statement is made, and what is in the way: texts that seem to name somebody, or what the database would refuse. */
  readonly heldBack: readonly { readonly puid: string; readonly because: readonly string[] }[];
  /** Decisions of cases that are erased: their statements are to be made before that. */
  readonly tooLate: number;
  /** Parts of the yearly report, as CSV, by their names. */
  readonly parts: Readonly<Record<string, string>>;
}

/** Makes the exports of a calendar year. @param named asks for the names that must not stand in the statement about an account */
export async function exportYear(params: {
  readonly year: number;
  readonly service: string;
  readonly host: string;
  readonly counted: CountedTable;
  named(accusedId: Uint8Array): Promise<readonly string[]>;
}): Promise<YearExport> {
  const { year, service, host, counted } = params;
  const statements: Statement[] = [];
  const heldBack: { puid: string; because: readonly string[] }[] = [];
  let tooLate = 0;
  for (const { decision, accusedId } of counted.decisionsBetween(Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1))) {
    if (accusedId === undefined) {
      tooLate += isRestricting(decision) ? 1 : 0;
      continue;
    }
    const exported = statementOf(decision, await params.named(accusedId));
    if (exported.kind === "none") continue;
    const because = exported.kind === "heldBack" ? exported.fields.map((field) => `${field}: seems to name somebody`) : [];
    const problems = exported.kind === "statement" ? statementProblems(exported.statement) : because;
    if (exported.kind === "statement" && problems.length === 0) statements.push(exported.statement);
    else heldBack.push({ puid: decision.puid, because: problems });
  }
  const requests = Array.from({ length: Math.ceil(statements.length / statementsAtOnce) }, (_, at) => ({
    statements: statements.slice(at * statementsAtOnce, (at + 1) * statementsAtOnce),
  }));
  const parts = reportOf({ service, host, year }, counted.all());
  // What does not pass its own check is a bug, and goes to nobody.
  const problems = [
    ...requests.flatMap((request) => requestProblems(request)),
    ...[...parts].flatMap(([part, text]) => reportProblems(part, text)),
  ];
  if (problems.length > 0) throw new Error(`an export does not pass its check: ${problems[0] ?? ""}`);
  return { requests, heldBack, tooLate, parts: Object.fromEntries(parts) };
}

function isRestricting({ kind }: Pick<DecisionRecord, "kind">): boolean {
  return kind === "restrict" || kind === "suspend";
}
