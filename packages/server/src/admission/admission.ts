import { Refusal } from "../errors.ts";
import type { ServerLimits } from "../config.ts";
import type { Members } from "./members.ts";
import { RateTable } from "./rates.ts";
import type { RateLimit } from "./rates.ts";

/** What has a limit for each address. */
export type CostedOperation = keyof ServerLimits["rates"];

/** Who asks, as far as a limit needs to know; kept in memory only. */
export interface Source {
  /** The peer's network address. */
  readonly address: string;
}

/**
 * Decides by the asker's address on operations that cost something: the second line behind tokens (`TokenService`).
 */
export interface Admission {
  /** Takes one, or `count`. @throws Refusal `rate_limited` with the time to wait. */
  admit(operation: CostedOperation, source: Source, count?: number): void;
  /** The same limit for a source that asks often. */
  limit(operation: CostedOperation, source: Source): RateLimit;
}

/** What those who may write to people here do without saying who they are, as strangers do. */
const memberOperations = ["createLog", "putBlob", "blobBytes"] as const satisfies readonly CostedOperation[];

/**
 * Limits for each address and operation by token buckets in memory. Where accounts are not anybody's to make, each of `members` brings as
 * much again to the address from which it is connected, once for all of its connections: behind one address may be a whole office.
 */
export function createRateAdmission(rates: ServerLimits["rates"], nowMs: () => number, members?: Members): Admission {
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
  const shares = new Map(memberOperations.map((operation): [CostedOperation, RateTable] => [operation, new RateTable(rates[operation])]));
  /** Takes from the shares of accounts that are connected from there, whoever of them, or of their neighbours, it is that asks. */
  const takesShare = (operation: CostedOperation, { address }: Source, count: number): boolean => {
    const table = shares.get(operation);
    if (table === undefined || members === undefined) return false;
    for (const account of members.at(address)) if (table.take(account, nowMs(), count) === 0) return true;
    return false;
  };
  return {
    admit(operation, source, count = 1) {
      const waitMs = tableOf(operation).takeOf("", source.address, nowMs(), count);
      if (waitMs > 0 && !takesShare(operation, source, count)) throw new Refusal("rate_limited", waitMs);
    },
    limit: (operation, source) => tableOf(operation).limitOf("", source.address, nowMs()),
  };
}
