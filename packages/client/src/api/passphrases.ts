import type { PassphraseNames } from "../passphrase/types.ts";

export type { Opaque, PassphraseNames } from "../passphrase/types.ts";

/** What the server says of the account's passphrase: its word, which nothing proves (spec A-14). Of days the middle (UTC). */
export interface RecoveryPassphrase {
  readonly isSet: boolean;
  /** When it was set; `undefined` where none is. */
  readonly setMs: number | undefined;
  /** Tries since it was set or opened last, whoever made them. */
  readonly tries: number;
  readonly lastTryMs: number | undefined;
  /** When somebody who had the passphrase was last given the sealed phrase. */
  readonly openedMs: number | undefined;
  /** Whether so many tries were made that it opens nothing any more, until it is set anew. */
  readonly isSpent: boolean;
}

/** Recovery by a passphrase: the halves around OPAQUE, which `@latchkey/client/passphrase` puts together. */
export interface PassphraseCalls {
  /** @throws ClientError `offline`; `server_refused` of a server that has no such thing */
  recoveryPassphrase(): Promise<RecoveryPassphrase>;
  /**
   * Answers what OPAQUE began with.
   * @param params.phrase the 24 words, where this profile does not have them any more
   * @throws ClientError `invalid_phrase`, `offline`
   */
  beginRecoveryPassphrase(params: {
    phrase?: string | undefined;
    request: Uint8Array;
  }): Promise<{ readonly response: Uint8Array; readonly names: PassphraseNames }>;
  /** Seals the phrase under the export key, and has the server keep it. @throws ClientError `invalid_phrase`, `offline` */
  setRecoveryPassphrase(params: { phrase?: string | undefined; record: Uint8Array; exportKey: Uint8Array }): Promise<void>;
  /** The server erases it. @throws ClientError `offline` */
  clearRecoveryPassphrase(): Promise<void>;
  /** Names of the account whose passphrase is to be tried. @throws ClientError `unknown_user`, `offline` */
  findPassphraseAccount(username: string): Promise<PassphraseNames>;
  /** One try, which the server counts. @throws ClientError `unknown_user`, `rate_limited` after ten tries of a day, or many of one address, `offline` */
  tryRecoveryPassphrase(params: {
    names: PassphraseNames;
    ke1: Uint8Array;
  }): Promise<{ readonly ticket: Uint8Array; readonly ke2: Uint8Array }>;
  /**
   * The 24 words.
   * @throws ClientError `conflict` where it took too long or the passphrase was changed meanwhile, `server_lied` for what is not the phrase of this
   * account, `offline`
   */
  openRecoveryPassphrase(params: { names: PassphraseNames; ticket: Uint8Array; ke3: Uint8Array; exportKey: Uint8Array }): Promise<string>;
}
