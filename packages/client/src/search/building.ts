import { decode, encode, enumeration, safeUint64, struct, text, uint16, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { withTranscripts } from "../files/transcripts.ts";
import type { Platform } from "../platform/platform.ts";
import { createSingleFlight } from "../single-flight.ts";
import { parseOrderSegment } from "../store/store.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import { countArrivals } from "../timeline/arrivals.ts";
import { allLinesPrefix, decodeLine } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { dropSegments, updateIndex } from "./search-index.ts";
import { indexDoneKey, indexVersion } from "./index-version.ts";
import type { SegmentListener } from "./search-index.ts";

/*
 * A profile of an earlier version has messages of which the index knows nothing. They are taken in slice by slice, each in a transaction with
 * the place where to go on, so that a crash costs nothing. What comes, changes or goes meanwhile is followed as always: a line that is taken in
 * twice is the same line.
 *
 *   (nothing) or another version --> clearing --> building --> done, which is a record of its own
 */

/** Lines that are taken in at once. */
const linesAtOnce = 200;
const betweenMs = 10;
const retryMs = 10_000;

interface State {
  readonly version: number;
  readonly phase: "clearing" | "building";
  /** The key of the last line that was taken in; "" before the first. */
  readonly after: string;
  readonly lines: number;
}
const stateCodec: Codec<State> = struct<State>({
  version: uint16,
  phase: enumeration<State["phase"]>(uint8, { clearing: 1, building: 2 }),
  after: text(512),
  lines: safeUint64,
});
const stateKey = "search-state";

/** How far it is, in lines of all conversations. */
export interface BuildProgress {
  readonly done: number;
  readonly of: number;
}

/** Takes the messages that were there before the index into it. */
export class IndexBuilding {
  readonly #params: { readonly store: Store; readonly platform: Pick<Platform, "setTimer">; readonly onSegment: SegmentListener };
  readonly #flight = createSingleFlight(() => this.#run());
  #progress: BuildProgress | undefined;
  #cancelTimer = (): void => undefined;
  #closed = false;

  constructor(params: { readonly store: Store; readonly platform: Pick<Platform, "setTimer">; readonly onSegment: SegmentListener }) {
    this.#params = params;
  }

  /** How far it is; `undefined` where everything is in the index. */
  get progress(): BuildProgress | undefined {
    return this.#progress;
  }

  /** Looks whether anything is to be done, which is known when this resolves, and goes on with it. */
  async start(): Promise<void> {
    const { store } = this.#params;
    if (await store.transact("read", isEmpty)) {
      await store.transact("write", async (tx) => {
        if (await isEmpty(tx)) tx.put(indexDoneKey, new Uint8Array([indexVersion]));
      });
    }
    if (await this.#tell()) this.#wake();
  }

  /** Resolves when no slice is being taken in. */
  async settled(): Promise<void> {
    await this.#flight.settled();
    // What comes after a failure is asked for then.
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#flight.settled();
    this.#cancelTimer();
  }

  #wake(): void {
    if (!this.#closed) void this.#flight.wake().catch(() => this.#later(retryMs));
  }

  #later(delayMs: number): void {
    if (!this.#closed) this.#cancelTimer = this.#params.platform.setTimer(delayMs, () => this.#wake());
  }

  async #run(): Promise<void> {
    await this.#params.store.transact("write", (tx) => this.#step(tx));
    if (await this.#tell()) this.#later(betweenMs);
  }

  /** Says how far it is; whether anything is left to do. */
  async #tell(): Promise<boolean> {
    this.#progress = await this.#params.store.transact("read", async (tx) => {
      if (await isDone(tx)) return undefined;
      const done = (await loadState(tx))?.lines ?? 0;
      return { done, of: Math.max(done, this.#progress?.of ?? (await countArrivals(tx))) };
    });
    return this.#progress !== undefined;
  }

  async #step(tx: StoreTransaction): Promise<void> {
    if (await isDone(tx)) return;
    const state = (await loadState(tx)) ?? ({ version: indexVersion, phase: "clearing", after: "", lines: 0 } as const);
    tx.delete(indexDoneKey);
    const next = state.phase === "clearing" ? await this.#clear(tx, state) : await this.#takeIn(tx, state);
    if (next !== undefined) {
      tx.put(stateKey, encode(stateCodec, next));
      return;
    }
    tx.delete(stateKey);
    tx.put(indexDoneKey, new Uint8Array([indexVersion]));
  }

  async #clear(tx: StoreTransaction, state: State): Promise<State> {
    const isClear = await dropSegments(tx, this.#params.onSegment);
    return isClear ? { ...state, phase: "building" } : state;
  }

  /** @returns `undefined` once all are in */
  async #takeIn(tx: StoreTransaction, state: State): Promise<State | undefined> {
    const range = state.after === "" ? {} : { after: state.after };
    const found = await tx.scan({ prefix: allLinesPrefix, ...range, limit: linesAtOnce });
    const byConversation = new Map<string, Line[]>();
    for (const [key, value] of found) {
      const [conversationId = "", order = ""] = key.slice(allLinesPrefix.length).split("/");
      const line = decodeLine(value, parseOrderSegment(order));
      if (line === undefined) continue;
      const lines = byConversation.get(conversationId) ?? [];
      lines.push(await withTranscripts(tx, conversationId, line));
      byConversation.set(conversationId, lines);
    }
    for (const [conversationId, lines] of byConversation)
      await updateIndex(tx, conversationId, { lines, erased: [] }, this.#params.onSegment);
    const last = found.at(-1);
    return last === undefined || found.length < linesAtOnce ? undefined : { ...state, after: last[0], lines: state.lines + found.length };
  }
}

async function loadState(tx: StoreTransaction): Promise<State | undefined> {
  const stored = await tx.get(stateKey);
  const state = stored === undefined ? undefined : decode(stateCodec, stored);
  return state?.version === indexVersion ? state : undefined;
}

/** Whether there is neither an index nor anything that belongs into one. */
async function isEmpty(tx: StoreTransaction): Promise<boolean> {
  const known = [await tx.get(stateKey), await tx.get(indexDoneKey)];
  return known.every((value) => value === undefined) && (await tx.scan({ prefix: allLinesPrefix, limit: 1 })).length === 0;
}

async function isDone(tx: StoreTransaction): Promise<boolean> {
  return (await tx.get(indexDoneKey))?.[0] === indexVersion;
}
