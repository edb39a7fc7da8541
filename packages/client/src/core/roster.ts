import { CodecError, decode, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { groupContextExtensions, members, ownLeafIndex } from "@latchkey/mls";
import type { Extension, GroupState, LeafIndex, Member } from "@latchkey/mls";
import { latchkeyGroupCodec, latchkeyGroupExtensionType, logHashOf, settingsHashOf, settingsOpeningCodec } from "@latchkey/protocol";
import type { LatchkeyGroup, SettingsOpening, Sha256 } from "@latchkey/protocol";
import { identityOf } from "../group/credential.ts";
import type { DeviceReference, Roster, RosterLeaf, RosterSettings } from "./types.ts";

/** The `latchkey_group` among the extensions of a group context (spec M-1). @throws CodecError when absent or malformed. */
export function latchkeyGroupOf(extensions: readonly Extension[]): LatchkeyGroup {
  const found = extensions.find((extension) => extension.type === latchkeyGroupExtensionType);
  if (found === undefined) throw new CodecError("invalid", "not a Latchkey group");
  return decode(latchkeyGroupCodec, found.data);
}

/** The extension of the group context that commits to `opening` and to the log (spec M-1). */
export function groupExtension(
  sha256: Sha256,
  params: Pick<LatchkeyGroup, "host" | "conversationKind"> & { readonly logId: Uint8Array; readonly opening: SettingsOpening },
): Extension {
  const { host, conversationKind, logId, opening } = params;
  const data = encode(latchkeyGroupCodec, {
    format: 3,
    host,
    logHash: logHashOf(sha256, opening.salt, logId),
    settingsHash: settingsHashOf(sha256, opening),
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
      picture: settings.picture.slice(),
      continues: settings.continues.slice(),
      directory: settings.directory.slice(),
      keptOut: settings.keptOut.map((account) => account.slice()),
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
export function settingsOf(
  { host, conversationKind }: Pick<LatchkeyGroup, "host" | "conversationKind">,
  { settings }: SettingsOpening,
): RosterSettings {
  const { format: _format, ext: _ext, ...known } = settings;
  return { host, conversationKind, ...known };
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
