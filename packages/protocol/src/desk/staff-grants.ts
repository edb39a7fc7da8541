import { deskRoles } from "./staff.ts";
import type { DeskRole, PasskeyJson } from "./staff.ts";

/** Roles by which somebody approves what goes out, or names who does: giving one of them takes the giver's passkey (rule F-19). */
const weighty: ReadonlySet<DeskRole> = new Set<DeskRole>(["moderator", "reviewer", "administrator"]);

/** How long whom one administrator alone gave such a role, or a passkey, approves nothing that goes out. */
export const approvalWaitHours = 24;

/** Whether any of these roles is one of those. */
export function isWeighty(roles: readonly DeskRole[]): boolean {
  return roles.some((role) => weighty.has(role));
}

/** Those of them that somebody gets, and did not have. */
export function weightyGain(before: readonly DeskRole[], roles: readonly DeskRole[]): readonly DeskRole[] {
  return roles.filter((role) => weighty.has(role) && !before.includes(role));
}

/** What an administrator says of somebody: `grant` that they may do this, `confirm` that they are who another administrator says. */
export interface StaffGrant {
  readonly act: "grant" | "confirm";
  readonly name: string;
  readonly roles: readonly DeskRole[];
  /** Of `confirm`: how many passkeys they have, and which (`DeskStaff.passkeysHash`). */
  readonly passkeys?: number;
  readonly passkeysHash?: string;
}

/** What shows that the administrator themself was there: the answer of their passkey, to a challenge made of `nonce` and the grant. */
export interface GrantProof {
  /** base64url, as `staff-grant-begin` gave it; counts once, for five minutes. */
  readonly nonce: string;
  readonly response: PasskeyJson;
}

/** The text whose SHA-256 is the challenge: this person, these roles, these passkeys, this host, once. Who signs it makes it of what they see. */
export function grantText(
  { act, name, roles, passkeys = 0, passkeysHash = "" }: StaffGrant,
  { host, nonce }: { host: string; nonce: string },
): string {
  const inOrder = deskRoles.filter((role) => roles.includes(role));
  return `latchkey/desk/staff-grant/1\0${JSON.stringify([host, act, name, inOrder, passkeys, passkeysHash, nonce])}`;
}
