import { concatBytes, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { encodeGroupState, encodeStateChanges } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import { orderSegment } from "../store/store.ts";
import { isConfirmed } from "./phase.ts";
import { noRenewal, renewalCodec } from "./renewal.ts";
import type { Spoken } from "./said.ts";
import type { Change, ConversationState, Invitation, Outgoing, StagedCommit } from "./types.ts";
import { changesCodec, metaCodec, outgoingCodec, spokenCodec, stagedCodec } from "./record-codecs.ts";

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
  renewal: (id: string): string => `renewal/${id}`,
  spoken: (id: string): string => `spoken/${id}/`,
  /** The Welcome of an invitation, as it came. */
  invitation: (id: string, itemId: Uint8Array): string => `invitation/${id}/${toBase64Url(itemId)}`,
} as const;

/** The writes that turn the stored `before` into `after`: what did not change is not written. */
export function recordChanges(before: ConversationState | undefined, after: ConversationState): RecordChange[] {
  const { id } = after;
  const writes: RecordChange[] = [];
  if (before === undefined || hasMetaChanged(before, after)) {
    writes.push({ key: recordKeys.meta(id), value: encode(metaCodec, { format: 19, ...after }) });
  }
  writes.push(...outgoingChanges(before?.outgoing ?? [], after));
  if ((before?.changes ?? noChanges) !== after.changes && (before !== undefined || after.changes.length > 0)) {
    writes.push({ key: recordKeys.changes(id), value: after.changes.length === 0 ? undefined : encode(changesCodec, [...after.changes]) });
  }
  if (before?.renewal !== after.renewal)
    writes.push({ key: recordKeys.renewal(id), value: after.renewal === noRenewal ? undefined : encode(renewalCodec, after.renewal) });
  writes.push(...stagedChanges([recordKeys.staged(id), recordKeys.stagedGroup(id)], before?.staged, after.staged));
  writes.push(...refusedChanges(before?.refused ?? [], after));
  writes.push(...groupChanges(recordKeys.group(id), before?.group, after.group));
  writes.push(...invitationChanges(before?.invitations ?? [], after));
  writes.push(...headChanges(before, after), ...spokenChanges(before?.spoken ?? new Map(), after));
  return writes;
}

export const noChanges: readonly Change[] = [];

/** Fields that no record holds, or that have records of their own. */
const apart: ReadonlySet<string> = new Set([
  "recentHeads",
  "group",
  "roster",
  "outgoing",
  "changes",
  "staged",
  "renewal",
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
      writes.push({ key: prefix + orderSegment(item.order), value: encode(outgoingCodec, item) });
    old.delete(item.order);
  }
  for (const order of old.keys()) writes.push({ key: prefix + orderSegment(order), value: undefined });
  return writes;
}

/** Whether its record changes; that it was acknowledged is known again from the log (spec L-6). */
function isOutgoingChanged(before: Outgoing | undefined, after: Outgoing): boolean {
  if (before === undefined || before.sealed !== after.sealed) return true;
  if (before.failure !== after.failure || before.uploads !== after.uploads) return true;
  return before.rosterAdds !== after.rosterAdds || before.undoUntilMs !== after.undoUntilMs;
}

function stagedChanges(
  [key, groupPrefix]: readonly [key: string, groupPrefix: string],
  before: StagedCommit | undefined,
  after: StagedCommit | undefined,
): RecordChange[] {
  if (before?.entry === after?.entry) return [];
  return [
    ...groupChanges(groupPrefix, before?.next, after?.next),
    { key, value: after === undefined ? undefined : encode(stagedCodec, after) },
  ];
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
    ...changed.map(([leaf, value]) => ({ key: key(leaf), value: encode(spokenCodec, value) })),
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
