import { decode, encode, enumeration, oneOf, opaque, safeUint64, struct, toBase64Url, uint16, uint32, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { tokenDays } from "@latchkey/protocol/tokens";
import type { TokenRealm } from "@latchkey/protocol/tokens";
import type { Store } from "../store/store.ts";

/** A token that is not given away yet. */
export interface OwnToken {
  readonly realm: TokenRealm;
  /** The day of its key. */
  readonly day: number;
  readonly keyId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly secret: Uint8Array;
  readonly gotAtMs: number;
}

const prefix = "tokens/";
const tokenCodec: Codec<OwnToken & { format: 1 }> = struct<OwnToken & { format: 1 }>({
  format: oneOf(uint16, [1]),
  realm: enumeration<TokenRealm>(uint8, { logs: 1, accounts: 2, desk: 3 }),
  day: uint32,
  keyId: opaque(8),
  nonce: opaque(32),
  secret: opaque(64),
  gotAtMs: safeUint64,
});

/** The tokens of this profile, in its store. */
export class Stock {
  readonly #store: Store;
  #loading: Promise<OwnToken[]> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** How many of a realm there are that may hold on `day`. */
  async count(realm: TokenRealm, day: number): Promise<number> {
    return (await this.#tokens()).filter((token) => token.realm === realm && isOf(token, day)).length;
  }

  /** Takes the one that has been here longest: it is gone from the store before it leaves this device. `undefined` for none. */
  async take(realm: TokenRealm, day: number): Promise<OwnToken | undefined> {
    const tokens = await this.#tokens();
    const index = tokens.findIndex((token) => token.realm === realm && isOf(token, day));
    const [token] = index < 0 ? [] : tokens.splice(index, 1);
    if (token !== undefined) await this.#forget([token]);
    return token;
  }

  async add(fresh: readonly OwnToken[]): Promise<void> {
    const tokens = await this.#tokens();
    await this.#store.transact("write", (tx) => {
      for (const token of fresh) tx.put(keyOf(token), encode(tokenCodec, { format: 1, ...token }));
    });
    tokens.push(...fresh);
  }

  /** Drops those that do not hold: of days that are over or far ahead, or of a key that the server does not know. */
  async drop(isGone: (token: OwnToken) => boolean): Promise<void> {
    const tokens = await this.#tokens();
    const gone = tokens.filter(isGone);
    if (gone.length === 0) return;
    // In place: whoever adds or takes meanwhile has this very list.
    tokens.splice(0, tokens.length, ...tokens.filter((token) => !gone.includes(token)));
    await this.#forget(gone);
  }

  async #forget(tokens: readonly OwnToken[]): Promise<void> {
    await this.#store.transact("write", (tx) => {
      for (const token of tokens) tx.delete(keyOf(token));
    });
  }

  #tokens(): Promise<OwnToken[]> {
    this.#loading ??= this.#store
      .transact("read", (tx) => tx.scan({ prefix }))
      .then((entries) => entries.map(([, bytes]) => decode(tokenCodec, bytes)).toSorted((a, b) => a.gotAtMs - b.gotAtMs))
      .catch((error: unknown) => {
        this.#loading = undefined;
        throw error;
      });
    return this.#loading;
  }
}

/** Whether a token may hold on a day: on that of its key and the next. */
export function isOf(token: Pick<OwnToken, "day">, day: number): boolean {
  return token.day <= day && token.day > day - tokenDays;
}

function keyOf({ nonce }: OwnToken): string {
  return prefix + toBase64Url(nonce);
}
