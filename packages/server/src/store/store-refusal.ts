import type { KnownWireErrorCode } from "@latchkey/protocol";
import { Refusal } from "../errors.ts";
import type { StoreError, StoreErrorCode } from "../errors.ts";

const codes: Readonly<Record<StoreErrorCode, KnownWireErrorCode>> = {
  full: "storage_full",
  unavailable: "unavailable",
  unjournaled: "storage_full",
  closed: "shutting_down",
  failed: "internal",
};

/** A database that fails over to its standby takes some seconds; a journal waits for somebody who makes room. */
const retryAfterMs: Partial<Record<StoreErrorCode, number>> = { failed: 1000, unavailable: 5000, unjournaled: 30_000 };

/** What whoever asked is told of a store that could not do it. */
export function storeRefusal({ code }: StoreError): Refusal {
  return new Refusal(codes[code], retryAfterMs[code] ?? 0);
}
