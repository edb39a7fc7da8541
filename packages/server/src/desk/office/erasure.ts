import { erasedAfterDays } from "@latchkey/protocol/desk";
import { dayOf } from "../../days.ts";
import type { CaseTable } from "./cases.ts";
import type { CountedTable } from "./counted.ts";
import type { DecisionTable } from "./decisions.ts";
import type { ReporterMeasures } from "./reporter-measures.ts";
import type { Trail } from "./trail.ts";

/** What tidying works with. */
export interface ErasureParts {
  readonly cases: CaseTable;
  readonly decisions: DecisionTable;
  readonly counted: CountedTable;
  readonly measures: ReporterMeasures;
  readonly trail: Trail;
  transaction<Result>(work: () => Result): Result;
}

/**
 * Closes decided cases when nobody may appeal any more, and erases them 30 days after that. Only called while the clock is believed: what is
 * erased is gone for good. An appeal that waits keeps its case, however long. Answers how many were erased.
 */
export function tidyCases({ cases, decisions, counted, measures, trail, transaction }: ErasureParts, nowMs: number): number {
  const today = dayOf(nowMs);
  let erased = 0;
  for (const one of cases.inStates(["decided"])) {
    if (today > one.appealUntilDay) transaction(() => cases.change(one, { state: "closed" }));
  }
  for (const one of cases.inStates(["closed"])) {
    if (today <= one.appealUntilDay + erasedAfterDays) continue;
    transaction(() => {
      counted.keep(one.number, today);
      cases.erase(one.number);
      trail.append({ actor: "desk", act: "case erased", caseNumber: one.number }, nowMs);
    });
    erased += 1;
  }
  transaction(() => {
    decisions.expireSanctions(today);
    counted.expire(today);
    measures.expire(today);
  });
  return erased;
}
