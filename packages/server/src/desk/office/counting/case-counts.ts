import { dayBucket } from "@latchkey/counts";
import type { CountReceipt } from "@latchkey/counts";
import { dayOf } from "../../../days.ts";
import type { StoredCase } from "../cases.ts";
import type { NewReport } from "../evidence.ts";
import { notSecret } from "./counts.ts";
import type { Counts } from "./counts.ts";

/** Under which name a case of reports is counted. */
export function caseRef({ number }: Pick<StoredCase, "number">): string {
  return `case:${number}`;
}

/** Counts a case that a report opened. Others that go into it are no cases of their own. */
export function countCase(counts: Pick<Counts, "record">, of: StoredCase, report: Pick<NewReport, "reason">, nowMs: number): CountReceipt {
  return counts.record(
    caseRef(of),
    { kind: "arrival", of: "notice", type: report.reason, accounts: 1, categories: [], isEmergency: false, secrecy: notSecret },
    nowMs,
  );
}

/** Counts what was decided in a case, or of an appeal in it. */
export function countOutcome(counts: Pick<Counts, "record">, of: StoredCase, result: string, nowMs: number): CountReceipt {
  return counts.record(
    caseRef(of),
    {
      kind: "outcome",
      of: "notice",
      result,
      given: [],
      days: dayBucket(dayOf(nowMs) - of.openedDay),
      notice: result === "dismiss" ? "none" : "by us",
      approvals: "none",
      secrecy: notSecret,
    },
    nowMs,
  );
}
