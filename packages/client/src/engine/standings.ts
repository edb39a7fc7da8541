import { bool, CodecError, compareBytes, decode, encode, equalBytes, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { OwnAccount } from "../account/own-account.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { canBe, couldBeTaken } from "./claimed-time.ts";

/** What the person said of an account; later words of any of their devices count. */
export interface Standing {
  /** They wrote to it first, added it, or accepted its request. */
  readonly isAccepted: boolean;
  readonly isBlocked: boolean;
  /** Requests that came until then were declined; 0: none. */
  readonly declinedThroughMs: number;
  /** When it was said, by the clock of the device that it was said on. */
  readonly atMs: number;
}

/** Whose item this is: what becomes of it before anything of it is read depends on nothing else. */
export type SenderStanding = "own" | "accepted" | "stranger" | "blocked";

/** What is stored together with a standing. */
interface Along {
  write(tx: StoreTransaction): Promise<void>;
  stored(): void;
}

const standingCodec: Codec<Standing> = struct<Standing>({
  isAccepted: bool,
  isBlocked: bool,
  declinedThroughMs: safeUint64,
  atMs: safeUint64,
});

/** Prefix of the records, which all devices of an account share. */
export const standingPrefix = "standing/";

const unknown: Standing = { isAccepted: false, isBlocked: false, declinedThroughMs: 0, atMs: 0 };

/** Whom this person accepted, and whom they blocked (spec I-1, I-4): at hand without waiting, stored before it counts. */
export class Standings {
  readonly #store: Store;
  readonly #platform: Pick<Platform, "nowMs">;
  readonly #own: { readonly own: OwnAccount };
  readonly #known = new Map<string, Standing>();
  readonly #listeners = new Set<(account: string, isOurs: boolean) => void>();

  /** @param params `own` is read each time: it changes with the account's states. */
  constructor(params: { store: Store; platform: Pick<Platform, "nowMs">; own: OwnAccount }) {
    this.#store = params.store;
    this.#platform = params.platform;
    this.#own = params;
  }

  /** Brings what is stored to hand. */
  async load(): Promise<void> {
    const stored = await this.#store.transact("read", (tx) => tx.scan({ prefix: standingPrefix }));
    for (const [key, value] of stored) this.#known.set(key.slice(standingPrefix.length), decode(standingCodec, value));
  }

  /** Calls `listener` with every account of which something else is said; `isOurs`: on this device, just now. */
  onChange(listener: (account: string, isOurs: boolean) => void): void {
    this.#listeners.add(listener);
  }

  /** What becomes of what this account sends here: the one place that decides it. */
  of(accountId: Uint8Array): SenderStanding {
    if (equalBytes(accountId, this.#own.own.accountId)) return "own";
    const { isAccepted, isBlocked } = this.#of(toBase64Url(accountId));
    if (isBlocked) return "blocked";
    return isAccepted ? "accepted" : "stranger";
  }

  /** Until when requests of this account were declined, by the clock of the device that they were declined on. */
  declinedThrough(account: string): number {
    return this.#of(account).declinedThroughMs;
  }

  /** Blocked accounts, base64url, those of last first. */
  blocked(): readonly string[] {
    return [...this.#known]
      .filter(([, { isBlocked }]) => isBlocked)
      .toSorted(([, a], [, b]) => b.atMs - a.atMs)
      .map(([account]) => account);
  }

  async accept(accountIds: readonly Uint8Array[]): Promise<void> {
    await this.#say(accountIds, (before) => ({ ...before, isAccepted: true }));
  }

  async decline(accountId: Uint8Array): Promise<void> {
    await this.#say([accountId], (before) => ({ ...before, declinedThroughMs: this.#platform.nowMs() }));
  }

  /** @param along joins the transaction, where anything changes; `stored` is called before anybody hears of the change. */
  async setBlocked(accountId: Uint8Array, isBlocked: boolean, along?: Along): Promise<void> {
    await this.#say([accountId], (before) => ({ ...before, isBlocked }), along);
  }

  async #say(accountIds: readonly Uint8Array[], change: (before: Standing) => Standing, along?: Along): Promise<void> {
    const nowMs = this.#platform.nowMs();
    const said: [string, Standing][] = [];
    for (const accountId of accountIds) {
      if (equalBytes(accountId, this.#own.own.accountId)) continue;
      const account = toBase64Url(accountId);
      const before = this.#of(account);
      const after = change(before);
      if (
        after.isAccepted === before.isAccepted &&
        after.isBlocked === before.isBlocked &&
        after.declinedThroughMs === before.declinedThroughMs
      )
        continue;
      // Of two devices whose clocks differ, what was said last here counts here; what a wrong clock dated counts as long ago.
      const atMs = couldBeTaken(before.atMs, nowMs) ? Math.max(nowMs, before.atMs + 1) : nowMs;
      said.push([account, { ...after, declinedThroughMs: Math.min(after.declinedThroughMs, atMs), atMs }]);
    }
    if (said.length === 0) return;
    await this.#store.transact("write", async (tx) => {
      for (const [account, standing] of said) tx.put(standingPrefix + account, encode(standingCodec, standing));
      await along?.write(tx);
    });
    for (const [account, standing] of said) this.#known.set(account, standing);
    along?.stored();
    for (const [account, standing] of said) this.#set(account, standing, true);
  }

  /**
   * Another device of one's own says this: taken where it is later than what is known, on every device alike. What is dated ahead is not
   * taken: nothing that is said after it would count.
   * @throws CodecError
   */
  async take(key: string, value: Uint8Array): Promise<void> {
    const account = key.slice(standingPrefix.length);
    const told = decode(standingCodec, value);
    const nowMs = this.#platform.nowMs();
    if (!canBe(told.atMs, nowMs) || told.declinedThroughMs > told.atMs) throw new CodecError("invalid", "what is said is said of the past");
    const isLater = await this.#store.transact("write", (tx) => putLater(tx, key, told, nowMs));
    if (isLater) this.#set(account, told, false);
  }

  #set(account: string, standing: Standing, isOurs: boolean): void {
    this.#known.set(account, standing);
    for (const listener of this.#listeners) listener(account, isOurs);
  }

  #of(account: string): Standing {
    return this.#known.get(account) ?? unknown;
  }
}

async function putLater(tx: StoreTransaction, key: string, told: Standing, nowMs: number): Promise<boolean> {
  const stored = await tx.get(key);
  const value = encode(standingCodec, told);
  if (stored !== undefined) {
    const known = decode(standingCodec, stored);
    const isEarlier = couldBeTaken(known.atMs, nowMs) && known.atMs > told.atMs;
    if (isEarlier || (known.atMs === told.atMs && compareBytes(stored, value) >= 0)) return false;
  }
  tx.put(key, value);
  return true;
}
