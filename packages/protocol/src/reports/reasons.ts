/** Why somebody reports messages: what a reporter chooses from. New ones are put at the end. */
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
