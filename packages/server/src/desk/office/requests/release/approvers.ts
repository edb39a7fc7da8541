import type { ApprovalRule, DeskRole, DeskStaff } from "@latchkey/protocol/desk";

/** Who may approve what goes out. */
export const approvingRoles: readonly DeskRole[] = ["moderator", "reviewer"];

/** Somebody, as far as approving goes. */
export type Approver = Pick<DeskStaff, "id" | "roles" | "isActive" | "passkeys" | "approvesFromMs">;

/** Whether somebody could approve now. */
export function isApprover({ roles, isActive }: Pick<Approver, "roles" | "isActive">): boolean {
  return isActive && approvingRoles.some((role) => roles.includes(role));
}

/** Why somebody may not approve a package: `role`, that they were let in too short a time ago, that they have already, or that they made it and others are there. */
export type ApproverGap = "role" | "new" | "again" | "maker";

/**
 * Whether somebody may approve a package. Whoever made it is one of the two only where there are not two others who could: then nobody
 * could ever release anything without them.
 *
 * @param approvedBy ids of those who have
 */
export function approverGap(params: {
  who: Approver;
  makerId: string;
  approvedBy: readonly string[];
  staff: readonly Approver[];
  nowMs: number;
}): ApproverGap | undefined {
  const { who, makerId, approvedBy, staff, nowMs } = params;
  if (!isApprover(who)) return "role";
  if (isNew(who, nowMs)) return "new";
  if (approvedBy.includes(who.id)) return "again";
  const others = staff.filter((one) => one.id !== makerId && one.passkeys > 0 && isApprover(one) && !isNew(one, nowMs));
  return who.id === makerId && others.length >= 2 ? "maker" : undefined;
}

/** Whether one administrator alone let somebody in, less than a day ago (rule F-19). */
function isNew({ approvesFromMs = 0 }: Approver, nowMs: number): boolean {
  return nowMs < approvesFromMs;
}

/** Whether one person may wait in place of a second: only where there is no second, also none who has to wait for their first day to pass. */
export function mayWait(staff: readonly Approver[]): boolean {
  return staff.filter((one) => one.passkeys > 0 && isApprover(one)).length < 2;
}

/** By which rule approvals are enough; `undefined` where they are not. A wait is asked for by itself. */
export function ruleOf(approvals: readonly { readonly kind: "staff" | "outside" }[]): Exclude<ApprovalRule, "staff-and-wait"> | undefined {
  const staff = approvals.filter(({ kind }) => kind === "staff").length;
  if (staff >= 2) return "two-staff";
  return staff === 1 && approvals.length > staff ? "staff-and-outside" : undefined;
}
