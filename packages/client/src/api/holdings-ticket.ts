/** Where the package of what the server holds about the account is fetched (spec F-20): once, and within a minute. */
export interface HoldingsTicket {
  readonly url: string;
  /** base64url; goes into the body, so that no address says who asks. */
  readonly ticket: string;
}
