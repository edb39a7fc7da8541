import type { Turn } from "./turn.ts";

/** How long a member waits at most before it removes somebody who left: random, so that not all commit at once (spec M-3). */
const leaverDelayMs = 4000;

/** Plans the removal of those who left, after a random time in which somebody else may do it. */
export function scheduleRemoval(turn: Turn): void {
  const [high = 0, low = 0] = turn.context.random(2);
  const delayMs = 200 + Math.floor(((high * 256 + low) / 65_536) * leaverDelayMs);
  turn.effects.push({ kind: "schedule", name: "remove_leavers", delayMs });
}
