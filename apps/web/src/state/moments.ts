/** A time that is offered, by what it is called. */
export interface Moment {
  readonly name: "hour" | "evening" | "tomorrow" | "monday";
  readonly atMs: number;
}

const hourMs = 3_600_000;
/** So much ahead a moment is at least, to be worth its name. */
const leastMs = 30 * 60_000;
const [morning, evening, monday] = [8, 18, 1];

/** The times that are offered for something to be done, the next first, each once; by the clock and the time zone of this device. */
export function momentsFrom(nowMs: number): readonly Moment[] {
  const now = new Date(nowMs);
  const at = (days: number, hour: number): number => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour).getTime();
  const untilMonday = (monday - now.getDay() + 7) % 7 || 7;
  const all: readonly Moment[] = [
    { name: "hour", atMs: nowMs + hourMs },
    { name: "evening", atMs: at(0, evening) },
    { name: "tomorrow", atMs: at(1, morning) },
    { name: "monday", atMs: at(untilMonday, morning) },
  ];
  const isWorth = ({ name, atMs }: Moment): boolean =>
    (name !== "evening" || atMs - nowMs > leastMs) && (name !== "monday" || untilMonday > 1);
  return all.filter((moment) => isWorth(moment)).toSorted((a, b) => a.atMs - b.atMs);
}

/** What a field for dates and times holds, here; `undefined` where it holds none, or one that is no more to come. */
export function momentOfInput(value: string, nowMs: number): number | undefined {
  const atMs = /^\d{4,6}-\d{2}-\d{2}T\d{2}:\d{2}/u.test(value) ? new Date(value).getTime() : Number.NaN;
  return Number.isFinite(atMs) && atMs > nowMs && atMs - nowMs < 366 * 24 * hourMs ? atMs : undefined;
}

/** A time as such a field has it, here, to the minute. */
export function inputOf(atMs: number): string {
  const time = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${String(time.getFullYear())}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day}T${two(time.getHours())}:${two(time.getMinutes())}`;
}
