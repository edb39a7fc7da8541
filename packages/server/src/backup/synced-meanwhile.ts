import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "../files.ts";
import { syncFile } from "./folders.ts";

/** Between two looks: a disk takes so long for what was written meanwhile. */
const pauseMs = 20;

/**
 * Waits for `writing`, and meanwhile puts on disk what it has written into `paths`, a little at a time: a gigabyte that is synced at once holds
 * up every message that a server on the same disk makes durable. Settles when the writing is over. @throws what either fails with: of a write that
 * the system could not finish it tells the first who asks alone.
 */
export async function syncedMeanwhile<T>(
  paths: readonly string[],
  writing: Promise<T>,
  sync: (path: string) => Promise<void> = syncFile,
): Promise<T> {
  let isOver = false;
  const whole = writing.finally(() => (isOver = true));
  const syncing = async (): Promise<void> => {
    for (; !isOver; await delay(pauseMs)) {
      for (const path of paths) {
        try {
          await sync(path);
        } catch (error) {
          // It is not there yet.
          if (errorCode(error) !== "ENOENT") throw error;
        }
      }
    }
  };
  const [written, synced] = await Promise.allSettled([whole, syncing()]);
  if (written.status === "rejected") throw written.reason;
  if (synced.status === "rejected") throw synced.reason;
  return written.value;
}
