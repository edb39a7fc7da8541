import { concatBytes, fromBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** How long a browser has to answer, milliseconds. */
const challengeMs = 300_000;
/** Answered challenges that are remembered until they would be too old anyway; with more nobody signs in for the moment. */
const maxBurned = 100_000;
const [randomLength, timeLength, macLength] = [16, 8, 32];

/**
 * Challenges for passkeys: the server keeps nothing of one that it gives out, so that nobody who only asks takes another's away. It knows
 * one again by its MAC, until it is too old or was answered once. In memory: none outlives a restart.
 */
export class Challenges {
  readonly #key = randomBytes(32);
  readonly #burned = new Map<string, number>();

  /** @param purpose what the answer is for: no other counts */
  create(purpose: string, passedMs: number): Uint8Array {
    const time = new Uint8Array(timeLength);
    new DataView(time.buffer).setFloat64(0, passedMs + challengeMs);
    const head = concatBytes(new Uint8Array(randomBytes(randomLength)), time);
    return concatBytes(head, this.#mac(purpose, head));
  }

  /** Whether an answer to this challenge (base64url) counts: once. It is used up whatever else the answer is worth. */
  burn(purpose: string, challenge: string, passedMs: number): boolean {
    const bytes = challenge.length > 128 ? undefined : decoded(challenge);
    if (bytes?.length !== randomLength + timeLength + macLength) return false;
    const head = bytes.slice(0, randomLength + timeLength);
    if (!timingSafeEqual(bytes.slice(head.length), this.#mac(purpose, head))) return false;
    const untilMs = new DataView(head.buffer).getFloat64(randomLength);
    if (passedMs >= untilMs) return false;
    const name = toHex(head);
    if (this.#burned.has(name)) return false;
    if (this.#burned.size >= maxBurned) this.#forget(passedMs);
    if (this.#burned.size >= maxBurned) return false;
    this.#burned.set(name, untilMs);
    return true;
  }

  #mac(purpose: string, head: Uint8Array): Uint8Array {
    return new Uint8Array(createHmac("sha256", this.#key).update(head).update(utf8Bytes(purpose)).digest());
  }

  #forget(passedMs: number): void {
    for (const [name, untilMs] of this.#burned) if (passedMs >= untilMs) this.#burned.delete(name);
  }
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return fromBase64Url(text);
  } catch {
    return undefined;
  }
}
