import { read, write } from "../state/preferences.ts";

const fetchKey = "latchkey.fetch-up-to";
const seenOnceKey = "latchkey.seen-once";

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

const mostSeenOnce = 1000;

/** Whether a message that is to be seen once was opened in this browser. */
export function isSeenOnce(messageId: string): boolean {
  return (read(seenOnceKey) ?? "").split(" ").includes(messageId);
}

/** A message that is to be seen once was opened. */
export function rememberSeenOnce(messageId: string): void {
  const seen = (read(seenOnceKey) ?? "").split(" ").filter((id) => id !== "" && id !== messageId);
  write(seenOnceKey, [...seen.slice(1 - mostSeenOnce), messageId].join(" "));
}
