import { eraseDue } from "../timeline/erasure.ts";
import { closeDue } from "../timeline/once.ts";
import { dropOldWaiting } from "../timeline/waiting.ts";
import type { World } from "./world.ts";

const everyMs = 3_600_000;

/**
 * Erases what is due in the timelines and has it said that this device is in use (`sayUse`, where somebody is there), each hour and when it is known what time it is; returns how to stop. By a clock that may be wrong
 * nothing is erased (spec E-3, E-142). A store that cannot be written is tried again.
 */
export function startChores(
  { store, platform, files, clock }: Pick<World, "store" | "platform" | "files" | "clock">,
  sayUse: (() => Promise<void>) | undefined,
): () => void {
  let cancel = (): void => undefined;
  let isStopped = false;
  const work = (): void => {
    const nowMs = platform.nowMs();
    if (isStopped || !clock.isSure(nowMs)) return;
    sayUse?.().catch(() => undefined);
    store
      .transact("write", async (tx) => {
        await eraseDue(tx, nowMs);
        await dropOldWaiting(tx, nowMs);
        const gone = await closeDue(tx, nowMs);
        if (gone.length > 0) tx.afterCommit(() => files.gone(gone));
      })
      .catch(() => undefined);
  };
  const eachHour = (): void => {
    work();
    cancel = platform.setTimer(everyMs, eachHour);
  };
  clock.onHeard(work);
  eachHour();
  return () => {
    isStopped = true;
    cancel();
  };
}
