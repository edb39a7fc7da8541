import { equalBytes, toBase64Url, toHex } from "@latchkey/codec";
import type { LetterKind } from "@latchkey/protocol/desk";
import {
  approvalGap,
  decodeManifest,
  encodeApprovals,
  encodeSignature,
  releaseFileName,
  releaseTbs,
  waitMs,
  zipRelease,
} from "@latchkey/releases";
import { vrfPublicKey } from "@latchkey/transparency";
import { createCode, hashOfCode } from "../../../../admin/invitations.ts";
import { nodeSignatures } from "../../../../directory/signatures.ts";
import { caseReaders } from "../../case-operations.ts";
import { DeskError } from "../../desk-error.ts";
import type { Input } from "../../input.ts";
import type { Asker, Done, Operations } from "../../operations.ts";
import { approvesFromMs, maxStaffName } from "../../staff.ts";
import { letterPdf } from "../letters/letter-pdf.ts";
import { readNumber, readRequestAt } from "../read-request.ts";
import { clocksOfRequest } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import { record } from "../request-office.ts";
import type { RequestView } from "../request-view.ts";
import type { Approving } from "./approving.ts";
import { packedStates } from "./approving.ts";
import { approvingRoles, mayWait } from "./approvers.ts";
import { buildPackage, isIdentified } from "./build-package.ts";
import { copiesFor, isGivable } from "./kept-copies.ts";
import type { StoredPackage } from "./package-table.ts";
import type { ReleaseParts } from "./release-parts.ts";

/** How long a link for somebody outside counts. */
export const outsideHours = 72;
/** Letters that go out with what is given. */
const answers: readonly LetterKind[] = ["answer", "not-held", "form-3"];

/** Putting together what goes out, approving it, and letting it go (rule F-7). */
export function releaseOperations(parts: ReleaseParts, { approving, view }: { approving: Approving; view: RequestView }): Operations {
  const { options, staff, trail, transaction, requests, letters, packages, secrets, place, holdings, meter } = parts;
  const lettersOf = (request: StoredRequest): Promise<readonly { name: string; bytes: Uint8Array }[]> =>
    Promise.all(
      letters
        .list(request.number)
        .filter(({ kind }) => answers.includes(kind))
        .map(async ({ number, kind }) => ({
          name: `letter-${String(number)}-${kind}.pdf`,
          bytes: await letterPdf(letters.require(request, number)),
        })),
    );
  /** @throws DeskError `changed` where there is none */
  const require = (request: StoredRequest): StoredPackage => {
    const pack = packages.get(request);
    if (pack === undefined) throw new DeskError("changed");
    return pack;
  };

  return {
    "request-package": {
      roles: caseReaders,
      async run(input: Input, asker: Asker): Promise<Done> {
        const at = readRequestAt(input);
        const copyOf = input.has("copyOf") ? readNumber(input, "copyOf") : undefined;
        input.end();
        const { nowMs } = asker;
        const states = [...packedStates, "approved"] as const;
        const before = requests.requireAt(at, states);
        if (before.body.type.answer !== "release" || !isIdentified(before)) throw new DeskError("changed");
        const { keeper, at: copyAt } = copiesFor(parts, before, { copyOf, nowMs });
        const made = await buildPackage({
          request: before,
          copyOf,
          maker: asker.staff,
          nowMs,
          host: options.host,
          desk: place,
          world: holdings,
          copyAt,
          letters: await lettersOf(before),
        });
        const changed = transaction(() => {
          const request = requests.requireAt(at, states);
          // What was copied stands as it did when it was read.
          if (keeper !== undefined) requests.requireAt(keeper, [keeper.state]);
          packages.put(request, made);
          const state = request.state !== "approved" ? request.state : request.body.scope === undefined ? "verified" : "narrowed";
          const details = { request: at.number, digest: toBase64Url(made.digest), accounts: made.accounts, ...ofCopy(copyOf) };
          trail.append({ actor: asker.staff.name, act: "package made", details }, nowMs);
          return record(parts, requests.change(request, { state }), {
            kind: "note",
            by: asker.staff.name,
            text: toHex(made.digest),
            nowMs,
          });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
    "request-package-file": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const request = requests.require(readNumber(input));
        const name = input.text("name", { most: 100 });
        input.end();
        const bytes =
          name === manifestName ? packages.get(request)?.manifest : releaseFileName.test(name) ? packages.file(request, name) : undefined;
        if (bytes === undefined) throw new DeskError("not_found");
        transaction(() =>
          trail.append({ actor: asker.staff.name, act: "package read", details: { request: request.number, file: name } }, asker.nowMs),
        );
        return { body: { bytes: toBase64Url(bytes) } };
      },
    },
    "request-approve-begin": {
      roles: approvingRoles,
      async run(input: Input, asker: Asker): Promise<Done> {
        const request = requests.requireAt(readRequestAt(input), packedStates);
        input.end();
        const pack = require(request);
        const gap = approving.gap(request, pack, asker);
        if (gap !== undefined) throw new DeskError(gap === "new" ? "too_early" : "other_person");
        const passkeys = staff.passkeysOf(asker.staff.id).filter((passkey) => approvesFromMs(asker.staff, passkey) <= asker.nowMs);
        const options = await approving.options(pack.digest, passkeys);
        return { body: { options, packageHash: toHex(pack.digest) } };
      },
    },
    "request-approve-finish": {
      roles: approvingRoles,
      async run(input: Input, asker: Asker): Promise<Done> {
        const at = readRequestAt(input);
        const response = input.opaque("response");
        input.end();
        const { digest } = require(requests.requireAt(at, packedStates));
        const { id } = response;
        const passkey = typeof id === "string" ? staff.passkey(id) : undefined;
        // A session is not enough: it is the passkey of whoever is signed in.
        if (passkey === undefined || !equalBytes(passkey.staffId, asker.staff.id)) throw new DeskError("passkey_refused");
        const held = await approving.held(passkey, response, digest);
        return { body: { request: view(approving.byStaff(at, { asker, passkey, held, digest }), asker) } };
      },
    },
    "request-outside-invite": {
      roles: approvingRoles,
      run(input: Input, asker: Asker): Done {
        const at = readRequestAt(input);
        const name = input.text("name", { most: maxStaffName });
        input.end();
        const { nowMs } = asker;
        const code = createCode();
        const changed = transaction(() => {
          const request = requests.requireAt(at, packedStates);
          require(request);
          // Where there are two at the desk, nobody takes the place of one; and nobody of the staff is somebody outside.
          if (!mayWait(staff.list()) || staff.byName(name) !== undefined) throw new DeskError("other_person");
          packages.invite(request, { name, codeHash: hashOfCode(code), untilMs: nowMs + outsideHours * 3_600_000 });
          trail.append({ actor: asker.staff.name, act: "somebody outside asked to approve", details: { request: at.number } }, nowMs);
          return record(parts, requests.change(request, {}), { kind: "note", by: asker.staff.name, text: name, nowMs });
        });
        return { body: { code, hours: outsideHours, request: view(changed, asker) } };
      },
    },
    "request-wait": {
      roles: approvingRoles,
      run(input: Input, asker: Asker): Done {
        const at = readRequestAt(input);
        input.end();
        const { nowMs, passedMs } = asker;
        const changed = transaction(() => {
          const request = requests.requireAt(at, packedStates);
          require(request);
          if (!packages.approvals(request).some(({ staffId }) => staffId !== undefined)) throw new DeskError("changed");
          if (!mayWait(staff.list())) throw new DeskError("other_person");
          packages.waited(meter.passed(passedMs), nowMs);
          packages.setRule(at.number, "staff-and-wait");
          packages.beginWait(at.number, nowMs);
          trail.append({ actor: asker.staff.name, act: "wait begun", details: { request: at.number } }, nowMs);
          const approved = requests.change(request, { state: "approved" });
          return record(parts, approved, { kind: "approved", by: asker.staff.name, text: "staff-and-wait", nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
    "request-release": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const at = readRequestAt(input);
        input.end();
        const { nowMs, passedMs } = asker;
        const changed = transaction(() => {
          const request = requests.requireAt(at, ["approved"]);
          packages.waited(meter.passed(passedMs), nowMs);
          const pack = require(request);
          const { rule, waitedMs, copyOf } = pack;
          if (rule === undefined) throw new DeskError("changed");
          // Also where nobody has erased yet what is over.
          const keeper = copyOf === undefined ? undefined : requests.require(copyOf);
          if (keeper !== undefined && !isGivable(keeper, nowMs)) throw new DeskError("changed");
          const approved = packages.approvals(request);
          // Who could have been the second person was not there when it began, and is not there now.
          if (!approving.areStillApprovers(request, nowMs) || (rule !== "two-staff" && !mayWait(staff.list())))
            throw new DeskError("other_person");
          if (isBefore(request, nowMs)) throw new DeskError("too_early");
          if (rule === "staff-and-wait" && (waitedMs ?? 0) < waitMs) throw new DeskError("too_early");
          // By a clock that was set back since, whoever verifies it would find it too early: it waits until it is not.
          const isLate = approved.some(({ atMs }) => atMs > nowMs);
          if (isLate || approvalGap({ rule, approvals: approved }, nowMs) !== undefined) throw new DeskError("too_early");
          const approvals = encodeApprovals({ rule, releasedAtMs: nowMs, approvals: approved });
          const key = vrfPublicKey(secrets.signatureKey);
          const signature = nodeSignatures.sign(secrets.signatureKey, releaseTbs(pack.manifest, approvals));
          if (!(signature instanceof Uint8Array)) throw new Error("a signature of Node comes at once");
          const released = { atMs: nowMs, by: asker.staff.name, approvals, signature: encodeSignature({ key, signature }) };
          if (!packages.release(at.number, released)) throw new DeskError("changed");
          const details = { request: at.number, digest: toBase64Url(pack.digest), rule, ...ofCopy(copyOf) };
          trail.append({ actor: asker.staff.name, act: "package released", details }, nowMs);
          if (keeper !== undefined) {
            const given = { request: keeper.number, to: at.number };
            trail.append({ actor: asker.staff.name, act: "kept copy given out", details: given }, nowMs);
            requests.tell(keeper, { kind: "copy-given", by: asker.staff.name, text: String(at.number) }, nowMs);
          }
          const after = requests.change(request, { state: "released" });
          return record(parts, after, { kind: "released", by: asker.staff.name, text: rule, nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
  };
}

const manifestName = "manifest.json";

/** For the trail: whose copies they are. */
function ofCopy(copyOf: number | undefined): { readonly copyOf?: number } {
  return copyOf === undefined ? {} : { copyOf };
}

/** Whether its time to go out has not come. */
export function isBefore(request: StoredRequest, nowMs: number): boolean {
  return clocksOfRequest(request).some(({ kind, atMs }) => kind === "not-before" && nowMs < atMs);
}

/** The file that went out: the same bytes each time. @throws DeskError `not_found` before, and once it was erased */
export function releasedFile({ packages }: Pick<ReleaseParts, "packages">, request: StoredRequest): Uint8Array {
  const pack = packages.get(request);
  const content = packages.files(request);
  if (pack?.released === undefined || content.size !== decodeManifest(pack.manifest).files.length) throw new DeskError("not_found");
  const { approvals, signature } = pack.released;
  return zipRelease({ manifest: pack.manifest, approvals, signature, content });
}
