import { isReading } from "./phase.ts";
import { isCaughtUp, set } from "./turn.ts";
import type { Turn } from "./turn.ts";

/**
 * The server accuses itself of having lost what came after a copy (spec D-7). Nothing stops for it, since this device's log is as it knows
 * it: the way on is offered, before somebody writes into a log that others left.
 */
export function onServerRestored(turn: Turn, copiedMs: number): void {
  if (isReading(turn.state.phase) && turn.state.kind !== "devices") set(turn, { restoredFromMs: copiedMs });
}

/** Somebody else's entry came to the log's end: they are here. Called before it is taken in. */
export function noteCompany(turn: Turn): void {
  if (turn.state.restoredFromMs !== undefined && isCaughtUp(turn.state)) set(turn, { restoredFromMs: undefined });
}
