import { CodecError, decode, encode } from "@latchkey/codec";
import { wakeTokenLifeMs } from "@latchkey/protocol";
import { decodeWakeTarget, isAtPushService, wakeKeysCodec, wakeTokenCodec } from "@latchkey/protocol/wakes";
import type { WakeTarget, WakeToken } from "@latchkey/protocol/wakes";
import { createHash } from "node:crypto";
import type { TargetLimits } from "../admission/targets.ts";
import type { ServerContext } from "../config.ts";
import { publicUrlOf } from "../config.ts";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import { Refusal } from "../errors.ts";
import type { Counters } from "../metrics.ts";
import type { SetTimer } from "../start/parts.ts";
import type { PushSend } from "./push-door.ts";
import type { WakeKeyring } from "./wake-keyring.ts";

/** A push service is asked this often for one device; what comes meanwhile becomes one more. */
const spacingMs = 5000;
/** What a push service asks for is waited out so long at most; one that does not know the device any more is left in peace as long. */
const longestPauseMs = 3_600_000;
/** Devices that were woken within the spacing, or wait. */
const maxPaced = 16_384;
/** A device's clock may be ahead of this one's. */
const skewMs = 86_400_000;

/** A device that was woken just now, by the hash of where its push service takes messages. */
interface Paced {
  isAskedAgain: boolean;
  cancel: (() => void) | undefined;
}

/** What wakes are done with. */
interface WakeParts {
  readonly keyring: WakeKeyring;
  /** The push services that are spoken to; none: nobody is woken. */
  readonly services: readonly string[];
  readonly send: PushSend;
  readonly labels: Pick<OperatorLabels, "publish">;
  readonly targets: Pick<TargetLimits, "isWokenTooOften">;
  readonly counters: Counters;
  readonly context: ServerContext;
  readonly setTimer: SetTimer;
}

/**
 * Wakes devices by their push services (spec W-1). Who asks is not known, and whom it wakes neither: what a token holds is in memory while
 * the push service is asked, and its hash for some seconds after; nothing is stored or logged.
 */
export class WakeService {
  readonly #parts: WakeParts;
  readonly #paced = new Map<string, Paced>();
  #publishing: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: WakeParts) {
    this.#parts = parts;
  }

  /** Publishes the keys under the label `wake`, where they are not yet: before the first that asks for them is answered. @throws StoreError */
  published(): Promise<void> {
    this.#publishing ??= this.#publish().catch((error: unknown) => {
      this.#publishing = undefined;
      // Nothing can be published now: what is shown is what was.
      if (!(error instanceof Refusal)) throw error;
    });
    return this.#publishing;
  }

  async #publish(): Promise<void> {
    const { keyring, services, labels } = this.#parts;
    const { publicKey, vapidKey } = keyring;
    await labels.publish("wake", encode(wakeKeysCodec, { format: 1, publicKey, vapidKey, services, ext: new Uint8Array(0) }));
  }

  /** Has the device woken whose token it is, if it holds. Nobody is told what becomes of it: only the device learns it. */
  wake(bytes: Uint8Array): void {
    if (this.#isClosed || this.#parts.services.length === 0) return;
    const target = this.#targetIn(bytes);
    if (target === undefined || !isAtPushService(target.endpoint, this.#parts.services)) return this.#count("refused");
    if (this.#parts.targets.isWokenTooOften(target.tokenId)) return this.#count("too_often");
    const key = createHash("sha256").update(target.endpoint).digest("latin1");
    const known = this.#paced.get(key);
    if (known !== undefined) known.isAskedAgain = true;
    else if (this.#paced.size >= maxPaced) this.#count("too_many");
    else void this.#ask(key, target.endpoint, { isAskedAgain: false, cancel: undefined });
  }

  /** Asks nobody any more. */
  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#paced.values()) cancel?.();
    this.#paced.clear();
  }

  #targetIn(bytes: Uint8Array): WakeTarget | undefined {
    const { keyring, context } = this.#parts;
    try {
      const token: WakeToken = decode(wakeTokenCodec, bytes);
      const aheadMs = token.notAfterMs - context.nowMs();
      const holds = token.host === context.host && aheadMs > 0 && aheadMs <= wakeTokenLifeMs + skewMs && keyring.isOurs(token);
      const padded = holds ? keyring.open(token) : undefined;
      return padded === undefined ? undefined : decodeWakeTarget(padded);
    } catch (error) {
      if (error instanceof CodecError) return undefined;
      throw error;
    }
  }

  async #ask(key: string, endpoint: string, paced: Paced): Promise<void> {
    const { keyring, context, send, setTimer } = this.#parts;
    paced.isAskedAgain = false;
    this.#paced.set(key, paced);
    let pauseMs = spacingMs;
    try {
      const { origin: audience } = new URL(endpoint);
      const subject = publicUrlOf(context.host, true);
      const { status, retryAfterMs } = await send(endpoint, keyring.vapid({ audience, subject, nowMs: context.nowMs() }));
      this.#count(status >= 200 && status < 300 ? "taken" : `status_${String(status)}`);
      const isGone = status === 404 || status === 410;
      pauseMs = isGone ? longestPauseMs : Math.min(longestPauseMs, Math.max(spacingMs, retryAfterMs));
    } catch {
      // Out of reach, too slow, or no answer of HTTP: the next message wakes the device, or the device looks by itself.
      this.#count("unreachable");
    }
    if (this.#isClosed) return;
    paced.cancel = setTimer(pauseMs, () => {
      if (paced.isAskedAgain) void this.#ask(key, endpoint, paced);
      else this.#paced.delete(key);
    });
  }

  #count(outcome: string): void {
    const { wakes } = this.#parts.counters;
    wakes.set(outcome, (wakes.get(outcome) ?? 0) + 1);
  }
}
