import type { Head } from "./whatsapp-head.ts";

/** In which order the numbers of a date stand. */
export type DateOrder = "dmy" | "mdy";

/** Finds out, over a whole file, in which order day and month stand: by numbers that are no months, and by dates that go back. */
export class DateOrderFinder {
  #bad = { dmy: 0, mdy: 0 };
  #back = { dmy: 0, mdy: 0 };
  #last = { dmy: 0, mdy: 0 };
  #american = 0;
  #heads = 0;

  saw(head: Head): void {
    if (head.isYearFirst) return;
    this.#heads++;
    if (head.isAmerican) this.#american++;
    for (const order of ["dmy", "mdy"] as const) {
      const day = dayOf(head, order);
      if (day === undefined) this.#bad[order]++;
      else {
        if (day < this.#last[order]) this.#back[order]++;
        this.#last[order] = day;
      }
    }
  }

  order(): DateOrder {
    const cost = (order: DateOrder): number => 1000 * this.#bad[order] + this.#back[order];
    const difference = cost("dmy") - cost("mdy");
    if (difference !== 0) return difference > 0 ? "mdy" : "dmy";
    return 2 * this.#american > this.#heads ? "mdy" : "dmy";
  }
}

/** When a message was sent, in the zone of this device, milliseconds since 1970; `undefined` where there is no such moment, or one before 2009. */
export function timeOf(head: Head, order: DateOrder): number | undefined {
  const day = dayOf(head, order);
  const { hour, minute, second } = head;
  if (day === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(day);
  return new Date(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), hour, minute, second).getTime();
}

/** The beginning of the day, as if it were in UTC. */
function dayOf({ numbers: [a, b, c], isYearFirst }: Head, order: DateOrder): number | undefined {
  const [year, month, day] = isYearFirst ? [a, b, c] : order === "dmy" ? [c, b, a] : [c, a, b];
  if (month < 1 || month > 12 || day < 1) return undefined;
  if (year >= 1380 && year < 1480) return persianDay(year, month, day);
  const gregorian = year < 100 ? 2000 + year : year > 2500 && year < 2700 ? year - 543 : year;
  if (gregorian < 2009 || gregorian > 2199) return undefined;
  const time = Date.UTC(gregorian, month - 1, day);
  // A day that a month does not have is one of the next.
  return new Date(time).getUTCDate() === day ? time : undefined;
}

const dayMs = 86_400_000;
/** 1 Farvardin 1400. */
const persianAnchor = { year: 1400, timeMs: Date.UTC(2021, 2, 21) };
/** Of 33 years of the Persian calendar those with 366 days, from 1210 to 1634. */
const persianLeaps = new Set([1, 5, 9, 13, 17, 22, 26, 30]);
const persianDays = (year: number): number => (persianLeaps.has(year % 33) ? 366 : 365);

/** A day of the Persian calendar, 1380 to 1479. */
function persianDay(year: number, month: number, day: number): number | undefined {
  const length = month <= 6 ? 31 : month <= 11 ? 30 : persianDays(year) - 336;
  if (day > length) return undefined;
  let days = 0;
  for (let at = persianAnchor.year; at < year; at++) days += persianDays(at);
  for (let at = year; at < persianAnchor.year; at++) days -= persianDays(at);
  const before = month <= 7 ? 31 * (month - 1) : 186 + 30 * (month - 7);
  return persianAnchor.timeMs + (days + before + day - 1) * dayMs;
}
