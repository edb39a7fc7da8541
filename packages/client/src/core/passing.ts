import type { ClientErrorCode } from "../api.ts";

const passing: ReadonlySet<ClientErrorCode> = new Set<ClientErrorCode>(["server_full", "server_down", "way_blocked"]);

/** Whether a message that failed so is sent again by itself: the reason stands beside it until then (spec E-3). */
export function isPassing(failure: ClientErrorCode | undefined): boolean {
  return failure !== undefined && passing.has(failure);
}
