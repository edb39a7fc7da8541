import { eraseDue } from "../timeline/erasure.ts";
import { closeDue } from "../timeline/once.ts";
import { dropOldWaiting } from "../timeline/waiting.ts";
import type { World } from "./world.ts";

const everyMs = 3_600_000;

/** Erases what is due in the timelines, now and each hour; returns how to stop. A store that cannot be written is tried again. */
export function startChores({ store, platform, files }: Pick<World, "store" | "platform" | "files">): () => void {
  let cancel = (): void => undefined;
  const run = (): void => {
    const nowMs = platform.nowMs();
    store
      .transact("write", async (tx) => {
        await eraseDue(tx, nowMs);
        await dropOldWaiting(tx, nowMs);
        const gone = await closeDue(tx, nowMs);
        if (gone.length > 0) tx.afterCommit(() => files.gone(gone));
      })
      .catch(() => undefined);
    cancel = platform.setTimer(everyMs, run);
  };
  run();
  return () => cancel();
}
