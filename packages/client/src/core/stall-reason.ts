/** Why the server does not serve this conversation now. It is asked again, and what it says of a log is never final (spec E-3). */
export type StallReason =
  | "unknown" // it does not know the log: an empty data folder, or one from before
  | "older" // it has less of it than this device read
  | "other" // it has other entries than those that this device read
  | "gap" // it leaves out a part
  | "expired_early" // it says that entries expired which it promised to keep (L-8)
  | "base" // whoever added this device gave it another head than the server's (M-4)
  | "content" // a part of an entry cannot be fetched from it
  | "refused" // it refuses, and no reason is known here
  | "unkept"; // what it sends cannot be stored here
