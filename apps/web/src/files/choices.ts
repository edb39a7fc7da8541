import { read, write } from "../state/preferences.ts";

const fetchKey = "latchkey.fetch-up-to";

/** How large pictures may be that are fetched without being asked for, in bytes. */
export const fetchLimits = [0, 1_000_000, 10_000_000, 100_000_000] as const;
const usualFetchLimit = 10_000_000;

/** Up to how many bytes a picture is fetched without being asked for. */
export function fetchesUpTo(): number {
  const stored = read(fetchKey);
  return fetchLimits.find((limit) => String(limit) === stored) ?? usualFetchLimit;
}

/** Chooses up to how many bytes pictures are fetched in this browser. */
export function saveFetchesUpTo(limit: number): void {
  write(fetchKey, limit === usualFetchLimit ? undefined : String(limit));
}
