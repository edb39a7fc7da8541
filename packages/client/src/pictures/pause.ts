/** Something is not tried for a while. */
export interface Pause {
  readonly sinceMs: number;
  readonly forMs: number;
}

/** How long it is still not tried: a clock that is set meanwhile, ahead or back, ends it, or makes it twice as long at most. */
export function pauseLeftMs({ sinceMs, forMs }: Pause, nowMs: number): number {
  const leftMs = sinceMs + forMs - nowMs;
  return leftMs > 2 * forMs ? 0 : Math.max(0, leftMs);
}
