import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Linux counts CPU time in hundredths of a second (USER_HZ). */
const ticksPerSecond = 100;

/** CPU seconds of a PostgreSQL so far, user and system: of all of its processes, those that have ended included. @param data where its files lie */
export function postgresCpuSeconds(data: string): number {
  const [first = ""] = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
  const postmaster = Number(first);
  let ticks = 0;
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const fields = statOf(name);
    if (fields === undefined) continue;
    const isMain = Number(name) === postmaster;
    // After the command's name: the parent is field 4, utime and stime are fields 14 and 15, those of children that ended 16 and 17 (proc(5)).
    if (isMain || Number(fields[1]) === postmaster) ticks += Number(fields[11]) + Number(fields[12]);
    if (isMain) ticks += Number(fields[13]) + Number(fields[14]);
  }
  return ticks / ticksPerSecond;
}

/** What stands behind a command's name; `undefined` for a process that has just ended. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}
