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
import { keptForOthers } from "./kept-copies.ts";
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

/** After these another request's package that has copies of this one is of something else. */
const endsCopies: ReadonlySet<RequestHappening["kind"]> = new Set<RequestEvent["kind"]>([
  "narrowed",
  "challenged",
  "refused",
  "preservation-ended",
]);

/** What packages have to do with the rest of a request: what they are shown as, and what becomes of them when it changes. */
export function releasePart(parts: ReleaseParts, approving: Approving, wakeCopies: () => void): RequestPart {
  const { staff, requests, packages, copies, trail } = parts;
  const isPacked = ({ state }: StoredRequest): boolean => packedStates.some((one) => one === state);
  const mayApprove = (request: StoredRequest, asker: Asker): boolean => {
    const pack = packages.get(request);
    return isPacked(request) && pack !== undefined && approving.gap(request, pack, asker) === undefined;
  };

  const stateBefore = ({ state, body }: StoredRequest): StoredRequest["state"] =>
    state !== "approved" ? state : body.scope === undefined ? "verified" : "narrowed";
  const canPack = (request: StoredRequest): boolean =>
    (isPacked(request) || request.state === "approved") && request.body.type.answer === "release" && isIdentified(request);
  /** What was put together for others of the copies of this one. */
  const dropOthers = (copyOf: number, nowMs: number): void => {
    for (const number of packages.madeOf(copyOf)) {
      const other = requests.require(number);
      packages.drop(number);
      const changed = requests.change(other, { state: stateBefore(other) });
      trail.append({ actor: "desk", act: "package dropped", details: { request: number, copyOf } }, nowMs);
      requests.tell(changed, { kind: "copy-gone", by: "desk", text: String(copyOf) }, nowMs);
    }
  };

  return {
    happened({ kind, request, nowMs }) {
      const { number, state, body } = request;
      const pack = packages.get(request);
      if (voiding.has(kind) && pack !== undefined && pack.released === undefined) {
        packages.drop(number);
        // What was approved was approved of something else.
        if (state === "approved") requests.change(request, { state: stateBefore(request) });
      }
      if (endsCopies.has(kind)) dropOthers(number, nowMs);
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
      const { digest, sizeBytes, builtMs, accounts, copyOf, rule, waitedMs, released } = pack;
      const outsider = packages.outsider(request);
      return {
        packageHash: toHex(digest),
        sizeBytes,
        builtAtMs: builtMs,
        accounts,
        ...(copyOf === undefined ? {} : { copyOf }),
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

    keptForOthers(request, { nowMs }) {
      return canPack(request) ? keptForOthers(parts, request, nowMs) : [];
    },

    may(request, asker) {
      const { roles } = asker.staff;
      const isReader = roles.some((role) => role === "intake" || role === "moderator" || role === "reviewer");
      const pack = packages.get(request);
      const may: string[] = [];
      if (isReader && canPack(request)) may.push("request-package");
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
