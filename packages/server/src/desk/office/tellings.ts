import type { DecisionGround } from "@latchkey/protocol/desk";
import { sealAnswer } from "@latchkey/reports";
import type { AppealDecided, ReportOutcome, StatementOfReasons } from "@latchkey/reports";
import { randomBytes } from "node:crypto";
import { dayOf } from "../../days.ts";
import { nodeSignatures } from "../../directory/signatures.ts";
import type { StoredDecision } from "./decisions.ts";
import type { DeskSecrets } from "./desk-keys.ts";

export const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));

/** An answer for whoever has the reply secret of a report (spec V-4). */
export function sealOutcome(params: {
  secrets: DeskSecrets;
  reportId: Uint8Array;
  replySecret: Uint8Array;
  day: number;
  outcome: ReportOutcome;
  /** Receipts of what is counted of it. */
  ext?: Uint8Array;
}): Promise<Uint8Array> {
  const { secrets, reportId, replySecret, day, outcome, ext = new Uint8Array() } = params;
  const answer = { format: 1, reportId, day, outcome, ext } as const;
  return sealAnswer({ signatures: nodeSignatures, secretKey: secrets.signatureKey, random, replySecret, answer });
}

/**
 * What the accused is told of a decision (spec V-5, DSA Art. 17): never who reported it. Its messages are named by their ids, by which the
 * accused's own client shows its copies. `undefined` for a dismissal, of which they are told nothing.
 */
export function statementOf(
  decision: StoredDecision,
  messageIds: readonly Uint8Array[],
  appealUntilDay: number,
): StatementOfReasons | undefined {
  const { kind, ground, puid, restrictions = [], untilDay = 0, facts, category, contentTypes, territory } = decision;
  if (kind === "dismiss" || ground === undefined) return undefined;
  return {
    kind: "statement",
    puid,
    sanction: kind,
    restrictions,
    decidedDay: dayOf(decision.atMs),
    untilDay,
    ground: wholeGround(ground),
    facts,
    category,
    contentTypes,
    territory,
    source: "notice",
    isAutomatedDetection: false,
    isAutomatedDecision: false,
    messageIds,
    appealUntilDay,
  };
}

/** What the accused is told of an appeal that was decided. */
export function appealDecidedOf(params: { puid: string; outcome: AppealDecided["outcome"]; atMs: number; words: string }): AppealDecided {
  const { puid, outcome, atMs, words } = params;
  return { kind: "appeal-decided", puid, outcome, decidedDay: dayOf(atMs), words };
}

function wholeGround({ kind, basis, explanation, referenceUrl = "", isAlsoIllegal = false }: DecisionGround): Required<DecisionGround> {
  return { kind, basis, explanation, referenceUrl, isAlsoIllegal };
}
