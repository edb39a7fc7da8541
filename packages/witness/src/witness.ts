import { CodecError } from "@latchkey/codec";
import {
  TransparencyError,
  addSignatures,
  clockToleranceMs,
  configHashOf,
  cosignCheckpoint,
  encodeWitnessSize,
  formatNote,
  formatSignatureLine,
  parseVkey,
  witnessSizeContentType,
} from "@latchkey/transparency";
import type { Note, NoteSignature } from "@latchkey/transparency";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { decodeConfig } from "./decode-config.ts";
import { WitnessError } from "./errors.ts";
import { createFollower } from "./follower.ts";
import type { Follower } from "./follower.ts";
import { listenHttp } from "./http-server.ts";
import type { Answer } from "./http-server.ts";
import { openKeyFile } from "./key-file.ts";
import type { CosignerKey, WitnessKeys } from "./key-file.ts";
import { httpLogSource } from "./log-source.ts";
import type { LogSource } from "./log-source.ts";
import { nodeSignatures } from "./signatures.ts";
import { openStateStore } from "./state-store.ts";
import type { StateStore } from "./state-store.ts";
import { initialState, withReplay, witnessStep } from "./step.ts";
import type { OriginState } from "./step.ts";
import { newestDate } from "./newest-date.ts";

/** How a witness is started. */
export interface WitnessOptions {
  /** The server whose log it watches, without a trailing slash. */
  readonly serverUrl: string;
  /** The file with its keys; its state stands beside it in `<keyPath>.state`. */
  readonly keyPath: string;
  /** Needed at the first start, which makes the keys. */
  readonly name?: string;
  /** Such as `127.0.0.1:2025`; port 0 takes any free one. */
  readonly listen: string;
  /** Longest that an answer waits for the replay of the map, in milliseconds; 1500 when absent. */
  readonly mapWaitMs?: number;
  /** Longest that one request to the server takes, and longest that one to the witness takes to arrive; 10 s when absent. */
  readonly requestTimeoutMs?: number;
  /** Told what an operator should know; nothing when absent. */
  readonly report?: (event: WitnessEvent) => void;
  /** The clock in milliseconds since 1970; Date.now when absent. */
  readonly nowMs?: () => number;
}

/** Something that the operator of a witness should know. */
export type WitnessEvent =
  /** The server was never reached yet: there is no log to watch. */
  | { readonly kind: "waiting"; readonly code: string; readonly message: string }
  /** The log's parts could not be had: the map key did not sign. */
  | { readonly kind: "behind"; readonly code: string; readonly message: string }
  /** The log is not what it must be: evidence. `rule` is of the specification. */
  | { readonly kind: "fault"; readonly rule: string; readonly message: string }
  /** The newest entry is dated so far ahead of this clock: one of both clocks is wrong, and nothing is signed meanwhile. */
  | { readonly kind: "ahead"; readonly aheadMs: number }
  /** A request was refused though the log's key signed it: 409 is usual after a restart, 422 is evidence of a fork. */
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "bug"; readonly name: string };

/** A witness that listens. */
export interface RunningWitness extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
  /** C2SP verifier keys. */
  readonly logKey: string;
  readonly mapKey: string;
  /** The log that it watches; undefined until its server was reached for the first time. */
  readonly origin: string | undefined;
  close(): Promise<void>;
}

/** Requests that wait for the one under way. */
const maxWaiting = 4;
const defaultRequestTimeoutMs = 10_000;

/**
 * Starts a witness: it pins the server's log when it reaches the server for the first time, and from then on cosigns what continues it.
 * @throws WitnessError with one line that says what to do
 */
export async function startWitness(options: WitnessOptions): Promise<RunningWitness> {
  const { keyPath, name } = options;
  const statePath = `${keyPath}.state`;
  const source = httpLogSource({ serverUrl: options.serverUrl, timeoutMs: options.requestTimeoutMs ?? defaultRequestTimeoutMs });
  const isFirst = !existsSync(keyPath);
  if (isFirst && existsSync(statePath)) throw new WitnessError("state_unusable", `${statePath} is there without its keys: move it away`);
  if (!isFirst && !existsSync(statePath)) {
    // Without it the same key could sign a second tree: that is what a witness is there to prevent.
    throw new WitnessError(
      "state_unusable",
      `the state in ${statePath} is missing: restore it, or move the key away and begin with a new one`,
    );
  }
  const keys = openKeyFile({ path: keyPath, name });
  const store = openStateStore({ path: statePath, logKey: keys.log.vkey, mayCreate: isFirst });
  try {
    return await run(options, keys, store, source);
  } catch (error) {
    store.close();
    throw error;
  }
}

async function run(options: WitnessOptions, keys: WitnessKeys, store: StateStore, source: LogSource): Promise<RunningWitness> {
  const report = options.report ?? (() => undefined);
  const watch = (state: OriginState, checkpoint: Uint8Array): WatchedLog =>
    watchLog({ options, keys, store, source, state, checkpoint, report });
  const [stored] = store.load();
  let log = stored === undefined ? undefined : watch(stored.state, stored.checkpoint);
  let pinning: Promise<WatchedLog | undefined> | undefined;
  // The server may not run yet: its first config names the witness's keys, so that the witness must be there first.
  const pinned = (): Promise<WatchedLog | undefined> =>
    (pinning ??= pin(source, store)
      .then((state) => (log = watch(state, new Uint8Array(0))))
      .catch((error: unknown) => {
        const event = describeFailure(error);
        report(event.kind === "behind" ? { ...event, kind: "waiting" } : event);
        return undefined;
      })
      .finally(() => {
        pinning = undefined;
      }));
  if (log === undefined) await pinned();

  const listening = await listenHttp({
    listen: options.listen,
    requestTimeoutMs: options.requestTimeoutMs ?? defaultRequestTimeoutMs,
    handlers: {
      async addCheckpoint(body) {
        const known = log ?? (await pinned());
        return known === undefined ? { status: 503, retryAfterSeconds: 2 } : known.addCheckpoint(body);
      },
      read(path) {
        const origin = log === undefined ? "no log yet" : log.origin;
        if (path === "/") return { status: 200, body: `Witness ${keys.name} of ${origin}\n${keys.log.vkey}\n${keys.map.vkey}\n` };
        const checkpoint = log === undefined || path !== monitoringPath(log.origin) ? undefined : log.checkpoint();
        return checkpoint === undefined || checkpoint.length === 0 ? undefined : { status: 200, body: checkpoint };
      },
      reportBug: (error) => report(describeFailure(error)),
    },
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await listening.close();
      await pinning;
      await log?.close();
      store.close();
    })());
  return {
    url: listening.url,
    name: keys.name,
    logKey: keys.log.vkey,
    mapKey: keys.map.vkey,
    get origin() {
      return log?.origin;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** C2SP tlog-witness, "Monitor Retrieval Mechanism". */
function monitoringPath(origin: string): string {
  return `/${createHash("sha256").update(origin).digest("hex")}/checkpoint`;
}

/** First contact: the config that the server shows now is the one for good. */
async function pin(source: LogSource, store: StateStore): Promise<OriginState> {
  const config = await source.config();
  const { origin, logKey } = decodeConfig(config);
  parseVkey(logKey);
  const state = initialState({ origin, configHash: configHashOf(config), initialLogKey: logKey });
  store.save({ previous: undefined, next: state, checkpoint: new Uint8Array(0) });
  return state;
}

interface WatchedLog {
  readonly origin: string;
  addCheckpoint(body: Uint8Array): Promise<Answer>;
  /** The last checkpoint that was cosigned, with its signatures; empty before the first. */
  checkpoint(): Uint8Array;
  close(): Promise<void>;
}

/** One log: its state, and one request at a time. */
function watchLog(params: {
  options: WitnessOptions;
  keys: WitnessKeys;
  store: StateStore;
  source: LogSource;
  state: OriginState;
  checkpoint: Uint8Array;
  report: (event: WitnessEvent) => void;
}): WatchedLog {
  const { options, keys, store, source, report } = params;
  const { nowMs = Date.now, mapWaitMs = 1500 } = options;
  let { state, checkpoint } = params;
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const save = (next: OriginState, note: Uint8Array): void => {
    store.save({ previous: state, next, checkpoint: note });
    state = next;
    checkpoint = note;
  };
  const follower: Follower = createFollower({
    source,
    configHash: state.configHash,
    start: state.replayed,
    nowMs,
    reached(replayed) {
      const next = withReplay(state, replayed);
      if (next !== state) save(next, checkpoint);
    },
    failed: (error) => report(describeFailure(error)),
  });
  const stateOf = (origin: string): OriginState | undefined => (origin === state.origin ? state : undefined);

  const cosign = async (note: Note, isReplayed: boolean): Promise<NoteSignature[]> => {
    const timeSeconds = Math.floor(nowMs() / 1000);
    const sign = ({ name, secretKey }: CosignerKey): Promise<NoteSignature> =>
      cosignCheckpoint({ note, name, secretKey, timeSeconds, signatures: nodeSignatures });
    return [await sign(keys.log), ...(isReplayed ? [await sign(keys.map)] : [])];
  };

  /** The date of the newest entry; `undefined` when it cannot be had now, and the follower says why. */
  const dateOf = async ({ size, root }: OriginState): Promise<number | undefined> => {
    try {
      return await newestDate({ source, size, root, waitMs: mapWaitMs });
    } catch (error) {
      if (error instanceof WitnessError || error instanceof TransparencyError || error instanceof CodecError) return undefined;
      throw error;
    }
  };

  /** Nothing is cosigned that is dated ahead of this clock, nor what has no date to be read (spec D-2). */
  const mayDate = (timestampMs: number | undefined): boolean => {
    const aheadMs = (timestampMs ?? Number.POSITIVE_INFINITY) - nowMs();
    if (aheadMs <= clockToleranceMs) return true;
    if (timestampMs !== undefined) report({ kind: "ahead", aheadMs });
    return false;
  };

  const answer = async (body: Uint8Array): Promise<Answer> => {
    const ask = (): ReturnType<typeof witnessStep> =>
      witnessStep({ body, stateOf, replayed: undefined, nowMs: nowMs(), signatures: nodeSignatures });
    let step = await ask();
    let date: Promise<number | undefined> | undefined;
    if (step.kind === "cosign" && !step.isReplayed) {
      // Only what the log signed, and what continues it, makes this witness read anything.
      const { size, root } = step.state;
      date = dateOf(step.state);
      const replayed = await follower.follow({ size, root, waitMs: mapWaitMs });
      step = await witnessStep({ body, stateOf, replayed, nowMs: nowMs(), signatures: nodeSignatures });
    }
    switch (step.kind) {
      case "refused":
        if (step.status === 422) report({ kind: "refused", status: step.status });
        return { status: step.status };
      case "conflict":
        return { status: 409, type: witnessSizeContentType, body: encodeWitnessSize(step.latestSize) };
      case "cosign": {
        const replayed = step.isReplayed ? step.state.replayed : undefined;
        if (!mayDate(replayed === undefined ? await date : replayed.state.timestampMs)) return { status: 503, retryAfterSeconds: 60 };
        const signatures = await cosign(step.note, step.isReplayed);
        const ownKeys = { text: step.note.text, signatures: logSignaturesOf(step.note, state.origin) };
        // On disk before it leaves: after this line the state says so, whatever becomes of the process.
        save(withReplay(step.state, state.replayed), new TextEncoder().encode(formatNote(addSignatures(ownKeys, signatures))));
        return { status: 200, body: signatures.map(formatSignatureLine).join("") };
      }
      default:
        return step satisfies never;
    }
  };

  return {
    origin: state.origin,
    async addCheckpoint(body) {
      if (waiting > maxWaiting) return { status: 503, retryAfterSeconds: 1 };
      waiting++;
      const mine = turn.then(() => answer(body));
      turn = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
    checkpoint: () => checkpoint,
    async close() {
      await turn;
      await follower.close();
    },
  };
}

/** The lines under the log's own name: what others sent along is not passed on. */
function logSignaturesOf(note: Note, origin: string): NoteSignature[] {
  return note.signatures.filter(({ name }) => name === origin);
}

function describeFailure(error: unknown): WitnessEvent {
  if (error instanceof WitnessError) return { kind: "behind", code: error.code, message: error.message };
  if (error instanceof Error && "rule" in error && typeof error.rule === "string") {
    return { kind: "fault", rule: error.rule, message: error.message };
  }
  return { kind: "bug", name: error instanceof Error ? error.name : "unknown" };
}
