import type { Hello } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How far off a clock may be that dates what is published for a month: others take it with a day of difference at most (spec A-5). */
export const lastingToleranceMs: number = 12 * hourMs;
/** How far two clocks may be apart before the person is told. */
export const maxSkewMs: number = hourMs;
/** How far ahead a clock may be that dates an account: the server takes no more (spec A-1). */
const aheadToleranceMs = hourMs;
/** How far behind: the public record would be dated ahead of it (spec E-53). */
const behindToleranceMs = 5 * minuteMs;

/** What the server's hello says of its time, and when it came by this device's clock; in milliseconds since 1970. */
export interface Greeting {
  readonly hello: Pick<Hello, "timeMs">;
  readonly helloAtMs: number;
}

/** How far this device's clock was ahead of the server's when the connection began, in milliseconds; negative when it was behind. */
export function clockAheadMs({ hello, helloAtMs }: Greeting): number {
  return helloAtMs - hello.timeMs;
}

/**
 * Before anything that holds for weeks is made and published, such as key packages: made by a wrong clock, it would be refused, or of no
 * use to anybody once the clock is right.
 * @throws ClientError `clock_skew`
 */
export function requireClock(greeting: Greeting): void {
  const aheadMs = clockAheadMs(greeting);
  if (Math.abs(aheadMs) > lastingToleranceMs) throw clockFailure(aheadMs);
}

/** Before an account is made: it is dated for good. @throws ClientError `clock_skew` */
export function requireClockOfAccount(greeting: Greeting): void {
  const aheadMs = clockAheadMs(greeting);
  if (aheadMs > aheadToleranceMs || aheadMs < -behindToleranceMs) throw clockFailure(aheadMs);
}

/** What is wrong with a clock, and what is to be done; whoever is right, the server has to be asked again. */
export function clockFailure(aheadMs: number): ClientError {
  const where = aheadMs > 0 ? "ahead of" : "behind";
  return new ClientError(
    "clock_skew",
    `This device's clock is ${spanOf(Math.abs(aheadMs))} ${where} the server's. Correct the date and time of this device, or tell who runs the server if they are right.`,
    { canRetry: true },
  );
}

function spanOf(ms: number): string {
  if (ms >= 2 * dayMs) return `${String(Math.floor(ms / dayMs))} days`;
  return ms >= 2 * hourMs ? `${String(Math.floor(ms / hourMs))} hours` : `${String(Math.floor(ms / minuteMs))} minutes`;
}
