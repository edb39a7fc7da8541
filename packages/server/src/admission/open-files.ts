import type { ServerLimits } from "../config.ts";
import { ServerError } from "../errors.ts";

/** What the server has open for itself at most: databases, threads, a backup, journals, witnesses, the sockets of its administrator. */
const ownFiles = 160;
/** A connection that is no WebSocket may have a blob open beside it, or an upload and its mark. */
const perHttpSocket = 3;
/** With less than this for visitors nobody would get anything done. */
const leastForVisitors = 64;
/** Of so few WebSockets one address has at most this part, so that it keeps nobody out. */
const addressShare = 1 / 4;

let known: number | undefined;

/** How many files and sockets the system lets this process have open at once; Infinity where it names no number. */
export function openFilesAllowed(): number {
  if (known !== undefined) return known;
  // Otherwise it looks for names of all addresses.
  Reflect.set(process.report, "excludeNetwork", true);
  // Its fields are Node's documented ones; systems without such a limit have no `userLimits`.
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | "unlimited" } } };
  const soft = userLimits?.open_files?.soft;
  known = typeof soft === "number" ? soft : Infinity;
  return known;
}

/**
 * The limits, with no more connections than the system has files for, beside the server's own and `reserved` ones. The same object where
 * there are enough. @throws ServerError `invalid_options` where there are too few for any
 */
export function withinOpenFiles(limits: ServerLimits, params: { allowed: number; reserved: number }): ServerLimits {
  const forVisitors = params.allowed - ownFiles - params.reserved;
  if (forVisitors < leastForVisitors) {
    const least = ownFiles + params.reserved + leastForVisitors;
    throw new ServerError(
      "invalid_options",
      `The system lets this process have ${params.allowed} files open, and ${least} are the least: raise it (LimitNOFILE in systemd, ulimit -n).`,
    );
  }
  if (limits.maxConnections + perHttpSocket * limits.maxHttpSockets <= forVisitors) return limits;
  const maxHttpSockets = Math.min(limits.maxHttpSockets, Math.floor(forVisitors / (2 * perHttpSocket)));
  const maxConnections = Math.min(limits.maxConnections, forVisitors - perHttpSocket * maxHttpSockets);
  return {
    ...limits,
    maxHttpSockets,
    maxConnections,
    maxConnectionsPerAddress: Math.min(limits.maxConnectionsPerAddress, Math.ceil(maxConnections * addressShare)),
  };
}
