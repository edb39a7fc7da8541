import { toBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import { createRateLimit } from "../../admission/rates.ts";
import type { RateLimit } from "../../admission/rates.ts";
import { sha256 } from "../../hash.ts";
import { keyOf } from "../../keys.ts";

/** A session ends so long after its last request, and at any rate so long after it began; in milliseconds. */
export const idleMs = 1_800_000;
export const longestMs: number = 12 * 3_600_000;
const maxSessions = 256;
const sessionRate = { burst: 240, perSecond: 4 } as const;

interface Session {
  readonly staffId: Uint8Array;
  readonly endsMs: number;
  readonly limit: RateLimit;
  idleUntilMs: number;
}

/** Who is signed in: in memory only, as hashes of the cookies' secrets. `passedMs` is of a clock that never jumps. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();

  /** The secret of a new session. Of too many the one that was idle longest ends. */
  open(staffId: Uint8Array, passedMs: number): string {
    this.#dropEnded(passedMs);
    if (this.#sessions.size >= maxSessions) {
      const [oldest] = [...this.#sessions].toSorted(([, a], [, b]) => a.idleUntilMs - b.idleUntilMs);
      if (oldest !== undefined) this.#sessions.delete(oldest[0]);
    }
    const secret = toBase64Url(new Uint8Array(randomBytes(32)));
    const limit = createRateLimit(sessionRate);
    this.#sessions.set(nameOf(secret), { staffId, limit, endsMs: passedMs + longestMs, idleUntilMs: passedMs + idleMs });
    return secret;
  }

  /**
   * Takes a request of a session: whose, how long to wait for it, and how long it stays open then; `undefined` where there is none. What
   * goes on with one that was taken counts no more.
   */
  admit(
    secret: string,
    { passedMs, goesOn = false }: { passedMs: number; goesOn?: boolean | undefined },
  ): { readonly staffId: Uint8Array; readonly waitMs: number; readonly leftMs: number } | undefined {
    this.#dropEnded(passedMs);
    const session = this.#sessions.get(nameOf(secret));
    if (session === undefined) return undefined;
    const waitMs = goesOn ? 0 : session.limit.take(passedMs);
    if (waitMs === 0) session.idleUntilMs = passedMs + idleMs;
    return { staffId: session.staffId, waitMs, leftMs: Math.min(session.idleUntilMs, session.endsMs) - passedMs };
  }

  end(secret: string): void {
    this.#sessions.delete(nameOf(secret));
  }

  endOf(staffId: Uint8Array): void {
    for (const [name, session] of this.#sessions) if (keyOf(session.staffId) === keyOf(staffId)) this.#sessions.delete(name);
  }

  #dropEnded(passedMs: number): void {
    for (const [name, { idleUntilMs, endsMs }] of this.#sessions) {
      if (passedMs >= idleUntilMs || passedMs >= endsMs) this.#sessions.delete(name);
    }
  }
}

/** Comparing hashes tells nobody who measures how much of a secret was right. */
function nameOf(secret: string): string {
  return toHex(sha256(utf8Bytes(secret)));
}
