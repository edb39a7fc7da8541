import type { PasskeyJson } from "./staff.ts";
import type {
  ImportDraft,
  LetterInput,
  RequestAt,
  RequestCalendar,
  RequestDetail,
  RequestIntake,
  RequestScope,
  RequestSecrecy,
  RequestState,
  RequestSummary,
  RequestTask,
  RequestTypeChange,
  RequestTypeRow,
  RequestVerification,
  challengeGrounds,
  challengeOutcomes,
  refusalReasons,
} from "./requests.ts";

/** What an operation takes and answers. */
export interface Operation<In, Out> {
  readonly in: In;
  readonly out: Out;
}

type Nothing = Readonly<Record<string, never>>;
interface Shown {
  readonly request: RequestDetail;
}
type Act<In = object> = Operation<RequestAt & In, Shown>;

/**
 * The operations on requests of authorities (spec F-6 to F-8, F-13 on). Each act names the request as its author read it: `changed` where
 * somebody was first, or where it does not stand so that this can be done. Intake opens, verifies and writes; moderators and reviewers
 * approve; administrators keep types and calendar.
 */
export interface RequestApi {
  readonly "request-types": Operation<Nothing, { readonly types: readonly RequestTypeRow[] }>;
  /** Administrator: says something else of a row; without `change` it is again as it came. */
  readonly "request-type-set": Operation<{ readonly id: string; readonly change?: RequestTypeChange }, { readonly type: RequestTypeRow }>;
  readonly "request-calendar": Operation<Nothing, { readonly calendar: RequestCalendar }>;
  /** Administrator. Counts for requests that come after it. */
  readonly "request-calendar-set": Operation<{ readonly calendar: RequestCalendar }, { readonly calendar: RequestCalendar }>;

  /** Those that are due first come first. `after` is `next` of the page before. */
  readonly "request-list": Operation<
    { readonly states?: readonly RequestState[]; readonly after?: number },
    { readonly requests: readonly RequestSummary[]; readonly next?: number }
  >;
  readonly "request-get": Operation<{ readonly number: number }, Shown>;
  /** What somebody has to do, of all requests, the soonest first. */
  readonly "request-tasks": Operation<Nothing, { readonly tasks: readonly RequestTask[] }>;
  readonly "request-task-done": Operation<{ readonly number: number; readonly task: number; readonly words: string }, Shown>;

  /** Intake. A type that preserves at intake does. */
  readonly "request-open": Operation<{ readonly intake: RequestIntake }, Shown>;
  /** What clocks an intake would have; nothing is written down. */
  readonly "request-clocks": Operation<{ readonly intake: RequestIntake }, { readonly clocks: RequestDetail["clocks"] }>;
  /** An XML document of ETSI TS 103 120: a draft, of which nothing is written down. */
  readonly "request-import": Operation<{ readonly text: string }, { readonly draft: ImportDraft }>;
  /** Corrects what was written down, until it is approved. Of one that was verified, who asks does not change. */
  readonly "request-change": Act<{ readonly intake: RequestIntake }>;
  /** `not_independent` where the contact stands in the request itself. */
  readonly "request-verify": Act<{ readonly verification: RequestVerification }>;
  readonly "request-narrow": Act<{ readonly scope: RequestScope; readonly words: string }>;
  readonly "request-challenge": Act<{ readonly ground: (typeof challengeGrounds)[number]; readonly words: string }>;
  /** `withdrawn` refuses it; else it goes on as verified or narrowed. */
  readonly "request-challenge-end": Act<{ readonly outcome: (typeof challengeOutcomes)[number]; readonly words: string }>;
  readonly "request-refuse": Act<{ readonly reason: (typeof refusalReasons)[number]; readonly words: string }>;
  /** Looks up whether there is such an account now; `not_verified` before it was verified. */
  readonly "request-identify": Act<{ readonly place: number }>;
  /** Puts the deadline off, once, where its type allows that and it has not passed: whoever asks has to be told why. */
  readonly "request-extend": Act<{ readonly words: string }>;
  readonly "request-sign-off": Act<{ readonly name: string; readonly words: string }>;
  readonly "request-note": Operation<{ readonly number: number; readonly text: string }, Shown>;
  readonly "request-secrecy": Act<{ readonly secrecy: RequestSecrecy; readonly words: string }>;

  /** Keeps a copy, of a verified one whose type allows it. */
  readonly "request-preserve": Act;
  readonly "request-preservation-extend": Act<{ readonly words: string }>;
  readonly "request-preservation-end": Act<{ readonly words: string }>;

  /** What a letter would say. */
  readonly "request-letter-preview": Operation<{ readonly number: number; readonly letter: LetterInput }, { readonly text: string }>;
  readonly "request-letter-write": Act<{ readonly letter: LetterInput }>;
  /** The same bytes each time, base64url. */
  readonly "request-letter-get": Operation<
    { readonly number: number; readonly letter: number },
    { readonly text: string; readonly pdf: string; readonly name: string }
  >;

  /** Announces a file, whose bytes `PUT` brings; `limit` where there is no room for it. */
  readonly "request-file-begin": Operation<
    { readonly number: number; readonly name: string; readonly mediaType: string; readonly sizeBytes: number },
    { readonly file: number }
  >;
  readonly "request-file-remove": Act<{ readonly file: number }>;

  /**
   * Assembles what is held of the accounts in scope, and names it by its hash; a later one takes its place, without the approvals. `copyOf` is an
   * order to preserve: of each account that it had a copy kept of, that copy goes out. `changed` where it has none that can.
   */
  readonly "request-package": Act<{ readonly copyOf?: number }>;
  /** A file of it by its name, or `manifest.json`, base64url: what somebody looks at before they approve. */
  readonly "request-package-file": Operation<{ readonly number: number; readonly name: string }, { readonly bytes: string }>;
  /** Moderator or reviewer: the challenge is the package's hash. */
  readonly "request-approve-begin": Operation<RequestAt, { readonly options: PasskeyJson; readonly packageHash: string }>;
  readonly "request-approve-finish": Act<{ readonly response: PasskeyJson }>;
  /** Where one person works at the desk: somebody outside gets a link, once. */
  readonly "request-outside-invite": Operation<
    RequestAt & { readonly name: string },
    { readonly code: string; readonly hours: number; readonly request: RequestDetail }
  >;
  /** Where nobody else is: it may be released a day later. */
  readonly "request-wait": Act;
  /** `too_early` before its not-before, or before a wait is over. */
  readonly "request-release": Act;
  /** Intake or moderator: nothing more is to be done. It is erased after so many days. */
  readonly "request-close": Act<{ readonly words: string; readonly retentionDays?: number }>;

  /** With the link's code, without a session: who asks, how many accounts, and how to make a passkey for that alone. */
  readonly "outside-begin": Operation<
    { readonly code: string },
    { readonly name: string; readonly host: string; readonly packageHash: string; readonly summary: string; readonly options: PasskeyJson }
  >;
  /** Spends the link. `key` opens what is to go out for an hour; `manifest` is the JSON text that names all of it (`@latchkey/releases`). */
  readonly "outside-enrol": Operation<
    { readonly code: string; readonly response: PasskeyJson },
    { readonly options: PasskeyJson; readonly key: string; readonly manifest: string }
  >;
  /** A file that the manifest names, base64url. */
  readonly "outside-file": Operation<{ readonly key: string; readonly name: string }, { readonly bytes: string }>;
  readonly "outside-approve": Operation<{ readonly key: string; readonly response: PasskeyJson }, Nothing>;
}
