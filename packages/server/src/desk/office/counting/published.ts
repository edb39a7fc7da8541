import { utf8Bytes } from "@latchkey/codec";
import { openingDueMs, periodText, policyKind } from "@latchkey/counts";
import type { Period } from "@latchkey/counts";
import type { CountTable } from "./count-table.ts";
import type { ValueTable } from "./value-table.ts";

/** What anybody may ask of what is counted. */
export type CountsQuery =
  | { readonly kind: "index" }
  | { readonly kind: "log"; readonly period: Period }
  | { readonly kind: "opening"; readonly period: Period; readonly number: number };

/** Half-years that are named: those that were opened longer ago are still given to who asks for them. */
const mostPeriods = 40;

/** What everybody is given; `undefined` for what is not there, or not published yet. */
export function publishedCounts(
  parts: { readonly table: CountTable; readonly values: ValueTable; readonly host: string },
  query: CountsQuery,
): Uint8Array | undefined {
  const { table, values, host } = parts;
  switch (query.kind) {
    case "log":
      // Whoever names half-years that there are not has nothing read for it.
      return table.policy(query.period) === undefined ? undefined : values.logOf(query.period);
    case "opening":
      return values.hasOpening(query.period, query.number) ? table.opening(query.period, query.number) : undefined;
    case "index": {
      const opened = values.openings();
      const periods = table
        .periods()
        .slice(-mostPeriods)
        .flatMap((period) => {
          const policy = table.policy(period);
          if (policy === undefined) return [];
          const openings = table.openings(period).filter((number) => opened.has(`${period}.${number}`));
          return [{ period: periodText(period), opensMs: openingDueMs(policy, period), kind: policyKind(policy), openings }];
        });
      return utf8Bytes(JSON.stringify({ host, periods }));
    }
  }
}
