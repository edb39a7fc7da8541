import { decode, encode, safeUint64, struct, toBase64Url, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";
import type { MessageParts } from "./line.ts";
import type { Said } from "./said.ts";

/** How far ahead of a reader's clock a stamp may be when it comes. */
const aheadMs = 300_000;

/** Of one account in one conversation: the stamp of its last message that came when it might, and the slow mode that it kept. */
interface LastKept {
  readonly slowModeS: number;
  readonly stampMs: number;
}

const codec: Codec<LastKept> = struct<LastKept>({ slowModeS: uint32, stampMs: safeUint64 });

/**
 * Whether a message keeps the slow mode of its place, by the stamps of its author's account alone, in the order of the log; `undefined` where its
 * author waits for nothing there (spec X-20). One that comes too soon is not what the next one has to wait after.
 */
export async function paceOf(
  tx: StoreTransaction,
  conversationId: string,
  { author, device, claimedAtMs, slowModeS = 0 }: Pick<Said, "author" | "device" | "claimedAtMs" | "slowModeS">,
): Promise<MessageParts["pace"]> {
  if (slowModeS === 0) return undefined;
  // Whoever claims no time claims not to have waited.
  if (claimedAtMs === undefined) return "early";
  const key = `slow/${conversationId}/${toBase64Url(author)}`;
  const stored = await tx.get(key);
  const last = stored === undefined ? undefined : decode(codec, stored);
  // Another slow mode begins anew, so that a stamp that was once wrong by much is over with it.
  const isSoon = last?.slowModeS === slowModeS && claimedAtMs < last.stampMs + slowModeS * 1000;
  if (isSoon) return "early";
  // A device that may not be the account's makes the account wait for nothing.
  if (device === undefined) tx.put(key, encode(codec, { slowModeS, stampMs: claimedAtMs }));
  return "kept";
}

/** Whether a reader is shown a message folded: it came too soon, or from a clock that was ahead of this one when it came (spec X-20). */
export function isFolded({ pace, claimedAtMs, arrivedAtMs }: Pick<MessageParts, "pace" | "claimedAtMs" | "arrivedAtMs">): boolean {
  return pace === "early" || (pace === "kept" && claimedAtMs !== undefined && claimedAtMs > arrivedAtMs + aheadMs);
}
