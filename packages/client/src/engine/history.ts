import { bool, decode, encode, opaque, opaqueV, optional, safeUint64, struct, text, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { isQuiet } from "../core/turn.ts";
import type { DoubtedText } from "../core/lines.ts";
import type { Line, LineBody } from "../core/types.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { settingsBodies } from "./settings-lines.ts";

const id32 = opaque(32);
const accounts: Codec<{ accounts: readonly Uint8Array[] }> = struct<{ accounts: readonly Uint8Array[] }>({
  accounts: vector(id32, { maxBytes: 1 << 20 }),
});
const nothing = struct<Record<never, never>>({});
const reason = struct<{ reason: string }>({ reason: text(4096) });
const name = struct<{ name: string }>({ name: text(4096) });

const account = struct<{ account: Uint8Array }>({ account: id32 });

const doubted = struct<Omit<DoubtedText, "kind">>({
  text: text(1 << 20),
  deviceId: opaque(16),
  signaturePublicKey: opaqueV(4096),
  isDeparted: bool,
});

const body: Codec<LineBody> = variant<LineBody>(uint8, {
  text: [1, struct<{ text: string }>({ text: text(1 << 20) })],
  created: [2, name],
  added: [3, accounts],
  removed: [4, accounts],
  left: [5, nothing],
  renamed: [6, name],
  keys_updated: [7, nothing],
  expired: [8, struct<{ count: number }>({ count: safeUint64 })],
  unsupported: [9, nothing],
  unreadable: [10, reason],
  alarm: [11, reason],
  device_added: [12, account],
  device_removed: [13, account],
  recovered: [14, account],
  skipped: [15, nothing],
  complaint: [16, account],
  let_back: [17, account],
  away: [18, account],
  other_view: [20, nothing],
  doubted: [22, doubted],
  misnumbered: [21, struct<{ missing: number }>({ missing: safeUint64 })],
  ...settingsBodies,
});

type StoredLine = Omit<Line, "order">;

const line: Codec<StoredLine> = struct<StoredLine>({
  id: text(128),
  author: optional(id32),
  sentAtMs: safeUint64,
  body,
  acceptedAtMs: safeUint64,
});

/** Where the lines of a conversation lie, by their order. */
export const linePrefix = (conversationId: string): string => `line/${conversationId}/`;

/** Stores a line of the history at its place; the same place again replaces it. */
export function putLine(tx: StoreTransaction, conversationId: string, value: Line): void {
  tx.put(linePrefix(conversationId) + orderSegment(value.order), encode(line, value));
}

/** The line that stands for a conversation in the list: the newest that is not quiet, as far as that is not long ago. */
export async function loadShownLine(tx: StoreTransaction, conversationId: string): Promise<Line | undefined> {
  const lines = await loadLines(tx, conversationId, { limit: 20 });
  return lines.findLast((candidate) => !isQuiet(candidate.body)) ?? lines.at(-1);
}

/** The `limit` lines before `beforeOrder` (the newest when absent), oldest first. */
export async function loadLines(
  tx: StoreTransaction,
  conversationId: string,
  params: { beforeOrder?: number | undefined; limit: number },
): Promise<Line[]> {
  const prefix = linePrefix(conversationId);
  const before = params.beforeOrder === undefined ? {} : { before: prefix + orderSegment(params.beforeOrder) };
  const found = await tx.scan({ prefix, ...before, limit: params.limit, reverse: true });
  return found.map(([key, value]) => ({ ...decode(line, value), order: parseOrderSegment(key.slice(prefix.length)) })).toReversed();
}

const linesPerLook = 200;

/** The place of the line with this id, newest first; `undefined` when there is none. */
export async function findOrder(tx: StoreTransaction, conversationId: string, lineId: string): Promise<number | undefined> {
  let beforeOrder: number | undefined;
  for (;;) {
    const lines = await loadLines(tx, conversationId, { beforeOrder, limit: linesPerLook });
    const found = lines.findLast(({ id }) => id === lineId);
    if (found !== undefined || lines.length < linesPerLook) return found?.order;
    beforeOrder = lines[0]?.order;
  }
}
