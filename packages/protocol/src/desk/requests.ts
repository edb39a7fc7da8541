import type { DataCategory, NoticeOwner, RequestKind } from "./request-types.ts";

export * from "./request-types.ts";

/** `GET /desk/api/request-files/NUMBER/FILE` gives a file of a request as a download, `PUT` takes its bytes after `request-file-begin`. */
export const deskRequestFilesPath = "/desk/api/request-files";
/** `GET /desk/api/request-packages/NUMBER`: the released package of a request, a ZIP file, as a download. */
export const deskRequestPackagesPath = "/desk/api/request-packages";

/** Bounds of what is written down of a request: characters, counts, bytes. */
export const requestLimits = {
  name: 200,
  line: 500,
  words: 8000,
  identifiers: 50,
  /** Files of one request. */
  files: 40,
  fileBytes: 33_554_432,
  /** Bytes of each part in which a file comes and goes, but the last. */
  partBytes: 1_048_576,
  /** Of all files of one request. */
  requestBytes: 134_217_728,
  fileName: 120,
  /** Bytes of an XML document to import. */
  importBytes: 1_048_576,
  letters: 100,
  /** All files of one package; what is more goes out in several, narrowed. */
  packageBytes: 67_108_864,
  /** Notes, and lines of its story that are shown. */
  events: 500,
  holidays: 400,
  /** Longest delay of a notice before somebody has to look at it again, in days (rule F-8). */
  reviewDays: 90,
  /** Days that a closed request is kept: at least, most, and if nobody says. */
  retentionDays: { least: 30, most: 3650, usual: 365 },
} as const;

/**
 * Where a request stands:
 *
 *     received --who asks was verified--> verified --> (narrowed | challenged)* --> approved --> released --> closed
 *     any before released --with a reason--> refused --> closed
 */
export const requestStates = ["received", "verified", "narrowed", "challenged", "refused", "approved", "released", "closed"] as const;

/** One of them. */
export type RequestState = (typeof requestStates)[number];

/** A request as somebody read it. */
export interface RequestAt {
  readonly number: number;
  readonly revision: number;
}

/** How it came in. */
export const requestChannels = ["post", "e-mail", "fax", "portal", "telephone", "in-person", "other"] as const;

/** Of whom something is asked. `other` is what the server has no accounts by, such as a telephone number: it finds nobody. */
export interface RequestIdentifier {
  readonly kind: "username" | "account-id" | "other";
  /** As it stands in the request. */
  readonly value: string;
}

/** Who may say nothing, and for how long. There is an end, or a day on which somebody looks at it again (rule F-8). */
export type RequestSecrecy =
  | { readonly kind: "none" }
  | { readonly kind: "until"; readonly untilDay: string; readonly basis: string }
  | { readonly kind: "open"; readonly reviewDay: string; readonly basis: string };

/** What a request says, as intake writes it down. Days are `2026-12-01`; times by the wall clock of the desk's zone `2026-12-01T17:00`. */
export interface RequestIntake {
  /** Id of its row in the table of types. */
  readonly type: string;
  /** When it came in, in milliseconds since 1970; not after now. */
  readonly receivedAtMs: number;
  readonly channel: (typeof requestChannels)[number];
  readonly authority: {
    readonly name: string;
    /** Two letters. */
    readonly country: string;
    /** The authority's own file number. */
    readonly reference: string;
    readonly address?: string;
  };
  readonly officer: { readonly name: string; readonly role?: string; readonly email?: string; readonly phone?: string };
  /** The name that it is addressed to. */
  readonly addressee: string;
  /** As the request says it. */
  readonly legalBasis: string;
  /** ISO 639-1. */
  readonly language: string;
  readonly isEmergency: boolean;
  /** Why, in its words; of an emergency only. */
  readonly emergencyGrounds?: string;
  readonly identifiers: readonly RequestIdentifier[];
  readonly categories: readonly DataCategory[];
  readonly period?: { readonly fromDay?: string; readonly toDay?: string };
  readonly secrecy: RequestSecrecy;
  /** Another authority that was notified and may object (Regulation (EU) 2023/1543 Art. 8): nothing goes out before its time is over. */
  readonly notified?: { readonly name: string; readonly country: string; readonly confirmedAtMs?: number };
  /** When the authority says that it wants an answer; the stricter of that and of the law's counts. */
  readonly deadlineAsked?: string;
  /** By which treaty or office it was sent on. */
  readonly route?: string;
  /** Where the answer goes. */
  readonly deliverTo: string;
  /** What it costs, and who pays. */
  readonly cost?: string;
  readonly remark?: string;
}

/** How somebody found out that the request is from whom it says. */
export const verificationMeans = ["call-back", "court-register", "official-portal", "in-person", "known-contact"] as const;

/** Who asks, verified. Nothing that stands in the request counts: the number or address was found elsewhere (rule F-7). */
export interface RequestVerification {
  readonly how: (typeof verificationMeans)[number];
  /** The number, address or record by which it was. */
  readonly contact: string;
  /** Where that was found, other than in the request. */
  readonly foundIn: string;
  /** Who answered. */
  readonly answeredBy: string;
  readonly words?: string;
}

/** What of a request is answered after it was narrowed. */
export interface RequestScope {
  /** Places of its identifiers, from 1. */
  readonly identifiers: readonly number[];
  readonly categories: readonly DataCategory[];
  readonly period?: { readonly fromDay?: string; readonly toDay?: string };
}

/** Why it is disputed. */
export const challengeGrounds = [
  "no-basis",
  "too-broad",
  "unclear",
  "form",
  "privilege",
  "third-country-law",
  "fundamental-rights",
  "other",
] as const;
/** What came of a dispute: it was taken back, changed, or stands. */
export const challengeOutcomes = ["withdrawn", "changed", "stands"] as const;

/** Why nothing is given. */
export const refusalReasons = [
  "not-verified",
  "wrong-entity",
  "foreign-route",
  "not-held",
  "no-such-account",
  "no-public-content",
  "no-such-function",
  "no-basis",
  "privilege",
  "third-country-law",
  "withdrawn",
  "other",
] as const;

/** Letters that the desk writes. `form-3` is that of Annex III of Regulation (EU) 2023/1543: what cannot be carried out, and why. */
export const letterKinds = [
  "acknowledgement",
  "not-held",
  "narrow",
  "challenge",
  "wrong-entity",
  "foreign-route",
  "refusal",
  "answer",
  "form-3",
] as const;

/** One of them. */
export type LetterKind = (typeof letterKinds)[number];

/** Grounds of Form 3. */
export const form3Grounds = [
  "incomplete",
  "manifest-error",
  "not-possible",
  "not-possible-data-not-held",
  "immunity",
  "press-freedom",
  "third-country-law",
  "other",
] as const;

/** What whoever writes a letter adds to it. */
export interface LetterInput {
  readonly kind: LetterKind;
  /** Their own sentences; each line that is empty begins a paragraph. */
  readonly words?: string;
  /** Of `form-3`. */
  readonly grounds?: readonly (typeof form3Grounds)[number][];
}

/** A letter that was written: its text never changes. */
export interface RequestLetter {
  readonly number: number;
  readonly kind: LetterKind;
  readonly atMs: number;
  readonly by: string;
  readonly title: string;
}

/** A time that counts for a request, and why it is that one. */
export interface RequestClock {
  readonly kind: "not-before" | "deadline" | "validation" | "follow-up" | "preservation" | "secrecy-review" | "secrecy-end";
  /** When it is over, in milliseconds since 1970. */
  readonly atMs: number;
  /** The same by the wall clock of the zone, `2026-12-11T23:59:59`. */
  readonly local: string;
  readonly zone: string;
  /** How it was counted, in English: from what, by which rule, and what made it stricter. */
  readonly rule: string;
  readonly source: string;
  /** Whether the rule was read in the law. */
  readonly isChecked: boolean;
}

/** Something that somebody has to do about a request, by a time. */
export interface RequestTask {
  readonly id: number;
  readonly number: number;
  readonly kind: "verify" | "answer" | "emergency-follow-up" | "validation" | "preservation-ends" | "secrecy-review" | "notice" | "other";
  readonly dueAtMs: number;
  readonly isOverdue: boolean;
}

/** A file of a request. */
export interface RequestFile {
  readonly number: number;
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Bytes that are here: fewer than its size while it comes. */
  readonly hereBytes: number;
  readonly atMs: number;
  readonly by: string;
  /** SHA-256, hex; absent until all of it is here. */
  readonly sha256?: string;
}

/** Of one identifier: whether there is such an account now. Only within a request that was verified, and each look-up is in the trail (rule F-10). */
export interface RequestSubject extends RequestIdentifier {
  /** Place within the request, from 1. */
  readonly place: number;
  readonly found?: {
    readonly atMs: number;
    readonly by: string;
    /** Absent where there is no such account now. */
    readonly accountId?: string;
    readonly username?: string;
  };
}

/** A copy that is kept for a request. Whether there is anything in it is not said before the request was verified. */
export interface RequestPreservation {
  readonly state: "asked" | "kept" | "nothing" | "over";
  readonly fromMs: number;
  /** When it goes by itself. */
  readonly untilMs: number;
  readonly extensions: number;
  readonly mayExtend: boolean;
  /** Why it was ended before. */
  readonly endedWhy?: string;
}

/** Copies that an order to preserve had kept, of accounts of another request: they can go out upon that one (rule F-14). */
export interface KeptForOther {
  /** Number of the order to preserve. */
  readonly number: number;
  readonly authority: string;
  readonly reference: string;
  /** Places of the identifiers of the other request whose accounts they are of. */
  readonly places: readonly number[];
  /** When the newest of them was made. */
  readonly asOfMs: number;
  /** When they go by themselves. */
  readonly untilMs: number;
}

/**
 * By what a release was approved: two of the staff; one and somebody outside, by a link and a passkey of their own; or one and a day's wait,
 * where nobody else can. The public count says which (rule F-7).
 */
export const approvalRules = ["two-staff", "staff-and-outside", "staff-and-wait"] as const;

/** One of them. */
export type ApprovalRule = (typeof approvalRules)[number];

/** One approval: a passkey's signature over the package's hash. */
export interface RequestApproval {
  readonly by: string;
  readonly kind: "staff" | "outside";
  readonly atMs: number;
}

/** What would be released, or was. */
export interface RequestRelease {
  /** SHA-256 of the exact package, hex. */
  readonly packageHash: string;
  readonly sizeBytes: number;
  readonly builtAtMs: number;
  readonly accounts: number;
  /** Number of the order to preserve whose copies are in it. */
  readonly copyOf?: number;
  readonly approvals: readonly RequestApproval[];
  readonly rule?: ApprovalRule;
  /** Of `staff-and-wait`: from when on it may be released. */
  readonly waitUntilMs?: number;
  /** Somebody outside who was asked: their name, and until when their link counts. */
  readonly outside?: { readonly name: string; readonly untilMs: number; readonly isUsed: boolean };
  readonly released?: { readonly atMs: number; readonly by: string };
  readonly mayApprove: boolean;
  readonly mayRelease: boolean;
}

/** Whether the person concerned was told. */
export interface RequestNotice {
  readonly owner: NoticeOwner;
  readonly state: "not-due" | "waits" | "goes" | "sent" | "read" | "cannot" | "not-ours";
  /** When it goes by itself, or went. */
  readonly atMs?: number;
}

/** One line of a request's story. */
export interface RequestEvent {
  readonly atMs: number;
  readonly kind:
    | "received"
    | "changed"
    | "verified"
    | "identified"
    | "narrowed"
    | "challenged"
    | "challenge-ended"
    | "extended"
    | "refused"
    | "approved"
    | "released"
    | "closed"
    | "note"
    | "letter"
    | "file"
    | "preserved"
    | "preservation-extended"
    | "preservation-ended"
    // Its copies went out upon another request, or what was put together of another's went with them: `text` is the other's number.
    | "copy-given"
    | "copy-gone"
    | "secrecy"
    | "follow-up"
    | "signed-off"
    | "notice";
  readonly by: string;
  readonly text?: string;
}

/** A request in the queue. */
export interface RequestSummary {
  /** Of a series of its own, from 1. */
  readonly number: number;
  readonly revision: number;
  readonly state: RequestState;
  readonly type: string;
  readonly title: string;
  readonly kind: RequestKind;
  readonly authority: string;
  readonly country: string;
  readonly receivedAtMs: number;
  readonly isEmergency: boolean;
  /** What is due next: absent where nothing is. */
  readonly due?: RequestClock;
  readonly tasks: number;
}

/** Everything that the desk has of a request. */
export interface RequestDetail extends RequestSummary {
  readonly intake: RequestIntake;
  /** The row that it was counted by. */
  readonly isTypeChecked: boolean;
  readonly clocks: readonly RequestClock[];
  readonly verification?: RequestVerification & { readonly by: string; readonly atMs: number };
  /** What is answered; absent before anything was narrowed. */
  readonly scope?: RequestScope;
  readonly challenge?: {
    readonly ground: (typeof challengeGrounds)[number];
    readonly words: string;
    readonly by: string;
    readonly atMs: number;
    readonly outcome?: (typeof challengeOutcomes)[number];
  };
  readonly refusal?: {
    readonly reason: (typeof refusalReasons)[number];
    readonly words: string;
    readonly by: string;
    readonly atMs: number;
  };
  /** The deadline was put off, and why. */
  readonly extension?: { readonly words: string; readonly by: string; readonly atMs: number };
  /** A lawyer who looked at it. */
  readonly signOff?: { readonly name: string; readonly words: string; readonly by: string; readonly atMs: number };
  readonly subjects: readonly RequestSubject[];
  readonly preservation?: RequestPreservation;
  /** Copies of other requests that can go out with it now. */
  readonly keptForOthers: readonly KeptForOther[];
  readonly files: readonly RequestFile[];
  readonly letters: readonly RequestLetter[];
  readonly openTasks: readonly RequestTask[];
  readonly release?: RequestRelease;
  readonly notice: RequestNotice;
  readonly events: readonly RequestEvent[];
  /** Of a closed one: the day on which it is erased. */
  readonly erasedDay?: string;
  /** What the asker may do with it now: names of operations. */
  readonly may: readonly string[];
}

/** A part of an imported document that the desk does not understand: shown, never dropped. */
export interface ImportRemark {
  /** Names of the elements from the root, `/HI1Message/Payload/…`. */
  readonly path: string;
  readonly value: string;
}

/** What an imported document comes to: a draft that a person completes; it decides no deadline. */
export interface ImportDraft {
  readonly type?: string;
  readonly intake: Partial<Omit<RequestIntake, "type">>;
  /** What stands there and is in no field of the draft. */
  readonly notUnderstood: readonly ImportRemark[];
  /** What a person has to look at: contradictions, and what is missing. In English. */
  readonly warnings: readonly string[];
  /** Why nothing of it was read; absent of what was. In English. */
  readonly refused?: string;
}
