import type { PassphraseStatus } from "@latchkey/protocol";
import type { Day, Refused } from "./accounts.ts";

/** What is kept for an account that can be recovered by a passphrase (spec A-12). */
export interface StoredPassphrase {
  /** That of the account when it was set: with another one it opens nothing. */
  readonly recoveryKey: Uint8Array;
  /** RegistrationRecord of OPAQUE. */
  readonly record: Uint8Array;
  /** The entropy of the recovery phrase, sealed. */
  readonly sealed: Uint8Array;
}

/** Passphrases of accounts, and tries of them. Writes are atomic and durable when they resolve. */
export interface PassphraseStore {
  /** Sets an account's passphrase, in place of the one before, whose tries are forgotten but for those of the day. */
  setPassphrase(params: { accountId: Uint8Array; day: Day } & StoredPassphrase): Promise<{ kind: "stored" } | Refused<"not_found">>;
  /** Erases it, if there is one, with its tries but for those of the day. */
  clearPassphrase(params: { accountId: Uint8Array }): Promise<void>;
  /**
   * Counts a try, of an account without a passphrase too, before anything is answered; refuses it once the account has had `mostThatDay`. Answers
   * what is kept: nothing where none is set, or `mostInAll` tries were made since it was set or opened last.
   */
  countPassphraseTry(params: {
    accountId: Uint8Array;
    day: Day;
    mostThatDay: number;
    mostInAll: number;
  }): Promise<{ kind: "counted"; passphrase: StoredPassphrase | undefined } | Refused<"not_found" | "rate_limited">>;
  /** What is sealed beside this very record, which somebody opened: its tries are forgotten but for those of the day, and which day it was is kept. `undefined` where it is not there any more. */
  openPassphrase(params: { accountId: Uint8Array; record: Uint8Array; day: Day }): Promise<Uint8Array | undefined>;
  /** @param params.recoveryKey that of the account: one that was set with another opens nothing, and is told as none */
  passphraseStatus(params: { accountId: Uint8Array; recoveryKey: Uint8Array }): Promise<PassphraseStatus>;
  /** Forgets tries of other days than `beforeDay` and the next where nothing else counts them: no passphrase is set, or there were none since. Answers of how many accounts. */
  forgetPassphraseTries(params: { beforeDay: Day }): Promise<number>;
}
