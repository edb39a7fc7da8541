/** What the server controls of an account, and so what a decision can take from it for a time (rule F-4). */
export const restrictions = ["tokens", "key-packages", "invitations", "name-look-up"] as const;

/**
 * - `tokens`: it is issued no anonymous tokens, which new groups and messages to strangers cost;
 * - `key-packages`: it publishes no keys, and nobody is given any of its keys;
 * - `invitations`: nothing new comes into its inboxes but what the desk sends;
 * - `name-look-up`: nobody finds it by its name.
 * None stops posting in groups that the account is in: the server does not know who writes.
 */
export type Restriction = (typeof restrictions)[number];

/** Longest sanction in days; each has an end. */
export const maxSanctionDays = 1830;
/** Days in which both sides may appeal, from the day that they were told (DSA Art. 20: six months at least). */
export const appealDays = 184;
/** Days after the last day of appeal on which a case is erased. */
export const erasedAfterDays = 30;

/** Longest limit of somebody's reports in days; each has an end. */
export const maxLimitDays = 184;
/** Days for which it is remembered that somebody was warned of what they report. */
export const unfoundedRememberedDays = 365;
/** Days after which no report is taken of a message that its author had end. */
export const endedReportDays = 30;
/** Reports of a day that are taken in of somebody who is limited. */
export const limitedReportsPerDay = 1;

/** Categories of the DSA transparency database, without `STATEMENT_CATEGORY_`. */
export const dsaCategories = [
  "ANIMAL_WELFARE",
  "CONSUMER_INFORMATION",
  "CYBER_VIOLENCE",
  "CYBER_VIOLENCE_AGAINST_WOMEN",
  "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
  "ILLEGAL_OR_HARMFUL_SPEECH",
  "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
  "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
  "NOT_SPECIFIED_NOTICE",
  "OTHER_VIOLATION_TC",
  "PROTECTION_OF_MINORS",
  "RISK_FOR_PUBLIC_SECURITY",
  "SCAMS_AND_FRAUD",
  "SELF_HARM",
  "UNSAFE_AND_PROHIBITED_PRODUCTS",
  "VIOLENCE",
] as const;

/** One of them. */
export type DsaCategory = (typeof dsaCategories)[number];

/** What kinds of content a decision is about. */
export const dsaContentTypes = ["APP", "AUDIO", "IMAGE", "PRODUCT", "SYNTHETIC_MEDIA", "TEXT", "VIDEO", "OTHER"] as const;

/** One of them. */
export type DsaContentType = (typeof dsaContentTypes)[number];

/** Longest texts in a decision, in characters: those of the DSA transparency database. */
export const decisionLimits = {
  facts: 5000,
  basis: 500,
  explanation: 2000,
  reference: 500,
  note: 4000,
  territory: 30,
  keywords: 10,
} as const;

/** On what a decision rests (DSA Art. 17(3)(d), (e)). */
export interface DecisionGround {
  /** Illegal content by a law, or what the terms of the server do not allow. */
  readonly kind: "illegal" | "incompatible";
  /** The law, or the rule of the terms. */
  readonly basis: string;
  /** Why it is so. */
  readonly explanation: string;
  /** Where the rule can be read. */
  readonly referenceUrl?: string;
  /** Against the terms, and illegal too. */
  readonly isAlsoIllegal?: boolean;
}

/**
 * Whoever reported it by their account is warned (DSA Art. 23(2)). Who was warned within a year, by another decision that stands, is limited
 * for so many days: 0 for only warning them again, `maxLimitDays` at most.
 */
export interface UnfoundedReports {
  readonly days: number;
}

/** What a person decided, without who: everything that a statement of reasons and the transparency database need (DSA Art. 17, 24(5)). */
export interface DecisionInput {
  readonly kind: "dismiss" | "warn" | "restrict" | "suspend";
  /** Of `restrict` only: one at least. */
  readonly restrictions?: readonly Restriction[];
  /** Of `restrict` and `suspend`: how many days it lasts, 1 to `maxSanctionDays`. */
  readonly days?: number;
  /** Absent of `dismiss`. */
  readonly ground?: DecisionGround;
  /** Of `dismiss` only: the reports were manifestly unfounded. */
  readonly unfounded?: UnfoundedReports;
  /** Facts and circumstances, told to the accused; of `dismiss` why nothing is done, told to nobody else than the desk. */
  readonly facts: string;
  readonly category: DsaCategory;
  readonly addedCategories?: readonly DsaCategory[];
  /** `KEYWORD_…` of the transparency database. */
  readonly keywords?: readonly string[];
  readonly contentTypes: readonly DsaContentType[];
  /** Countries in which it applies, two letters each; empty for everywhere. */
  readonly territory: readonly string[];
  /** Two letters, ISO 639-1. */
  readonly contentLanguage?: string;
  /** What the reporters are told beside what was decided. */
  readonly toReporter: string;
}

/** A decision as it stands: never changed; an appeal adds another. */
export interface DecisionRecord extends DecisionInput {
  /** Random, for publication; not the case's number. */
  readonly puid: string;
  readonly atMs: number;
  /** Name of the staff who decided. */
  readonly by: string;
  /** First day on which the sanction does not hold any more, in days since 1970. */
  readonly untilDay?: number;
  /** Of what the reports say of the content: the earliest day, or that of arrival. */
  readonly contentDay: number;
  /** What made the desk look. */
  readonly source: "notice";
  readonly isAutomatedDetection: false;
  readonly automatedDecision: "NOT_AUTOMATED";
  /** Until when both sides may appeal, in days since 1970; the day itself included. */
  readonly appealUntilDay: number;
  /** What became of it in an appeal. */
  readonly state: "stands" | "reversed" | "replaced";
  /** Of unfounded reports: how many accounts it limited; absent for none. */
  readonly limitedReporters?: number;
}

/** A decision's texts, saved for the next like it. */
export interface SavedReason {
  readonly id: string;
  readonly title: string;
  readonly decision: DecisionInput;
}
