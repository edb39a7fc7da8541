import { equalBytes, decode } from "@latchkey/codec";
import { isEmptyHash, logEntryCodec, nextReplay, replayRoot, TransparencyError } from "@latchkey/transparency";
import type { DirectoryView, ReplayState, SubtreeId } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import type { OwnReplay } from "./host-record.ts";
import type { RecordSource } from "./record-source.ts";

/** What a device replays by itself in a day (spec D-3). */
const dailyBytes = 2 * 1024 * 1024;
/** Entries fetched at a time. */
const batch = 64;

/** A replay that begins at the view; what came before is taken as it is. @throws TransparencyError, ClientError as the source */
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
      const to = Math.min(view.size, state.size + batch);
      for (const entry of await source.entries(state.size, to, view.size)) {
        const { changesHash } = decode(logEntryCodec, entry);
        const transition = isEmptyHash(changesHash) ? undefined : await source.transition(state.size);
        ({ state } = nextReplay(state, { entry, transition }));
      }
      fetchedBytes = source.fetchedBytes - startBytes;
    }
    if (state.size === view.size && !equalBytes(replayRoot(state), view.root)) {
      throw new TransparencyError("fork", "D-3", "the entries are not those of the log");
    }
    return { replay: { state, day, fetchedBytes }, failure: undefined };
  } catch (error) {
    if (error instanceof ClientError) return { replay: before, failure: undefined };
    if (!(error instanceof TransparencyError)) throw error;
    // A transition that is not there now may be there later; until then nothing is claimed.
    return { replay: before, failure: error.code === "missing" ? undefined : error };
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
  if (!equalBytes(replayRoot(state), view.root)) throw new TransparencyError("fork", "D-3", "the tiles are not those of the log");
  return state;
}
