import type { ApprovalRule, DeskRole, DeskStaff } from "@latchkey/protocol/desk";

/** Who may approve what goes out. */
export const approvingRoles: readonly DeskRole[] = ["moderator", "reviewer"];

/** Somebody, as far as approving goes. */
export type Approver = Pick<DeskStaff, "id" | "roles" | "isActive" | "passkeys">;

/** Whether somebody could approve now. */
export function isApprover({ roles, isActive }: Pick<Approver, "roles" | "isActive">): boolean {
  return isActive && approvingRoles.some((role) => roles.includes(role));
}

/** Why somebody may not approve a package: `role`, that they have already, or that they made it and others are there. */
export type ApproverGap = "role" | "again" | "maker";

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
}): ApproverGap | undefined {
  const { who, makerId, approvedBy, staff } = params;
  if (!isApprover(who)) return "role";
  if (approvedBy.includes(who.id)) return "again";
  const others = staff.filter((one) => one.id !== makerId && one.passkeys > 0 && isApprover(one));
  return who.id === makerId && others.length >= 2 ? "maker" : undefined;
}

/** Whether one person may wait in place of a second: only where there is no second. */
export function mayWait(staff: readonly Approver[]): boolean {
  return staff.filter((one) => one.passkeys > 0 && isApprover(one)).length < 2;
}

/** By which rule approvals are enough; `undefined` where they are not. A wait is asked for by itself. */
export function ruleOf(approvals: readonly { readonly kind: "staff" | "outside" }[]): Exclude<ApprovalRule, "staff-and-wait"> | undefined {
  const staff = approvals.filter(({ kind }) => kind === "staff").length;
  if (staff >= 2) return "two-staff";
  return staff === 1 && approvals.length > staff ? "staff-and-outside" : undefined;
}
