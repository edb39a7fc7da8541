import type { Platform } from "../platform/platform.ts";

/** Waits so long, or until `signal`. @throws the signal's reason */
export async function wait(platform: Pick<Platform, "setTimer">, delayMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = platform.setTimer(delayMs, finish);
    signal.addEventListener("abort", finish);
  });
  signal.throwIfAborted();
}
