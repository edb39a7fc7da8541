import type { AppealOutcome, CaseDetail, CaseState, CaseSummary } from "./cases.ts";
import type { CountingApi } from "./counting-api.ts";
import type { DecisionInput, SavedReason } from "./decisions.ts";
import type { Operation, RequestApi } from "./request-api.ts";
import type { GrantProof, StaffGrant } from "./staff-grants.ts";
import type { DeskRole, DeskSession, DeskStaff, PasskeyJson, TrailCheck, TrailEntry } from "./staff.ts";

export * from "./cases.ts";
export * from "./counting-api.ts";
export * from "./decisions.ts";
export * from "./request-api.ts";
export * from "./requests.ts";
export * from "./staff.ts";
export * from "./staff-grants.ts";
export * from "./trail.ts";

/** Where the desk's operations are: `POST /desk/api/NAME` with a JSON object, answered by one. */
export const deskApiPath = "/desk/api";
/** `GET /desk/api/attachments/CASE/NUMBER`: the bytes of an attachment, as they came; never shown by a browser on its own. */
export const deskAttachmentsPath = "/desk/api/attachments";

/** The cases that several acts of one request name at most. */
export const maxCasesAtOnce = 50;
/** Cases and entries of one page. */
export const deskPageSize = 50;

/** A case as somebody read it. */
export interface CaseAt {
  readonly number: number;
  readonly revision: number;
}

type Nothing = Readonly<Record<string, never>>;

/**
 * Every operation of the desk: what it takes and what it answers. Those before `session` need no session; all others the cookie that
 * signing in set. Each act and each reading of a case stands in the trail.
 */
export interface DeskApi extends RequestApi, CountingApi {
  /** With a one-time code: what the browser is to make a passkey with. */
  readonly "enrol-begin": Operation<{ readonly code: string }, { readonly name: string; readonly options: PasskeyJson }>;
  /** Spends the code, and signs in. */
  readonly "enrol-finish": Operation<{ readonly code: string; readonly response: PasskeyJson }, DeskSession>;
  readonly "sign-in-begin": Operation<Nothing, { readonly options: PasskeyJson }>;
  readonly "sign-in-finish": Operation<{ readonly response: PasskeyJson }, DeskSession>;
  readonly session: Operation<Nothing, DeskSession>;
  readonly "sign-out": Operation<Nothing, Nothing>;

  /** Administrator. */
  readonly "staff-list": Operation<Nothing, { readonly staff: readonly DeskStaff[] }>;
  /** Administrator: what their passkey is to sign before they give somebody a role that weighs (`isWeighty`), or confirm them. */
  readonly "staff-grant-begin": Operation<StaffGrant, { readonly nonce: string; readonly options: PasskeyJson }>;
  /**
   * Administrator: names somebody, or gives who is named already another code (a lost passkey, a second one). The code counts once, for a day.
   * Where roles weigh, `proof` is of exactly this name and these roles; of who is named already, of those that they have.
   */
  readonly "staff-invite": Operation<
    ({ readonly name: string; readonly roles: readonly DeskRole[] } | { readonly id: string }) & { readonly proof?: GrantProof },
    { readonly staff: DeskStaff; readonly code: string; readonly hours: number }
  >;
  /** Administrator: what somebody may do. The last active administrator stays one. Ends their sessions. `proof` where they get a role that weighs. */
  readonly "staff-set": Operation<
    {
      readonly id: string;
      readonly roles: readonly DeskRole[];
      readonly isActive: boolean;
      readonly forgetPasskeys?: boolean;
      readonly proof?: GrantProof;
    },
    { readonly staff: DeskStaff }
  >;

  /** Another administrator than who named them and gave them the code: somebody is who they say, by the passkeys that they have now. */
  readonly "staff-confirm": Operation<{ readonly id: string; readonly proof: GrantProof }, { readonly staff: DeskStaff }>;

  /** Intake, moderator, reviewer: the queue, the longest waiting first. `after` is `next` of the page before. */
  readonly "case-list": Operation<
    { readonly states?: readonly CaseState[]; readonly after?: number },
    { readonly cases: readonly CaseSummary[]; readonly next?: number }
  >;
  readonly "case-get": Operation<{ readonly number: number }, { readonly case: CaseDetail }>;
  /** Takes a case to work on, or gives it back. */
  readonly "case-take": Operation<CaseAt & { readonly isTaken: boolean }, { readonly case: CaseDetail }>;
  readonly "case-note": Operation<{ readonly number: number; readonly text: string }, { readonly case: CaseDetail }>;
  /** Puts what a case has into another about the same account, which it then is. */
  readonly "case-merge": Operation<{ readonly from: CaseAt; readonly into: CaseAt }, { readonly case: CaseDetail }>;
  /** Moderator. One decision of one case, or of several alike: each on its own, as it was read; `changed` names those that were not decided, since somebody else was first. */
  readonly "case-decide": Operation<
    { readonly cases: readonly CaseAt[]; readonly decision: DecisionInput },
    { readonly decided: readonly number[]; readonly changed: readonly number[] }
  >;
  /** Reviewer, and not who made the decision. `replaced` takes the decision that comes in its place. */
  readonly "appeal-decide": Operation<
    CaseAt & { readonly appeal: number; readonly outcome: AppealOutcome; readonly words: string; readonly decision?: DecisionInput },
    { readonly case: CaseDetail }
  >;

  readonly "reason-list": Operation<Nothing, { readonly reasons: readonly SavedReason[] }>;
  /** Moderator or administrator: saves, or changes one by its id. */
  readonly "reason-save": Operation<
    { readonly id?: string; readonly title: string; readonly decision: DecisionInput },
    { readonly reason: SavedReason }
  >;
  readonly "reason-remove": Operation<{ readonly id: string }, Nothing>;

  /** Auditor: entries after a number, and a check of the whole chain. */
  readonly "trail-list": Operation<{ readonly after: number }, { readonly entries: readonly TrailEntry[]; readonly next?: number }>;
  readonly "trail-verify": Operation<Nothing, TrailCheck>;
}

/** Name of an operation. */
export type DeskOperation = keyof DeskApi;
/** Those that need no session. */
export const openDeskOperations = [
  "enrol-begin",
  "enrol-finish",
  "sign-in-begin",
  "sign-in-finish",
  "outside-begin",
  "outside-enrol",
  "outside-file",
  "outside-approve",
] as const;
/** What one takes. */
export type DeskInput<Name extends DeskOperation> = DeskApi[Name]["in"];
/** What one answers. */
export type DeskOutput<Name extends DeskOperation> = DeskApi[Name]["out"];

/** Why an operation was not done: `{ code, retryAfterMs? }`. */
export type DeskErrorCode =
  | "not_found" // 404: no such case, staff, reason; no such operation; or the desk is off
  | "malformed" // 400: this is no input of the operation
  | "code_refused" // 403: the one-time code is wrong, used or too old
  | "passkey_refused" // 403: the browser's answer does not hold, came twice, or is of nobody
  | "not_signed_in" // 401
  | "not_allowed" // 403: another role's
  | "other_person" // 409: it is to be decided by somebody else
  | "changed" // 409: somebody else was first; read the case again
  | "not_verified" // 409: who asks was not verified yet
  | "not_independent" // 409: what a request says of itself does not verify it
  | "too_early" // 409: its time has not come
  | "last_administrator" // 409
  | "limit" // 409: there are as many as there may be
  | "too_large" // 413: more than goes out at once
  | "rate_limited" // 429, with retryAfterMs
  | "internal"; // 500
