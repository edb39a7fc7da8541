/** A clock that moves only when told to, with timers that fire on the way. */
export interface FakeClock {
  /** Milliseconds since 1970 by this clock. */
  now(): number;
  /** Calls `run` once `delayMs` have passed; the result cancels it. */
  schedule(delayMs: number, run: () => void): () => void;
  /** Moves on by `ms`, firing what falls due, in order of time and then of scheduling. */
  advance(ms: number): void;
  /** Timers still waiting. */
  readonly pending: number;
}

/** @param startMs the first reading, by default 2026-01-01T00:00:00Z. */
export function createFakeClock(startMs: number = 1_767_225_600_000): FakeClock {
  let nowMs = startMs;
  let timers: { readonly dueMs: number; readonly run: () => void }[] = [];
  return {
    now: () => nowMs,
    schedule(delayMs, run) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        let next: (typeof timers)[number] | undefined;
        for (const timer of timers) {
          if (timer.dueMs <= endMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
        }
        if (next === undefined) break;
        const due = next;
        timers = timers.filter((other) => other !== due);
        nowMs = Math.max(nowMs, due.dueMs);
        due.run();
      }
      nowMs = endMs;
    },
    get pending() {
      return timers.length;
    },
  };
}
