import { equalBytes, toBase64Url } from "@latchkey/codec";
import { conversationKinds } from "@latchkey/protocol";
import type { GroupRights, RightHolder, RoleEntry } from "@latchkey/protocol";
import type { Role } from "../api.ts";
import type { ConversationState, Roster, RosterLeaf } from "./types.ts";

export const roles = { member: 1, administrator: 2, owner: 3 } as const;

const roleNames: Readonly<Record<number, Role>> = { [roles.administrator]: "administrator", [roles.owner]: "owner" };

/** What a role is called; anything else than an administrator and an owner is a member. */
export function roleName(role: number): Role {
  return roleNames[role] ?? "member";
}

/** Accounts in a group, its founder's with them, up to which everyone may add people and change what it is called unless said otherwise. */
const smallGroup = 20;

/** The rights of a new group of so many accounts (spec X-13); they stay as they are when it grows. Of other conversations nobody asks. */
export function foundingRights(accounts: number): GroupRights {
  const inSmall: RightHolder = accounts <= smallGroup ? "everyone" : "administrators";
  return {
    add: inSmall,
    remove: "administrators",
    post: "everyone",
    editInfo: inSmall,
    timer: "administrators",
    pin: "administrators",
    invite: "administrators",
    mentionAll: "administrators",
    deleteOthers: "administrators",
    shareHistory: "administrators",
    approval: true,
    history: "off",
  };
}

/** The role of an account, by base64url id. */
export function roleOf({ settings }: Pick<Roster, "settings">, account: string): number {
  const entry = settings.roles.find((candidate) => toBase64Url(candidate.accountId) === account);
  return entry?.role ?? roles.member;
}

/** Whether an account that is in the group has this role or a higher one. */
export function hasAny({ settings, accounts }: Pick<Roster, "settings" | "accounts">, role: number): boolean {
  return settings.roles.some((entry) => entry.role >= role && accounts.has(toBase64Url(entry.accountId)));
}

/**
 * Whether an account has what the group gives to `holder` (spec X-13). Where nobody of that rank is in the group, those of the next one below
 * have it: else nobody could ever again.
 */
export function holds(roster: Roster, account: string, holder: RightHolder): boolean {
  if (holder === "everyone") return true;
  const role = roleOf(roster, account);
  if (holder === "owner" && (role >= roles.owner || hasAny(roster, roles.owner))) return role >= roles.owner;
  return role >= roles.administrator || !hasAny(roster, roles.administrator);
}

/** Whether an account manages the group: as its administrators do. */
export function manages(roster: Roster, account: string): boolean {
  return holds(roster, account, "administrators");
}

/** Whether this account alone owns a group in which there are others: it names another owner before it goes (spec X-13). */
export function isLastOwner(roster: Roster, account: string): boolean {
  const isOwner = (other: string): boolean => roleOf(roster, other) === roles.owner;
  return isOwner(account) && roster.accounts.size > 1 && ![...roster.accounts.keys()].some((other) => other !== account && isOwner(other));
}

/** Whether both lists give every account the same role, in whatever order. */
export function isSameRoles(a: readonly RoleEntry[], b: readonly RoleEntry[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ accountId, role }) => b.some((other) => other.role === role && equalBytes(other.accountId, accountId)))
  );
}

/** Whether both give every right to the same. */
export function isSameRights(a: GroupRights, b: GroupRights): boolean {
  // The keys of rights are its fields.
  return (Object.keys(a) as (keyof GroupRights)[]).every((right) => a[right] === b[right]);
}

/** What the author of an application message may do at the message's place in the log (spec X-13); the same for every member. */
export interface SpeakerRights {
  readonly role: "member" | "administrator" | "owner";
  readonly post: boolean;
  readonly pin: boolean;
  readonly mentionAll: boolean;
  readonly deleteOthers: boolean;
  /** Say something of the group's join links (spec X-14). */
  readonly invite: boolean;
}

/** The rights of a leaf's account in the epoch that `state` is in: of the author of a message while the message is read. */
export function rightsOf({ roster }: Pick<ConversationState, "roster">, leaf: Pick<RosterLeaf, "account">): SpeakerRights {
  if (roster === undefined || roster.settings.conversationKind !== conversationKinds.group)
    return { role: "member", post: true, pin: true, mentionAll: true, deleteOthers: false, invite: false };
  const { rights } = roster.settings;
  const may = (holder: RightHolder): boolean => holds(roster, leaf.account, holder);
  return {
    role: roleName(roleOf(roster, leaf.account)),
    post: may(rights.post),
    pin: may(rights.pin),
    mentionAll: may(rights.mentionAll),
    deleteOthers: may(rights.deleteOthers),
    invite: may(rights.invite),
  };
}
