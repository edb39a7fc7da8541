import { passing } from "./lying-server.ts";
import { dailyLife, faults } from "./script.ts";
import type { Move } from "./script.ts";

/** Who is in a simulated life, and what may happen in it. */
interface Cast {
  readonly people: readonly string[];
  readonly moves: readonly Move[];
}

/**
 * The kinds of lives. `daily`: everybody is honest; networks, devices and the server fail. `moody`: the server lies too, and takes it
 * back.
 */
export type CastName = "daily" | "moody";

export const casts: Readonly<Record<CastName, Cast>> = {
  daily: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...faults] },
  moody: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...passing] },
};

/** Whether there is such a kind. */
export function isCast(name: string): name is CastName {
  return Object.hasOwn(casts, name);
}
