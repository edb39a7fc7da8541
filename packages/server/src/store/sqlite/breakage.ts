import { isOutOfRoom } from "../../storage/out-of-room.ts";

/** Why a store cannot go on: the disk fails, or what it gave back is not what was written. */
export type Breakage = "disk" | "damaged";

/** SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN: the file system refuses what it did before. */
const diskCodes: ReadonlySet<number> = new Set([8, 10, 14]);
/** SQLITE_CORRUPT, SQLITE_NOTADB. */
const damageCodes: ReadonlySet<number> = new Set([11, 26]);

/**
 * What an error says about the disk; `undefined` where it says nothing. After the first failed write or fsync nobody knows what of later
 * ones reaches the disk, so the store stops there.
 */
export function breakageOf(error: unknown): Breakage | undefined {
  if (isOutOfRoom(error)) return undefined;
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  const code = error.errcode & 0xff;
  return diskCodes.has(code) ? "disk" : damageCodes.has(code) ? "damaged" : undefined;
}

/** One line for the operator. */
export function describeBreakage(breakage: Breakage): string {
  return breakage === "disk"
    ? "The disk of the data directory fails to read or write: everything acknowledged before is kept. Check the disk and the system's log, then start again, on another disk if need be."
    : "The database in the data directory is damaged: a page of it is not what was written. Stop using this disk, and restore the newest backup on another one.";
}
