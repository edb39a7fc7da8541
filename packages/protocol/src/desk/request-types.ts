/** What kinds of data may be ordered, as Regulation (EU) 2023/1543 Art. 3 tells them apart; United States process is sorted by the same. */
export const dataCategories = ["subscriber", "identification", "traffic", "content"] as const;

/**
 * - `subscriber`: what says which account it is and when it began;
 * - `identification`: what is asked only to learn who somebody is, such as network addresses;
 * - `traffic`: when and with whom something was exchanged;
 * - `content`: what was written or sent.
 */
export type DataCategory = (typeof dataCategories)[number];

/** What a type of request wants of the server. */
export const requestKinds = ["disclosure", "preservation", "secrecy", "removal", "rights", "capability", "interception"] as const;

/** One of them. */
export type RequestKind = (typeof requestKinds)[number];

/** Who tells the person concerned: the server, the authority that asked, or nobody. */
export type NoticeOwner = "us" | "authority" | "none";

/** What the desk answers to a type where nothing else is decided. */
export type StandingAnswer =
  /** A package, when two people approved it. */
  | "release"
  /** A copy is kept, and given out only upon another request. */
  | "preserve"
  /** Delays the notice of another request. */
  | "delay-notice"
  /** There is no public content on this server. */
  | "no-public-content"
  /** What is asked is not held: the server has no key. */
  | "not-held"
  /** The server has no such function. */
  | "no-such-function"
  /** Nothing is done; it goes to counsel. */
  | "hold"
  /** The person does it in the app themselves, or is answered by letter. */
  | "rights-of-person";

/** When something may be given out, and until when it has to be. Durations are ISO 8601: `P10D` are ten days of the calendar, `PT240H` are hours. */
export interface RequestTimes {
  /** Not before so long after receipt; absent where it may be at once. */
  readonly notBefore?: string;
  /** `notBefore` counts only where another authority was notified and has not confirmed yet; never in an emergency. */
  readonly isNotBeforeIfNotified?: boolean;
  readonly deadline?: string;
  /** In an emergency. */
  readonly emergencyDeadline?: string;
  /** By how much the deadline may be put off, once, where whoever asks is told why within it. */
  readonly extension?: string;
  /** Until when an emergency order that no judge made has to be validated. */
  readonly validation?: string;
}

/** How long a copy is kept. */
export interface PreservationTerms {
  /** Whether it is made on receipt, before anything else. */
  readonly isAtIntake: boolean;
  readonly period: string;
  readonly extension?: string;
  /** How often it may be extended. */
  readonly extensions: number;
}

/** A row of the table of request types (rule F-6): what is done with a request, and where that was read. */
export interface RequestType {
  /** Kebab-case; never changes meaning. */
  readonly id: string;
  /** In English, as letters name it. */
  readonly title: string;
  readonly kind: RequestKind;
  /** Where it comes from: two letters of a country, `EU`, or `*` for anywhere. */
  readonly region: string;
  /** The law. */
  readonly basis: string;
  /** Where this row was read. */
  readonly source: string;
  /** The day on which it was, `2026-11-27`; absent of what was not. */
  readonly checkedOn?: string;
  /** Whether the text of the law, or of who printed it, was seen. What was not, says so wherever it is shown. */
  readonly isChecked: boolean;
  /** What may be ordered by it. */
  readonly categories: readonly DataCategory[];
  readonly times: RequestTimes;
  readonly preservation?: PreservationTerms;
  readonly notice: NoticeOwner;
  readonly secrecy: {
    /** What is taken for given where the request says nothing. */
    readonly isDefault: boolean;
    /** Days after which a secrecy without an end is looked at again, 90 at most. */
    readonly reviewDays: number;
  };
  readonly answer: StandingAnswer;
  /** Whether each request of this type is one in an emergency, with all that follows from it. */
  readonly isEmergency?: boolean;
  /** What else who works on one must know, in English. */
  readonly remark?: string;
}

/** What an administrator may say otherwise of a row; the row's own is kept beside it. */
export type RequestTypeChange = Partial<
  Pick<RequestType, "basis" | "source" | "checkedOn" | "isChecked" | "categories" | "times" | "notice" | "secrecy" | "remark">
> & { readonly preservation?: PreservationTerms | null };

/** A row as it counts now. */
export interface RequestTypeRow extends RequestType {
  /** Absent where it is as it came with the software. */
  readonly changed?: { readonly by: string; readonly atMs: number; readonly original: RequestType };
}

/** By which calendar the desk counts. */
export interface RequestCalendar {
  /** IANA name of the zone in which the server's days begin and end. */
  readonly zone: string;
  /** Days on which nobody works, `2026-12-25`, beside Saturdays and Sundays. */
  readonly holidays: readonly string[];
}
