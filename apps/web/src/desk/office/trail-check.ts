import { trailHashInput, trailHashLength } from "@latchkey/client/desk";
import type { TrailEntry } from "@latchkey/client/desk";
import type { AskDesk, DeskRefusal } from "./desk-api.ts";

/** The newest entry that somebody saw in this browser, to be found again. */
export interface TrailMark {
  readonly number: number;
  readonly hash: string;
}

/**
 * What going over the trail found:
 * - `whole`: each entry follows from the one before, and the one that was noted last time is the same;
 * - `broken`: entry `at` does not follow from the one before;
 * - `rewritten`: all follow, and yet the entry that was noted last time is another one now, or gone.
 */
export type TrailFinding =
  | { readonly kind: "whole"; readonly isFirst: boolean }
  | { readonly kind: "broken"; readonly at: number }
  | { readonly kind: "rewritten"; readonly at: number };

/** All entries of the trail, the oldest first; or why they did not come. `progress` is told how many there are so far. */
export async function readTrail(ask: AskDesk, progress: (entries: number) => void): Promise<readonly TrailEntry[] | DeskRefusal> {
  const entries: TrailEntry[] = [];
  for (let after = 0; ;) {
    const result = await ask("trail-list", { after });
    if (result.kind === "refused") return result.code;
    entries.push(...result.value.entries);
    progress(entries.length);
    const { next } = result.value;
    // A page that leads nowhere further would be asked for without end.
    if (next === undefined || next <= after) return entries;
    after = next;
  }
}

/** Makes every hash again, in this browser, and compares it: what the server says of its own trail counts for nothing here. */
export async function checkTrail(
  entries: readonly TrailEntry[],
  noted: TrailMark | undefined,
  sha256: (bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<TrailFinding> {
  let before: Uint8Array = new Uint8Array(trailHashLength);
  let beforeMs = 0;
  for (const [index, entry] of entries.entries()) {
    const hash = await sha256(trailHashInput(entry, before));
    if (entry.number !== index + 1 || entry.atMs < beforeMs || hexOf(hash) !== entry.hash) return { kind: "broken", at: index + 1 };
    before = hash;
    beforeMs = entry.atMs;
  }
  if (noted !== undefined && entries[noted.number - 1]?.hash !== noted.hash) return { kind: "rewritten", at: noted.number };
  return { kind: "whole", isFirst: noted === undefined };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
