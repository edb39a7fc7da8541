import { dailyLife, faults } from "./script.ts";
import type { Move } from "./script.ts";

/** Who is in a simulated life, and what may happen in it. */
interface Cast {
  readonly people: readonly string[];
  readonly moves: readonly Move[];
}

/** The kinds of lives. */
export const casts = {
  /** Everybody is honest; networks, devices and the server fail. */
  daily: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...faults] },
} as const satisfies Record<string, Cast>;

/** Whether there is such a kind. */
export function isCast(name: string): name is keyof typeof casts {
  return Object.hasOwn(casts, name);
}
