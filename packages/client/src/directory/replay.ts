import { CodecError, decode, equalBytes } from "@latchkey/codec";
import {
  changesHashOf,
  emptyHash,
  isEmptyHash,
  leafHash,
  logEntryCodec,
  nextReplay,
  proveInclusion,
  replayRoot,
  TransparencyError,
  verifyInclusion,
} from "@latchkey/transparency";
import type { DirectoryView, ReplayItem, ReplayState, SubtreeId } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import type { OwnReplay } from "./host-record.ts";
import { unavailable } from "./record-source.ts";
import type { RecordSource } from "./record-source.ts";

/** What a device replays by itself in a day (spec D-3). */
const dailyBytes = 2 * 1024 * 1024;
/** Entries fetched at a time. */
const batch = 64;

/** A replay that begins at the view; what came before is taken as it is. @throws ClientError `directory_unproven`, to be tried again */
export async function beginReplay(params: { view: DirectoryView; source: RecordSource; nowMs: number }): Promise<OwnReplay> {
  return { state: await startAt(params.view, params.source), day: Math.floor(params.nowMs / 86_400_000), fetchedBytes: 0 };
}

/**
 * Replays the map's changes from what was replayed before, or from the view on when nothing was (spec D-3): nothing was deleted, no
 * history was rewound. Ends early when the day's measure is full or the record cannot be had; goes on from there the next time.
 */
export async function replayNew(params: {
  view: DirectoryView;
  replay: OwnReplay | undefined;
  source: RecordSource;
  nowMs: number;
}): Promise<{ replay: OwnReplay | undefined; failure: TransparencyError | undefined }> {
  const { view, source, nowMs } = params;
  const day = Math.floor(nowMs / 86_400_000);
  const before = params.replay;
  try {
    let state = before?.state ?? (await startAt(view, source));
    let fetchedBytes = before?.day === day ? before.fetchedBytes : 0;
    const startBytes = source.fetchedBytes - fetchedBytes;
    while (state.size < view.size && fetchedBytes < dailyBytes) {
      for (const item of await itemsOf({ view, from: state.size, to: Math.min(view.size, state.size + batch), source })) {
        ({ state } = nextReplay(state, item));
      }
      fetchedBytes = source.fetchedBytes - startBytes;
    }
    return { replay: { state, day, fetchedBytes }, failure: undefined };
  } catch (error) {
    // What cannot be had, or is damaged, may be there later; until then nothing is claimed (spec E-58).
    if (error instanceof ClientError) return { replay: before, failure: undefined };
    if (!(error instanceof TransparencyError)) throw error;
    return { replay: before, failure: error };
  }
}

/**
 * Entries that stand in the log's tree at these places, with the transitions that they name: what does not follow from what was before
 * convicts the log, which signed the tree.
 * @throws ClientError `directory_unproven`, to be tried again, while the host's files are other ones or cannot be had
 */
async function itemsOf(params: { view: DirectoryView; from: number; to: number; source: RecordSource }): Promise<ReplayItem[]> {
  const { view, from, to, source } = params;
  const { size, root } = view;
  const hashes = source.hashes(size);
  const items: ReplayItem[] = [];
  try {
    for (const [i, entry] of (await source.entries(from, to, size)).entries()) {
      const index = from + i;
      verifyInclusion({ index, size, leafHash: leafHash(entry), proof: await proveInclusion(index, size, hashes), root });
      const changesHash = changesHashIn(entry);
      const transition = isEmptyHash(changesHash) ? undefined : await source.transition(index);
      if (!equalBytes(transition === undefined ? emptyHash : changesHashOf(transition), changesHash)) throw unavailable();
      items.push({ entry, transition });
    }
  } catch (error) {
    if (!(error instanceof TransparencyError)) throw error;
    source.forget();
    throw unavailable(error);
  }
  return items;
}

/** The hash of an entry's transition; none for bytes that are no entry, which the replay refuses. */
function changesHashIn(entry: Uint8Array): Uint8Array {
  try {
    return decode(logEntryCodec, entry).changesHash;
  } catch (error) {
    if (error instanceof CodecError) return emptyHash;
    throw error;
  }
}

/** The state of somebody who replayed up to the view: what came before the first contact is taken as it is. */
async function startAt(view: DirectoryView, source: RecordSource): Promise<ReplayState> {
  const ids: SubtreeId[] = [];
  let begin = 0;
  for (let level = 52; level >= 0; level--) {
    const span = 2 ** level;
    if (Math.floor(view.size / span) % 2 === 0) continue;
    ids.push({ level, index: begin / span });
    begin += span;
  }
  const rightEdge = await source.hashes(view.size)(ids);
  const { origin, configHash, config, size, mapRoot, leafCount, timestampMs, configIndex } = view;
  const pending = view.pendingConfig;
  const state: ReplayState = {
    origin,
    configHash,
    vrfPublicKey: config.vrfPublicKey,
    size,
    rightEdge,
    mapRoot,
    leafCount,
    timestampMs,
    configIndex: pending?.index ?? configIndex,
    configLoggedMs: 0,
  };
  if (!equalBytes(replayRoot(state), view.root)) {
    source.forget();
    throw unavailable();
  }
  return state;
}
