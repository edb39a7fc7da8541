/** Where the package of what the server holds about the account is fetched (spec F-20): once, and within a minute. */
export interface HoldingsTicket {
  readonly url: string;
  /** base64url; goes into the body, so that no address says who asks. */
  readonly ticket: string;
}

/** How a package is fetched. */
export interface HoldingsOptions {
  readonly signal?: AbortSignal;
  /** In place of the global one. */
  readonly fetch?: typeof fetch;
  /** What is longer is given up: more than any server keeps for one account, where nothing is said. */
  readonly mostBytes?: number;
}
