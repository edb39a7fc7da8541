import type { Day } from "./accounts.ts";

/** A token that is spent with an operation: in the same transaction, or neither happens (spec T-1, F-1). */
export interface SpentToken {
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  /** The day of its key. */
  readonly day: Day;
}

/** A day's key, by what it is made of. */
export interface TokenSeed {
  readonly day: Day;
  /** 32 random bytes. */
  readonly seed: Uint8Array;
}

/** Keys of tokens, how many an account was given, and which were spent. Writes are atomic and durable when they resolve. */
export interface TokenStore {
  /** Keeps these seeds, for days that have none yet; answers all that there are from `fromDay` on, by day. */
  tokenSeeds(params: { fresh: readonly TokenSeed[]; fromDay: Day }): Promise<TokenSeed[]>;
  /** Counts tokens given to an account on a day, all or none: whether it has not had `most` by that. `false` for an unknown account, too. */
  countTokens(params: { accountId: Uint8Array; day: Day; count: number; most: number }): Promise<boolean>;
  /** Forgets keys and at most so many spent tokens of before `day`, of what is known of accounts; answers how many of these there were. */
  forgetTokens(params: { beforeDay: Day; maxItems: number }): Promise<number>;
  /** The same of what is known of logs. */
  forgetTokensOfLogs(params: { beforeDay: Day; maxItems: number }): Promise<number>;
}
