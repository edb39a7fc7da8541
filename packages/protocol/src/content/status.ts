import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ContentError } from "./errors.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";

/** How messages fared with their reader (draft-mahy-mimi-message-status). */
export const statusType = "application/mimi-message-status";
/** Messages of which one receipt is read; what stands behind them is left out. */
export const maxStatuses = 64;

/** Asks who has read a message: its id, of 32 bytes (spec R-3). */
export const readQueryType = "application/vnd.latchkey.read-query";

/** What became of a message, by its reader's word: numbers of the draft that this version knows. */
export interface MessageStatus {
  /** 32 bytes. */
  readonly messageId: Uint8Array;
  readonly status: "delivered" | "read";
}

const numbers: Readonly<Record<MessageStatus["status"], number>> = { delivered: 1, read: 2 };

/** The body of a receipt. */
export function statusPart(statuses: readonly MessageStatus[]): NestedPart {
  const content = encodeCbor(statuses.map(({ messageId, status }) => [messageId, numbers[status]]));
  return { kind: "single", disposition: dispositions.unspecified, language: "", contentType: statusType, content };
}

/** What a receipt says, as far as this version knows it; `undefined` for what is none. */
export function statusesOf(content: Uint8Array): readonly MessageStatus[] | undefined {
  let items: unknown;
  try {
    items = decodeCbor(content);
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
  if (!Array.isArray(items)) return undefined;
  return items.slice(0, maxStatuses).flatMap((item: unknown): readonly MessageStatus[] => {
    if (!Array.isArray(item) || item.length !== 2) return [];
    const [messageId, number]: unknown[] = item;
    if (!(messageId instanceof Uint8Array) || messageId.length !== 32 || messageId[0] !== 1) return [];
    const status = number === numbers.delivered ? "delivered" : number === numbers.read ? "read" : undefined;
    return status === undefined ? [] : [{ messageId, status }];
  });
}
