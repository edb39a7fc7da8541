import type { LockSettings } from "@latchkey/client/lock";

/** A tab may go and another come, as one that is loaded again does, before nobody sees the app any more. */
const hiddenMs = 1500;

/** When an open profile locks by itself. `P` is a page. */
export interface IdleLock<P> {
  /** The person did something there, or it came into sight or went out of it. */
  seen(page: P, isVisible: boolean): void;
  /** Something goes on without them, and counts as something that they do; it is no sight of any page. */
  goesOn(): void;
  left(page: P): void;
  follow(settings: LockSettings): void;
  end(): void;
}

/** Calls `lock` once: when for the chosen time nothing was done in any page, or when none is seen where that was chosen. */
export function createIdleLock<P>(first: LockSettings, lock: () => void): IdleLock<P> {
  let settings = first;
  const visible = new Set<P>();
  let lastMs = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;

  const end = (): void => {
    isOver = true;
    clearTimeout(timer);
    clearTimeout(hidden);
  };
  const run = (): void => {
    if (isOver) return;
    end();
    lock();
  };
  /** Also after a time in which no timer ran: the device slept. */
  const isDue = (): boolean => settings.afterMs !== undefined && Date.now() - lastMs >= settings.afterMs;
  const wait = (): void => {
    clearTimeout(timer);
    if (isOver || settings.afterMs === undefined) return;
    timer = setTimeout(() => (isDue() ? run() : wait()), Math.max(0, lastMs + settings.afterMs - Date.now()));
  };
  const watchSight = (): void => {
    clearTimeout(hidden);
    if (!isOver && settings.onHide && visible.size === 0) hidden = setTimeout(run, hiddenMs);
  };
  const done = (): void => {
    lastMs = Date.now();
    wait();
  };
  wait();

  return {
    seen(page, isVisible) {
      if (isDue()) {
        run();
        return;
      }
      if (isVisible) {
        visible.add(page);
        done();
      } else visible.delete(page);
      watchSight();
    },
    goesOn() {
      if (isDue()) run();
      else done();
    },
    left(page) {
      visible.delete(page);
      watchSight();
    },
    follow(next) {
      settings = next;
      wait();
    },
    end,
  };
}
