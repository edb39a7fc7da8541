import { concatBytes } from "@latchkey/codec";
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
  timeoutMs: number = httpTimeoutMs,
): Promise<T> {
  const controller = new AbortController();
  const cancel = platform.setTimer(timeoutMs, () => controller.abort());
  try {
    return await use(await platform.fetch(url, { ...init, signal: controller.signal }));
  } finally {
    cancel();
  }
}

/** The body of an answer; `undefined` where it is longer than `mostBytes`, of which no more than that is read (spec E-2). */
export async function readBody(response: Response, mostBytes: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(...parts);
    length += value.length;
    if (length > mostBytes) {
      await reader.cancel().catch(() => undefined);
      return undefined;
    }
    parts.push(value);
  }
}
