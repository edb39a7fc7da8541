import { toBase64Url, toHex } from "@latchkey/codec";
import { randomBytes } from "node:crypto";
import { createRateLimit } from "../admission/rates.ts";
import type { RateLimit } from "../admission/rates.ts";
import { sha256 } from "../hash.ts";

/** How long a link counts, and how long what it opens stays open; in milliseconds. Neither is ever longer. */
export const deskLinkMs = 600_000;
export const deskSessionMs: number = 4 * 3_600_000;

/** Links and sessions that there are at once. */
const maxDoors = 16;
const secretBytes = 32;
const shownIdLength = 10;
/** Requests of one session: each reads the store. */
const sessionRate = { burst: 120, perSecond: 2 } as const;

/** A link that was made, or the session that it opened. */
export interface DeskDoor {
  /** Names it towards the operator; opens nothing. */
  readonly id: string;
  readonly kind: "link" | "session";
  /** Milliseconds that it still counts. */
  readonly leftMs: number;
}

interface Door {
  readonly id: string;
  readonly linkKey: string;
  readonly linkUntilMs: number;
  /** Absent until the link was used. */
  session?: { readonly key: string; readonly untilMs: number; readonly limit: RateLimit };
}

/**
 * Who may read the desk: whoever was given a one-time link that was made on the machine. In memory only, as hashes, so that a restart
 * ends everything and nothing that lies on a disk opens it.
 *
 *     link --used within its time--> session --its time | revoked | the link is used again--> gone
 */
export class DeskAccess {
  readonly #passedMs: () => number;
  #doors: Door[] = [];

  /** @param passedMs a clock that never jumps: no change of the machine's makes a session longer */
  constructor(passedMs: () => number) {
    this.#passedMs = passedMs;
  }

  /** Makes a link's secret, base64url; `undefined` when there are as many links and sessions as there may be. */
  createLink(): { readonly id: string; readonly secret: string } | undefined {
    if (this.#current().length >= maxDoors) return undefined;
    const secret = toBase64Url(new Uint8Array(randomBytes(secretBytes)));
    const linkKey = keyOf(secret);
    const id = linkKey.slice(0, shownIdLength);
    this.#doors.push({ id, linkKey, linkUntilMs: this.#passedMs() + deskLinkMs });
    return { id, secret };
  }

  /**
   * The token of the session that a link opens, once. A link that comes a second time was seen by somebody else than its owner, and which
   * of the two came first nobody can tell: `used`, and its session ends.
   */
  useLink(secret: string): { readonly token: string; readonly leftMs: number } | "used" | undefined {
    const linkKey = keyOf(secret);
    const door = this.#current().find((one) => one.linkKey === linkKey);
    if (door === undefined || this.#passedMs() >= door.linkUntilMs) return undefined;
    if (door.session !== undefined) {
      this.#remove(door);
      return "used";
    }
    const token = toBase64Url(new Uint8Array(randomBytes(secretBytes)));
    door.session = { key: keyOf(token), untilMs: this.#passedMs() + deskSessionMs, limit: createRateLimit(sessionRate) };
    return { token, leftMs: deskSessionMs };
  }

  /** Takes one request of the session that has this token: how long to wait for it, in milliseconds; `undefined` where there is none. */
  admit(token: string): { readonly waitMs: number } | undefined {
    const session = this.#doorOf(token)?.session;
    return session === undefined ? undefined : { waitMs: session.limit.take(this.#passedMs()) };
  }

  /** Ends the session that has this token. */
  end(token: string): void {
    const door = this.#doorOf(token);
    if (door !== undefined) this.#remove(door);
  }

  /** All that count now, the oldest first. */
  list(): DeskDoor[] {
    const nowMs = this.#passedMs();
    return this.#current().map(({ id, linkUntilMs, session }) => ({
      id,
      kind: session === undefined ? "link" : "session",
      leftMs: (session?.untilMs ?? linkUntilMs) - nowMs,
    }));
  }

  /** Ends a link or session by its id, or every one; says how many. */
  revoke(id: string | undefined): number {
    const found = this.#current().filter((door) => id === undefined || door.id === id);
    for (const door of found) this.#remove(door);
    return found.length;
  }

  #doorOf(token: string): Door | undefined {
    const key = keyOf(token);
    return this.#current().find(({ session }) => session?.key === key);
  }

  #current(): readonly Door[] {
    const nowMs = this.#passedMs();
    this.#doors = this.#doors.filter(({ linkUntilMs, session }) => nowMs < (session?.untilMs ?? linkUntilMs));
    return this.#doors;
  }

  #remove(door: Door): void {
    this.#doors = this.#doors.filter((one) => one !== door);
  }
}

/** What is kept of a secret. Comparing hashes tells nobody who measures how much of a secret was right. */
function keyOf(secret: string): string {
  return toHex(sha256(new TextEncoder().encode(secret)));
}
