import { concatBytes } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { loadLines } from "./history.ts";
import type { Line } from "./line.ts";
import { noMentions } from "./line.ts";
import type { Said, SaidBody } from "./said.ts";
import { Timeline } from "./timeline.ts";
import type { Flushed } from "./timeline.ts";

export const conversationId = "conversation";
export const dayMs = 86_400_000;
export const startMs = 1_767_225_600_000;

/** An account, or a message's id, that is told apart by a number. */
export const bytes = (fill: number): Uint8Array => concatBytes(new Uint8Array([1, fill >> 8, fill & 255]), new Uint8Array(29));
export const ada: Uint8Array = bytes(1001);
export const ben: Uint8Array = bytes(1002);
export const cyd: Uint8Array = bytes(1003);

/** Something said at a place, a second after what stands before it; ids are told apart by the place where none is given. */
export function said(order: number, author: Uint8Array, body: SaidBody, over: Partial<Said> = {}): Said {
  const atMs = startMs + order * 1000;
  return {
    order,
    id: bytes(order),
    author,
    device: undefined,
    claimedAtMs: atMs,
    sentAtMs: atMs,
    arrivedAtMs: atMs,
    acceptedAtMs: 0,
    body,
    inReplyTo: undefined,
    forwardedHops: 0,
    mentions: noMentions,
    may: { post: true, pin: false, deleteOthers: false },
    ...over,
  };
}

export const leads: Pick<Said, "may"> = { may: { post: true, pin: true, deleteOthers: true } };

/** Does something to the timeline of a store, in a transaction. */
export async function change(
  store: Store,
  run: (timeline: Timeline, tx: StoreTransaction) => Promise<unknown>,
  { self = ada, nowMs = startMs + dayMs, isSure = true }: { self?: Uint8Array; nowMs?: number; isSure?: boolean } = {},
): Promise<Flushed> {
  return await store.transact("write", async (tx) => {
    const timeline = new Timeline({ tx, conversationId, self, nowMs, isSure, onSegment: () => undefined, onFilesGone: () => undefined });
    await run(timeline, tx);
    return await timeline.flush();
  });
}

/** Takes in what was said, in so many transactions as there are things said. */
export async function takeAll(store: Store, all: readonly Said[]): Promise<void> {
  for (const one of all) await change(store, (timeline) => timeline.take(one));
}

export async function linesOf(store: Store): Promise<Line[]> {
  return await store.transact("read", (tx) => loadLines(tx, conversationId, { limit: 100_000 }));
}
