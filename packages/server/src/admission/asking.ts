/** Requests in a moment, and a second, up to which somebody asks for little: a person who writes and reads does. */
const littleBurst = 64;
const littlePerSecond = 32;
/** For how long whoever asks for little is about after they did. */
const aboutMs = 2000;
/** Addresses that are remembered before those that ask for nothing any more are forgotten. */
const rememberedAddresses = 4096;

/**
 * Who asks for much, and who for little: those come first, and what the others have under way is kept small while anybody of them is about.
 * Times are of a clock that only goes on.
 */
export class Asking {
  readonly #nowMs: () => number;
  readonly #levels = new Map<string, { level: number; atMs: number }>();
  #littleAtMs = -Infinity;
  #forgetAt = rememberedAddresses;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#levels.size;
  }

  /** Somebody at this address asks for so much. @param key of its turns */
  note(key: string, requests: number): void {
    const nowMs = this.#nowMs();
    const found = this.#levels.get(key);
    // No flood raises it without end: whoever stops is trusted again in a minute.
    const level = Math.min((found === undefined ? 0 : leftOf(found, nowMs)) + requests, littleBurst + 60 * littlePerSecond);
    this.#levels.set(key, { level, atMs: nowMs });
    if (this.#levels.size > this.#forgetAt) this.#forget(nowMs);
    if (this.isLittle(key)) this.#littleAtMs = nowMs;
  }

  /** Whether an address asked for no more than a person does. */
  isLittle(key: string): boolean {
    const found = this.#levels.get(key);
    return found === undefined || leftOf(found, this.#nowMs()) <= littleBurst;
  }

  /** Whether somebody is about who asks for little. */
  get isLittleAbout(): boolean {
    return this.#nowMs() - this.#littleAtMs < aboutMs;
  }

  /** Seldom: each time as many more were met as are remembered. */
  #forget(nowMs: number): void {
    for (const [key, found] of this.#levels) if (leftOf(found, nowMs) === 0) this.#levels.delete(key);
    this.#forgetAt = this.#levels.size + rememberedAddresses;
  }
}

function leftOf({ level, atMs }: { readonly level: number; readonly atMs: number }, nowMs: number): number {
  return Math.max(0, level - ((nowMs - atMs) / 1000) * littlePerSecond);
}
