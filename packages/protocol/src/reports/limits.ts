/** Why somebody reports messages to a desk: what a reporter chooses from. New ones are put at the end. */
export const reportReasons = [
  "spam",
  "scam",
  "harassment",
  "threat",
  "hate",
  "violence",
  "sexual",
  "minors",
  "self-harm",
  "illegal-goods",
  "privacy",
  "impersonation",
  "terrorism",
  "other",
] as const;

/** One of `reportReasons`. */
export type ReportReason = (typeof reportReasons)[number];

/** Longest words of a reporter, or of who appeals, to a desk, in bytes of UTF-8 (spec V-2). */
export const maxReportWordsBytes = 8192;
