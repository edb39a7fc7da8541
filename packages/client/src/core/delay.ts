import type { RandomBytes } from "@latchkey/mls";

const leastMs = 200;

/** How long a member waits with a commit that another one may make as well: random, so that not all commit at once (spec M-3, G-3, G-5). */
export function othersFirstMs(random: RandomBytes, mostMs: number): number {
  const [high = 0, low = 0] = random(2);
  return leastMs + Math.floor(((high * 256 + low) / 65_536) * mostMs);
}
