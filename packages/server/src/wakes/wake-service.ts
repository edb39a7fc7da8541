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
/** Devices that push services do not know any more, and services that asked for peace, the newest. */
const maxGone = 16_384;
const maxResting = 64;
/** A device's clock may be ahead of this one's. */
const skewMs = 86_400_000;

/** A device that was woken just now, by the hash of where its push service takes messages. */
interface Paced {
  isAskedAgain: boolean;
  cancel: (() => void) | undefined;
}

/** Whom a push service is asked to wake. */
interface Device {
  /** The hash of its address there. */
  readonly key: string;
  readonly endpoint: string;
  readonly isBad: () => void;
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
  readonly #most: number;
  readonly #paced = new Map<string, Paced>();
  /** Until when nobody is asked for them, by the same hash; and by the push service's origin. They keep no place from others. */
  readonly #gone = new Map<string, number>();
  readonly #resting = new Map<string, number>();
  #publishing: Promise<void> | undefined;
  #isClosed = false;

  /** @param most devices that were woken within the spacing, or wait */
  constructor(parts: WakeParts, most: number = maxPaced) {
    this.#parts = parts;
    this.#most = most;
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

  /**
   * Has the device woken whose token it is, if it holds. Nobody is told what becomes of it: only the device learns it.
   * @param isBad called where its push service knows no such device: whoever shows many of those made them up
   */
  wake(bytes: Uint8Array, isBad: () => void = () => undefined): void {
    if (this.#isClosed || this.#parts.services.length === 0) return;
    const target = this.#targetIn(bytes);
    if (target === undefined || !isAtPushService(target.endpoint, this.#parts.services)) return this.#count("refused");
    if (this.#parts.targets.isWokenTooOften(target.tokenId)) return this.#count("too_often");
    const key = createHash("sha256").update(target.endpoint).digest("latin1");
    const known = this.#paced.get(key);
    if (leftOf(this.#gone, key, this.#parts.context.elapsedMs()) > 0) this.#count("gone");
    else if (known !== undefined) known.isAskedAgain = true;
    else if (this.#paced.size >= this.#most) this.#count("too_many");
    else void this.#ask({ key, endpoint: target.endpoint, isBad }, { isAskedAgain: false, cancel: undefined });
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

  async #ask(device: Device, paced: Paced): Promise<void> {
    const { keyring, context, send } = this.#parts;
    const { key, endpoint } = device;
    const { origin: audience } = new URL(endpoint);
    this.#paced.set(key, paced);
    const restMs = leftOf(this.#resting, audience, context.elapsedMs());
    if (restMs > 0) {
      paced.isAskedAgain = true;
      this.#pause(device, paced, restMs);
      return;
    }
    paced.isAskedAgain = false;
    try {
      const subject = publicUrlOf(context.host, true);
      const { status, retryAfterMs } = await send(endpoint, keyring.vapid({ audience, subject, nowMs: context.nowMs() }));
      this.#count(status >= 200 && status < 300 ? "taken" : `status_${String(status)}`);
      if (status === 404 || status === 410) {
        keep(this.#gone, { key, untilMs: context.elapsedMs() + longestPauseMs, most: maxGone });
        this.#paced.delete(key);
        device.isBad();
        return;
      }
      const peaceMs = Math.min(longestPauseMs, retryAfterMs);
      if (peaceMs > 0) keep(this.#resting, { key: audience, untilMs: context.elapsedMs() + peaceMs, most: maxResting });
    } catch {
      // Out of reach, too slow, or no answer of HTTP: the next message wakes the device, or the device looks by itself.
      this.#count("unreachable");
    }
    this.#pause(device, paced, spacingMs);
  }

  #pause(device: Device, paced: Paced, pauseMs: number): void {
    if (this.#isClosed) return;
    paced.cancel = this.#parts.setTimer(pauseMs, () => {
      if (paced.isAskedAgain) void this.#ask(device, paced);
      else this.#paced.delete(device.key);
    });
  }

  #count(outcome: string): void {
    const { wakes } = this.#parts.counters;
    wakes.set(outcome, (wakes.get(outcome) ?? 0) + 1);
  }
}

/** How much longer, in milliseconds. */
function leftOf(until: Map<string, number>, key: string, nowMs: number): number {
  const leftMs = (until.get(key) ?? nowMs) - nowMs;
  if (leftMs <= 0) until.delete(key);
  return Math.max(0, leftMs);
}

function keep(until: Map<string, number>, { key, untilMs, most }: { key: string; untilMs: number; most: number }): void {
  until.delete(key);
  until.set(key, untilMs);
  const oldest = until.size > most ? until.keys().next() : undefined;
  if (oldest?.done === false) until.delete(oldest.value);
}
