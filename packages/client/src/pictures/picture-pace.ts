import { pauseLeftMs } from "./pause.ts";

/** Different pictures of one person, or group, that are fetched in an hour. */
export const maxInHour = 12;
const hourMs = 3_600_000;
/** Of so many people and groups it is known; of more it begins anew. */
const maxKnown = 4096;

/**
 * How many pictures of one person or group are fetched: who changes theirs a thousand times a minute has it fetched twelve times in an hour, and
 * drives no more than that from what is kept of others' (spec E-106).
 */
export class PicturePace {
  readonly #hours = new Map<string, { readonly sinceMs: number; readonly seen: Set<string> }>();

  /** How long this picture of theirs is not fetched, in milliseconds; 0 where it is now. The same one again costs nothing. */
  waitMs({ id, picture, nowMs }: { readonly id: string; readonly picture: string; readonly nowMs: number }): number {
    const known = this.#hours.get(id);
    const leftMs = known === undefined ? 0 : pauseLeftMs({ sinceMs: known.sinceMs, forMs: hourMs }, nowMs);
    if (known === undefined || leftMs === 0) {
      if (this.#hours.size >= maxKnown) this.#hours.clear();
      this.#hours.set(id, { sinceMs: nowMs, seen: new Set([picture]) });
      return 0;
    }
    if (!known.seen.has(picture) && known.seen.size >= maxInHour) return leftMs;
    known.seen.add(picture);
    return 0;
  }
}
