/** What a server counts in public, and how it is verified: for pages that need nothing else of the SDK. */
export * from "@latchkey/counts";
export type { CountedHalfYear } from "../counts/count-files.ts";
export { openPublicCounts } from "../counts/open-public-counts.ts";
export type { PublicCounts, VerifiedHalfYear } from "../counts/public-counts.ts";
