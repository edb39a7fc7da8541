import type { Day, Refused } from "./accounts.ts";
import type { SpentToken } from "./token-store.ts";

/** What a link inbox is opened with (spec I-5). */
export interface NewLinkInbox {
  readonly linkId: Uint8Array;
  /** SHA-256 of what reads it. */
  readonly readHash: Uint8Array;
  readonly key: Uint8Array;
  /** The last day on which it is there. */
  readonly lastDay: Day;
}

/** A link inbox that is open. */
export interface LinkInbox {
  readonly readHash: Uint8Array;
  readonly key: Uint8Array;
}

/** Some of what waits in a link inbox, ascending. */
export interface KnockPage {
  readonly knocks: readonly { readonly seq: number; readonly blob: Uint8Array }[];
  readonly isMore: boolean;
}

/** The inboxes of join links, which belong to no account and to no log. Writes are atomic and durable when they resolve; what is new spends the token. */
export interface LinkStore {
  /** The same again is a retry. `storage_full`: so many are open already. */
  openLinkInbox(
    params: NewLinkInbox & { maxLinks: number; day: Day; token?: SpentToken | undefined },
  ): Promise<{ kind: "stored"; isNew: boolean } | Refused<"log_exists" | "storage_full" | "token_invalid">>;
  /** One whose last day is not over; `undefined` where there is none. */
  linkInbox(params: { linkId: Uint8Array; day: Day }): Promise<LinkInbox | undefined>;
  /** The same bytes again, while they wait, are a retry. */
  putKnock(params: {
    linkId: Uint8Array;
    blob: Uint8Array;
    day: Day;
    maxKnocks: number;
    token?: SpentToken | undefined;
  }): Promise<{ kind: "stored"; isNew: boolean } | Refused<"not_found" | "inbox_full" | "token_invalid">>;
  readKnocks(params: { linkId: Uint8Array; afterSeq: number; maxItems: number }): Promise<KnockPage>;
  /** Erases these, overwriting them; what is not there is passed over. */
  eraseKnocks(params: { linkId: Uint8Array; seqs: readonly number[] }): Promise<void>;
  /** Erases the inbox with all that waits there. */
  closeLinkInbox(params: { linkId: Uint8Array }): Promise<void>;
  /** Erases at most `maxItems` whose last day is over; none stays longer than `lastDay`. Answers how many. */
  purgeLinkInboxes(params: { day: Day; lastDay: Day; maxItems: number }): Promise<number>;
}
