/** Work of which one run goes on at a time. */
export interface SingleFlight {
  readonly isRunning: boolean;
  /** Runs it; while it runs, once more afterwards, for what came meanwhile. Resolves or fails with the run that goes on now. */
  wake(): Promise<void>;
  /** Runs it; while it runs, shares that run. */
  join(): Promise<void>;
  /** Resolves when nothing runs, whatever became of it. */
  settled(): Promise<void>;
}

/** Makes `run` work of which one run goes on at a time. A run that follows another by `wake` has nobody who waits: it handles its own failures. */
export function createSingleFlight(run: () => Promise<void>): SingleFlight {
  let running: Promise<void> | undefined;
  let isAgain = false;

  function start(): Promise<void> {
    running ??= run().finally(() => {
      running = undefined;
      if (!isAgain) return;
      isAgain = false;
      start().catch(() => undefined);
    });
    return running;
  }

  return {
    get isRunning() {
      return running !== undefined;
    },
    wake() {
      isAgain ||= running !== undefined;
      return start();
    },
    join: start,
    async settled() {
      while (running !== undefined) await running.catch(() => undefined);
    },
  };
}
