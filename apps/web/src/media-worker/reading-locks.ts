import { readingLock } from "@latchkey/client/files";

/** So long after a part of it was asked for a file counts as being read: a player asks for the next one when it needs it. */
const readingMs = 60_000;

/** What it takes to say to others that a file is being read. */
export interface LockWorld {
  /** Absent where the browser has none. */
  readonly locks: Pick<LockManager, "request"> | undefined;
  setTimer(delayMs: number, run: () => void): () => void;
}

/**
 * Says to the client that a file is being read, so that it is not taken off this device meanwhile: by a lock that ends a while after the last part, or
 * with this worker. Returns what is called with each part, by the id of the file.
 */
export function createReadingLocks({ locks, setTimer }: LockWorld): (id: string) => void {
  const held = new Map<string, { cancel(): void; readonly release: () => void }>();
  return (id) => {
    if (locks === undefined) return;
    const endLater = (release: () => void): (() => void) =>
      setTimer(readingMs, () => {
        held.delete(id);
        release();
      });
    const known = held.get(id);
    if (known !== undefined) {
      known.cancel();
      known.cancel = endLater(known.release);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    held.set(id, { cancel: endLater(resolve), release: resolve });
    locks.request(readingLock + id, { mode: "shared" }, () => promise).catch(() => undefined);
  };
}
