import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { PasskeyJson } from "@latchkey/protocol/desk";
import { checkApproval } from "@latchkey/releases";
import type { ApproverRole, Assertion } from "@latchkey/releases";
import { keyOf } from "../../../../keys.ts";
import { DeskError } from "../../desk-error.ts";
import type { Asker } from "../../operations.ts";
import { approvesFromMs } from "../../staff.ts";
import type { Passkey } from "../../staff.ts";
import type { StoredRequest } from "../request-body.ts";
import { record } from "../request-office.ts";
import { readAssertion } from "./approval-input.ts";
import { approverGap, approvingRoles, isApprover, ruleOf } from "./approvers.ts";
import type { ApproverGap } from "./approvers.ts";
import type { PackageTable, StoredPackage } from "./package-table.ts";
import type { ReleaseParts } from "./release-parts.ts";

/** States in which something may be put together and approved. */
export const packedStates = ["verified", "narrowed"] as const;

/** An approval whose signature holds. */
export interface HeldApproval {
  readonly credential: string;
  readonly publicKey: Uint8Array;
  readonly assertion: Assertion;
  /** How often the passkey was used by then. */
  readonly counter: number;
}

/** Approving what goes out (rule F-7). */
export class Approving {
  readonly #parts: ReleaseParts;
  readonly #packages: PackageTable;

  constructor(parts: ReleaseParts) {
    this.#parts = parts;
    this.#packages = parts.packages;
  }

  /** Why somebody may not approve it. */
  gap(request: StoredRequest, pack: StoredPackage, { staff: who, nowMs }: Pick<Asker, "staff" | "nowMs">): ApproverGap | undefined {
    const { staff } = this.#parts;
    const approvedBy = this.#packages
      .approvals(request)
      .map(({ staffId }) => staffId)
      .filter((id) => id !== undefined)
      .map((id) => toBase64Url(id));
    return approverGap({ who: staff.shown(who), makerId: toBase64Url(pack.maker), approvedBy, staff: staff.list(), nowMs });
  }

  /** What a browser is to answer: the challenge is the package's digest, so that the answer is of these bytes. */
  options(digest: Uint8Array, known: readonly Pick<Passkey, "credential" | "transports">[]): Promise<PasskeyJson> {
    return this.#parts.passkeys.approvalOptions(digest, known);
  }

  /**
   * Verifies a passkey's answer as whoever reads the release will.
   * @throws DeskError `passkey_refused` where it is not of this passkey, over these bytes, at this page, with the person verified, and new
   */
  async held(
    passkey: Pick<Passkey, "credential" | "publicKey" | "counter">,
    response: PasskeyJson,
    digest: Uint8Array,
  ): Promise<HeldApproval> {
    const { credential, assertion } = readAssertion(response);
    const { publicKey, counter: before } = passkey;
    if (credential !== passkey.credential) throw new DeskError("passkey_refused");
    const check = await checkApproval({ credential, publicKey, assertion }, { digest, ...this.#parts.place });
    if (!check.isValid) throw new DeskError("passkey_refused");
    // Who counts, counts up: the same answer again does not.
    const counts = check.counter > 0 || before > 0;
    if (counts && check.counter <= before) throw new DeskError("passkey_refused");
    return { credential, publicKey, assertion, counter: check.counter };
  }

  /** Somebody of the staff approves. The answer was verified against `digest`: what is there now has to be that. In its own transaction. */
  byStaff(
    at: { number: number; revision: number },
    params: { asker: Asker; passkey: Passkey; held: HeldApproval; digest: Uint8Array },
  ): StoredRequest {
    const { asker, passkey, held, digest } = params;
    const { staff, requests, transaction } = this.#parts;
    return transaction(() => {
      const request = requests.requireAt(at, packedStates);
      const pack = this.#require(request, digest);
      // The library was waited for: who they are and what they may do is asked now.
      const who = staff.byId(asker.staff.id);
      const gap = who === undefined ? "role" : this.gap(request, pack, { staff: who, nowMs: asker.nowMs });
      if (who === undefined || gap === "role") throw new DeskError("not_allowed");
      if (gap === "new" || approvesFromMs(who, passkey) > asker.nowMs) throw new DeskError("too_early");
      if (gap !== undefined) throw new DeskError("other_person");
      if (!staff.countPasskey(passkey, held.counter)) throw new DeskError("passkey_refused");
      const role = approvingRoles.find((one) => who.roles.includes(one)) === "moderator" ? "moderator" : "reviewer";
      return this.#approve(request, { who: who.name, role, staffId: who.id, held, nowMs: asker.nowMs });
    });
  }

  /** Somebody outside approves. */
  byOutsider(number: number, params: { name: string; held: HeldApproval; digest: Uint8Array; nowMs: number }): StoredRequest {
    const { name, held, digest, nowMs } = params;
    const { requests, transaction } = this.#parts;
    return transaction(() => {
      const request = requests.require(number);
      if (!packedStates.some((state) => state === request.state)) throw new DeskError("changed");
      this.#require(request, digest);
      const approvals = this.#packages.approvals(request);
      if (approvals.some(({ role }) => role === "outside")) throw new DeskError("other_person");
      return this.#approve(request, { who: name, role: "outside", staffId: undefined, held, nowMs });
    });
  }

  /** Whether everybody of the staff who approved still might, by the same passkey: who was let go since, and a key that was lost, do not count. */
  areStillApprovers(request: StoredRequest, nowMs: number): boolean {
    const { staff } = this.#parts;
    return this.#packages.approvals(request).every(({ staffId, credential }) => {
      if (staffId === undefined) return true;
      const [who, passkey] = [staff.byId(staffId), staff.passkey(credential)];
      if (who === undefined || passkey === undefined || !isApprover(who)) return false;
      return equalBytes(passkey.staffId, staffId) && approvesFromMs(who, passkey) <= nowMs;
    });
  }

  /** @throws DeskError `changed` where there is no package, or another one */
  #require(request: StoredRequest, digest: Uint8Array): StoredPackage {
    const pack = this.#packages.get(request);
    if (pack === undefined || pack.released !== undefined || keyOf(pack.digest) !== keyOf(digest)) throw new DeskError("changed");
    return pack;
  }

  #approve(
    request: StoredRequest,
    by: { who: string; role: ApproverRole; staffId: Uint8Array | undefined; held: HeldApproval; nowMs: number },
  ): StoredRequest {
    const { who, role, staffId, held, nowMs } = by;
    const { requests, trail } = this.#parts;
    const { credential, publicKey, assertion } = held;
    const before = this.#packages.approvals(request);
    if (before.some((one) => one.credential === credential || one.who === who)) throw new DeskError("other_person");
    this.#packages.approve(request, { staffId, who, role, atMs: nowMs, credential, publicKey, assertion });
    const rule = ruleOf([...before, { role }].map((one) => ({ kind: one.role === "outside" ? "outside" : "staff" })));
    if (rule !== undefined) this.#packages.setRule(request.number, rule);
    const changed = requests.change(request, rule === undefined ? {} : { state: "approved" });
    const details = { request: request.number, digest: toBase64Url(this.#packages.get(request)?.digest ?? new Uint8Array()), as: role };
    // Somebody outside is nobody of the desk: their name is in the release, not in the trail.
    trail.append({ actor: staffId === undefined ? "somebody" : who, act: "package approved", details }, nowMs);
    return record(this.#parts, changed, { kind: "approved", by: who, text: role, nowMs });
  }
}
