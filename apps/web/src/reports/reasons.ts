import type { ReportReason } from "@latchkey/client";

/** What one can complain of, in the order in which it is offered. */
export const reportReasons: readonly ReportReason[] = [
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
];
