import type { CountsInRecord } from "./counting/value-table.ts";
import type { Sanction } from "./decisions.ts";

/** Whom a request names: by a name that somebody has here now, or by an account's id. */
export type AccountQuestion = { readonly username: string } | { readonly accountId: Uint8Array };

/**
 * What the desk asks of the rest of the server, and all that it can: nothing of what it knows goes there but the account that a case is
 * about, or that a verified request names, and only for one at a time.
 */
export interface OfficeWorld {
  /** What an account is called here; `undefined` where it has no name, or is not here. */
  usernameOf(params: { accountId: Uint8Array }): Promise<string | undefined>;
  /** The account that is meant, and its name; `undefined` where there is none now. Asked within a request that was verified alone (rule F-10). */
  accountOf(params: AccountQuestion): Promise<{ readonly accountId: Uint8Array; readonly username?: string } | undefined>;
  /** Sets what the desk takes from an account, in place of what it took before. On disk when it resolves; nothing for one that is not here. */
  restrict(params: { accountId: Uint8Array; sanctions: readonly Sanction[] }): Promise<void>;
  /** Publishes the desk's keys to everybody (spec D-8), in the public record. Served when it resolves. */
  publishKeys(params: { value: Uint8Array }): Promise<void>;
  /**
   * Publishes a value under the label `counts` (spec K-3), where one is given, and says what the record then has of it after the values that
   * are known; `undefined` where it has none. Served when it resolves.
   */
  counts(params: { value?: Uint8Array; known: number }): Promise<CountsInRecord | undefined>;
  /** Every signed state of an account here, from the first on; none of one that is not here. */
  statesOf(params: { accountId: Uint8Array }): Promise<readonly Uint8Array[]>;
  /** What is held about an account, all of it: the very bytes that its own devices fetch (promise P6); `undefined` for one that is not here. */
  holdingsOf(params: { accountId: Uint8Array }): Promise<Uint8Array | undefined>;
  /** The devices of an account that can be reached: what each says of its inbox, signed. */
  cardsOf(params: { accountId: Uint8Array }): Promise<readonly { readonly card: Uint8Array; readonly inboxId: Uint8Array }[]>;
  /** Puts a sealed notice of the desk into an inbox, whatever was taken from its account. */
  postNotice(params: { inboxId: Uint8Array; item: Uint8Array }): Promise<void>;
}

/** Name of a question. */
export type WorldQuestion = keyof OfficeWorld;
