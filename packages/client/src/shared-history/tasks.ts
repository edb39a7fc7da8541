import { decode, encode, equalBytes, opaque, opaqueV, safeUint64, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { blobReferenceCodec } from "@latchkey/protocol";
import type { HistoryGiven } from "@latchkey/protocol";
import type { PastEffect } from "../core/past-effect.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/** On which days anything was kept for joiners, of which conversation. */
export const pastDays = "past-day/";

/** What is to be done, as a step of a conversation says it. */
type Task = Extract<PastEffect, { kind: "give_history" | "giving_history" | "history_given" }>;

/** Puts down what is to be given, or was given; what is on its way is done. */
export async function putTask(tx: StoreTransaction, id: string, task: Task, nowMs: number): Promise<void> {
  switch (task.kind) {
    case "give_history":
      tx.put(giveKey(id, task.joinedSeq), encode(giveCodec, { accounts: task.accounts }));
      return;
    case "giving_history":
      tx.delete(giveKey(id, task.joinedSeq));
      return;
    case "history_given":
      await putGiven(tx, id, task, nowMs);
  }
}

/** Those to whom this device has still to give what was said before. */
export interface Giving {
  readonly conversationId: string;
  readonly joinedSeq: number;
  readonly accounts: readonly Uint8Array[];
}
const giveCodec: Codec<Pick<Giving, "accounts">> = struct<Pick<Giving, "accounts">>({
  accounts: vector(opaque(32), { maxBytes: 65_536 }),
});
const gives = "give-history/";
const giveKey = (id: string, joinedSeq: number): string => `${gives}${id}/${orderSegment(joinedSeq)}`;

/** All that is to be given. */
export async function allToGive(tx: StoreTransaction): Promise<readonly Giving[]> {
  return (await tx.scan({ prefix: gives })).map(([key, value]) => {
    const [conversationId = "", segment = ""] = key.slice(gives.length).split("/");
    return { conversationId, joinedSeq: parseOrderSegment(segment), ...decode(giveCodec, value) };
  });
}

/** Nobody is there any more who could be given it. */
export function dropGiving(tx: StoreTransaction, { conversationId, joinedSeq }: Giving): void {
  tx.delete(giveKey(conversationId, joinedSeq));
}

/** What a member gave this device, until it was looked at. */
export interface Given {
  readonly conversationId: string;
  /** Of the line that tells it. */
  readonly order: number;
  readonly author: Uint8Array;
  readonly epoch: number;
  /** When it came. */
  readonly atMs: number;
  readonly given: Pick<HistoryGiven, "joinedSeq" | "archive">;
}
interface StoredGiven extends Pick<HistoryGiven, "joinedSeq" | "archive"> {
  readonly author: Uint8Array;
  readonly epoch: number;
  readonly atMs: number;
}
const givenCodec: Codec<StoredGiven> = struct<StoredGiven>({
  author: opaque(32),
  epoch: safeUint64,
  atMs: safeUint64,
  joinedSeq: safeUint64,
  archive: blobReferenceCodec,
});
const givens = "given-history/";
const givenKey = (id: string, order: number): string => `${givens}${id}/${orderSegment(order)}`;

/** So many are looked at for one joining, one of each member: what a member may cost a joiner is bounded. */
const maxGiven = 4;
const giversCodec: Codec<{ joinedSeq: number; givers: readonly Uint8Array[] }> = struct<{
  joinedSeq: number;
  givers: readonly Uint8Array[];
}>({ joinedSeq: safeUint64, givers: vector(opaqueV(32), { maxBytes: 1024 }) });
const giversKey = (id: string): string => `history-givers/${id}`;

async function putGiven(
  tx: StoreTransaction,
  id: string,
  effect: Extract<PastEffect, { kind: "history_given" }>,
  atMs: number,
): Promise<void> {
  const { order, author, epoch, given } = effect;
  const { joinedSeq, archive } = given;
  const stored = await tx.get(giversKey(id));
  const known = stored === undefined ? undefined : decode(giversCodec, stored);
  const givers = known?.joinedSeq === joinedSeq ? known.givers : [];
  if (givers.length >= maxGiven || givers.some((giver) => equalBytes(giver, author))) return;
  tx.put(giversKey(id), encode(giversCodec, { joinedSeq, givers: [...givers, author] }));
  tx.put(givenKey(id, order), encode(givenCodec, { author, epoch, atMs, joinedSeq, archive }));
}

/** All that was given and not looked at. */
export async function allGiven(tx: StoreTransaction): Promise<readonly Given[]> {
  return (await tx.scan({ prefix: givens })).map(([key, value]) => {
    const [conversationId = "", segment = ""] = key.slice(givens.length).split("/");
    const { author, epoch, atMs, joinedSeq, archive } = decode(givenCodec, value);
    return { conversationId, order: parseOrderSegment(segment), author, epoch, atMs, given: { joinedSeq, archive } };
  });
}

/** It was looked at. */
export function dropGiven(tx: StoreTransaction, { conversationId, order }: Given): void {
  tx.delete(givenKey(conversationId, order));
}
