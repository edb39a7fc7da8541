import { epoch } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import type { SaidBody } from "../timeline/said.ts";
import type { Turn } from "./turn.ts";

/**
 * Keeps what proves who wrote the message whose line stands at `order`: what its author signed, beside the line and for as long as it
 * (spec L-14). Nothing is kept of what is shown nowhere.
 */
export function keepEvidence(turn: Turn, order: number, evidence: MessageEvidence): void {
  const { group } = turn.state;
  if (group === undefined || !isEvidenceKept(turn, order)) return;
  turn.effects.push({ kind: "evidence", order, epoch: Number(epoch(group)), evidence });
}

/** Whether something is shown at this place, so that what proves it is kept with it. */
export function isEvidenceKept({ state, effects }: Turn, order: number): boolean {
  if (state.kind === "devices") return false;
  return effects.some(
    (effect) =>
      (effect.kind === "line" && effect.line.order === order) ||
      (effect.kind === "content" && effect.said.order === order && isReportable(effect.said.body.kind)),
  );
}

/** What says something in words of its own, and not only of what others said. */
function isReportable(kind: SaidBody["kind"]): boolean {
  return kind === "text" || kind === "edit" || kind === "poll" || kind === "unsupported";
}
