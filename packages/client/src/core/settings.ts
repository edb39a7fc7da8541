import { equalBytes, toBase64Url } from "@latchkey/codec";
import { conversationKinds, maxAdministrators } from "@latchkey/protocol";
import type { GroupRights, GroupSettings, RoleEntry } from "@latchkey/protocol";
import type { ProposedChange, Proven } from "./proposed.ts";
import { foundingRights, hasAny, holds, isSameRights, isSameRoles, manages, roleOf, roles } from "./rights.ts";
import { settingsOf } from "./roster.ts";
import type { KeptOut, SettingsEdit } from "./settings-edit.ts";
import type { Roster, RosterLeaf, RosterSettings } from "./types.ts";

const nothing = new Uint8Array(0);

/** The settings of a new group of so many accounts, of which nobody has a role yet. */
export function foundingSettings(params: {
  readonly name: string;
  readonly accounts: number;
  readonly directory: Uint8Array;
}): GroupSettings {
  const { name, accounts, directory } = params;
  const rights = foundingRights(accounts);
  const rest = { description: "", picture: nothing, timerS: 0, slowModeS: 0, continues: nothing, keptOut: [], ext: nothing };
  return { format: 3, roles: [], rights, name, directory, ...rest };
}

/** The settings with what a person set. */
export function edited(before: GroupSettings, edit: SettingsEdit): GroupSettings {
  const { name = before.name, description = before.description, picture = before.picture } = edit;
  const { timerS = before.timerS, slowModeS = before.slowModeS } = edit;
  const rights = { ...before.rights, ...given(edit.rights) };
  const keptOut = withKeptOut(before.keptOut, edit.keptOut ?? []);
  const roles = withRoles(before.roles, edit.roles ?? []);
  const format = keptOut.length > 0 ? 4 : 3;
  return { ...before, format, name, description, picture, timerS, slowModeS, rights, roles, keptOut };
}

function withKeptOut(before: readonly Uint8Array[], given: readonly KeptOut[]): readonly Uint8Array[] {
  const stay = before.filter((account) => !given.some(({ accountId }) => equalBytes(accountId, account)));
  return [...stay, ...given.filter(({ isKept }) => isKept).map(({ accountId }) => accountId)];
}

/** What of it is set at all. */
function given(rights: Partial<GroupRights> = {}): Partial<GroupRights> {
  return Object.fromEntries(Object.entries(rights).filter(([, value]) => value !== undefined));
}

function withRoles(before: readonly RoleEntry[], given: readonly RoleEntry[]): readonly RoleEntry[] {
  const isGiven = ({ accountId }: RoleEntry): boolean => given.some((entry) => equalBytes(entry.accountId, accountId));
  return [...before.filter((entry) => !isGiven(entry)), ...given.filter(({ role }) => role !== roles.member)];
}

type Said = Omit<RosterSettings, "host" | "conversationKind">;

/** What a commit may never change (spec M-1, M-2). */
function isBoundAlike(a: Pick<Said, "continues" | "directory">, b: Pick<Said, "continues" | "directory">): boolean {
  return equalBytes(a.continues, b.continues) && equalBytes(a.directory, b.directory);
}

function isSameInfo(a: Said, b: Said): boolean {
  return a.name === b.name && a.description === b.description && equalBytes(a.picture, b.picture);
}

/** Whether two groups have the same name, description, picture, timer, slow mode, rights and people kept out: all but who has which role. */
export function isRunAlike(a: Said, b: Said): boolean {
  return (
    isSameInfo(a, b) &&
    a.timerS === b.timerS &&
    a.slowModeS === b.slowModeS &&
    isSameRights(a.rights, b.rights) &&
    a.keptOut.length === b.keptOut.length &&
    missingOf(a.keptOut, b.keptOut).length === 0
  );
}

/** Those of `some` that are not among `others`. */
export function missingOf(some: readonly Uint8Array[], others: readonly Uint8Array[]): readonly Uint8Array[] {
  return some.filter((account) => !others.some((other) => equalBytes(other, account)));
}

/** Whether nothing differs that members agree on. */
export function isSameSettings(a: Said, b: Said): boolean {
  return isRunAlike(a, b) && isSameRoles(a.roles, b.roles) && isBoundAlike(a, b);
}

/**
 * Whether the author of a commit may set what it sets, by the rights and roles before it (spec X-13). One that sets what is set already is
 * nobody's to make: it costs every member the path of a commit.
 */
export function isSettingsChangePermitted(roster: Roster, proven: Proven, change: ProposedChange): boolean {
  if (change.settings === undefined) return true;
  const before = roster.settings;
  const { group, opening } = change.settings;
  const after = settingsOf(group, opening);
  const { host, conversationKind } = before;
  if (after.host !== host || after.conversationKind !== conversationKind || !isBoundAlike(after, before)) return false;
  if (isSameSettings(after, before)) return false;
  // Either of two people sets how long their messages stay, and there is nothing else to set.
  if (conversationKind !== conversationKinds.group)
    return conversationKind === conversationKinds.direct && isSameSettings({ ...after, timerS: before.timerS }, before);
  const { account } = change.author;
  const { rights } = before;
  if (!isSameInfo(after, before) && !holds(roster, account, rights.editInfo)) return false;
  if (after.timerS !== before.timerS && !holds(roster, account, rights.timer)) return false;
  if (after.slowModeS !== before.slowModeS && !manages(roster, account)) return false;
  if (!isSameRights(after.rights, before.rights) && roleOf(roster, account) !== roles.owner) return false;
  if (!isKeepingOutPermitted(roster, change, after.keptOut)) return false;
  return isSameRoles(after.roles, before.roles) || areRolesPermitted(roster, proven, { change, next: after.roles });
}

/** Whether the author may keep these out: who may remove keeps out whom they may remove, and lets in again; nobody is in the group and kept out (spec X-24). */
function isKeepingOutPermitted(roster: Roster, change: ProposedChange, next: readonly Uint8Array[]): boolean {
  const { keptOut, rights } = roster.settings;
  const { account } = change.author;
  const more = missingOf(next, keptOut);
  if (more.length > 0 || missingOf(keptOut, next).length > 0) {
    if (!holds(roster, account, rights.remove)) return false;
    const highest = Math.max(roleOf(roster, account), roles.administrator);
    if (more.some((accountId) => roleOf(roster, toBase64Url(accountId)) > highest)) return false;
  }
  const after = accountsAfter(roster, change);
  return next.every((accountId) => !after.has(toBase64Url(accountId)));
}

/** Whether roles may become these: owners give and take them, anybody gives up their own, and the last owner has a successor (spec X-13). */
function areRolesPermitted(
  roster: Roster,
  proven: Proven,
  { change, next }: { readonly change: ProposedChange; readonly next: readonly RoleEntry[] },
): boolean {
  const { author } = change;
  const count = (role: number): number => next.filter((entry) => entry.role === role).length;
  const [administrators, owners] = [count(roles.administrator), count(roles.owner)];
  if (administrators + owners !== next.length || administrators > maxAdministrators || owners > maxAdministrators) return false;
  const after = accountsAfter(roster, change);
  const succession = successionOf(roster, proven, change);
  if (succession !== undefined) return isSameRoles(next, succession);
  const nextRole = (account: string): number => next.find((entry) => toBase64Url(entry.accountId) === account)?.role ?? roles.member;
  const listed = [...roster.settings.roles, ...next].map(({ accountId }) => toBase64Url(accountId));
  const changed = [...new Set(listed)].filter((account) => nextRole(account) !== roleOf(roster, account));
  // Who is not in the group is given nothing: it would be theirs whenever they come.
  if (changed.some((account) => nextRole(account) > roleOf(roster, account) && !after.has(account))) return false;
  const hadOwner = hasAny({ settings: roster.settings, accounts: after }, roles.owner);
  if (hadOwner && ![...after.keys()].some((account) => nextRole(account) === roles.owner)) return false;
  if (roleOf(roster, author.account) === roles.owner) return true;
  // A role goes with whoever goes; and everybody may give up their own.
  const isOwnLess = (account: string): boolean => account === author.account && nextRole(account) < roleOf(roster, account);
  const throwsOut = holds(roster, author.account, roster.settings.rights.remove);
  const isGone = (account: string): boolean => {
    if (!roster.accounts.has(account) || after.has(account) || nextRole(account) !== roles.member) return false;
    return proven.leaving.has(account) || (throwsOut && roleOf(roster, account) === roles.administrator);
  };
  return changed.every((account) => isOwnLess(account) || isGone(account));
}

/** The accounts that a change leaves in the group, with their leaves. */
function accountsAfter(
  roster: Roster,
  { adds, removes }: Pick<ProposedChange, "adds" | "removes">,
): ReadonlyMap<string, readonly RosterLeaf[]> {
  const after = new Map<string, readonly RosterLeaf[]>();
  for (const [account, leaves] of roster.accounts) {
    const stay = leaves.filter((leaf) => !removes.includes(leaf));
    if (stay.length > 0) after.set(account, stay);
  }
  for (const { accountId } of adds) {
    const account = toBase64Url(accountId);
    if (!after.has(account)) after.set(account, []);
  }
  return after;
}

/**
 * The roles after a change behind which no owner is left in the group, because they leave or their accounts were deleted: the administrator with
 * the lowest leaf that stays is the owner (spec X-13). `undefined` where somebody is owner still, nobody is proven to have gone for good, or there
 * is no administrator.
 */
export function successionOf(
  roster: Roster,
  { leaving, deleted }: Pick<Proven, "leaving" | "deleted">,
  change: Pick<ProposedChange, "adds" | "removes">,
): readonly RoleEntry[] | undefined {
  const after = accountsAfter(roster, change);
  const before = roster.settings.roles;
  if (hasAny({ settings: roster.settings, accounts: after }, roles.owner)) return undefined;
  const isOver = ({ accountId, role }: RoleEntry): boolean => {
    const account = toBase64Url(accountId);
    return role === roles.owner && (deleted.has(account) || (leaving.has(account) && roster.accounts.has(account)));
  };
  if (!before.some((entry) => isOver(entry))) return undefined;
  const administrators = [...after].filter(([account]) => roleOf(roster, account) === roles.administrator);
  const [first] = administrators.flatMap(([, leaves]) => leaves).toSorted((a, b) => a.leafIndex - b.leafIndex);
  if (first === undefined) return undefined;
  return before.flatMap((entry) => {
    if (isOver(entry)) return [];
    return [equalBytes(entry.accountId, first.accountId) ? { ...entry, role: roles.owner } : entry];
  });
}
