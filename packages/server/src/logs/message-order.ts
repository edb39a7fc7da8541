import { equalBytes } from "@latchkey/codec";
import { sha256 } from "../hash.ts";

/** So long what comes behind waits for a message, in milliseconds: its author may have let it go. One that has to wait longer is not waited for. */
const longestMs = 10_000;

/** What a message is known by. */
interface OrderedMessage {
  readonly epochId: number;
  readonly blob: Uint8Array;
}

/**
 * Keeps the messages of one connection in one log in their order (spec L-13): a limit that refuses one refuses those behind it too, which
 * were under way already, until that one comes again.
 */
export class MessageOrder {
  #first: { readonly epochId: number; readonly hash: Uint8Array; readonly waitMs: number; readonly untilMs: number } | undefined;

  /**
   * How long a message has to wait, in milliseconds; 0 where it is stored now.
   * @param limitMs takes from the limits what the message needs, and says how long it waits for them; not asked where others go before
   */
  take(message: OrderedMessage, nowMs: number, limitMs: () => number): number {
    const first = this.#first;
    const { epochId, blob } = message;
    // In another epoch it comes as another entry (spec L-4).
    const isWaitedFor = first !== undefined && first.epochId === epochId && nowMs < first.untilMs;
    if (isWaitedFor && !equalBytes(first.hash, sha256(blob))) return first.waitMs;
    const waitMs = limitMs();
    this.#first = waitMs > 0 && waitMs <= longestMs ? { epochId, hash: sha256(blob), waitMs, untilMs: nowMs + longestMs } : undefined;
    return waitMs;
  }

  /** This message does not come again. */
  forget({ epochId, blob }: OrderedMessage): void {
    const first = this.#first;
    if (first?.epochId === epochId && equalBytes(first.hash, sha256(blob))) this.#first = undefined;
  }
}
