import { equalBytes } from "@latchkey/codec";
import { TransparencyError, replay, replayRoot } from "@latchkey/transparency";
import type { ReplayState } from "@latchkey/transparency";
import type { LogSource } from "./log-source.ts";
import { replayItems } from "./replay-items.ts";
import { nextLogKeys } from "./step.ts";
import type { Replayed } from "./step.ts";

/** Replays the transitions of one log, as far as it is asked to; one replay at a time. */
export interface Follower {
  /**
   * How far the replay came, after at most `waitMs`; it goes on afterwards by itself. Entries count only once they led to the `root` of
   * `size`, which the caller has found to be the log's.
   * Never throws: what goes wrong is told to `failed`.
   */
  follow(params: { size: number; root: Uint8Array; waitMs: number }): Promise<Replayed | undefined>;
  /** Ends the replay that is under way. */
  close(): Promise<void>;
}

/**
 * A follower that goes on from `start`; `reached` is called when a replay ended well, `failed` when the log's parts are not to be had
 * (WitnessError) or are not a replay of the tree asked for (TransparencyError).
 */
export function createFollower(params: {
  source: LogSource;
  configHash: Uint8Array;
  start: Replayed | undefined;
  nowMs: () => number;
  reached: (replayed: Replayed) => void;
  failed: (error: unknown) => void;
}): Follower {
  const { source, configHash, nowMs, reached, failed } = params;
  let replayed = params.start;
  let running: Promise<void> | undefined;
  const stop = new AbortController();

  const run = async (size: number, root: Uint8Array): Promise<void> => {
    let state: ReplayState | undefined = replayed?.state;
    let logKeys = replayed?.logKeys;
    let configSeenMs = replayed?.configSeenMs ?? 0;
    const isFirst = replayed === undefined;
    const items = replayItems({ source, from: state?.size ?? 0, size, signal: stop.signal });
    for await (const step of replay({ from: state, items })) {
      ({ state } = step);
      logKeys = nextLogKeys(logKeys, step);
      if (!isFirst && step.entry.config.length > 0) configSeenMs = nowMs();
      if (!equalBytes(state.configHash, configHash))
        throw new TransparencyError("config", "D-2", "the log begins with another configuration");
    }
    if (state === undefined || logKeys === undefined) return;
    const found = replayRoot(state);
    // Until here nothing was proved: tiles are not signed.
    if (!equalBytes(found, root))
      throw new TransparencyError("proof", "D-3", "the entries that are served are not those of the checkpoint");
    replayed = { state, root: found, logKeys, configSeenMs };
    reached(replayed);
  };

  const begin = (size: number, root: Uint8Array): Promise<void> =>
    run(size, root)
      .catch((error: unknown) => {
        if (!stop.signal.aborted) failed(error);
      })
      .finally(() => {
        running = undefined;
      });

  return {
    async follow({ size, root, waitMs }) {
      const deadline = performance.now() + waitMs;
      let isAsked = false;
      while (!stop.signal.aborted && (replayed?.state.size ?? 0) < size) {
        // One that is under way was begun for an older tree: this one goes on from there.
        if (running === undefined) {
          if (isAsked) break;
          isAsked = true;
          running = begin(size, root);
        }
        if (!(await settledBy(running, deadline))) break;
      }
      return replayed;
    },
    async close() {
      stop.abort();
      await running;
    },
  };
}

/** Whether a promise that never rejects settled before the deadline (of `performance.now`). */
async function settledBy(promise: Promise<void>, deadline: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), Math.max(0, deadline - performance.now()));
  try {
    return await Promise.race([promise.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
