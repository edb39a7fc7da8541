import { toBase64Url } from "@latchkey/codec";
import { encodePicture } from "@latchkey/protocol";
import type { BlobReference } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { pauseLeftMs } from "./pause.ts";
import type { Pause } from "./pause.ts";

/** What came of a try: `never` for bytes that are those of the reference, and no picture. */
export type FetchOutcome = "kept" | "never";

/** Pictures that wait at a time; of more the first asked for are let go of, until they are shown again. */
const maxWaiting = 200;
/** Pictures of which a failure is remembered, and tries of one by itself; then only when it is shown again. */
const maxRemembered = 2000;
const maxTries = 10;
/** Before the next try where the server does not have it, or has something else there; and where it was not reached. */
const missingMs = 60_000;
const mostMissingMs = 21_600_000;
const offlineMs = 15_000;
const mostOfflineMs = 300_000;

/** A reference as a key: all of it, so that nobody spoils somebody else's by naming the same blob. */
export function referenceId(reference: BlobReference): string {
  return toBase64Url(encodePicture(reference));
}

interface Failure {
  readonly reference: BlobReference;
  readonly tries: number;
  /** `undefined` where no try would bring another outcome. */
  readonly pause: Pause | undefined;
}

/**
 * Fetches pictures that are shown, one at a time and the one asked for last first, behind everything else that this device does. One that
 * does not come holds up none but itself for as long as a download may take, and is tried again later and later (spec E-106).
 */
export class PictureFetches {
  readonly #platform: Pick<Platform, "nowMs" | "setTimer">;
  readonly #fetch: (reference: BlobReference) => Promise<FetchOutcome>;
  #waiting: readonly BlobReference[] = [];
  readonly #failures = new Map<string, Failure>();
  #fetching: string | undefined;
  #cancelRetry: () => void = () => undefined;
  #isClosed = false;

  /** @param fetch brings one here and keeps it. @throws ClientError where it does not come */
  constructor(platform: Pick<Platform, "nowMs" | "setTimer">, fetch: (reference: BlobReference) => Promise<FetchOutcome>) {
    this.#platform = platform;
    this.#fetch = fetch;
  }

  /** A picture is shown that is not here. */
  ask(reference: BlobReference): void {
    const id = referenceId(reference);
    const failure = this.#failures.get(id);
    const isLater = failure !== undefined && (failure.pause === undefined || pauseLeftMs(failure.pause, this.#platform.nowMs()) > 0);
    if (this.#isClosed || isLater || this.#fetching === id) return;
    const others = this.#waiting.filter((one) => referenceId(one) !== id);
    this.#waiting = [...others, reference].slice(-maxWaiting);
    if (this.#fetching === undefined) void this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#cancelRetry();
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.at(-1); next !== undefined; next = this.#waiting.at(-1)) {
      this.#waiting = this.#waiting.slice(0, -1);
      const id = referenceId(next);
      this.#fetching = id;
      try {
        if ((await this.#fetch(next)) === "never") this.#remember(id, { reference: next, tries: maxTries, pause: undefined });
        else this.#failures.delete(id);
      } catch (error) {
        this.#failed(id, next, error);
      }
      this.#fetching = undefined;
    }
    this.#retryLater();
  }

  #failed(id: string, reference: BlobReference, error: unknown): void {
    const before = this.#failures.get(id)?.tries ?? 0;
    // Nothing was said of the picture where the server was not reached.
    const isPassing = !(error instanceof ClientError) || error.canRetry;
    const forMs = isPassing ? Math.min(mostOfflineMs, offlineMs * 2 ** before) : Math.min(mostMissingMs, missingMs * 4 ** before);
    this.#remember(id, { reference, tries: Math.min(maxTries, before + 1), pause: { sinceMs: this.#platform.nowMs(), forMs } });
  }

  #remember(id: string, failure: Failure): void {
    this.#failures.delete(id);
    this.#failures.set(id, failure);
    const [first] = this.#failures.keys();
    if (this.#failures.size > maxRemembered && first !== undefined) this.#failures.delete(first);
  }

  #retryLater(): void {
    this.#cancelRetry();
    const nowMs = this.#platform.nowMs();
    const left = [...this.#failures.values()].flatMap(({ tries, pause }) =>
      tries < maxTries && pause !== undefined ? [pauseLeftMs(pause, nowMs)] : [],
    );
    if (left.length === 0 || this.#isClosed) return;
    this.#cancelRetry = this.#platform.setTimer(Math.max(1000, Math.min(...left)), () => {
      for (const { reference, tries } of this.#failures.values()) if (tries < maxTries) this.ask(reference);
      if (this.#fetching === undefined) this.#retryLater();
    });
  }
}
