import type { Day, StoredRestriction } from "./accounts.ts";

/** An invitation as its maker sees it again: the code itself is kept nowhere. */
export interface StoredInvitation {
  /** SHA-256 of the code. */
  readonly codeHash: Uint8Array;
  readonly usesLeft: number;
  /** The last day on which it counts. */
  readonly lastDay: Day;
}

/** One account in the operator's list: what is public of it, and what it takes here. */
export interface ListedAccount {
  readonly username: string;
  /** Bytes of its states, bindings, cards and key packages. What waits in inboxes is not counted for anybody by name. */
  readonly sizeBytes: number;
  /** Devices that can be reached. */
  readonly devices: number;
}

/** What the server holds, in numbers. */
export interface StoreTotals {
  /** Accounts that have a name: deleted ones are not counted. */
  readonly accounts: number;
  readonly blobs: number;
  readonly blobBytes: number;
}

/** What the operator has decided, as it is stored. */
export interface StoredRules {
  readonly reservedNames: readonly string[];
  /** Of each account together; those whose day has come are among them until they are removed. */
  readonly restricted: readonly (StoredRestriction & { readonly accountId: Uint8Array; readonly username: string })[];
  /** By name; absent ones have their defaults. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What the operator decides and asks (`latchkey admin`). Nothing here knows a log or says who talks to whom. Writes are durable when they resolve. */
export interface AdminStore {
  /** Adds an invitation; false when there are `maxItems` already. Those past their day are forgotten first. */
  addInvitation(params: StoredInvitation & { day: Day; maxItems: number }): Promise<boolean>;
  /** Whether this code would let somebody register on this day. */
  isInvited(params: { codeHash: Uint8Array; day: Day }): Promise<boolean>;
  /** Those that count on this day, in the order of their hashes. */
  listInvitations(params: { day: Day }): Promise<StoredInvitation[]>;
  /** Takes back the invitation whose hash begins with these bytes; false when none does or several do. */
  revokeInvitation(params: { prefix: Uint8Array }): Promise<boolean>;
  rules(): Promise<StoredRules>;
  /** Keeps a name for nobody, or no longer. */
  setNameReserved(params: { name: string; isReserved: boolean }): Promise<void>;
  /** The account that has this name now. */
  accountOfName(params: { username: string }): Promise<{ accountId: Uint8Array } | undefined>;
  /** Suspends the account that has this name now, or ends that; answers which account it is; `undefined` when nobody has the name. */
  setSuspended(params: { username: string; isSuspended: boolean; day: Day }): Promise<{ accountId: Uint8Array } | undefined>;
  /** Sets all that the desk takes from an account, in place of what it took before; nothing for an account that is not here. */
  setRestrictions(params: { accountId: Uint8Array; restrictions: readonly Omit<StoredRestriction, "by">[] }): Promise<void>;
  /** Removes what holds no longer on this day. */
  expireRestrictions(params: { day: Day }): Promise<number>;
  /** Sets a setting; "" is its default. */
  setSetting(params: { name: string; value: string }): Promise<void>;
  /** Names after `after` in their order, at most `maxItems`. */
  listAccounts(params: { after: string; maxItems: number }): Promise<ListedAccount[]>;
  totals(): Promise<StoreTotals>;
}
