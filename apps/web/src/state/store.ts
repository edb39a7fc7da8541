/** A value that changes and tells those who look at it. */
export interface Store<T> {
  get(): T;
  update(next: (value: T) => T): void;
  subscribe(listener: () => void): () => void;
}

/** Creates a store. Listeners run synchronously after each change of identity. */
export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    update(next) {
      const updated = next(value);
      if (updated === value) return;
      value = updated;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
