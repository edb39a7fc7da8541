import { equalBytes, toBase64Url } from "@latchkey/codec";
import { conversationKinds } from "@latchkey/protocol";
import type { ProposedChange, Proven } from "./proposed.ts";
import { holds, manages, roleOf, roles } from "./rights.ts";
import { isSameDevice } from "./roster.ts";
import { isSettingsChangePermitted } from "./settings.ts";
import type { Roster, RosterLeaf } from "./types.ts";

/** Whether this account may add others to a group (spec X-13). A direct conversation stays with its two. */
export function mayAdd(roster: Roster, account: string): boolean {
  return roster.settings.conversationKind === conversationKinds.group && holds(roster, account, roster.settings.rights.add);
}

/** Whether this account may take that leaf out by its role, whatever proves of the leaf: an owner's only an owner (spec X-13). */
export function mayRemove(roster: Roster, account: string, removed: Pick<RosterLeaf, "account">): boolean {
  const { conversationKind, rights } = roster.settings;
  if (conversationKind === conversationKinds.direct || !holds(roster, account, rights.remove)) return false;
  return roleOf(roster, removed.account) <= Math.max(roleOf(roster, account), roles.administrator);
}

/**
 * Whether who adds a device to this account has to prove that it stands in it: whoever does not manage the group, of everybody, and whoever does,
 * of an account that manages it over them. Else any member could stop the group by leaves that nobody has, or own one whose owner has left by a
 * leaf in the owner's name. Who founds a group is alone in it.
 */
export function needsProof(roster: Roster, author: string, account: string): boolean {
  if (roster.accounts.size <= 1 || account === author) return false;
  return roster.settings.conversationKind === conversationKinds.group && !manages(roster, author)
    ? true
    : outranks(roster, account, author);
}

/** Whether an account manages the group, or would once it is in it, over another one. */
export function outranks(roster: Roster, account: string, other: string): boolean {
  return account !== other && roleOf(roster, account) >= roles.administrator && roleOf(roster, account) > roleOf(roster, other);
}

/**
 * Whether rights and roles allow this change (spec M-2, X-13), by what they were before it. The same for every member: it depends on the group,
 * the log and what lies in the commit alone.
 */
export function isPermitted(roster: Roster, proven: Proven, change: ProposedChange): boolean {
  const { leaving, departed, complainers, standing } = proven;
  const { author } = change;
  const { conversationKind } = roster.settings;
  const isDirect = conversationKind === conversationKinds.direct;
  const isLetBackIn = (leaf: RosterLeaf): boolean =>
    complainers.some(({ leafIndex }) => leafIndex === leaf.leafIndex) && change.adds.some((added) => isSameDevice(added, leaf));
  const { keptOut } = change.settings?.opening.settings ?? roster.settings;
  const adds = change.adds.every((added) => {
    if (added.host !== roster.settings.host || keptOut.some((kept) => equalBytes(kept, added.accountId))) return false;
    const account = toBase64Url(added.accountId);
    if (account === author.account) return true;
    if (change.removes.some((removed) => isSameDevice(added, removed) && isLetBackIn(removed))) return true;
    // A direct conversation has two people and stays with them.
    if (isDirect) return roster.accounts.has(account) || roster.accounts.size === 1;
    // The devices of one account are among themselves.
    if (!mayAdd(roster, author.account)) return false;
    return !needsProof(roster, author.account, account) || standing.some((device) => isSameDevice(device, added));
  });
  const removes = change.removes.every((removed) => {
    if (removed.account === author.account) return true;
    if (leaving.has(removed.account) && isGoneWhole(roster, change, removed.account)) return true;
    if (departed.includes(removed) || isLetBackIn(removed)) return true;
    return mayRemove(roster, author.account, removed);
  });
  return adds && removes && isSettingsChangePermitted(roster, proven, change);
}

/** Whether nothing of an account is left by a change. */
export function isGoneWhole({ accounts }: Roster, { adds, removes }: Pick<ProposedChange, "adds" | "removes">, account: string): boolean {
  const isRemoved = accounts.get(account)?.every((leaf) => removes.includes(leaf)) === true;
  return isRemoved && !adds.some((added) => toBase64Url(added.accountId) === account);
}
