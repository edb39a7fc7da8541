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
  /** Sets an account's passphrase, in place of the one before, and forgets its tries. */
  setPassphrase(params: { accountId: Uint8Array; day: Day } & StoredPassphrase): Promise<{ kind: "stored" } | Refused<"not_found">>;
  /** Erases it, if there is one, with its tries. */
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
  /** What is sealed beside this very record, which somebody opened: its tries are forgotten, and the day is kept. `undefined` where it is not there any more. */
  openPassphrase(params: { accountId: Uint8Array; record: Uint8Array; day: Day }): Promise<Uint8Array | undefined>;
  passphraseStatus(params: { accountId: Uint8Array }): Promise<PassphraseStatus>;
  /** Forgets tries of days before `beforeDay` of accounts that have no passphrase. Answers how many accounts had some. */
  forgetPassphraseTries(params: { beforeDay: Day }): Promise<number>;
}
