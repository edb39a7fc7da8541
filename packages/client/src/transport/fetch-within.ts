import { readAtMost } from "@latchkey/codec";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";

/** Most time that an HTTP request may take, its body included: what hangs is as good as lost (spec E-3). */
const httpTimeoutMs = 60_000;
/** A download goes on for as long as each of these times brings so much of it, or its end (spec E-15). */
const progressMs = 15_000;
const leastProgressBytes = 16_384;

/** A download that hangs, or comes so slowly that it would never end. */
export class DownloadHangs extends ClientError {
  constructor() {
    super("offline", "A part of this does not come from the server now. It is asked for again.");
  }
}

/**
 * Fetches, and hands the answer to `use`; both end when the time is over, or with the signal in `init`.
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
  const follow = (): void => controller.abort();
  if (init.signal?.aborted === true) follow();
  init.signal?.addEventListener("abort", follow);
  try {
    return await use(await platform.fetch(url, { ...init, signal: controller.signal }));
  } finally {
    init.signal?.removeEventListener("abort", follow);
    cancel();
  }
}

/**
 * Fetches something large, and hands the answer to `use`, which says how many bytes came: it may take as long as it comes, however slow
 * the network, and ends soon when nothing does, or with the signal in `init`.
 * @throws DownloadHangs, and whatever `fetch` and `use` throw
 */
export async function fetchWhileItComes<T>(
  platform: Pick<Platform, "fetch" | "setTimer">,
  url: string,
  init: RequestInit,
  use: (response: Response, came: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: hangs, reject } = Promise.withResolvers<never>();
  let bytes = 0;
  let cancel: () => void = () => undefined;
  const watch = (): void => {
    const before = bytes;
    cancel = platform.setTimer(progressMs, () => {
      if (bytes - before >= leastProgressBytes) return watch();
      reject(new DownloadHangs());
      controller.abort();
    });
  };
  watch();
  const follow = (): void => {
    reject(new DOMException("asked to end", "AbortError"));
    controller.abort();
  };
  // Whoever races it may have ended already.
  hangs.catch(() => undefined);
  if (init.signal?.aborted === true) follow();
  init.signal?.addEventListener("abort", follow);
  try {
    const fetched = platform.fetch(url, { ...init, signal: controller.signal }).then((response) =>
      use(response, (more) => {
        bytes += more;
      }),
    );
    // It ends with the abort, too, which nobody hears any more.
    fetched.catch(() => undefined);
    return await Promise.race([fetched, hangs]);
  } finally {
    init.signal?.removeEventListener("abort", follow);
    cancel();
  }
}

/**
 * The body of an answer; `undefined` where it is longer than `mostBytes`, of which no more than that is read (spec E-2).
 * @param came told how many bytes came, each time that some do
 */
export async function readBody(
  response: Response,
  mostBytes: number,
  came: (bytes: number) => void = () => undefined,
): Promise<Uint8Array | undefined> {
  return await readAtMost(response.body === null ? null : piecesOf(response.body.getReader(), came), mostBytes);
}

async function* piecesOf(reader: ReadableStreamDefaultReader<Uint8Array>, came: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      came(value.length);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
