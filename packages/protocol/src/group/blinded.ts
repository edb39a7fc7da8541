import {
  CodecError,
  concatBytes,
  encode,
  equalBytes,
  mapped,
  oneOf,
  opaqueV,
  safeUint64,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  utf8Bytes,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { formatThree } from "../format.ts";
import { extCodec, id32 } from "../frames/common.ts";
import type { Sha256 } from "../log-chain.ts";
import { maxAdministrators, maxDescriptionBytes, maxGroupNameBytes, maxKeptOut } from "./limits.ts";
import { hmacSha256 } from "./hmac.ts";
import { groupRightsCodec } from "./rights.ts";
import type { GroupRights } from "./rights.ts";

/** Extension type of `latchkey_group` in the GroupContext (private use, RFC 9420 section 17.3). */
export const latchkeyGroupExtensionType = 0xf1a7;

/** An account's role in a group (spec M-2). Accounts not listed are members. */
export interface RoleEntry {
  readonly accountId: Uint8Array;
  /** 1 member, 2 administrator, 3 owner. */
  readonly role: number;
}

/**
 * The required GroupContext extension of every Latchkey group (spec M-1). Every member signs it with every message: it says nothing by
 * which the log, the people in it or its name could be found.
 */
export interface LatchkeyGroup {
  readonly format: 3;
  readonly host: string;
  /** `logHashOf` and `settingsHashOf`, with the salt of the `SettingsOpening`. */
  readonly logHash: Uint8Array;
  readonly settingsHash: Uint8Array;
  /** A direct conversation of two accounts, a group with a name (spec L-12), or the devices of one account. */
  readonly conversationKind: number;
  readonly ext: Uint8Array;
}

/** Values of `conversationKind`. */
export const conversationKinds = { direct: 1, group: 2, devices: 3 } as const;

export const latchkeyGroupCodec: Codec<LatchkeyGroup> = struct<LatchkeyGroup>({
  format: formatThree,
  host: hostCodec,
  logHash: id32,
  settingsHash: id32,
  conversationKind: uint8,
  ext: extCodec,
});

/** What the members of a group know of it, and nothing that they sign says (spec M-1). */
export interface GroupSettings {
  /** 4 where somebody is kept out. */
  readonly format: 3 | 4;
  /** Each account at most once. */
  readonly roles: readonly RoleEntry[];
  readonly rights: GroupRights;
  /** The group's name, "" for a direct conversation. At most 128 bytes. */
  readonly name: string;
  /** At most 2,048 bytes; "" for none. */
  readonly description: string;
  /** Where its picture is found, 96 to 256 bytes; empty for none. */
  readonly picture: Uint8Array;
  /** Seconds after which what is said here goes (spec X-7); 0 for never. */
  readonly timerS: number;
  /** Seconds that a member waits between two messages; 0 for none. */
  readonly slowModeS: number;
  /** What names the conversation that this one goes on with, 32 bytes (spec M-9); empty for none. */
  readonly continues: Uint8Array;
  /** H(DirectoryConfig) of the public log that proves to this group who left an account (spec M-2); never changes. 32 bytes. */
  readonly directory: Uint8Array;
  /** Accounts that nobody adds while they stand here, each once, at most 128 (spec X-24). */
  readonly keptOut: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

/** Bytes of an entry of the list of roles: with all of them a WelcomeBundle always fits an inbox (spec M-4, E-19). */
const roleEntryBytes = 33;
const pictureBytes = { least: 96, most: 256 };

type Base = Omit<GroupSettings, "format" | "keptOut" | "ext">;
type Rest = Pick<GroupSettings, "keptOut" | "ext">;

const baseCodec: Codec<Base> = struct<Base>({
  roles: mapped(
    vector(struct<RoleEntry>({ accountId: id32, role: uint8 }), { maxBytes: 2 * maxAdministrators * roleEntryBytes }),
    (entries: readonly RoleEntry[]) => [...requireEachOnce(entries)],
    (entries) => requireEachOnce(entries),
  ),
  rights: groupRightsCodec,
  name: text(maxGroupNameBytes),
  description: text(maxDescriptionBytes),
  picture: mapped(
    opaqueV(pictureBytes.most),
    (picture: Uint8Array) => requirePictureOrNothing(picture),
    (picture) => requirePictureOrNothing(picture),
  ),
  timerS: uint32,
  slowModeS: uint32,
  continues: mapped(
    opaqueV(32),
    (continues: Uint8Array) => requireHashOrNothing(continues),
    (continues) => requireHashOrNothing(continues),
  ),
  directory: id32,
});

const keptOutCodec: Codec<readonly Uint8Array[]> = mapped(
  vector(id32, { maxBytes: 32 * maxKeptOut }),
  (accounts: readonly Uint8Array[]) => [...requireSomeOnce(accounts)],
  (accounts) => requireSomeOnce(accounts),
);

/** Settings of format 3 keep nobody out; so do those of groups that were made before there was a list. */
const restCodecs: Readonly<Record<3 | 4, Codec<Rest>>> = {
  3: mapped(
    struct<Pick<Rest, "ext">>({ ext: extCodec }),
    ({ keptOut, ext }: Rest) => {
      if (keptOut.length > 0) throw new CodecError("invalid", "somebody kept out by settings of format 3");
      return { ext };
    },
    ({ ext }) => ({ keptOut: [], ext }),
  ),
  4: struct<Rest>({ keptOut: keptOutCodec, ext: extCodec }),
};
const formatCodec: Codec<GroupSettings["format"]> = oneOf(uint16, [3, 4]);

export const groupSettingsCodec: Codec<GroupSettings> = {
  write(writer, settings) {
    formatCodec.write(writer, settings.format);
    baseCodec.write(writer, settings);
    restCodecs[settings.format].write(writer, settings);
  },
  read(reader) {
    const format = formatCodec.read(reader);
    return { format, ...baseCodec.read(reader), ...restCodecs[format].read(reader) };
  },
};

function requireHashOrNothing(value: Uint8Array): Uint8Array {
  if (value.length !== 0 && value.length !== 32) throw new CodecError("invalid", "neither a hash nor nothing");
  return value;
}

function requireSomeOnce(accounts: readonly Uint8Array[]): readonly Uint8Array[] {
  const isTwice = accounts.some((account, at) => accounts.slice(0, at).some((other) => equalBytes(other, account)));
  if (accounts.length === 0 || isTwice) throw new CodecError("invalid", "nobody kept out, or somebody twice");
  return accounts;
}

function requireEachOnce(entries: readonly RoleEntry[]): readonly RoleEntry[] {
  const isTwice = entries.some((entry, at) => entries.slice(0, at).some((other) => equalBytes(other.accountId, entry.accountId)));
  if (isTwice) throw new CodecError("invalid", "an account with two roles");
  return entries;
}

function requirePictureOrNothing(value: Uint8Array): Uint8Array {
  if (value.length !== 0 && value.length < pictureBytes.least) throw new CodecError("invalid", "neither a picture nor nothing");
  return value;
}

/** What opens the hashes of a `LatchkeyGroup`: in a WelcomeBundle, and in the envelope of a commit that changes them (spec M-1). */
export interface SettingsOpening {
  readonly salt: Uint8Array;
  readonly settings: GroupSettings;
}

export const settingsOpeningCodec: Codec<SettingsOpening> = struct<SettingsOpening>({ salt: id32, settings: groupSettingsCodec });

const logHashLabel = utf8Bytes("latchkey/log-hash/1");
const settingsHashLabel = utf8Bytes("latchkey/settings-hash/1");

/** `log_hash` of a LatchkeyGroup: H("latchkey/log-hash/1" || salt || log_id). Ids and salt are 32 bytes (spec M-1). */
export function logHashOf(sha256: Sha256, salt: Uint8Array, logId: Uint8Array): Uint8Array {
  return sha256(concatBytes(logHashLabel, salt, logId));
}

/** `settings_hash` of a LatchkeyGroup: H("latchkey/settings-hash/1" || salt || GroupSettings) (spec M-1). */
export function settingsHashOf(sha256: Sha256, { salt, settings }: SettingsOpening): Uint8Array {
  return sha256(concatBytes(settingsHashLabel, salt, encode(groupSettingsCodec, settings)));
}

/**
 * MLS `authenticated_data` of every message and commit (spec L-10). In a commit `generation` and `ownNumber` are 0, and `previousOwn` and
 * `seen` are zeros: only application messages are counted.
 */
export interface AuthenticatedData {
  readonly format: 3;
  /** `viewTagOf` the last entry that the sender saw. */
  readonly viewTag: Uint8Array;
  /** Of its sender's ratchet, under which it is encrypted: under another one it is somebody's copy. */
  readonly generation: number;
  /** Counts the application messages of this device in this conversation, from 1. */
  readonly ownNumber: number;
  /** `seenMarkOf` the one before, and the newest one of another device that this device has seen; zeros for none. */
  readonly previousOwn: Uint8Array;
  readonly seen: Uint8Array;
  /** The head of the sender's own account chain: its version and H(state body). */
  readonly accountVersion: number;
  readonly accountChain: Uint8Array;
  /** Gossip: a checkpoint of the sender's directory (`@latchkey/transparency`, spec D-4); empty while it has none. */
  readonly gossip: Uint8Array;
  readonly ext: Uint8Array;
}

export const authenticatedDataCodec: Codec<AuthenticatedData> = struct<AuthenticatedData>({
  format: formatThree,
  viewTag: id32,
  generation: uint32,
  ownNumber: uint32,
  previousOwn: id32,
  seen: id32,
  accountVersion: uint32,
  accountChain: id32,
  gossip: opaqueV(1024),
  ext: extCodec,
});

/** Label of the exporter for an epoch's view key (spec L-10); the context is the log's id, the length 32 bytes. */
export const viewLabel = "latchkey view";

/** HMAC-SHA256(view key, uint64 seq || head): says what its maker saw of the log to those who have the key and the log (spec L-10). */
export function viewTagOf(sha256: Sha256, key: Uint8Array, last: { readonly seq: number; readonly head: Uint8Array }): Uint8Array {
  return hmacSha256(sha256, key, concatBytes(encode(safeUint64, last.seq), last.head));
}

const seenLabel = utf8Bytes("latchkey/seen/1");

/** What stands for a message where another one says that it was seen: H("latchkey/seen/1" || its id by `messageIdOf`) (spec L-10). */
export function seenMarkOf(sha256: Sha256, messageId: Uint8Array): Uint8Array {
  return sha256(concatBytes(seenLabel, messageId));
}
