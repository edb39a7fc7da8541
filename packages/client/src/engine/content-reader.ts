import type { BlobReference } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import { readBlob } from "../group/blobs.ts";
import type { BlobHost } from "../group/blobs.ts";
import type { Platform } from "../platform/platform.ts";
import { DownloadHangs } from "../transport/fetch-within.ts";

/** Tries of one blob before it is told that it cannot be had now. */
const triesOfBlob = 3;
const betweenTriesMs = 2000;
/** How long messages whose content the server keeps back may keep a conversation waiting, together, in each span of time. */
const patienceMs = 10_000;
const patienceSpanMs = 60_000;
/** Stalls in a row after which a part that cannot be fetched is passed over by name: what follows it waits some minutes, not for ever. */
const stallsForContent = 6;

/**
 * `unreadable`: it is what the entry names, and its author put nothing there that opens; `missing`: the server does not have it, or says so;
 * `unavailable`: that cannot be told now.
 */
export type Content = Uint8Array | "unreadable" | "missing" | "unavailable";

/**
 * Fetches what entries hold outside of themselves, for one conversation (spec E-15). An answer that it is not there is asked for again, as
 * long as the conversation has patience left: a thousand messages without their content hold nobody for an hour. A commit
 * has its tries in any case, since this device waits to be let back in when it cannot read one.
 */
export class ContentReader {
  readonly #platform: BlobHost["platform"] & Pick<Platform, "nowMs">;
  readonly #delays = new Set<() => void>();
  #waited = { sinceMs: 0, ms: 0 };

  constructor(platform: BlobHost["platform"] & Pick<Platform, "nowMs">) {
    this.#platform = platform;
  }

  /**
   * @param params.stalls stalls of the conversation in a row
   * @param params.isCommit whether the entry is a commit
   */
  async get(
    reference: BlobReference,
    { baseUrl, stalls, isCommit }: { readonly baseUrl: string; readonly stalls: () => number; readonly isCommit: boolean },
  ): Promise<Content> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await readBlob({ platform: this.#platform, baseUrl }, reference)) ?? "unreadable";
      } catch (error) {
        const isTransient = !(error instanceof ClientError) || error.canRetry;
        // What hangs was waited for already: the conversation says what it waits for, and asks again.
        if (attempt >= triesOfBlob || error instanceof DownloadHangs)
          return isTransient && stalls() < stallsForContent ? "unavailable" : "missing";
        if (!isTransient && !isCommit && !this.#hasPatience()) return "missing";
      }
      await this.#delay(betweenTriesMs);
    }
  }

  /** Ends every wait: what was asked for is tried once more, and told. */
  close(): void {
    for (const finish of this.#delays) finish();
    this.#delays.clear();
  }

  /** Whether it may be waited once more in this span, which then counts. */
  #hasPatience(): boolean {
    const nowMs = this.#platform.nowMs();
    const isNewSpan = Math.abs(nowMs - this.#waited.sinceMs) >= patienceSpanMs;
    const { sinceMs, ms } = isNewSpan ? { sinceMs: nowMs, ms: 0 } : this.#waited;
    if (ms + betweenTriesMs > patienceMs) return false;
    this.#waited = { sinceMs, ms: ms + betweenTriesMs };
    return true;
  }

  #delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#delays.delete(finish);
        cancel();
        resolve();
      };
      const cancel = this.#platform.setTimer(delayMs, finish);
      this.#delays.add(finish);
    });
  }
}
