import { toHex } from "@latchkey/codec";
import type { RequestEvent, RequestRelease } from "@latchkey/protocol/desk";
import { waitMs } from "@latchkey/releases";
import type { Asker } from "../../operations.ts";
import type { StoredRequest } from "../request-body.ts";
import type { RequestHappening, RequestPart } from "../request-office.ts";
import { packedStates } from "./approving.ts";
import type { Approving } from "./approving.ts";
import { isApprover, mayWait } from "./approvers.ts";
import { isIdentified } from "./build-package.ts";
import { isBefore } from "./release-operations.ts";
import type { ReleaseParts } from "./release-parts.ts";

/** After these a package is of something else than the request. */
const voiding: ReadonlySet<RequestHappening["kind"]> = new Set<RequestEvent["kind"]>([
  "changed",
  "verified",
  "identified",
  "narrowed",
  "challenged",
  "challenge-ended",
  "refused",
  // What was put together of a copy goes with it.
  "preservation-ended",
]);

/** What packages have to do with the rest of a request: what they are shown as, and what becomes of them when it changes. */
export function releasePart(parts: ReleaseParts, approving: Approving, wakeCopies: () => void): RequestPart {
  const { staff, requests, packages, copies } = parts;
  const isPacked = ({ state }: StoredRequest): boolean => packedStates.some((one) => one === state);
  const mayApprove = (request: StoredRequest, asker: Asker): boolean => {
    const pack = packages.get(request);
    return isPacked(request) && pack !== undefined && approving.gap(request, pack, asker.staff) === undefined;
  };

  return {
    happened({ kind, request }) {
      const { number, state, body } = request;
      const pack = packages.get(request);
      if (voiding.has(kind) && pack !== undefined && pack.released === undefined) {
        packages.drop(number);
        // What was approved was approved of something else.
        if (state === "approved") requests.change(request, { state: body.scope === undefined ? "verified" : "narrowed" });
      }
      if (kind === "preserved") wakeCopies();
      if (body.preservation?.state === "over") copies.erase(number);
      if (kind === "closed") packages.eraseFiles(number);
      if (kind === "erased") {
        packages.drop(number);
        copies.erase(number);
      }
    },

    release(request, asker): RequestRelease | undefined {
      const pack = packages.get(request);
      if (pack === undefined) return undefined;
      const { digest, sizeBytes, builtMs, accounts, rule, waitedMs, released } = pack;
      const outsider = packages.outsider(request);
      return {
        packageHash: toHex(digest),
        sizeBytes,
        builtAtMs: builtMs,
        accounts,
        approvals: packages
          .approvals(request)
          .map(({ who, role, atMs }) => ({ by: who, kind: role === "outside" ? "outside" : "staff", atMs })),
        ...(rule === undefined ? {} : { rule }),
        ...(waitedMs === undefined ? {} : { waitUntilMs: asker.nowMs + Math.max(0, waitMs - waitedMs) }),
        ...(outsider === undefined ? {} : { outside: { name: outsider.name, untilMs: outsider.untilMs, isUsed: outsider.isUsed } }),
        ...(released === undefined ? {} : { released: { atMs: released.atMs, by: released.by } }),
        mayApprove: mayApprove(request, asker),
        mayRelease: request.state === "approved" && !isBefore(request, asker.nowMs) && (waitedMs === undefined || waitedMs >= waitMs),
      };
    },

    may(request, asker) {
      const { roles } = asker.staff;
      const isReader = roles.some((role) => role === "intake" || role === "moderator" || role === "reviewer");
      const pack = packages.get(request);
      const may: string[] = [];
      const canPack =
        (isPacked(request) || request.state === "approved") && request.body.type.answer === "release" && isIdentified(request);
      if (isReader && canPack) may.push("request-package");
      if (isReader && request.state === "approved") may.push("request-release");
      if (pack === undefined || !isPacked(request) || !isApprover(asker.staff)) return may;
      if (mayApprove(request, asker)) may.push("request-approve-begin");
      // In place of a second person, where there is none.
      if (!mayWait(staff.list())) return may;
      may.push("request-outside-invite");
      if (packages.approvals(request).some(({ staffId }) => staffId !== undefined)) may.push("request-wait");
      return may;
    },
  };
}
