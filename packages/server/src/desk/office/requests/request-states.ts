import { requestStates } from "@latchkey/protocol/desk";
import type { DeskRole, RequestState } from "@latchkey/protocol/desk";
import { isPreserved } from "./request-body.ts";
import type { StoredRequest } from "./request-body.ts";

/** Whose acts are those of intake alone. */
export const intakeRoles: readonly DeskRole[] = ["intake"];

/** Who asks is known, and nothing was decided that ends it. */
export const workingStates: readonly RequestState[] = ["verified", "narrowed", "challenged"];
/** Of which nothing was released, and that was not refused. */
export const undecidedStates: readonly RequestState[] = ["received", ...workingStates];
/** Something can still be done with it. */
export const openStates: readonly RequestState[] = requestStates.filter((state) => state !== "closed");

/** Acts on a request as somebody read it. */
export type RequestAct =
  | "request-change"
  | "request-verify"
  | "request-narrow"
  | "request-challenge"
  | "request-challenge-end"
  | "request-refuse"
  | "request-identify"
  | "request-extend"
  | "request-sign-off"
  | "request-secrecy"
  | "request-preserve"
  | "request-preservation-extend"
  | "request-preservation-end"
  | "request-letter-write"
  | "request-file-remove"
  | "request-close";

/** In which states an act on a request can be done; what depends on more than that is said by `mayOf`. */
export const statesOf: Readonly<Record<RequestAct, readonly RequestState[]>> = {
  "request-change": undecidedStates,
  "request-verify": ["received"],
  "request-narrow": ["verified", "narrowed"],
  "request-challenge": ["verified", "narrowed"],
  "request-challenge-end": ["challenged"],
  "request-refuse": [...undecidedStates, "approved"],
  "request-identify": [...workingStates, "approved"],
  "request-extend": undecidedStates,
  "request-sign-off": [...undecidedStates, "approved"],
  // Of one that is closed, where it is secret: whoever waits for the end of that is told of nothing before.
  "request-secrecy": requestStates,
  "request-preserve": workingStates,
  "request-preservation-extend": openStates,
  "request-preservation-end": openStates,
  "request-letter-write": openStates,
  "request-file-remove": openStates,
  // What is not released is answered by a letter.
  "request-close": ["released", "refused", "verified", "narrowed"],
};

/** Names of the acts that somebody of these roles may do with a request as it stands. */
export function mayOf(request: StoredRequest, roles: readonly DeskRole[]): readonly string[] {
  const isReader = roles.some((role) => role === "intake" || role === "moderator" || role === "reviewer");
  if (!isReader) return [];
  const isIntake = roles.includes("intake");
  // Written above.
  const acts = Object.keys(statesOf) as RequestAct[];
  return acts.filter((act) => {
    return statesOf[act].includes(request.state) && (isIntake || !intakeActs.has(act)) && isPossible(request, act);
  });
}

/** Acts of intake. */
export const intakeActs: ReadonlySet<string> = new Set<RequestAct>(["request-change", "request-verify", "request-preserve"]);

/** Whether what else an act needs is so. */
export function isPossible(request: StoredRequest, act: RequestAct): boolean {
  const { type, preservation, extension } = request.body;
  switch (act) {
    case "request-secrecy":
      return request.state !== "closed" || request.body.intake.secrecy.kind !== "none";
    case "request-extend":
      return type.times.extension !== undefined && extension === undefined;
    case "request-preserve":
      return type.preservation !== undefined && !isPreserved(request);
    case "request-preservation-extend":
      return isPreserved(request) && (preservation?.extensions ?? 0) < (type.preservation?.extensions ?? 0);
    case "request-preservation-end":
      return isPreserved(request);
    case "request-close":
      return !isPreserved(request) && (request.state === "released" || request.state === "refused" || type.answer !== "release");
    default:
      return true;
  }
}
