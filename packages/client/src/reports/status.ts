import { decode } from "@latchkey/codec";
import { reportAnswerCodec } from "@latchkey/reports";
import type { ReportAnswer } from "@latchkey/reports";
import type { ReportStatus } from "../api.ts";
import { cleanWords } from "./notices.ts";
import type { StoredReport } from "./stored.ts";

/** What became of a report, as far as this device was told. */
export function statusOf({ receipt, receiptDay, answers, refusal }: StoredReport): ReportStatus {
  const newest = answers.map((answer): ReportAnswer => decode(reportAnswerCodec, answer)).at(-1);
  if (newest === undefined) {
    if (refusal !== undefined) return { kind: "refused", words: refusal };
    return receipt.length === 0 ? { kind: "waiting" } : { kind: "sent", day: receiptDay };
  }
  const { outcome, day } = newest;
  switch (outcome.kind) {
    case "received":
      return { kind: "received", day };
    case "refused":
      return { kind: "refused", words: cleanWords(outcome.words) };
    case "decided": {
      const { isActedOn, words, appealUntilDay, unfounded } = outcome;
      const status = { kind: "decided", day, isActedOn, words: cleanWords(words), appealUntilDay } as const;
      if (unfounded === undefined) return status;
      const { limitedUntilDay } = unfounded;
      return { ...status, unfounded: limitedUntilDay === 0 ? {} : { limitedUntilDay } };
    }
    case "appeal-decided":
      return { kind: "appeal-decided", day, outcome: outcome.outcome, words: cleanWords(outcome.words) };
  }
}
