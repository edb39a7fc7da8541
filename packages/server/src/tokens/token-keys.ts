import { CodecError, decode, encode, equalBytes } from "@latchkey/codec";
import { tokenDays, tokenKeyId, tokenKeysCodec } from "@latchkey/protocol/tokens";
import type { TokenKeys } from "@latchkey/protocol/tokens";
import { hkdfSync } from "node:crypto";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import { keyOf } from "../keys.ts";
import type { TokenStore } from "../store/token-store.ts";
import type { TokenCrypto, TokenKeyPair } from "./token-crypto.ts";

/** Days for which keys are made and published ahead; they are renewed once fewer than `leastAhead` are. */
const daysAhead = 9;
const leastAhead = 2;
/** Spent tokens that are forgotten in one part of the store's work, which keeps others waiting meanwhile: some milliseconds. */
const forgottenAtOnce = 4096;

/** The key of a day. */
export interface DayKey extends TokenKeyPair {
  readonly day: number;
  readonly keyId: Uint8Array;
}

/**
 * The issuer's keys: one a day for everybody, made and stored days ahead, and published under the operator label `tokens` before any is
 * used, so that nobody can be given one of their own (spec F-1). They follow from a secret that is in every backup: a server that was
 * restored has those again that it had shown.
 */
export class IssuerKeys {
  readonly #store: Pick<TokenStore, "tokenSeeds" | "forgetTokens" | "forgetTokensOfLogs">;
  readonly #labels: Pick<OperatorLabels, "newest" | "publish">;
  readonly #crypto: TokenCrypto;
  readonly #secret: Uint8Array;
  readonly #keys = new Map<number, DayKey>();
  /** The day for which all was seen to. */
  #tendedDay = -1;
  #tending: Promise<void> | undefined;

  constructor(parts: {
    store: Pick<TokenStore, "tokenSeeds" | "forgetTokens" | "forgetTokensOfLogs">;
    labels: Pick<OperatorLabels, "newest" | "publish">;
    crypto: TokenCrypto;
    /** The directory's: 32 bytes. */
    secret: Uint8Array;
  }) {
    this.#store = parts.store;
    this.#labels = parts.labels;
    this.#crypto = parts.crypto;
    this.#secret = parts.secret;
  }

  /** The key with which tokens are made on a day: published when it resolves. @throws StoreError; Refusal `clock_off` */
  async ofDay(day: number): Promise<DayKey> {
    await this.tend(day);
    const key = this.#keys.get(day);
    if (key === undefined) throw new Error("each day has its key");
    return key;
  }

  /** The key of this id among those whose tokens are taken on a day that was tended. */
  find(keyId: Uint8Array, day: number): DayKey | undefined {
    for (let of = day; of > day - tokenDays; of--) {
      const key = this.#keys.get(of);
      if (key !== undefined && equalBytes(key.keyId, keyId)) return key;
    }
    return undefined;
  }

  /** Makes and publishes what the coming days need, once a day, and forgets what is over. @throws as `ofDay` */
  tend(day: number): Promise<void> {
    if (day === this.#tendedDay) return Promise.resolve();
    this.#tending ??= this.#tend(day).finally(() => {
      this.#tending = undefined;
    });
    return this.#tending;
  }

  #seedOf(day: number): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#secret, new Uint8Array(), `latchkey/token-seed/1 ${String(day)}`, 32));
  }

  async #tend(day: number): Promise<void> {
    const oldest = day - tokenDays + 1;
    const fresh = Array.from({ length: daysAhead + 1 }, (_, ahead) => ({ day: day + ahead, seed: this.#seedOf(day + ahead) }));
    for (const { day: of, seed } of await this.#store.tokenSeeds({ fresh, fromDay: oldest })) {
      if (this.#keys.has(of)) continue;
      const pair = await this.#crypto.keyPair(seed);
      this.#keys.set(of, { day: of, ...pair, keyId: tokenKeyId(pair.publicKey) });
    }
    const needed = Array.from({ length: leastAhead + 1 }, (_, ahead) => day + ahead);
    const shown = new Map(readKeys(await this.#labels.newest("tokens")).days.map((key) => [key.day, key.publicKey]));
    const isShown = (of: number): boolean =>
      keyOf(shown.get(of) ?? new Uint8Array()) === keyOf(this.#keys.get(of)?.publicKey ?? new Uint8Array());
    if (!needed.every(isShown)) {
      const days = [...this.#keys.values()].filter((key) => key.day >= oldest).toSorted((a, b) => a.day - b.day);
      const value = { format: 1, days: days.map(({ day: of, publicKey }) => ({ day: of, publicKey })), ext: new Uint8Array() } as const;
      try {
        await this.#labels.publish("tokens", encode(tokenKeysCodec, value));
      } catch (error) {
        // That of today holds all the same, and those ahead are published tomorrow.
        if (!isShown(day)) throw error;
      }
    }
    this.#tendedDay = day;
    for (const of of this.#keys.keys()) if (of < oldest) this.#keys.delete(of);
    const over = { beforeDay: oldest, maxItems: forgottenAtOnce };
    while ((await this.#store.forgetTokens(over)) === forgottenAtOnce);
    while ((await this.#store.forgetTokensOfLogs(over)) === forgottenAtOnce);
  }
}

/** What stands under the label; nothing where it is of another version. */
function readKeys(value: Uint8Array | undefined): TokenKeys {
  const none: TokenKeys = { format: 1, days: [], ext: new Uint8Array() };
  if (value === undefined) return none;
  try {
    return decode(tokenKeysCodec, value);
  } catch (error) {
    if (error instanceof CodecError) return none;
    throw error;
  }
}
