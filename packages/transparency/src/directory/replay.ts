import { equalBytes, mapped, opaque, opaqueV, safeUint64, struct, text, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { leafHash } from "../log/hashes.ts";
import { IncrementalTree } from "../log/incremental-tree.ts";
import { emptyHash, isEmptyHash } from "../map/nodes.ts";
import { changesHashOf, decodeTransition, verifyTransition } from "../map/transition.ts";
import { checkSuccessorConfig, configNoticeMs } from "./config.ts";
import { configHashOf, decodeOrRefuse, directoryConfigCodec, formatCodec, logEntryCodec } from "./structures.ts";
import type { LogEntry } from "./structures.ts";

/** All that a replay needs to go on: what witnesses and audits keep. Immutable. */
export interface ReplayState {
  readonly origin: string;
  /** H of entry 0's config. */
  readonly configHash: Uint8Array;
  readonly vrfPublicKey: Uint8Array;
  /** Entries replayed, 1 or more. */
  readonly size: number;
  /** Of the log's tree (`IncrementalTree`). */
  readonly rightEdge: readonly Uint8Array[];
  readonly mapRoot: Uint8Array;
  readonly leafCount: number;
  readonly timestampMs: number;
  readonly configIndex: number;
  /** Log time of the newest config's entry. */
  readonly configLoggedMs: number;
}

/** One replayed publication. */
export interface ReplayStep {
  readonly state: ReplayState;
  readonly entry: LogEntry;
  /** Labels that got a value. */
  readonly changed: number;
  /** Those of them that are new. */
  readonly added: number;
}

/** An entry of the log with the transition that its `changesHash` names; none when that is zeros. */
export interface ReplayItem {
  readonly entry: Uint8Array;
  readonly transition: Uint8Array | undefined;
}

const storedReplayState: Codec<ReplayState & { format: 1; ext: Uint8Array }> = struct<ReplayState & { format: 1; ext: Uint8Array }>({
  format: formatCodec,
  origin: text(300),
  configHash: opaque(32),
  vrfPublicKey: opaque(32),
  size: safeUint64,
  rightEdge: vector(opaque(32), { maxBytes: 64 * 32 }),
  mapRoot: opaque(32),
  leafCount: safeUint64,
  timestampMs: safeUint64,
  configIndex: safeUint64,
  configLoggedMs: safeUint64,
  // Kept locally: another version of it is another format.
  ext: opaqueV(0),
});

export const replayStateCodec: Codec<ReplayState> = mapped(
  storedReplayState,
  (value) => ({ ...value, format: 1 as const, ext: new Uint8Array(0) }),
  ({ format: _format, ext: _ext, ...value }) => value,
);

/** The root of the log's tree over all that was replayed: to be compared with a checkpoint's. */
export function replayRoot(state: ReplayState): Uint8Array {
  return IncrementalTree.from(state).root();
}

/**
 * Replays one more publication (spec D-3): time goes on, the transition is the one that the entry names and leads from the map
 * before to the entry's map, the number of leaves is right, a config follows the one before it (spec D-2).
 * @throws TransparencyError `malformed`, `proof`, `rule`, `config` or `missing`, each naming its rule.
 */
export function nextReplay(state: ReplayState | undefined, item: ReplayItem): ReplayStep {
  const entry = decodeOrRefuse(logEntryCodec, item.entry, "D-3");
  const tree = state === undefined ? new IncrementalTree() : IncrementalTree.from(state);
  const index = tree.size;
  const next = { ...(state === undefined ? firstConfig(entry) : laterConfig(state, entry, index)) };
  if (state !== undefined && entry.timestampMs <= state.timestampMs) {
    throw new TransparencyError("rule", "D-3", "an entry of the log is not later than the one before it");
  }
  const before = { mapRoot: state?.mapRoot ?? emptyHash, leafCount: state?.leafCount ?? 0 };
  const { changed, added } = replayMap(before, entry, item.transition);
  tree.append(leafHash(item.entry));
  const { mapRoot, leafCount, timestampMs } = entry;
  return { state: { ...next, size: tree.size, rightEdge: tree.rightEdge, mapRoot, leafCount, timestampMs }, entry, changed, added };
}

/** Replays publications in order from `from` on, or from the beginning; one step for each item. @throws TransparencyError as `nextReplay`. */
export async function* replay(params: {
  from: ReplayState | undefined;
  items: AsyncIterable<ReplayItem> | Iterable<ReplayItem>;
}): AsyncGenerator<ReplayStep, void, undefined> {
  let state = params.from;
  for await (const item of params.items) {
    const step = nextReplay(state, item);
    state = step.state;
    yield step;
  }
}

type ConfigState = Pick<ReplayState, "origin" | "configHash" | "vrfPublicKey" | "configIndex" | "configLoggedMs">;

function firstConfig(entry: LogEntry): ConfigState {
  const isFirst = entry.configIndex === 0 && entry.leafCount === 0 && isEmptyHash(entry.mapRoot) && isEmptyHash(entry.changesHash);
  if (!isFirst) throw new TransparencyError("config", "D-2", "the log does not begin with a configuration and an empty map");
  const { origin, vrfPublicKey } = decodeOrRefuse(directoryConfigCodec, entry.config, "D-2");
  return { origin, vrfPublicKey, configHash: configHashOf(entry.config), configIndex: 0, configLoggedMs: entry.timestampMs };
}

function laterConfig(state: ReplayState, entry: LogEntry, index: number): ConfigState {
  const { origin, configHash, vrfPublicKey, configIndex, configLoggedMs } = state;
  if (entry.config.length === 0) {
    if (entry.configIndex !== configIndex) throw new TransparencyError("config", "D-2", "an entry names another configuration");
    return { origin, configHash, vrfPublicKey, configIndex, configLoggedMs };
  }
  const config = decodeOrRefuse(directoryConfigCodec, entry.config, "D-2");
  checkSuccessorConfig(state, config);
  if (entry.configIndex !== index) throw new TransparencyError("config", "D-2", "an entry with a configuration names another");
  if (configIndex !== 0 && entry.timestampMs < configLoggedMs + configNoticeMs) {
    throw new TransparencyError("config", "D-2", "a configuration was logged before the one before it took effect");
  }
  return { origin, configHash, vrfPublicKey, configIndex: index, configLoggedMs: entry.timestampMs };
}

function replayMap(
  before: { readonly mapRoot: Uint8Array; readonly leafCount: number },
  entry: LogEntry,
  transitionBytes: Uint8Array | undefined,
): { changed: number; added: number } {
  let result = { changed: 0, added: 0 };
  if (isEmptyHash(entry.changesHash)) {
    if (!equalBytes(entry.mapRoot, before.mapRoot)) throw new TransparencyError("proof", "D-3", "the map changed without a transition");
  } else {
    if (transitionBytes === undefined) throw new TransparencyError("missing", "D-3", "the transition of an entry is missing");
    if (!equalBytes(changesHashOf(transitionBytes), entry.changesHash)) {
      throw new TransparencyError("proof", "D-3", "the transition is not the one that the entry names");
    }
    const transition = decodeTransition(transitionBytes);
    result = verifyTransition({ oldRoot: before.mapRoot, newRoot: entry.mapRoot, transition });
  }
  if (entry.leafCount !== before.leafCount + result.added) {
    throw new TransparencyError("proof", "D-3", "an entry counts other leaves than its transition adds");
  }
  return result;
}
