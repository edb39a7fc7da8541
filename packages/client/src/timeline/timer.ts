import { safeUint64, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { unseenMs } from "@latchkey/protocol";
import type { Expiration } from "@latchkey/protocol";

/** Of a message that has no end of that kind; seconds are counted so far, too. */
export const never: number = Number.MAX_SAFE_INTEGER;

/** How long a message stays on one's own devices (spec X-7). */
export interface MessageTimer {
  /** So long after it was first seen, or sent where it is one's own; `never` where its author named a time alone. */
  readonly seconds: number;
  /** When it was sent: as its author claims, and never later than it came; milliseconds since 1970. */
  readonly sentMs: number;
  /** Since when the seconds are counted; 0 while nobody saw it. */
  readonly sinceMs: number;
  /** Gone then, whatever else holds; `never` where its author named no time. */
  readonly untilMs: number;
}

export const timerCodec: Codec<MessageTimer> = struct<MessageTimer>({
  seconds: safeUint64,
  sentMs: safeUint64,
  sinceMs: safeUint64,
  untilMs: safeUint64,
});

/**
 * How long a message stays by what its author says of it and by the timer of the epoch that it was sent in, whichever is shorter: nobody's app can
 * make messages stay. A time of 0 is as if it were not said. `undefined`: always.
 */
export function stayOf(expires: Expiration | undefined, epochS: number): Pick<MessageTimer, "seconds" | "untilMs"> | undefined {
  const said = expires === undefined || expires.seconds === 0 ? undefined : expires;
  const seconds = Math.min(said?.relative === true ? said.seconds : never, epochS === 0 ? never : epochS);
  const untilMs = said?.relative === false ? said.seconds * 1000 : never;
  return seconds === never && untilMs === never ? undefined : { seconds, untilMs };
}

/** When it is gone: so long after it was seen, and 30 days later than that after it was sent, seen or not; milliseconds since 1970. */
export function goesAtMs({ seconds, sentMs, sinceMs, untilMs }: MessageTimer): number {
  if (seconds === never) return untilMs;
  const unseen = sentMs + seconds * 1000 + unseenMs;
  return Math.min(untilMs, unseen, sinceMs === 0 ? never : sinceMs + seconds * 1000);
}

/** The timer counted from when its message was first seen; as it is where it is counted already from then or earlier. */
export function seenAt(timer: MessageTimer, atMs: number): MessageTimer {
  const sinceMs = Math.max(atMs, timer.sentMs, 1);
  return timer.sinceMs !== 0 && timer.sinceMs <= sinceMs ? timer : { ...timer, sinceMs };
}

/**
 * A timer that was set, or counted from, by a clock that nobody vouched for, put right by one that is sure: what was sent and seen was sent and seen
 * no later than now, and not before its author says that it was sent.
 */
export function setRight(timer: MessageTimer, claimedMs: number | undefined, nowMs: number): MessageTimer {
  const sentMs = Math.min(claimedMs ?? nowMs, nowMs);
  const sinceMs = timer.sinceMs === 0 ? 0 : Math.min(Math.max(timer.sinceMs, sentMs, 1), nowMs);
  return { ...timer, sentMs, sinceMs };
}

/** Whether a message is over: nobody is shown it, or finds it, though it may be erased only when it is sure what time it is (spec X-7, E-142). */
export function isOver(
  { message }: { readonly message?: { readonly timer?: MessageTimer | undefined } | undefined },
  nowMs: number,
): boolean {
  return message?.timer !== undefined && goesAtMs(message.timer) <= nowMs;
}
