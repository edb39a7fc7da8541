import type { Platform } from "../platform/platform.ts";

/** Most time that an HTTP request may take, its body included: what hangs is as good as lost (spec E-3). */
const httpTimeoutMs = 60_000;

/**
 * Fetches, and hands the answer to `use`; both end when the time is over.
 * @throws whatever `fetch` and `use` throw, an AbortError after the time
 */
export async function fetchWithin<T>(
  platform: Pick<Platform, "fetch" | "setTimer">,
  url: string,
  init: RequestInit,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const cancel = platform.setTimer(httpTimeoutMs, () => controller.abort());
  try {
    return await use(await platform.fetch(url, { ...init, signal: controller.signal }));
  } finally {
    cancel();
  }
}
