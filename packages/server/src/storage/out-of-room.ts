import { ServerError, StoreError } from "../errors.ts";
import { errorCode } from "../files.ts";

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: the index of the journal cannot be made as large as it has to be. */
const sqliteCodes: ReadonlySet<number> = new Set([13, 4874]);
const systemCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Whether an error, or one behind it, says that a disk has no room, or a quota is used up. */
export function isOutOfRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreError && error.code === "full") return true;
  if ("errcode" in error && typeof error.errcode === "number" && sqliteCodes.has(error.errcode)) return true;
  return systemCodes.has(errorCode(error) ?? "") || (error.cause !== error && isOutOfRoom(error.cause));
}

/** What a start says where the data folder has no room. */
export function diskFull(directory: string, cause: unknown): ServerError {
  const message = `The disk of ${directory} is full, or the quota for it is used up: make room there, and start again. Nothing that was acknowledged is lost.`;
  return new ServerError("disk_full", message, { cause });
}
