import type { Sanction } from "./decisions.ts";

/**
 * What the desk asks of the rest of the server, and all that it can: nothing of what it knows goes there but the account that a case is
 * about, and only for one.
 */
export interface OfficeWorld {
  /** What an account is called here; `undefined` where it has no name, or is not here. */
  usernameOf(params: { accountId: Uint8Array }): Promise<string | undefined>;
  /** Sets what the desk takes from an account, in place of what it took before. On disk when it resolves; nothing for one that is not here. */
  restrict(params: { accountId: Uint8Array; sanctions: readonly Sanction[] }): Promise<void>;
}

/** Name of a question. */
export type WorldQuestion = keyof OfficeWorld;
