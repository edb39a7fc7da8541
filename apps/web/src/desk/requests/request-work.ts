import { createContext, useContext } from "react";
import type { DeskInput, DeskRole, RequestApi, RequestAt, RequestDetail } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import type { PlainMessageId } from "../../messages/words.ts";
import { isLookedUp } from "./request-steps.ts";

/** Operations that answer with the request as it is then. */
export type RequestAct = {
  [Name in keyof RequestApi]: RequestApi[Name]["out"] extends { readonly request: RequestDetail } ? Name : never;
}[keyof RequestApi];

/** A request that is open, and what its parts do with it. */
export interface RequestWork {
  readonly found: RequestDetail;
  readonly at: RequestAt;
  readonly roles: readonly DeskRole[];
  /** Name of who is signed in. */
  readonly me: string;
  /** Of whom one administrator alone let in: from when on they approve. */
  readonly approvesFromMs?: number | undefined;
  readonly nowMs: number;
  readonly isBusy: boolean;
  /** Does something, and shows how the request is then. Resolves to whether it was done. */
  readonly act: <Name extends RequestAct>(name: Name, input: DeskInput<Name>) => Promise<boolean>;
  /** Shows how it is after an operation that answers with something else as well. */
  readonly show: (request: RequestDetail) => void;
}

/** Given by the page of a request to its parts. */
export const RequestContext: React.Context<RequestWork | undefined> = createContext<RequestWork | undefined>(undefined);

/** @throws Error outside of the page of a request */
export function useRequest(): RequestWork {
  const work = useContext(RequestContext);
  if (work === undefined) throw new Error("this part belongs to the page of a request");
  return work;
}

const intake: readonly DeskRole[] = ["intake"];
const readers: readonly DeskRole[] = ["intake", "moderator", "reviewer"];
const approvers: readonly DeskRole[] = ["moderator", "reviewer"];

/** An act that a part offers. */
export type OfferedAct = Extract<
  keyof RequestApi,
  | "request-verify"
  | "request-change"
  | "request-preserve"
  | "request-narrow"
  | "request-challenge"
  | "request-challenge-end"
  | "request-refuse"
  | "request-identify"
  | "request-extend"
  | "request-sign-off"
  | "request-secrecy"
  | "request-preservation-extend"
  | "request-preservation-end"
  | "request-letter-write"
  | "request-file-remove"
  | "request-package"
  | "request-approve-begin"
  | "request-outside-invite"
  | "request-wait"
  | "request-release"
  | "request-close"
>;

/** Whose each of them is. */
const actRoles: Readonly<Record<OfferedAct, readonly DeskRole[]>> = {
  "request-verify": intake,
  "request-change": intake,
  "request-preserve": intake,
  "request-narrow": readers,
  "request-challenge": readers,
  "request-challenge-end": readers,
  "request-refuse": readers,
  "request-identify": readers,
  "request-extend": readers,
  "request-sign-off": readers,
  "request-secrecy": readers,
  "request-preservation-extend": readers,
  "request-preservation-end": readers,
  "request-letter-write": readers,
  "request-file-remove": readers,
  "request-package": readers,
  "request-approve-begin": approvers,
  "request-outside-invite": approvers,
  "request-wait": approvers,
  "request-release": readers,
  "request-close": readers,
};

/** Those that wait until who asks was verified. */
const verifiedFirst: readonly OfferedAct[] = [
  "request-preserve",
  "request-narrow",
  "request-identify",
  "request-package",
  "request-approve-begin",
  "request-outside-invite",
  "request-wait",
  "request-release",
];
const ofRelease: readonly OfferedAct[] = ["request-approve-begin", "request-outside-invite", "request-wait", "request-release"];

/** Why something cannot be done now and by whom it can; absent where the desk lets it be done. */
export function whyNot(
  act: OfferedAct,
  work: Pick<RequestWork, "found" | "roles" | "me" | "nowMs" | "approvesFromMs">,
): string | undefined {
  const { found, roles, me, nowMs } = work;
  // Whose it is and whether its time has come are two things.
  if (found.may.includes(act) && !(act === "request-release" && found.release?.mayRelease === false)) return undefined;
  const say = (id: PlainMessageId): string => t(id);
  if (found.state === "closed") return say("legal.why.closed");
  if (found.state === "refused" && act !== "request-close") return say("legal.why.refused");
  if (found.state === "released" && act !== "request-close") return say("legal.why.released");
  if (found.state === "challenged" && verifiedFirst.includes(act)) return say("legal.why.challenged");
  if (found.state === "received" && verifiedFirst.includes(act)) return say("legal.why.verifyFirst");
  const allowed = actRoles[act];
  if (!allowed.some((role) => roles.includes(role))) return say(allowed === approvers ? "legal.why.approvers" : "legal.why.intake");
  if (act === "request-close") {
    return say(found.preservation !== undefined && found.preservation.state !== "over" ? "legal.why.preserved" : "legal.why.answerFirst");
  }
  const { release } = found;
  if (act === "request-package") return say(isLookedUp(found) ? "legal.why.byLetter" : "legal.why.lookUpFirst");
  if (ofRelease.includes(act) && release === undefined) return say("legal.why.packageFirst");
  if (act === "request-approve-begin" && (work.approvesFromMs ?? 0) > nowMs) return say("legal.why.new");
  if (act === "request-approve-begin" && release?.approvals.some(({ by }) => by === me) === true) return say("legal.why.otherPerson");
  if (act === "request-release" && release !== undefined) {
    const notBefore = found.clocks.find(({ kind, atMs }) => kind === "not-before" && atMs > nowMs);
    if (release.waitUntilMs !== undefined && release.waitUntilMs > nowMs) return say("legal.why.waits");
    if (notBefore !== undefined) return say("legal.why.notBefore");
    return say("legal.why.approvalsFirst");
  }
  return say("legal.why.state");
}
