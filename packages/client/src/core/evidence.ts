import { epoch } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import type { SaidBody } from "../timeline/said.ts";
import type { Turn } from "./turn.ts";

/**
 * Keeps what proves who wrote the message whose line stands at `order`: what its author signed, beside the line and for as long as it
 * (spec L-14); of a deletion or a reaction for a day, in which it may be reported. Nothing is kept of what else is shown nowhere.
 */
export function keepEvidence(turn: Turn, order: number, evidence: MessageEvidence): void {
  const { group } = turn.state;
  if (group === undefined) return;
  const kept = { kind: "evidence", order, epoch: Number(epoch(group)), evidence } as const;
  if (isEvidenceKept(turn, order)) turn.effects.push(kept);
  else if (isBrief(turn, order)) turn.effects.push({ ...kept, isBrief: true });
}

/** Whether it is a change that says nothing of its own, and is kept no longer for those who join later. */
function isBrief({ state, effects }: Turn, order: number): boolean {
  if (state.kind === "devices" || effects.some((effect) => effect.kind === "evidence" && effect.order === order)) return false;
  return effects.some((effect) => effect.kind === "content" && effect.said.order === order && isBriefKind(effect.said.body.kind));
}

function isBriefKind(kind: SaidBody["kind"]): boolean {
  return kind === "deletion" || kind === "reaction";
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
