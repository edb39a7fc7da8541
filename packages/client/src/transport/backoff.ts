import type { RandomBytes } from "@latchkey/mls";
import type { CloseReason } from "./connection.ts";

const firstDelayMs = 500;
const maxDelayMs = 60_000;

/** Least wait after a connection that ended so, in milliseconds. */
const leastDelayMs: Readonly<Partial<Record<CloseReason, number>>> = {
  protocol: 10_000,
  // Nothing changes before one of the two is updated.
  outdated: 900_000,
  rate_limited: 10_000,
  shutting_down: 1000,
  // Two processes with one profile would push each other off for ever.
  replaced: 60_000,
  removed: 60_000,
};

/** A number in [0, 1). */
export function randomFraction(random: RandomBytes): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}

/**
 * How long to wait before try number `attempt` (1 after the first failure): doubling, at most a minute, of which up to half is
 * left to chance, so that the clients of a server that restarts do not all come at once.
 */
export function backoffMs(params: { attempt: number; reason: CloseReason; random: RandomBytes }): number {
  const exponential = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(params.attempt - 1, 20));
  const base = Math.max(exponential, leastDelayMs[params.reason] ?? 0);
  return Math.round(base * (0.5 + 0.5 * randomFraction(params.random)));
}
