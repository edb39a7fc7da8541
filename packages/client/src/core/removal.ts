import { othersFirstMs } from "./delay.ts";
import type { Turn } from "./turn.ts";

/** How long a member waits at most before it removes somebody who left (spec M-3). */
const leaverDelayMs = 4000;

/** Plans the removal of those who left, after a random time in which somebody else may do it. */
export function scheduleRemoval(turn: Turn): void {
  turn.effects.push({ kind: "schedule", name: "remove_leavers", delayMs: othersFirstMs(turn.context.random, leaverDelayMs) });
}
