/** Time that passes only while it runs, in milliseconds. Each call has the time now, from a clock that never goes back. */
export interface Stopwatch {
  start(nowMs: number): void;
  stop(nowMs: number): void;
  elapsedMs(nowMs: number): number;
}

/** A watch that stands at 0. */
export function createStopwatch(): Stopwatch {
  let beforeMs = 0;
  let sinceMs: number | undefined;
  const elapsedMs = (nowMs: number): number => beforeMs + (sinceMs === undefined ? 0 : Math.max(0, nowMs - sinceMs));
  return {
    start(nowMs) {
      sinceMs ??= nowMs;
    },
    stop(nowMs) {
      beforeMs = elapsedMs(nowMs);
      sinceMs = undefined;
    },
    elapsedMs,
  };
}
