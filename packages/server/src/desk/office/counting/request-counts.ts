import { dayBucket, periodOf } from "@latchkey/counts";
import type { ApprovalKind, NoticeKind, Secrecy } from "@latchkey/counts";
import type { ApprovalRule, RequestSecrecy } from "@latchkey/protocol/desk";
import type { Statements } from "../../../store/sqlite/statements.ts";
import { dayMs, parseDay } from "../../../days.ts";
import type { StoredRequest } from "../requests/request-body.ts";
import { scopeOf } from "../requests/request-body.ts";
import type { RequestHappening, RequestPart } from "../requests/request-office.ts";
import type { Trail } from "../trail.ts";
import { notSecret } from "./counts.ts";
import type { Counts } from "./counts.ts";

/** Acts that are an outcome, and how each is counted. */
const results: Partial<Record<RequestHappening["kind"], string>> = {
  challenged: "challenged",
  refused: "refused",
  preserved: "preserved",
  released: "released",
};
/** What stays sealed for good, without a line (what may be said of it at all is for a lawyer). */
const neverTold: ReadonlySet<string> = new Set(["capability", "interception"]);

/** Who agreed to the release of a request, as its package has it. */
export function approvalsIn(sql: Statements): (request: Pick<StoredRequest, "number">) => ApprovalKind {
  const kinds: Readonly<Record<ApprovalRule, ApprovalKind>> = {
    "two-staff": "two",
    "staff-and-outside": "outside",
    "staff-and-wait": "wait",
  };
  return ({ number }) => {
    const row = sql.get<{ rule: ApprovalRule | null }>("SELECT rule FROM request_packages WHERE request_number = ?", number);
    return row === undefined || row.rule === null ? "none" : kinds[row.rule];
  };
}

/** Under which name a request is counted. */
export function requestRef({ number }: Pick<StoredRequest, "number">): string {
  return `request:${number}`;
}

/**
 * Requests of authorities are counted with each act that is an arrival or an outcome, in its own transaction.
 * @param parts `approvalsOf` says who agreed to a release
 */
export function requestCounts(parts: {
  readonly counts: Pick<Counts, "record" | "receipts" | "seal">;
  readonly trail: Pick<Trail, "append">;
  approvalsOf(request: StoredRequest): ApprovalKind;
}): RequestPart {
  const { counts, trail, approvalsOf } = parts;
  return {
    receipts: (request) => counts.receipts(requestRef(request)),
    happened({ kind, request, nowMs }) {
      const ref = requestRef(request);
      if (kind === "received") countArrival(counts, request, nowMs);
      else if (kind === "secrecy" && secrecyOf(request).kind !== "none") {
        // It is noted in any case; what was counted in the open is in the open where its batch has sealed as many as it may.
        if (!counts.seal(ref)) trail.append({ actor: "desk", act: "count not sealed", details: { request: request.number } }, nowMs);
      } else {
        const result = results[kind];
        if (result !== undefined) countResult(counts, { request, result, nowMs, approvals: approvalsOf(request) });
      }
    },
  };
}

function countArrival(counts: Pick<Counts, "record">, request: StoredRequest, nowMs: number): void {
  const { type, intake } = request.body;
  const { country } = intake.authority;
  counts.record(
    requestRef(request),
    {
      kind: "arrival",
      of: "request",
      type: type.id,
      ...(/^[A-Z]{2}$/.test(country) ? { country } : {}),
      accounts: intake.identifiers.length,
      categories: intake.categories,
      isEmergency: intake.isEmergency,
      secrecy: secrecyOf(request),
    },
    nowMs,
    { isNever: neverTold.has(type.kind) },
  );
}

function countResult(
  counts: Pick<Counts, "record">,
  { request, result, nowMs, approvals }: { request: StoredRequest; result: string; nowMs: number; approvals: ApprovalKind },
): void {
  const { type, intake } = request.body;
  const isReleased = result === "released";
  counts.record(
    requestRef(request),
    {
      kind: "outcome",
      of: "request",
      result,
      given: isReleased ? scopeOf(request).categories : [],
      days: dayBucket(Math.max(0, Math.floor((nowMs - intake.receivedAtMs) / dayMs))),
      notice: isReleased ? noticeOf(request) : "none",
      approvals: isReleased ? approvals : "none",
      secrecy: secrecyOf(request),
    },
    nowMs,
    { isNever: neverTold.has(type.kind) },
  );
}

function noticeOf(request: StoredRequest): NoticeKind {
  const { notice } = request.body.type;
  if (notice !== "us") return notice === "authority" ? "by the authority" : "none";
  return secrecyOf(request).kind === "none" ? "by us" : "later";
}

/** What of a request may not be told, and until when. */
function secrecyOf({ body }: StoredRequest): Secrecy {
  if (neverTold.has(body.type.kind)) return { kind: "open" };
  return countedSecrecy(body.intake.secrecy);
}

function countedSecrecy(secrecy: RequestSecrecy): Secrecy {
  if (secrecy.kind !== "until") return secrecy.kind === "open" ? { kind: "open" } : notSecret;
  const day = parseDay(secrecy.untilDay);
  return day === undefined ? { kind: "open" } : { kind: "until", period: periodOf(day * dayMs) };
}
