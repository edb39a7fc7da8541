/** What a server counts in public, and how it is verified: for pages that need nothing else of the SDK. */
export * from "@latchkey/counts";
export { openPublicCounts } from "../counts/open-public-counts.ts";
export type { PublicCounts, VerifiedCounts, VerifiedHalfYear } from "../counts/public-counts.ts";
