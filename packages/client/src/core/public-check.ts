import { CodecError, equalBytes, toBase64Url } from "@latchkey/codec";
import type { InspectedCommit, LeafIndex } from "@latchkey/mls";
import { latchkeyGroupExtensionType } from "@latchkey/protocol";
import type { LeafIdentity, SettingsOpening, Sha256 } from "@latchkey/protocol";
import { identityOf } from "../group/credential.ts";
import { isPermitted } from "./permitted.ts";
import type { Proven } from "./proposed.ts";
import { copyOfOpening, isSameDevice, proposedSettings, rosterFrom, settingsOf } from "./roster.ts";
import type { ProposedSettings } from "./roster.ts";
import type { Roster, RosterLeaf } from "./types.ts";

/** Leaves that one account may have in a group (spec M-7): as many as it may have devices. */
export const maxLeavesPerAccount = 16;

/** The clause of the public check that a commit breaks (spec G-1); every member finds the same one. */
export type PublicFailure =
  | "unreadable" // its envelope does not open, or holds nothing that can be read: nobody can be named
  | "access_hash" // the access hash inside is not the one beside it (L-9)
  | "not_valid" // RFC 9420 refuses it, by what every member sees
  | "authenticated_data" // what it says of its author's view does not decode (L-10)
  | "behind" // its author had not seen every earlier commit of the epoch
  | "proposal" // a proposal that is neither Add, Remove nor GroupContextExtensions (M-8)
  | "settings" // group context extensions other than one `latchkey_group` that its envelope opens (M-8, M-1)
  | "identity" // a leaf without an identity of ours (M-1)
  | "changed_leaf" // a leaf that stays, with another identity or signature key (M-7)
  | "host" // a leaf on another host than its account's and the group's (M-7)
  | "device_twice" // a device in two leaves
  | "too_many_leaves" // an account with more leaves than it may have devices (M-7)
  | "not_permitted"; // a change that neither rights nor roles allow its author (M-2, X-13)

/** What the check knows beside the commit: the same for every member of the epoch. */
export interface PublicFacts extends Proven {
  readonly roster: Roster;
  /** Whether the commit's author had seen every earlier commit of the epoch. */
  readonly isUpToDate: boolean;
  /** The log and the settings of the group, and those that the commit's envelope shows. */
  readonly settings: SettingsFacts;
}

interface SettingsFacts {
  readonly sha256: Sha256;
  readonly logId: Uint8Array;
  readonly opening: SettingsOpening;
  readonly encodedOpening: Uint8Array;
}

/** The outcome: who wrote the commit and whom it leaves in the group, or the clause that it breaks. */
export type PublicVerdict =
  | {
      readonly kind: "passes";
      readonly author: RosterLeaf;
      /** The members of the epoch that it opens. */
      readonly after: Roster;
      /** The settings that it leaves. */
      readonly opening: SettingsOpening;
      readonly adds: readonly LeafIdentity[];
      readonly removes: readonly RosterLeaf[];
      /** Accounts (base64url) that it proves to leave. */
      readonly leaving: ReadonlySet<string>;
      /** The leaves of this epoch that stay, the author's among them; who is removed and added again is none of them. */
      readonly keeps: readonly LeafIndex[];
      /** Leaves of this epoch whose device it removes and adds again. */
      readonly readds: readonly LeafIndex[];
    }
  | { readonly kind: "fails"; readonly reason: PublicFailure; readonly author: RosterLeaf | undefined };

/** The verdict on a commit that passes. */
export type Passed = Extract<PublicVerdict, { kind: "passes" }>;

const allowed: ReadonlySet<InspectedCommit["proposals"][number]> = new Set(["add", "remove", "group-context-extensions"] as const);

/** The part of the public check that is Latchkey's (spec G-1, M-7, M-8), for a commit that passed RFC 9420's. Pure. */
export function publicCheck(facts: PublicFacts, commit: InspectedCommit): PublicVerdict {
  const { roster } = facts;
  const author = roster.leaves.get(commit.sender);
  const fails = (reason: PublicFailure): PublicVerdict => ({ kind: "fails", reason, author });
  if (author === undefined) return fails("not_valid");
  if (!facts.isUpToDate) return fails("behind");
  if (!commit.proposals.every((kind) => allowed.has(kind))) return fails("proposal");
  const settings = settingsIn(facts.settings, commit);
  if (settings === "malformed") return fails("settings");
  const members = identitiesIn(commit);
  if (members === undefined) return fails("identity");
  const removes = commit.removes.flatMap((member) => roster.leaves.get(member.leafIndex) ?? []);
  const added = new Set(commit.adds.map(({ leafIndex }) => leafIndex));
  const reason = leafFailure(roster, { members, added });
  if (reason !== undefined) return fails(reason);
  const adds = members.filter(({ leafIndex }) => added.has(leafIndex)).map(({ identity }) => identity);
  if (!isPermitted(roster, facts, { author, adds, removes, settings })) return fails("not_permitted");
  const after = rosterFrom({
    members: commit.members,
    settings: settings === undefined ? roster.settings : settingsOf(settings.group, settings.opening),
    own: roster.own?.leafIndex,
  });
  const opening = settings === undefined ? facts.settings.opening : copyOfOpening(settings.opening);
  const readds = removes.filter((leaf) => adds.some((identity) => isSameDevice(identity, leaf))).map(({ leafIndex }) => leafIndex);
  const keeps = members.flatMap(({ leafIndex }) => (added.has(leafIndex) ? [] : [leafIndex]));
  return { kind: "passes", author, after, opening, adds, removes, leaving: facts.leaving, keeps, readds };
}

function settingsIn(facts: SettingsFacts, { groupContextExtensions }: InspectedCommit): ProposedSettings | "malformed" | undefined {
  if (groupContextExtensions === undefined) return undefined;
  const [only] = groupContextExtensions;
  if (groupContextExtensions.length !== 1 || only?.type !== latchkeyGroupExtensionType) return "malformed";
  try {
    return proposedSettings(facts, groupContextExtensions, facts.encodedOpening);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return "malformed";
  }
}

interface NextLeaf {
  readonly leafIndex: LeafIndex;
  readonly signaturePublicKey: Uint8Array;
  readonly identity: LeafIdentity;
}

function identitiesIn({ members }: InspectedCommit): readonly NextLeaf[] | undefined {
  try {
    return members.map(({ leafIndex, signaturePublicKey, credential }) => ({
      leafIndex,
      signaturePublicKey,
      identity: identityOf(credential),
    }));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}

/** What is wrong with the leaves of the next epoch. */
function leafFailure(
  { leaves, settings }: Roster,
  { members, added }: { members: readonly NextLeaf[]; added: ReadonlySet<LeafIndex> },
): PublicFailure | undefined {
  const devices = new Map<string, Set<string>>();
  for (const { leafIndex, signaturePublicKey, identity } of members) {
    const before = added.has(leafIndex) ? undefined : leaves.get(leafIndex);
    if (!added.has(leafIndex) && (before === undefined || !isSame(before, signaturePublicKey, identity))) return "changed_leaf";
    if (identity.host !== settings.host) return "host";
    const account = toBase64Url(identity.accountId);
    const device = toBase64Url(identity.deviceId);
    const known = devices.get(account) ?? new Set();
    if (known.has(device)) return "device_twice";
    devices.set(account, known.add(device));
    if (known.size > maxLeavesPerAccount) return "too_many_leaves";
  }
  return undefined;
}

function isSame(before: RosterLeaf, signaturePublicKey: Uint8Array, identity: LeafIdentity): boolean {
  return (
    before.host === identity.host &&
    equalBytes(before.accountId, identity.accountId) &&
    equalBytes(before.deviceId, identity.deviceId) &&
    equalBytes(before.signaturePublicKey, signaturePublicKey)
  );
}
