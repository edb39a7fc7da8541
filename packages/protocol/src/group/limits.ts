/** Administrators that a group has at most; owners as well (spec X-13). */
export const maxAdministrators = 50;
/** Accounts that a group keeps out at most (spec X-24): its settings still fit an envelope and a Welcome. */
export const maxKeptOut = 128;
/** Messages in a report to a group's administrators at most (spec X-26). */
export const maxReportedMessages = 50;
/** Its longest words, in bytes. */
export const maxGroupReportWordsBytes = 2048;
/** Longest name of a group, in bytes. */
export const maxGroupNameBytes = 128;
/** Longest description of a group, in bytes. */
export const maxDescriptionBytes = 2048;

/** Why a member tells a group's administrators of messages (spec X-26). New ones are put at the end. */
export const groupReportReasons = ["spam", "insult", "threat", "sexual", "fraud", "other"] as const;

/** One of `groupReportReasons`. */
export type GroupReportReason = (typeof groupReportReasons)[number];
