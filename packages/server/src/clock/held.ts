import { clockToleranceMs } from "@latchkey/transparency";
import { minuteText, spanText } from "../days.ts";

/** What decides whether the public record may go on; in milliseconds since 1970. */
export interface RecordTimes {
  /** The date of its newest entry. */
  readonly newestMs: number;
  /** The time that the server goes by. */
  readonly believedMs: number;
  /** What the machine's clock says. */
  readonly wallMs: number;
}

/** The latest date that may be published now: readers refuse what is dated further ahead of their clocks (spec D-2). 0 while nothing may be. */
export function latestDate({ believedMs, wallMs }: Omit<RecordTimes, "newestMs">): number {
  return believedMs - wallMs > clockToleranceMs ? 0 : wallMs + clockToleranceMs;
}

/** Why the record waits although the clock is believed: its newest entry is dated ahead. One sentence for the operator, or `undefined`. */
export function describeAhead({ newestMs, wallMs }: RecordTimes): string | undefined {
  const aheadMs = newestMs + 1 - wallMs;
  if (aheadMs <= clockToleranceMs) return undefined;
  const until = minuteText(newestMs - clockToleranceMs);
  return (
    `The public record is dated ${spanText(aheadMs)} ahead of this machine's clock: clients refuse it until ${until}, and nobody can register or change an account until then. ` +
    "If this machine's clock is behind, correct it; if it was ahead before, what was dated then stays so: wait, or begin a server that nobody uses yet again in an empty folder."
  );
}
