import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Linux counts CPU time in hundredths of a second (USER_HZ). */
const ticksPerSecond = 100;

/** CPU seconds of all threads of a process so far, user and system. */
export function processCpuSeconds(pid: number): number {
  return ownTicks(statOf(String(pid)) ?? []) / ticksPerSecond;
}

/** CPU seconds of a PostgreSQL so far, user and system: of all of its processes, those that have ended included. @param data where its files lie */
export function postgresCpuSeconds(data: string): number {
  const [first = ""] = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
  const postmaster = Number(first);
  let ticks = 0;
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const fields = statOf(name);
    if (fields === undefined) continue;
    const isMain = Number(name) === postmaster;
    // The parent is field 4, and what children took that ended fields 16 and 17.
    if (isMain || Number(fields[1]) === postmaster) ticks += ownTicks(fields);
    if (isMain) ticks += Number(fields[13]) + Number(fields[14]);
  }
  return ticks / ticksPerSecond;
}

/** Fields 14 and 15, utime and stime. */
function ownTicks(fields: readonly string[]): number {
  return Number(fields[11]) + Number(fields[12]);
}

/** What stands behind a command's name, which may hold spaces, from field 3 on (proc(5)); `undefined` for a process that has just ended. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}
