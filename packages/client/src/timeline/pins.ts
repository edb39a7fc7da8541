import { decode, encode, equalBytes, opaque, safeUint64, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";

/** So many pins stand; a newer one takes the oldest's place (spec X-10). */
export const maxPins = 5;
/** Messages of which it is kept whether they are pinned: the newest said. */
const maxKept = 64;

/** What was said last of whether a message is pinned. */
export interface PinSaid {
  readonly messageId: Uint8Array;
  readonly order: number;
  readonly author: Uint8Array;
  /** Milliseconds since 1970; 0 for one that was taken back, the largest safe integer for one without an end. */
  readonly untilMs: number;
}

const codec: Codec<PinSaid[]> = vector(
  struct<PinSaid>({ messageId: opaque(32), order: safeUint64, author: opaque(32), untilMs: safeUint64 }),
  { maxBytes: 1 << 20 },
);

const key = (conversationId: string): string => `pins/${conversationId}`;

/** Everything that was said of pins, newest first. */
export async function loadPins(tx: StoreTransaction, conversationId: string): Promise<readonly PinSaid[]> {
  const stored = await tx.get(key(conversationId));
  return stored === undefined ? [] : decode(codec, stored);
}

/** Takes in what somebody who may said of a pin; whichever came first here, what stands last in the log counts. */
export async function putPin(tx: StoreTransaction, conversationId: string, said: PinSaid): Promise<void> {
  tx.put(key(conversationId), encode(codec, [...withPin(await loadPins(tx, conversationId), said)]));
}

/** Pure: of each message what was said last, newest first. */
export function withPin(pins: readonly PinSaid[], said: PinSaid): readonly PinSaid[] {
  const known = pins.find(({ messageId }) => equalBytes(messageId, said.messageId));
  if (known !== undefined && known.order >= said.order) return pins;
  return [...pins.filter((pin) => pin !== known), said].toSorted((a, b) => b.order - a.order).slice(0, maxKept);
}

/** The messages that are pinned now, newest first: the five newest pins that were not taken back and did not end (spec X-10). */
export function standingPins(pins: readonly PinSaid[], nowMs: number): readonly PinSaid[] {
  return pins
    .filter(({ untilMs }) => untilMs > 0)
    .slice(0, maxPins)
    .filter(({ untilMs }) => untilMs > nowMs);
}
