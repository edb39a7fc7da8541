/** Runs tasks one after the other, in order of arrival. */
export interface Mutex {
  run<T>(task: () => Promise<T> | T): Promise<T>;
  /** Resolves once everything that waits now is done. */
  idle(): Promise<void>;
}

/** A mutex without owners: a task that waits for another task of the same mutex waits for ever. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run<T>(task: () => Promise<T> | T): Promise<T> {
      const result = last.then(task);
      last = result.catch(() => undefined);
      return result;
    },
    async idle() {
      await last;
    },
  };
}
