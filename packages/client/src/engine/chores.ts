import { eraseDue } from "../timeline/erasure.ts";
import { closeDue } from "../timeline/once.ts";
import { dropOldWaiting } from "../timeline/waiting.ts";
import type { World } from "./world.ts";

const everyMs = 3_600_000;
/** Between two parts of what is due: whoever has something to send or to read goes in between. */
const partMs = 10;

/**
 * Erases what is due in the timelines and has it said that this device is in use (`sayUse`, where somebody is there), each hour and when it is known what time it is; returns how to stop. By a clock that may be wrong
 * nothing is erased (spec E-3, E-142). Where much is due it goes in parts (E-2). A store that cannot be written is tried again.
 */
export function startChores(
  { store, platform, files, clock }: Pick<World, "store" | "platform" | "files" | "clock">,
  sayUse: (() => Promise<void>) | undefined,
): () => void {
  let cancel = (): void => undefined;
  let cancelRest = (): void => undefined;
  let isStopped = false;
  const erase = (): void => {
    const nowMs = platform.nowMs();
    if (isStopped || !clock.isSure(nowMs)) return;
    store
      .transact("write", async (tx) => {
        if (!(await eraseDue(tx, nowMs))) return false;
        const { gone, isAll } = await closeDue(tx, nowMs);
        if (gone.length > 0) tx.afterCommit(() => files.gone(gone));
        if (isAll) await dropOldWaiting(tx, nowMs);
        return isAll;
      })
      .then((isAll) => {
        if (isAll || isStopped) return;
        cancelRest();
        cancelRest = platform.setTimer(partMs, erase);
      })
      .catch(() => undefined);
  };
  const work = (): void => {
    if (!isStopped && clock.isSure(platform.nowMs())) sayUse?.().catch(() => undefined);
    erase();
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
    cancelRest();
  };
}
