import { equalBytes } from "@latchkey/codec";
import { configNoticeMs, emptyRoot, judgeAddCheckpoint, parseVkey } from "@latchkey/transparency";
import type { Note, ReplayState, ReplayStep, Signatures } from "@latchkey/transparency";
import { decodeConfig } from "./decode-config.ts";

// A witness's core: what it knows of a log, and what a request makes of that. No input, no output; the time comes with the request.
//
//   request -> witnessStep -> refused (the state stays)
//                          -> cosign: the next state, the note, and the keys that may sign it
//
// Invariants: the size never shrinks; of one size there is one root; the map key signs only a tree whose every transition was replayed.

/** How far the transitions of a log were replayed (spec D-3). Immutable. */
export interface Replayed {
  readonly state: ReplayState;
  /** Root of the log's tree at `state.size`. */
  readonly root: Uint8Array;
  /** The log's keys (vkeys) in the two newest configs; the same twice while there is one. */
  readonly logKeys: readonly [previous: string, newest: string];
  /** When this witness replayed the newest config, by its own clock; 0 where it was there at the first contact. */
  readonly configSeenMs: number;
}

/** What a witness keeps of a log. Immutable. */
export interface OriginState {
  readonly origin: string;
  /** H of the config of entry 0: pinned at the first contact. */
  readonly configHash: Uint8Array;
  /** The log's key in that config, a vkey. */
  readonly initialLogKey: string;
  /** Of the largest tree that was cosigned; 0 and the empty tree's root before the first. */
  readonly size: number;
  readonly root: Uint8Array;
  /** Undefined before the first replay. Never beyond `size`. */
  readonly replayed: Replayed | undefined;
}

/** What comes of a request. */
export type WitnessStep =
  /** Status 400, 403, 404 or 422 of C2SP tlog-witness. */
  | { readonly kind: "refused"; readonly status: 400 | 403 | 404 | 422 }
  /** Status 409: the log must start from `latestSize`. */
  | { readonly kind: "conflict"; readonly latestSize: number }
  | {
      readonly kind: "cosign";
      /** To be on disk before any signature leaves. */
      readonly state: OriginState;
      readonly note: Note;
      /** Whether the map key may sign as well. */
      readonly isReplayed: boolean;
    };

/** The state of a log that was never cosigned. */
export function initialState(params: Pick<OriginState, "origin" | "configHash" | "initialLogKey">): OriginState {
  return { ...params, size: 0, root: emptyRoot(), replayed: undefined };
}

/**
 * The answer to one `add-checkpoint` and the state after it (C2SP tlog-witness; spec D-3). Never throws for what the request holds.
 * `stateOf` gives what is known of a log, `replayed` how far its transitions were replayed; the latter is taken over when it is of
 * the same log and not beyond the new tree.
 */
export async function witnessStep(params: {
  body: Uint8Array;
  stateOf: (origin: string) => OriginState | undefined;
  replayed: Replayed | undefined;
  nowMs: number;
  signatures: Signatures;
}): Promise<WitnessStep> {
  const { body, stateOf, replayed, nowMs, signatures } = params;
  const verdict = await judgeAddCheckpoint({
    body,
    logOf: (origin) => {
      const state = stateOf(origin);
      return state === undefined
        ? undefined
        : { keys: logKeysOf(state, nowMs).map(parseVkey), latest: { size: state.size, root: state.root } };
    },
    signatures,
  });
  if (verdict.kind === "refused") return { kind: "refused", status: verdict.status };
  if (verdict.kind === "conflict") return { kind: "conflict", latestSize: verdict.latestSize };
  const { origin, size, root } = verdict.checkpoint;
  const state = stateOf(origin);
  if (state === undefined) return { kind: "refused", status: 404 };
  const next = withReplay({ ...state, size, root }, replayed);
  return { kind: "cosign", state: next, note: verdict.note, isReplayed: isReplayedTo(next) };
}

/** The state with a replay that came further than the one it has; the same state when it is of another log, or beyond the cosigned tree. */
export function withReplay(state: OriginState, replayed: Replayed | undefined): OriginState {
  if (replayed === undefined) return state;
  const { origin, configHash, size } = replayed.state;
  if (origin !== state.origin || !equalBytes(configHash, state.configHash)) return state;
  if (size > state.size || size <= (state.replayed?.state.size ?? 0)) return state;
  // Of one size there is one tree: a replay of another one is of no log that was cosigned here.
  if (size === state.size && !equalBytes(replayed.root, state.root)) return state;
  return { ...state, replayed };
}

/** Whether every transition up to the tree that was cosigned last was replayed. */
export function isReplayedTo({ size, root, replayed }: OriginState): boolean {
  return replayed !== undefined && replayed.state.size === size && equalBytes(replayed.root, root);
}

/** The log's keys in the two newest configs after one more step. */
export function nextLogKeys(before: Replayed["logKeys"] | undefined, { entry }: ReplayStep): Replayed["logKeys"] | undefined {
  if (entry.config.length === 0) return before;
  const { logKey } = decodeConfig(entry.config);
  return [before?.[1] ?? logKey, logKey];
}

/**
 * Keys whose signature makes a checkpoint the log's: a new one counts beside the old one until its notice is over (spec D-2), by this
 * witness's clock and not by the log's own dates, which a thief of its key writes (spec E-54).
 */
function logKeysOf({ replayed, initialLogKey }: OriginState, nowMs: number): string[] {
  if (replayed === undefined) return [initialLogKey];
  const [previous, newest] = replayed.logKeys;
  const { configIndex, configLoggedMs, timestampMs } = replayed.state;
  const isNoticeOver = timestampMs >= configLoggedMs + configNoticeMs && nowMs >= replayed.configSeenMs + configNoticeMs;
  return configIndex === 0 || isNoticeOver || previous === newest ? [newest] : [previous, newest];
}
