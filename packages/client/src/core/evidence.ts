import { epoch } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import type { Turn } from "./turn.ts";

/**
 * Keeps what proves who wrote the message whose line stands at `order`: what its author signed, beside the line and for as long as it
 * (spec L-14). Nothing is kept of what is shown nowhere.
 */
export function keepEvidence(turn: Turn, order: number, evidence: MessageEvidence): void {
  const { group, kind } = turn.state;
  if (kind === "devices" || group === undefined) return;
  if (!turn.effects.some((effect) => effect.kind === "line" && effect.line.order === order)) return;
  turn.effects.push({ kind: "evidence", order, epoch: Number(epoch(group)), evidence });
}
