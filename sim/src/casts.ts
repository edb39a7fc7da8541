import { hostile, hostileMember } from "./hostile-member.ts";
import { joining } from "./joining.ts";
import { lasting, passing } from "./lying-server.ts";
import { dailyLife, faults } from "./script.ts";
import type { Move } from "./script.ts";
import { stranger } from "./stranger.ts";

/** Who is in a simulated life, and what may happen in it. */
export interface Cast {
  readonly people: readonly string[];
  readonly moves: readonly Move[];
  /** Of these people, those whose devices are in hostile hands. */
  readonly hostile: readonly string[];
  /** Whether something may get lost, which the people who lost it are told. */
  readonly mayLose: boolean;
}

/**
 * The kinds of lives. `daily`: everybody is honest; networks, devices and the server fail. `moody`: the server lies too, and takes it
 * back; `lying`: it lies so that something is lost. `hostile`: one member does what no client would; `strange`: a
 * stranger does what it can. `joining`: as `daily`, in groups that give who joins what was said before.
 */
export type CastName = "daily" | "moody" | "lying" | "hostile" | "strange" | "joining";

export const casts: Readonly<Record<CastName, Cast>> = {
  daily: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...faults], hostile: [], mayLose: false },
  hostile: { people: ["ada", "ben", "cyd", hostile], moves: [...dailyLife, ...hostileMember], hostile: [hostile], mayLose: true },
  joining: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...faults, ...joining], hostile: [], mayLose: false },
  strange: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...stranger], hostile: [], mayLose: false },
  lying: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...lasting], hostile: [], mayLose: true },
  moody: { people: ["ada", "ben", "cyd", "dan"], moves: [...dailyLife, ...passing], hostile: [], mayLose: false },
};

/** Whether there is such a kind. */
export function isCast(name: string): name is CastName {
  return Object.hasOwn(casts, name);
}
