import { Refusal } from "../errors.ts";
import type { ServerLimits } from "../config.ts";
import { RateTable } from "./rates.ts";
import type { RateLimit } from "./rates.ts";

/** What costs a token (spec T-1, L-5). */
export type CostedOperation = keyof ServerLimits["rates"];

/** Who asks, as far as a limit needs to know; kept in memory only. */
export interface Source {
  /** The peer's network address. */
  readonly address: string;
}

/**
 * Decides on operations that cost something. Anonymous tokens will be spent here (spec T-1): `token` is what the
 * request carried, `binding` the log or inbox that it is bound to.
 */
export interface Admission {
  /** Takes one, or `count`. @throws Refusal `rate_limited` with the time to wait. */
  admit(operation: CostedOperation, source: Source, token: Uint8Array, count?: number): void;
  /** The same limit for a source that asks often. */
  limit(operation: CostedOperation, source: Source): RateLimit;
}

/** Limits for each address and operation by token buckets in memory. */
export function createRateAdmission(rates: ServerLimits["rates"], nowMs: () => number): Admission {
  const tables = new Map(
    // Object.entries widens the keys that the table has.
    (Object.keys(rates) as CostedOperation[]).map((operation): [CostedOperation, RateTable] => [
      operation,
      new RateTable(rates[operation]),
    ]),
  );
  const tableOf = (operation: CostedOperation): RateTable => {
    const table = tables.get(operation);
    if (table === undefined) throw new Error("an operation without a rate");
    return table;
  };
  return {
    admit(operation, source, _token, count = 1) {
      const waitMs = tableOf(operation).takeOf("", source.address, nowMs(), count);
      if (waitMs > 0) throw new Refusal("rate_limited", waitMs);
    },
    limit: (operation, source) => tableOf(operation).limitOf("", source.address, nowMs()),
  };
}
