import {
  bool,
  concatBytes,
  decode,
  empty,
  encode,
  enumeration,
  equalBytes,
  mapped,
  opaque,
  opaqueV,
  optional,
  oneOf,
  safeUint64,
  struct,
  text,
  toBase64Url,
  uint16,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { decodeGroupState, encodeGroupState, encodeStateChanges, toLeafIndex } from "@latchkey/mls";
import type { CipherSuite, CipherSuiteId, GroupState, LeafIndex, MessageEvidence } from "@latchkey/mls";
import { blobReferenceCodec, maxContentBytes, maxMessageBytes, settingsOpeningCodec } from "@latchkey/protocol";
import type { ProofSource, SignedLeave, TreeSource } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { rosterOf } from "./roster.ts";
import { isConfirmed } from "./phase.ts";
import { settingsEditCodec } from "./settings-records.ts";
import { linkDown } from "./turn.ts";
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

/** One write of the store; `undefined` deletes. */
export interface RecordChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** Where the parts of a conversation lie. */
export const recordKeys = {
  meta: (id: string): string => `conversation/${id}`,
  group: (id: string): string => `mls/${id}/`,
  outgoing: (id: string): string => `outgoing/${id}/`,
  changes: (id: string): string => `changes/${id}`,
  staged: (id: string): string => `staged/${id}`,
  stagedGroup: (id: string): string => `staged-mls/${id}/`,
  refused: (id: string, entryId = ""): string => `refused/${id}/${entryId}`,
  refusedGroup: (id: string, entryId: string): string => `refused-mls/${id}/${entryId}/`,
  heads: (id: string): string => `heads/${id}/`,
  spoken: (id: string): string => `spoken/${id}/`,
  /** The Welcome of an invitation, as it came. */
  invitation: (id: string, itemId: Uint8Array): string => `invitation/${id}/${toBase64Url(itemId)}`,
} as const;

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
interface Meta extends Omit<
  ConversationState,
  "id" | "recentHeads" | "group" | "roster" | "outgoing" | "changes" | "staged" | "refused" | "link" | "spoken"
> {
  readonly format: 19;
}

const departedLeaf: Codec<DepartedLeaf> = struct<DepartedLeaf>({ leafIndex, accountId: id32, deviceId: opaque(16) });
const awayAccount: Codec<AwayAccount> = struct<AwayAccount>({ accountId: id32, from: safeUint64, until: safeUint64 });
const spoken: Codec<Spoken> = struct<Spoken>({
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

const meta: Codec<Meta> = struct<Meta>({
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

type StoredOutgoing = Omit<Outgoing, "order" | "sentIn" | "accepted">;
const outgoing: Codec<StoredOutgoing> = struct<StoredOutgoing>({
  id: text(64),
  purpose: enumeration<Purpose>(uint8, { text: 1, profile: 2, leave: 3, sync: 4, account: 5, change: 6, receipt: 7 }),
  text: text(1 << 20),
  composedAtMs: safeUint64,
  content: opaqueV(maxContentBytes),
  rosterAdds: safeUint64,
  failure: optional(failureCode),
  sealed: optional(sealedMessage),
});

const joiner: Codec<Joiner> = struct<Joiner>({
  host: text(260),
  accountId: id32,
  deviceId: opaque(16),
  inboxId: id32,
  inboxKey: opaqueV(4096),
  keyPackage: opaqueV(65_536),
});
type StoredChange = Omit<Change, "merged">;
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
const changes: Codec<StoredChange[]> = vector(change, { maxBytes: 2 * large });

const treeSource: Codec<TreeSource> = variant<TreeSource>(uint8, {
  inline: [1, struct<{ tree: Uint8Array }>({ tree: opaqueV(large) })],
  blob: [2, blobReferenceCodec],
});
const proofSource: Codec<ProofSource> = variant<ProofSource>(uint8, {
  inline: [1, struct<{ proofs: Uint8Array }>({ proofs: opaqueV(large) })],
  blob: [2, blobReferenceCodec],
});
type StoredStaged = Omit<StagedCommit, "change" | "next" | "sentIn" | "accepted"> & { readonly change: StoredChange };
const staged: Codec<StoredStaged> = struct<StoredStaged>({
  change,
  entry: sealedEntry,
  nextAccessHash: id32,
  afterSeq: safeUint64,
  welcomes: vector(opaqueV(large), { maxBytes: large }),
  tree: optional(treeSource),
  proofs: optional(proofSource),
  opening: optional(settingsOpeningCodec),
});

/** The writes that turn the stored `before` into `after`: what did not change is not written. */
export function recordChanges(before: ConversationState | undefined, after: ConversationState): RecordChange[] {
  const { id } = after;
  const writes: RecordChange[] = [];
  if (before === undefined || hasMetaChanged(before, after)) {
    writes.push({ key: recordKeys.meta(id), value: encode(meta, { format: 19, ...after }) });
  }
  writes.push(...outgoingChanges(before?.outgoing ?? [], after));
  if ((before?.changes ?? noChanges) !== after.changes && (before !== undefined || after.changes.length > 0)) {
    writes.push({ key: recordKeys.changes(id), value: after.changes.length === 0 ? undefined : encode(changes, [...after.changes]) });
  }
  writes.push(...stagedChanges([recordKeys.staged(id), recordKeys.stagedGroup(id)], before?.staged, after.staged));
  writes.push(...refusedChanges(before?.refused ?? [], after));
  writes.push(...groupChanges(recordKeys.group(id), before?.group, after.group));
  writes.push(...invitationChanges(before?.invitations ?? [], after));
  writes.push(...headChanges(before, after), ...spokenChanges(before?.spoken ?? new Map(), after));
  return writes;
}

const noChanges: readonly Change[] = [];

/** Fields that no record holds, or that have records of their own. */
const apart: ReadonlySet<string> = new Set([
  "recentHeads",
  "group",
  "roster",
  "outgoing",
  "changes",
  "staged",
  "refused",
  "link",
  "id",
  "spoken",
]);

function hasMetaChanged(before: ConversationState, after: ConversationState): boolean {
  // Object.keys of a state are its fields.
  return (Object.keys(after) as (keyof ConversationState)[]).some((field) => !apart.has(field) && before[field] !== after[field]);
}

function outgoingChanges(before: readonly Outgoing[], { id, outgoing: after }: ConversationState): RecordChange[] {
  if (before === after) return [];
  const prefix = recordKeys.outgoing(id);
  const old = new Map(before.map((item) => [item.order, item]));
  const writes: RecordChange[] = [];
  for (const item of after) {
    if (isOutgoingChanged(old.get(item.order), item))
      writes.push({ key: prefix + orderSegment(item.order), value: encode(outgoing, item) });
    old.delete(item.order);
  }
  for (const order of old.keys()) writes.push({ key: prefix + orderSegment(order), value: undefined });
  return writes;
}

/** Whether its record changes; that it was acknowledged is known again from the log (spec L-6). */
function isOutgoingChanged(before: Outgoing | undefined, after: Outgoing): boolean {
  if (before === undefined || before.sealed !== after.sealed) return true;
  return before.failure !== after.failure || before.rosterAdds !== after.rosterAdds;
}

function stagedChanges(
  [key, groupPrefix]: readonly [key: string, groupPrefix: string],
  before: StagedCommit | undefined,
  after: StagedCommit | undefined,
): RecordChange[] {
  if (before?.entry === after?.entry) return [];
  return [...groupChanges(groupPrefix, before?.next, after?.next), { key, value: after === undefined ? undefined : encode(staged, after) }];
}

function refusedChanges(before: readonly StagedCommit[], { id, refused: after }: ConversationState): RecordChange[] {
  if (before === after) return [];
  const keys = ({ entry }: StagedCommit): readonly [string, string] => {
    const entryId = toBase64Url(entry.entryId);
    return [recordKeys.refused(id, entryId), recordKeys.refusedGroup(id, entryId)];
  };
  return [
    ...before.filter((commit) => !after.includes(commit)).flatMap((commit) => stagedChanges(keys(commit), commit, undefined)),
    ...after.filter((commit) => !before.includes(commit)).flatMap((commit) => stagedChanges(keys(commit), undefined, commit)),
  ];
}

function groupChanges(prefix: string, before: GroupState | undefined, after: GroupState | undefined): RecordChange[] {
  if (before === after) return [];
  const prefixed = (records: readonly RecordChange[]): RecordChange[] => records.map(({ key, value }) => ({ key: prefix + key, value }));
  if (after === undefined)
    return before === undefined ? [] : prefixed(encodeGroupState(before).map(({ key }) => ({ key, value: undefined })));
  return prefixed(before === undefined ? encodeGroupState(after) : encodeStateChanges(before, after));
}

function spokenChanges(before: ReadonlyMap<number, Spoken>, { id, spoken: after }: ConversationState): RecordChange[] {
  if (before === after) return [];
  const key = (leaf: number): string => recordKeys.spoken(id) + orderSegment(leaf);
  const changed = [...after].filter(([leaf, value]) => before.get(leaf) !== value);
  const gone = [...before.keys()].filter((leaf) => !after.has(leaf));
  return [
    ...changed.map(([leaf, value]) => ({ key: key(leaf), value: encode(spoken, value) })),
    ...gone.map((leaf) => ({ key: key(leaf), value: undefined })),
  ];
}

/** The Welcome of an invitation goes with it. */
function invitationChanges(before: readonly Invitation[], { id, invitations: after }: ConversationState): RecordChange[] {
  const gone = before.filter(({ itemId }) => !after.some((waiting) => equalBytes(waiting.itemId, itemId)));
  return gone.map(({ itemId }) => ({ key: recordKeys.invitation(id, itemId), value: undefined }));
}

/** The heads of the entries that are new, as one record named by the last of them. */
function headChanges(before: ConversationState | undefined, after: ConversationState): RecordChange[] {
  const { seq } = after.chain;
  const isReplaced = before !== undefined && (before.joinedSeq !== after.joinedSeq || !equalBytes(before.groupId, after.groupId));
  if (isReplaced && !isConfirmed(before)) {
    // The one head that is kept was somebody's word, and is not of this chain (spec M-9).
    const old = { key: recordKeys.heads(after.id) + orderSegment(before.chain.seq), value: undefined };
    return [old, ...headChanges(undefined, after)];
  }
  const count = Math.min(before === undefined ? 1 : seq - before.chain.seq, after.recentHeads.length);
  // A chain that is read again from an earlier place has its heads already.
  if (count <= 0) return [];
  return [{ key: recordKeys.heads(after.id) + orderSegment(seq), value: concatBytes(...after.recentHeads.slice(-count)) }];
}

/** The head after entry `seq`, where it was kept. */
export async function loadHead(tx: StoreTransaction, id: string, seq: number): Promise<Uint8Array | undefined> {
  const prefix = recordKeys.heads(id);
  const range = seq === 0 ? { prefix } : { prefix, after: prefix + orderSegment(seq - 1) };
  const [first] = await tx.scan({ ...range, limit: 1 });
  if (first === undefined) return undefined;
  const [key, heads] = first;
  const end = heads.length - 32 * (parseOrderSegment(key.slice(prefix.length)) - seq);
  return end < 32 ? undefined : heads.slice(end - 32, end);
}

/** A conversation as it is stored, without its group (see `loadGroup`). */
export async function loadConversation(
  tx: StoreTransaction,
  id: string,
  suiteOf: (id: CipherSuiteId) => CipherSuite,
): Promise<ConversationState | undefined> {
  const stored = await tx.get(recordKeys.meta(id));
  if (stored === undefined) return undefined;
  const { format: _format, ...fields } = decode(meta, stored);
  const prefix = recordKeys.outgoing(id);
  const waiting = await tx.scan({ prefix });
  const storedChanges = await tx.get(recordKeys.changes(id));
  return {
    ...fields,
    id,
    recentHeads: [fields.chain.head],
    spoken: new Map(),
    group: undefined,
    roster: undefined,
    outgoing: waiting.map(([key, value]) => ({
      ...decode(outgoing, value),
      order: parseOrderSegment(key.slice(prefix.length)),
      sentIn: 0,
      accepted: undefined,
    })),
    changes: storedChanges === undefined ? noChanges : decode(changes, storedChanges),
    staged: await loadStaged(tx, [recordKeys.staged(id), recordKeys.stagedGroup(id)], suiteOf(fields.suiteId)),
    refused: await loadRefused(tx, id, suiteOf(fields.suiteId)),
    link: linkDown,
  };
}

async function loadStaged(
  tx: StoreTransaction,
  [key, groupPrefix]: readonly [key: string, groupPrefix: string],
  suite: CipherSuite,
): Promise<StagedCommit | undefined> {
  const stored = await tx.get(key);
  if (stored === undefined) return undefined;
  const next = decodeGroupState(suite, await loadRecords(tx, groupPrefix));
  return { ...decode(staged, stored), next, sentIn: 0, accepted: undefined };
}

async function loadRefused(tx: StoreTransaction, id: string, suite: CipherSuite): Promise<StagedCommit[]> {
  const found: StagedCommit[] = [];
  for (const [entryId] of await loadRecords(tx, recordKeys.refused(id))) {
    const commit = await loadStaged(tx, [recordKeys.refused(id, entryId), recordKeys.refusedGroup(id, entryId)], suite);
    if (commit !== undefined) found.push(commit);
  }
  return found;
}

async function loadRecords(tx: StoreTransaction, prefix: string): Promise<[string, Uint8Array][]> {
  return (await tx.scan({ prefix })).map(([key, value]) => [key.slice(prefix.length), value]);
}

/** The state with its group, ready for `step`; as it is when it has none any more. */
export async function loadGroup(tx: StoreTransaction, state: ConversationState, suite: CipherSuite): Promise<ConversationState> {
  if (state.group !== undefined || state.epoch === undefined) return state;
  const group = decodeGroupState(suite, await loadRecords(tx, recordKeys.group(state.id)));
  const heard = (await loadRecords(tx, recordKeys.spoken(state.id))).map(([segment, value]): [number, Spoken] => [
    parseOrderSegment(segment),
    decode(spoken, value),
  ]);
  return { ...state, group, roster: rosterOf(group, state.opening), spoken: new Map(heard) };
}
