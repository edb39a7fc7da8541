import type { SignalBody } from "./signal.ts";

/** Somebody is shown as typing for so long after their last word of it. */
export const typingMs = 8000;
/** How often a device says that somebody goes on typing. */
export const typingEveryMs = 4000;
/** Accounts of a conversation above which nobody is told (spec N-1). */
export const maxTypingAccounts = 50;
/** People who are named as typing. */
export const maxTypersShown = 3;
/** A stamp that differs from this device's clock by more is of a signal that somebody kept back, or of a wrong clock: nothing is shown. */
const maxSkewMs = 600_000;

/**
 * Who types in one conversation. Pure; every member could have said it in another's name, and the server can hold signals back: nothing
 * follows from it but what is shown for some seconds (spec N-1).
 */
export class Typing {
  /** By account (base64url), in the order in which they began. */
  readonly #untilMs = new Map<string, number>();
  /** The newest stamp of each leaf: what comes again is not new. */
  readonly #stamps = new Map<number, number>();

  /** Takes in what a leaf said; whether somebody is shown otherwise then. @param account whose leaf it is */
  hear({ kind, leafIndex, sentAtMs }: SignalBody, account: string, nowMs: number): boolean {
    if (Math.abs(nowMs - sentAtMs) > maxSkewMs || sentAtMs <= (this.#stamps.get(leafIndex) ?? -1)) return false;
    this.#stamps.set(leafIndex, sentAtMs);
    if (kind === "idle") return this.end(account);
    const isNew = !this.#untilMs.has(account);
    this.#untilMs.set(account, nowMs + typingMs);
    return isNew;
  }

  /** They are done: they said so, or what they wrote came. Whether somebody is shown otherwise then. */
  end(account: string): boolean {
    return this.#untilMs.delete(account);
  }

  /** Ends what was said too long ago. Whether somebody is shown otherwise then. */
  expire(nowMs: number): boolean {
    const over = [...this.#untilMs].filter(([, untilMs]) => untilMs <= nowMs || untilMs > nowMs + typingMs);
    for (const [account] of over) this.#untilMs.delete(account);
    return over.length > 0;
  }

  /** Another epoch: other leaves. */
  forgetLeaves(): void {
    this.#stamps.clear();
  }

  /** When somebody's typing ends next by itself. */
  get nextEndMs(): number | undefined {
    return this.#untilMs.size === 0 ? undefined : Math.min(...this.#untilMs.values());
  }

  /** Who types, in the order in which they began. */
  get accounts(): readonly string[] {
    return [...this.#untilMs.keys()];
  }
}
