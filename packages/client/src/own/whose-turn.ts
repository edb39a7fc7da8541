import { equalBytes } from "@latchkey/codec";
import { comparePlaces } from "./facts.ts";
import type { Register } from "./facts.ts";

/** A device that claimed has so long to send before another one may claim (spec X-15). */
export const leaseMs = 60_000;
/** What is so much later than it was to be is asked about, and not sent. */
export const lateMs = 3_600_000;

/** What this device does about something that is to be said at a time. */
export type Turn = "not yet" | "late" | "send" | "claim" | "leave";

/**
 * Whose turn it is (spec X-15): of the claims that are not over the first in the devices' log, so that all devices that read it alike decide alike.
 * @param params `claims`: those that have their place there; `isClaiming`: this device's has none yet; `isAlone`: there is no other device
 */
export function whoseTurn(params: {
  readonly atMs: number;
  readonly nowMs: number;
  readonly deviceId: Uint8Array;
  readonly claims: readonly Register[];
  readonly isClaiming: boolean;
  readonly isAlone: boolean;
}): Turn {
  const { atMs, nowMs, deviceId, claims, isClaiming, isAlone } = params;
  if (nowMs < atMs) return "not yet";
  if (nowMs - atMs > lateMs) return "late";
  if (isAlone) return "send";
  const isStanding = ({ fact }: Register): boolean => fact.kind === "claim" && nowMs < Math.min(fact.atMs, nowMs) + leaseMs;
  const [first] = claims.filter((claim) => isStanding(claim)).toSorted((a, b) => comparePlaces(a.place, b.place));
  if (first?.fact.kind === "claim") return equalBytes(first.fact.deviceId, deviceId) ? "send" : "leave";
  return isClaiming ? "leave" : "claim";
}
