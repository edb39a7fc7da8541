import { decode, encode, safeUint64 } from "@latchkey/codec";
import { eraseEvidenceOf } from "../engine/evidence.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { forgetFiles } from "../files/file-index.ts";
import { loadLine, putLine } from "./history.ts";
import type { Line, LineBody } from "./line.ts";

/*
 * Messages whose file is to be seen once (spec X-8): once it was, or its time is over, nothing is left here that reads it.
 */

/** So long one that was not opened can be. */
export const openableMs = 1_209_600_000;

/** So many are closed in one transaction (E-2). */
const closedAtOnce = 100;

const dayMs = 86_400_000;
const duePrefix = "once/";
/** Of what came just now: since when it is here, is not known yet. */
const undated = 0;
const seenKey = (conversationId: string, id: string): string => `seen-once/${conversationId}/${id}`;

/** When a message came to the device of one's own that had it first, and now; milliseconds since 1970 by their clocks. */
interface Times {
  readonly cameAtMs: number;
  readonly nowMs: number;
}

/** Whether the line is of a file that is to be seen once. */
export function isToBeSeenOnce(body: LineBody): boolean {
  return body.kind === "text" && body.isOnce === true && body.files !== undefined;
}

/** Whether it was seen: there is no key of it. */
export function isSeen(body: LineBody): boolean {
  return body.kind === "text" && isToBeSeenOnce(body) && body.files?.every(({ key }) => key.every((byte) => byte === 0)) === true;
}

/** The line once its file was seen; `undefined` where it has none that is to be seen once, or it was. */
export function afterSeeing(line: Line): Line | undefined {
  const { body } = line;
  if (body.kind !== "text" || !isToBeSeenOnce(body) || isSeen(body)) return undefined;
  const files = body.files?.map(({ kind, host, blobId, sizeBytes, mediaType }) => ({
    kind,
    host,
    blobId,
    sizeBytes,
    mediaType,
    key: new Uint8Array(32),
    prefix: new Uint8Array(7),
    hash: new Uint8Array(32),
    name: "",
    description: "",
  }));
  return { ...line, body: { ...body, files } };
}

/** Another device of one's own says that a message was seen, which is not here yet. */
export function noteSeen(tx: StoreTransaction, conversationId: string, id: string): void {
  tx.put(seenKey(conversationId, id), new Uint8Array(0));
}

/** Whether that was said. */
export async function wasNotedSeen(tx: StoreTransaction, conversationId: string, id: string): Promise<boolean> {
  return (await tx.get(seenKey(conversationId, id))) !== undefined;
}

/**
 * Has the key erased when its time is over. The time begins when this device first looks, by a clock that is sure, what is due, and for what
 * another device of one's own had for more than a day when it came there: a clock that was wrong when something came shortens nothing.
 */
export function closeLater(tx: StoreTransaction, conversationId: string, order: number, { cameAtMs, nowMs }: Times): void {
  const sinceMs = cameAtMs < nowMs - dayMs ? cameAtMs : undated;
  tx.put(`${duePrefix}${conversationId}/${orderSegment(order)}`, encode(safeUint64, sinceMs));
}

/** Erases the keys of some whose time is over, by a clock that is sure; the ids of their files, and whether that was all. */
export async function closeDue(
  tx: StoreTransaction,
  nowMs: number,
): Promise<{ readonly gone: readonly string[]; readonly isAll: boolean }> {
  const all = (await tx.scan({ prefix: duePrefix })).map(([key, value]) => ({ key, sinceMs: decode(safeUint64, value) }));
  for (const { key, sinceMs } of all) if (sinceMs === undated || sinceMs > nowMs) tx.put(key, encode(safeUint64, nowMs));
  const due = all.filter(({ sinceMs }) => sinceMs !== undated && nowMs - sinceMs >= openableMs);
  const gone: string[] = [];
  const closed: { readonly conversationId: string; readonly order: number }[] = [];
  for (const { key } of due.slice(0, closedAtOnce)) {
    const [conversationId = "", segment = ""] = key.slice(duePrefix.length).split("/");
    const order = parseOrderSegment(segment);
    const line = await loadLine(tx, conversationId, order);
    const after = line === undefined ? undefined : afterSeeing(line);
    if (after !== undefined) {
      putLine(tx, conversationId, after);
      closed.push({ conversationId, order });
      gone.push(...(await forgetFiles(tx, conversationId, order)));
    }
    tx.delete(key);
  }
  // What proves them has the keys within.
  await eraseEvidenceOf(tx, closed);
  return { gone, isAll: due.length <= closedAtOnce };
}
