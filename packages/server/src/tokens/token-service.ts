import { CodecError, decode } from "@latchkey/codec";
import { issuedTokenCodec, tokenAuthenticator, tokenInput, tokenRealms } from "@latchkey/protocol/tokens";
import type { IssuedTokens } from "@latchkey/protocol";
import type { Token, TokenOperation } from "@latchkey/protocol/tokens";
import { timingSafeEqual } from "node:crypto";
import type { Admission, Source } from "../admission/admission.ts";
import type { ServerContext } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { SpentToken, TokenStore } from "../store/token-store.ts";
import { maxTokenWork } from "./token-crypto.ts";
import type { TokenCrypto } from "./token-crypto.ts";
import type { IssuerKeys } from "./token-keys.ts";

/** Who has no account has no tokens: of these each address has a few without (`rates.withoutToken`). */
const withoutAccount: ReadonlySet<TokenOperation> = new Set<TokenOperation>(["create_log", "report"]);
/** Tokens that were verified lately and may come again, with a request that is sent again. */
const maxRemembered = 16_384;
/** Addresses that have shown too many false tokens and wait. */
const maxWaiting = 10_000;
const busyRetryMs = 1000;

/** Gives out tokens and takes them (spec T-1, F-1). */
export class TokenService {
  readonly #store: Pick<TokenStore, "countTokens">;
  readonly #keys: IssuerKeys;
  readonly #crypto: TokenCrypto;
  readonly #context: ServerContext;
  readonly #admission: Admission;
  /** Nonces that hold, with what they came with last. */
  readonly #verified = new Map<string, string>();
  /** Until when an address has to wait, by time that passes. */
  readonly #waiting = new Map<string, number>();
  /** Elements and tokens that wait for the thread. */
  #working = 0;
  /** The record takes no key now. */
  #isHeld = false;

  constructor(parts: {
    store: Pick<TokenStore, "countTokens">;
    keys: IssuerKeys;
    crypto: TokenCrypto;
    context: ServerContext;
    admission: Admission;
  }) {
    this.#store = parts.store;
    this.#keys = parts.keys;
    this.#crypto = parts.crypto;
    this.#context = parts.context;
    this.#admission = parts.admission;
  }

  get #isOn(): boolean {
    return this.#context.limits.tokensPerDay > 0;
  }

  /** What time brings: keys for the coming days. @throws StoreError; Refusal `clock_off` */
  async tend(): Promise<void> {
    if (!this.#isOn) return;
    this.#isHeld = false;
    try {
      await this.#keys.tend(this.#today());
    } catch (error) {
      this.#isHeld = error instanceof Refusal;
      throw error;
    }
  }

  /**
   * Whether something costs a token now: not where they are turned off, nor while the key of today cannot be published, since nobody could
   * get any. @throws StoreError
   */
  async isAsked(): Promise<boolean> {
    if (!this.#isOn || this.#isHeld) return false;
    try {
      await this.tend();
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  }

  /**
   * Evaluates what an account has blinded, with the key of today; counted for the day, whatever becomes of the answer.
   * @throws Refusal `unsupported` where nothing costs a token, `account_suspended` where they are taken from it (spec A-10), `rate_limited` until the next day, or a second where too many ask at once, `malformed`
   */
  async issue(accountId: Uint8Array, blinded: readonly Uint8Array[]): Promise<IssuedTokens> {
    const { rules, limits, nowMs } = this.#context;
    if (!(await this.isAsked())) throw new Refusal("unsupported");
    if (rules.isRestricted(accountId, "tokens")) throw new Refusal("account_suspended");
    const day = this.#today();
    const { secretKey } = await this.#keys.ofDay(day);
    const evaluated = await this.#work(blinded.length, async () => {
      if (!(await this.#store.countTokens({ accountId, day, count: blinded.length, most: limits.tokensPerDay }))) {
        throw new Refusal("rate_limited", Math.max(1, (day + 1) * dayMs - nowMs()));
      }
      return await this.#crypto.issue(secretKey, blinded);
    });
    if (evaluated === undefined) throw new Refusal("malformed");
    return { day, evaluated: evaluated.elements, proof: evaluated.proof };
  }

  /**
   * Verifies the token that came with an operation: what is to be spent with it, in the transaction of its effect. `undefined` where it
   * costs none. Nothing is spent yet.
   * @throws Refusal `token_required`, `token_invalid`, `rate_limited`
   */
  async redeem(params: {
    readonly token: Uint8Array;
    readonly operation: TokenOperation;
    readonly target: Uint8Array;
    readonly source: Source;
  }): Promise<SpentToken | undefined> {
    const { token: bytes, operation, target, source } = params;
    if (!(await this.isAsked())) return undefined;
    if (bytes.length === 0) {
      this.#admitWithout(operation, source);
      return undefined;
    }
    this.#checkPatience(source);
    const token = read(bytes);
    const today = this.#today();
    const key = token?.issuerHost === this.#context.host ? this.#keys.find(token.keyId, today) : undefined;
    if (token === undefined || key === undefined) throw this.#refuse(source);
    const spent = { nonce: token.nonce.slice(), day: key.day };
    const [known, shown] = [`${tokenRealms[operation]} ${keyOf(token.nonce)}`, keyOf(token.authenticator)];
    const before = this.#verified.get(known);
    // The same again costs nothing, and whether it is spent the store says; for anything else it is spent by now.
    if (before === shown) return spent;
    if (before !== undefined) throw this.#refuse(source);
    const secret = await this.#work(1, () => this.#crypto.secret(key.secretKey, tokenInput(tokenRealms[operation], token.nonce)));
    const expected = tokenAuthenticator(secret, { redeemingHost: this.#context.host, operation, target });
    if (!timingSafeEqual(expected, token.authenticator)) throw this.#refuse(source);
    this.#remember(known, shown);
    return spent;
  }

  #remember(known: string, shown: string): void {
    const oldest = this.#verified.size >= maxRemembered ? this.#verified.keys().next() : undefined;
    if (oldest?.done === false) this.#verified.delete(oldest.value);
    this.#verified.set(known, shown);
  }

  #admitWithout(operation: TokenOperation, source: Source): void {
    if (!withoutAccount.has(operation)) throw new Refusal("token_required");
    try {
      this.#admission.admit("withoutToken", source);
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal("token_required", error.retryAfterMs);
      throw error;
    }
  }

  /** Who has shown too many false tokens waits before another is looked at. @throws Refusal `rate_limited` */
  #checkPatience({ address }: Source): void {
    const untilMs = this.#waiting.get(address);
    if (untilMs === undefined) return;
    const leftMs = untilMs - this.#context.elapsedMs();
    if (leftMs > 0) throw new Refusal("rate_limited", Math.ceil(leftMs));
    this.#waiting.delete(address);
  }

  #refuse(source: Source): Refusal {
    try {
      this.#admission.admit("badToken", source);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const oldest = this.#waiting.size >= maxWaiting ? this.#waiting.keys().next() : undefined;
      if (oldest?.done === false) this.#waiting.delete(oldest.value);
      this.#waiting.set(source.address, this.#context.elapsedMs() + error.retryAfterMs);
    }
    return new Refusal("token_invalid");
  }

  async #work<T>(units: number, work: () => Promise<T>): Promise<T> {
    if (this.#working >= maxTokenWork) throw new Refusal("rate_limited", busyRetryMs);
    this.#working += units;
    try {
      return await work();
    } finally {
      this.#working -= units;
    }
  }

  #today(): number {
    return dayOf(this.#context.nowMs());
  }
}

function read(bytes: Uint8Array): Token | undefined {
  try {
    return decode(issuedTokenCodec, bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
