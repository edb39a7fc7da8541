import {
  bool,
  empty,
  enumeration,
  mapped,
  opaque,
  opaqueV,
  optional,
  oneOf,
  safeUint64,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { toLeafIndex } from "@latchkey/mls";
import type { CipherSuiteId, LeafIndex, MessageEvidence } from "@latchkey/mls";
import { blobReferenceCodec, maxContentBytes, maxMessageBytes, settingsOpeningCodec } from "@latchkey/protocol";
import type { ProofSource, SignedLeave, TreeSource } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { settingsEditCodec } from "./settings-records.ts";
import type { AwaitedHead, Doubt, OwnMark, Sight, Spoken } from "./said.ts";
import type { Arrival, Ask, SkipTold } from "./contested.ts";
import type {
  AwayAccount,
  Chain,
  Change,
  Asked,
  GoneMember,
  ClosedEpoch,
  ContinuationOffer,
  ConversationState,
  DepartedLeaf,
  DeviceReference,
  EpochKeys,
  Invitation,
  Joiner,
  Leaver,
  Outgoing,
  PauseReason,
  PendingBlob,
  Phase,
  Purpose,
  RecoveredAccount,
  SealedEntry,
  SealedMessage,
  StagedCommit,
  Stranded,
  UnverifiedLeaf,
} from "./types.ts";

const id32 = opaque(32);
const large = 64 * 1024 * 1024;
const leafIndex: Codec<LeafIndex> = mapped(uint32, (index: LeafIndex) => index, toLeafIndex);
const chain: Codec<Chain> = struct<Chain>({ seq: safeUint64, head: id32 });
const epochKeys: Codec<EpochKeys> = struct<EpochKeys>({ epochId: safeUint64, access: id32, envelope: id32, view: id32 });
const device: Codec<DeviceReference> = struct<DeviceReference>({ accountId: id32, deviceId: opaque(16) });
const closedEpoch: Codec<ClosedEpoch> = struct<ClosedEpoch>({
  epochId: safeUint64,
  access: id32,
  envelope: id32,
  closedAtMs: safeUint64,
  child: safeUint64,
  childAuthor: id32,
  kept: opaqueV(1 << 20),
  keptCount: uint32,
  unheard: opaqueV(1 << 20),
  stuck: vector(device, { maxBytes: large }),
  asked: vector(struct<Asked>({ accountId: id32, deviceId: opaque(16), complaint: id32 }), { maxBytes: large }),
  arrived: vector(device, { maxBytes: large }),
  gone: vector(struct<GoneMember>({ accountId: id32, deviceId: opaque(16), signaturePublicKey: opaqueV(4096) }), { maxBytes: large }),
});
const ownMark: Codec<OwnMark> = struct<OwnMark>({ number: uint32, mark: id32 });
const pauseReason = enumeration<PauseReason>(uint8, {
  left_behind: 5,
  unreadable_commit: 6,
  missed_commit: 8,
  profile_restored: 9,
  foreign_head: 10,
});
const phase: Codec<Phase> = variant<Phase>(uint8, {
  creating: [1, empty],
  active: [2, empty],
  leaving: [3, empty],
  removed: [4, empty],
  left: [5, empty],
  paused: [6, struct<{ reason: PauseReason }>({ reason: pauseReason })],
  superseded: [7, struct<{ by: string }>({ by: text(64) })],
  continued: [8, struct<{ by: string }>({ by: text(64) })],
});
const unverified: Codec<UnverifiedLeaf> = struct<UnverifiedLeaf>({
  leafIndex,
  host: text(260),
  accountId: id32,
  deviceId: opaque(16),
  signaturePublicKey: opaqueV(4096),
  refused: bool,
  tries: uint32,
  askedAtMs: safeUint64,
});
const leaver: Codec<Leaver> = struct<Leaver>({
  leafIndex,
  accountId: id32,
  leaf: id32,
  word: struct<SignedLeave>({ leaf: uint32, content: opaqueV(65_536), context: opaqueV(65_536), signature: opaqueV(4096) }),
});
// Only suites that this client made or joined are stored; the provider refuses any other.
const suiteId: Codec<CipherSuiteId> = mapped(
  uint16,
  (id: CipherSuiteId) => id,
  (id) => id as CipherSuiteId,
);

/** What is stored of a conversation in its one small record. */
export interface Meta extends Omit<
  ConversationState,
  "id" | "recentHeads" | "group" | "roster" | "outgoing" | "changes" | "staged" | "renewal" | "refused" | "link" | "spoken"
> {
  readonly format: 19;
}

const departedLeaf: Codec<DepartedLeaf> = struct<DepartedLeaf>({ leafIndex, accountId: id32, deviceId: opaque(16) });
const awayAccount: Codec<AwayAccount> = struct<AwayAccount>({ accountId: id32, from: safeUint64, until: safeUint64 });
/** What one leaf said of its own place among its messages. */
export const spokenCodec: Codec<Spoken> = struct<Spoken>({
  number: uint32,
  mark: id32,
  first: uint32,
  absent: vector(uint32, { maxBytes: 65_536 }),
  unread: safeUint64,
  toldAtMs: safeUint64,
});
const doubt: Codec<Doubt> = struct<Doubt>({ leafIndex, accountId: id32, seq: safeUint64, isNamed: bool });
const recoveredAccount: Codec<RecoveredAccount> = struct<RecoveredAccount>({ accountId: id32, order: safeUint64 });

const invitation: Codec<Invitation> = struct<Invitation>({
  itemId: opaque(16),
  host: text(260),
  accountId: id32,
  deviceId: opaque(16),
  wasMember: bool,
  missing: vector(id32, { maxBytes: large }),
  atMs: safeUint64,
  notAfterMs: safeUint64,
});

const sealedFields: { readonly [Field in keyof SealedEntry]: Codec<SealedEntry[Field]> } = {
  entryId: id32,
  epochId: safeUint64,
  blob: opaqueV(1 << 20),
  blobs: vector(struct<PendingBlob>({ blobId: id32, ciphertext: opaqueV(large) }), { maxBytes: 2 * large }),
};
const sealedEntry: Codec<SealedEntry> = struct<SealedEntry>(sealedFields);
const stranded: Codec<Stranded> = struct<Stranded>({
  seq: safeUint64,
  author: optional(leafIndex),
  keeps: vector(uint32, { maxBytes: large }),
  readds: vector(uint32, { maxBytes: large }),
  reason: uint8,
  sinceMs: safeUint64,
  leafKeys: vector(opaqueV(4096), { maxBytes: large }),
  entry: optional(sealedEntry),
  againAtMs: safeUint64,
  complainers: vector(uint32, { maxBytes: large }),
  arrived: vector(uint32, { maxBytes: large }),
  behind: vector(safeUint64, { maxBytes: large }),
  parents: vector(safeUint64, { maxBytes: large }),
});

const arrival: Codec<Arrival> = struct<Arrival>({
  seq: safeUint64,
  epochId: safeUint64,
  authorId: id32,
  answerers: vector(id32, { maxBytes: large }),
  sinceMs: safeUint64,
  at: safeUint64,
  by: id32,
  leafKeys: vector(opaqueV(4096), { maxBytes: large }),
  behind: vector(safeUint64, { maxBytes: large }),
  parents: vector(safeUint64, { maxBytes: large }),
  entry: optional(sealedEntry),
  isWritten: bool,
  declined: vector(id32, { maxBytes: large }),
});

/** What is stored of a conversation in its one small record. */
export const metaCodec: Codec<Meta> = struct<Meta>({
  format: oneOf(uint16, [19]),
  logId: id32,
  groupId: opaqueV(255),
  host: text(260),
  kind: enumeration(uint8, { direct: 1, group: 2, devices: 3 }),
  name: text(512),
  peer: optional(id32),
  suiteId,
  phase,
  chain,
  joinedSeq: safeUint64,
  base: optional(struct<NonNullable<ConversationState["base"]>>({ accountId: id32, isTold: bool })),
  epoch: optional(epochKeys),
  opening: settingsOpeningCodec,
  own: ownMark,
  seen: id32,
  lastCommitSeq: safeUint64,
  skipsTold: vector(struct<SkipTold>({ accountId: id32, atMs: safeUint64 }), { maxBytes: large }),
  stranded: optional(stranded),
  arrival: optional(arrival),
  barred: vector(uint32, { maxBytes: large }),
  asks: vector(struct<Ask>({ leafIndex: uint32, signed: opaqueV(65_536) }), { maxBytes: large }),
  closedEpochs: vector(closedEpoch, { maxBytes: large }),
  memberCount: uint32,
  unverified: vector(unverified, { maxBytes: large }),
  leavers: vector(leaver, { maxBytes: large }),
  rosterAdds: safeUint64,
  toldName: text(4096),
  nextLocal: safeUint64,
  unread: safeUint64,
  readThrough: safeUint64,
  draft: text(1 << 20),
  lastOrder: safeUint64,
  updatedAtMs: safeUint64,
  departed: vector(departedLeaf, { maxBytes: large }),
  recovered: vector(recoveredAccount, { maxBytes: large }),
  away: vector(awayAccount, { maxBytes: large }),
  doubts: vector(doubt, { maxBytes: large }),
  unreadEntries: safeUint64,
  awaited: optional(struct<AwaitedHead>({ seq: safeUint64, head: id32, sinceMs: safeUint64 })),
  isLeftOut: bool,
  restoredFromMs: optional(safeUint64),
  formerMembers: vector(id32, { maxBytes: large }),
  readdedBy: optional(id32),
  sight: struct<Sight>({ atMs: safeUint64, retentionDays: uint16 }),
  expired: struct<ConversationState["expired"]>({ count: safeUint64, through: safeUint64 }),
  invitations: vector(invitation, { maxBytes: large }),
  continuity: vector(id32, { maxBytes: large }),
  continuesId: optional(text(64)),
  offers: vector(struct<ContinuationOffer>({ id: text(64), accountId: id32, missing: vector(id32, { maxBytes: large }) }), {
    maxBytes: large,
  }),
});

const sealedMessage: Codec<SealedMessage> = struct<SealedMessage>({
  ...sealedFields,
  own: ownMark,
  evidence: struct<MessageEvidence>({
    content: opaqueV(maxMessageBytes),
    context: opaqueV(1 << 20),
    signature: opaqueV(4096),
    signaturePublicKey: opaqueV(4096),
  }),
});

// The API's codes are all short words; a stored one that this version does not know is shown as it is.
const failureCode: Codec<ClientErrorCode> = mapped(
  text(64),
  (code: ClientErrorCode) => code,
  (code) => code as ClientErrorCode,
);

export type StoredOutgoing = Omit<Outgoing, "order" | "sentIn" | "accepted">;
/** A message that waits; its place is its key. */
export const outgoingCodec: Codec<StoredOutgoing> = struct<StoredOutgoing>({
  id: text(64),
  purpose: enumeration<Purpose>(uint8, { text: 1, profile: 2, leave: 3, sync: 4, account: 5, change: 6, receipt: 7, history: 8, link: 9 }),
  text: text(1 << 20),
  composedAtMs: safeUint64,
  content: opaqueV(maxContentBytes),
  rosterAdds: safeUint64,
  failure: optional(failureCode),
  sealed: optional(sealedMessage),
  undoUntilMs: safeUint64,
  uploads: vector(text(64), { maxBytes: 4096 }),
});

const joiner: Codec<Joiner> = struct<Joiner>({
  host: text(260),
  accountId: id32,
  deviceId: opaque(16),
  inboxId: id32,
  inboxKey: opaqueV(4096),
  keyPackage: opaqueV(65_536),
});
export type StoredChange = Omit<Change, "merged">;
const change: Codec<StoredChange> = struct<StoredChange>({
  id: text(64),
  order: safeUint64,
  adds: vector(joiner, { maxBytes: large }),
  removes: vector(id32, { maxBytes: large }),
  removeDevices: vector(device, { maxBytes: large }),
  proofs: opaqueV(large),
  update: bool,
  settings: optional(settingsEditCodec),
  attempts: uint32,
});
export const changesCodec: Codec<StoredChange[]> = vector(change, { maxBytes: 2 * large });

const treeSource: Codec<TreeSource> = variant<TreeSource>(uint8, {
  inline: [1, struct<{ tree: Uint8Array }>({ tree: opaqueV(large) })],
  blob: [2, blobReferenceCodec],
});
const proofSource: Codec<ProofSource> = variant<ProofSource>(uint8, {
  inline: [1, struct<{ proofs: Uint8Array }>({ proofs: opaqueV(large) })],
  blob: [2, blobReferenceCodec],
});
export type StoredStaged = Omit<StagedCommit, "change" | "next" | "sentIn" | "accepted"> & { readonly change: StoredChange };
export const stagedCodec: Codec<StoredStaged> = struct<StoredStaged>({
  change,
  entry: sealedEntry,
  nextAccessHash: id32,
  afterSeq: safeUint64,
  welcomes: vector(opaqueV(large), { maxBytes: large }),
  tree: optional(treeSource),
  proofs: optional(proofSource),
  opening: optional(settingsOpeningCodec),
});
