import { decode } from "@latchkey/codec";
import { decodeGroupState } from "@latchkey/mls";
import type { CipherSuite, CipherSuiteId } from "@latchkey/mls";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { noRenewal, renewalCodec } from "./renewal.ts";
import { rosterOf } from "./roster.ts";
import { linkDown } from "./turn.ts";
import type { Spoken } from "./said.ts";
import type { ConversationState, StagedCommit } from "./types.ts";
import { changesCodec, metaCodec, outgoingCodec, spokenCodec, stagedCodec } from "./record-codecs.ts";
import { noChanges, recordKeys } from "./records.ts";

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
  const { format: _format, ...fields } = decode(metaCodec, stored);
  const prefix = recordKeys.outgoing(id);
  const waiting = await tx.scan({ prefix });
  const renewal = await tx.get(recordKeys.renewal(id));
  const storedChanges = await tx.get(recordKeys.changes(id));
  return {
    ...fields,
    id,
    recentHeads: [fields.chain.head],
    spoken: new Map(),
    group: undefined,
    roster: undefined,
    outgoing: waiting.map(([key, value]) => ({
      ...decode(outgoingCodec, value),
      order: parseOrderSegment(key.slice(prefix.length)),
      sentIn: 0,
      accepted: undefined,
    })),
    changes: storedChanges === undefined ? noChanges : decode(changesCodec, storedChanges),
    staged: await loadStaged(tx, [recordKeys.staged(id), recordKeys.stagedGroup(id)], suiteOf(fields.suiteId)),
    renewal: renewal === undefined ? noRenewal : decode(renewalCodec, renewal),
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
  return { ...decode(stagedCodec, stored), next, sentIn: 0, accepted: undefined };
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
    decode(spokenCodec, value),
  ]);
  return { ...state, group, roster: rosterOf(group, state.opening), spoken: new Map(heard) };
}
