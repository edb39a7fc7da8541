import { CodecError, decode, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { groupContextExtensions, members, ownLeafIndex } from "@latchkey/mls";
import type { Extension, GroupState, LeafIndex, Member } from "@latchkey/mls";
import {
  conversationKinds,
  latchkeyGroupCodec,
  latchkeyGroupExtensionType,
  logHashOf,
  settingsHashOf,
  settingsOpeningCodec,
} from "@latchkey/protocol";
import type { LatchkeyGroup, LeafIdentity, SettingsOpening, Sha256 } from "@latchkey/protocol";
import { identityOf } from "../group/credential.ts";
import type { DeviceReference, Roster, RosterLeaf, RosterSettings } from "./types.ts";

export const roles = { member: 1, administrator: 2, owner: 3 } as const;
export const policies = { everyMember: 0, administrators: 1 } as const;

/** The `latchkey_group` among the extensions of a group context (spec M-1). @throws CodecError when absent or malformed. */
export function latchkeyGroupOf(extensions: readonly Extension[]): LatchkeyGroup {
  const found = extensions.find((extension) => extension.type === latchkeyGroupExtensionType);
  if (found === undefined) throw new CodecError("invalid", "not a Latchkey group");
  return decode(latchkeyGroupCodec, found.data);
}

/** The extension of the group context that commits to `opening` and to the log (spec M-1). */
export function groupExtension(
  sha256: Sha256,
  params: Pick<LatchkeyGroup, "host" | "policy" | "conversationKind"> & { readonly logId: Uint8Array; readonly opening: SettingsOpening },
): Extension {
  const { host, policy, conversationKind, logId, opening } = params;
  const data = encode(latchkeyGroupCodec, {
    format: 2,
    host,
    logHash: logHashOf(sha256, opening.salt, logId),
    settingsHash: settingsHashOf(sha256, opening),
    policy,
    conversationKind,
    ext: new Uint8Array(0),
  });
  return { type: latchkeyGroupExtensionType, data };
}

/** Whether `opening` is what the group committed to, and this log its log (spec M-1). */
export function opens(sha256: Sha256, logId: Uint8Array, group: LatchkeyGroup, opening: SettingsOpening): boolean {
  return (
    equalBytes(group.logHash, logHashOf(sha256, opening.salt, logId)) && equalBytes(group.settingsHash, settingsHashOf(sha256, opening))
  );
}

/** Decoded fields are views of what they came in; copies keep that from living on. */
export function copyOfOpening({ salt, settings }: SettingsOpening): SettingsOpening {
  const roleEntries = settings.roles.map(({ accountId, role }) => ({ accountId: accountId.slice(), role }));
  return {
    salt: salt.slice(),
    settings: {
      ...settings,
      roles: roleEntries,
      continues: settings.continues.slice(),
      directory: settings.directory.slice(),
      ext: settings.ext.slice(),
    },
  };
}

/** What a commit sets: the extension, and what its envelope says that its hashes stand for. */
export interface ProposedSettings {
  readonly group: LatchkeyGroup;
  readonly opening: SettingsOpening;
}

/**
 * The settings that a commit proposes, with what lies in its envelope (spec M-1, G-1).
 * @throws CodecError when the group's extension is malformed, or the envelope lacks what its hashes stand for.
 */
export function proposedSettings(
  params: { readonly sha256: Sha256; readonly logId: Uint8Array },
  extensions: readonly Extension[],
  encodedOpening: Uint8Array,
): ProposedSettings {
  const group = latchkeyGroupOf(extensions);
  const opening = decode(settingsOpeningCodec, encodedOpening.slice());
  if (!opens(params.sha256, params.logId, group, opening)) throw new CodecError("invalid", "settings of another hash");
  return { group, opening };
}

/**
 * Who is in the group, and its settings. `opening` was checked against the group's context (`opens`).
 * @throws CodecError when a leaf or the group is not Latchkey's, a device stands in it twice, or a leaf is on another host.
 */
export function rosterOf(group: GroupState, opening: SettingsOpening): Roster {
  const settings = settingsOf(latchkeyGroupOf(groupContextExtensions(group)), opening);
  return rosterFrom({ members: members(group), settings, own: ownLeafIndex(group) });
}

/** What a group committed to, as its roster holds it. */
export function settingsOf({ host, policy, conversationKind }: LatchkeyGroup, { settings }: SettingsOpening): Roster["settings"] {
  const { roles: ofAccounts, name, continues, directory } = settings;
  return { host, policy, conversationKind, roles: ofAccounts, name, continues, directory };
}

/** Members as a roster. @throws CodecError when a leaf is not Latchkey's, a device stands in it twice, or a leaf is on another host. */
export function rosterFrom(from: {
  readonly members: readonly Member[];
  readonly settings: Roster["settings"];
  readonly own: LeafIndex | undefined;
}): Roster {
  const { settings } = from;
  const leaves = new Map<number, RosterLeaf>();
  const accounts = new Map<string, RosterLeaf[]>();
  for (const member of from.members) {
    const { host, accountId, deviceId } = identityOf(member.credential);
    // While one host is in use, nobody is led to another one by a leaf (spec M-7).
    if (host !== settings.host) throw new CodecError("invalid", "a leaf names another host");
    const { leafIndex } = member;
    // Decoded fields are views of the leaf; copies keep the message buffer from living on.
    const signaturePublicKey = member.signaturePublicKey.slice();
    const account = toBase64Url(accountId);
    const leaf: RosterLeaf = { leafIndex, host, accountId: accountId.slice(), deviceId: deviceId.slice(), signaturePublicKey, account };
    const devices = accounts.get(account) ?? [];
    if (devices.some((other) => equalBytes(other.deviceId, deviceId)))
      throw new CodecError("invalid", "a device stands in the group twice");
    accounts.set(account, [...devices, leaf]);
    leaves.set(leafIndex, leaf);
  }
  return { leaves, accounts, settings, own: from.own === undefined ? undefined : leaves.get(from.own) };
}

/** The role of an account, by base64url id. */
export function roleOf(roster: Roster, account: string): number {
  const entry = roster.settings.roles.find((candidate) => toBase64Url(candidate.accountId) === account);
  return entry?.role ?? roles.member;
}

/**
 * Whether this account may add and remove others (spec M-2). When no administrator is left in the group, everyone may:
 * else nobody could ever again.
 */
export function mayManage(roster: Roster, account: string): boolean {
  const { conversationKind } = roster.settings;
  if (conversationKind === conversationKinds.direct || conversationKind === conversationKinds.devices)
    return roster.settings.policy === policies.everyMember;
  if (roster.settings.policy === policies.everyMember) return true;
  if (roleOf(roster, account) >= roles.administrator) return true;
  return ![...roster.accounts.keys()].some((other) => roleOf(roster, other) >= roles.administrator);
}

/** Whether this account may take that leaf out by its role, whatever proves of the leaf: an owner's only an owner (spec M-2). */
export function mayRemove(roster: Roster, account: string, removed: Pick<RosterLeaf, "account">): boolean {
  if (roster.settings.conversationKind === conversationKinds.direct || !mayManage(roster, account)) return false;
  return roleOf(roster, removed.account) <= Math.max(roleOf(roster, account), roles.administrator);
}

/**
 * Whether who adds a device to this account has to prove that it stands in it: it would manage the group over them. Else any member of a group
 * whose owner has left would own it, by a leaf of their own in the owner's name. Who founds a group is alone in it.
 */
export function needsProof(roster: Roster, author: string, account: string): boolean {
  return roster.accounts.size > 1 && outranks(roster, account, author);
}

/** Whether an account manages the group, or would once it is in it, over another one. */
export function outranks(roster: Roster, account: string, other: string): boolean {
  return account !== other && roleOf(roster, account) >= roles.administrator && roleOf(roster, account) > roleOf(roster, other);
}

/** What a commit would change, in the terms of the role policy. */
export interface ProposedChange {
  readonly author: RosterLeaf;
  readonly adds: readonly LeafIdentity[];
  readonly removes: readonly RosterLeaf[];
  readonly settings: ProposedSettings | undefined;
}

/** What a commit proves of the leaves that it removes and adds: these it may whatever the roles say. */
export interface Proven {
  /** Accounts (base64url) that the words in the commit prove to leave: with all their devices, at once. */
  readonly leaving: ReadonlySet<string>;
  /** Leaves that the commit's records prove to have left their accounts. */
  readonly departed: readonly RosterLeaf[];
  /** Leaves that complained: removed by anybody who adds the same device again (spec G-5). */
  readonly complainers: readonly RosterLeaf[];
  /** Of the devices that it adds by which somebody would manage over its author, those that it proves to stand in their accounts. */
  readonly standing: readonly DeviceReference[];
}

/**
 * Whether roles allow this change (spec M-2). The same for every member: it depends on the group, the log and what lies in the commit
 * alone.
 */
export function isPermitted(roster: Roster, { leaving, departed, complainers, standing }: Proven, change: ProposedChange): boolean {
  const { author } = change;
  const { conversationKind } = roster.settings;
  const isDirect = conversationKind === conversationKinds.direct;
  const manages = mayManage(roster, author.account);
  const isLetBackIn = (leaf: RosterLeaf): boolean =>
    complainers.some(({ leafIndex }) => leafIndex === leaf.leafIndex) && change.adds.some((added) => isSameDevice(added, leaf));
  const adds = change.adds.every((added) => {
    if (added.host !== roster.settings.host) return false;
    const account = toBase64Url(added.accountId);
    if (account === author.account) return true;
    if (change.removes.some((removed) => isSameDevice(added, removed) && isLetBackIn(removed))) return true;
    // The devices of one account are among themselves.
    if (conversationKind === conversationKinds.devices) return false;
    // A direct conversation has two people and stays with them.
    if (isDirect) return roster.accounts.has(account) || roster.accounts.size === 1;
    return manages && (!needsProof(roster, author.account, account) || standing.some((device) => isSameDevice(device, added)));
  });
  const removes = change.removes.every((removed) => {
    if (removed.account === author.account) return true;
    if (leaving.has(removed.account) && isGoneWhole(roster, change, removed.account)) return true;
    if (departed.includes(removed) || isLetBackIn(removed)) return true;
    return mayRemove(roster, author.account, removed);
  });
  return adds && removes && isSettingsChangePermitted(roster, change.settings, manages && !isDirect);
}

/** Whether nothing of an account is left by a change. */
function isGoneWhole({ accounts }: Roster, { adds, removes }: ProposedChange, account: string): boolean {
  const isRemoved = accounts.get(account)?.every((leaf) => removes.includes(leaf)) === true;
  return isRemoved && !adds.some((added) => toBase64Url(added.accountId) === account);
}

/** Whether both name one device of one account. */
export function isSameDevice(a: DeviceReference, b: DeviceReference): boolean {
  return equalBytes(a.accountId, b.accountId) && equalBytes(a.deviceId, b.deviceId);
}

/** The leaf of a device; `undefined` when it has none. */
export function leafOf({ accounts }: Roster, device: DeviceReference): RosterLeaf | undefined {
  return accounts.get(toBase64Url(device.accountId))?.find((leaf) => equalBytes(leaf.deviceId, device.deviceId));
}

/** Each account of the group, once. */
export function accountIdsOf({ accounts }: Roster): readonly Uint8Array[] {
  return [...accounts.values()].flatMap((leaves) => leaves.slice(0, 1).map((leaf) => leaf.accountId));
}

/** What a commit may set is the name: nothing changes a role, the policy or what a group is bound to after its founding (spec M-2). */
function isSettingsChangePermitted(roster: Roster, next: ProposedSettings | undefined, manages: boolean): boolean {
  if (next === undefined) return true;
  const before = roster.settings;
  const { group, opening } = next;
  return (
    manages &&
    group.host === before.host &&
    group.conversationKind === before.conversationKind &&
    isBoundAlike({ ...opening.settings, policy: group.policy }, before)
  );
}

/** What stays as it was founded, whoever manages the group: roles and policy, what it goes on with, and its host's public log. */
export function isBoundAlike(a: BoundSettings, b: BoundSettings): boolean {
  return (
    a.policy === b.policy && isSameRoles(a.roles, b.roles) && equalBytes(a.continues, b.continues) && equalBytes(a.directory, b.directory)
  );
}

type BoundSettings = Pick<RosterSettings, "roles" | "policy" | "continues" | "directory">;

function isSameRoles(a: RosterSettings["roles"], b: RosterSettings["roles"]): boolean {
  return a.length === b.length && a.every(({ accountId, role }, at) => role === b[at]?.role && equalBytes(accountId, b[at].accountId));
}
