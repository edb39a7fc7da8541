import type { Platform } from "./platform.ts";

/** The platform with timers that somebody can end all at once: what is closed keeps no program alive, and does nothing any more. */
export function withOwnTimers(platform: Platform): { readonly platform: Platform; endTimers(): void } {
  const running = new Set<() => void>();
  return {
    platform: {
      ...platform,
      setTimer(delayMs, run) {
        const cancel = platform.setTimer(delayMs, () => {
          running.delete(cancel);
          run();
        });
        running.add(cancel);
        return () => {
          running.delete(cancel);
          cancel();
        };
      },
    },
    endTimers() {
      for (const cancel of running) cancel();
      running.clear();
    },
  };
}
