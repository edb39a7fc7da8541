import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { clockFileName } from "../clock/clock-file.ts";
import { ServerError } from "../errors.ts";
import { diskFull, isOutOfRoom } from "../storage/out-of-room.ts";
import { databaseFiles, formerDatabaseFile } from "../store/sqlite/database-files.ts";
import { liesElsewhere } from "./elsewhere.ts";

/** Files of a data folder that only a server that ran there leaves beside its databases. */
const traces = [join("directory", "log.key"), join("directory", "vrf.key"), clockFileName];

/**
 * Makes the data folder, or takes the one that is there: its databases must be where its keys are, or elsewhere where they were before, and
 * nobody but the server's user may read it, whatever made it. @throws ServerError `data_unusable`
 */
export function prepareFolder(directory: string, { isElsewhere }: { readonly isElsewhere: boolean }): void {
  try {
    makeFolder(directory);
    checkVersion(directory);
    if (isElsewhere) checkNoneHere(directory);
    else checkTraces(directory);
    makePrivate(directory);
  } catch (cause) {
    if (cause instanceof ServerError) throw cause;
    if (isOutOfRoom(cause)) throw diskFull(directory, cause);
    throw new ServerError("data_unusable", `The data directory ${directory} cannot be used: check the path and its permissions.`, {
      cause,
    });
  }
}

/** One level after the other: some file systems never answer a request for all at once. */
function makeFolder(directory: string): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(directory);
  if (parent !== directory) makeFolder(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

function checkVersion(directory: string): void {
  if (!existsSync(join(directory, formerDatabaseFile))) return;
  throw new ServerError(
    "data_unusable",
    `${directory} was written by a version before the first release: its ${formerDatabaseFile} is not read any more. Begin in an empty folder, under another host name.`,
  );
}

/** With the same keys and host another public record would begin, which everybody who knows this one refuses. */
function checkNoneHere(directory: string): void {
  const here = databaseFiles.find((name) => existsSync(join(directory, name)));
  if (here === undefined) return;
  throw new ServerError(
    "data_unusable",
    `${join(directory, here)} is there: accounts and messages of this server lie in the data folder, and the database would begin without them. Start it without --database, or move them there first with latchkey migrate sqlite-to-postgres.`,
  );
}

function checkTraces(directory: string): void {
  if (liesElsewhere(directory)) {
    throw new ServerError(
      "data_unusable",
      `Accounts and messages of the server of ${directory} lie in a PostgreSQL: start it with --database. Without it another public record would begin, which everybody refuses.`,
    );
  }
  const missing = databaseFiles.filter((name) => !existsSync(join(directory, name)));
  const left = traces.filter((name) => existsSync(join(directory, name)));
  if (missing.length === 0 || left.length === 0) return;
  throw new ServerError(
    "data_unusable",
    `${join(directory, missing[0] ?? "")} is missing, although a server ran here (${left.join(", ")}): put it back from a backup. A new server begins in an empty folder and under another host name; clients refuse one that has forgotten what they know.`,
  );
}

/** Journals and locks are made with the mode of the database or of the process: an older folder may have let others read them. */
function makePrivate(directory: string): void {
  chmodSync(directory, 0o700);
  for (const { name, isFile, path } of [...filesIn(directory), ...filesIn(join(directory, "directory"))]) {
    if (isFile && (statSync(path).mode & 0o077) !== 0) chmodSync(join(path), 0o600);
    else if (name === "directory") chmodSync(path, 0o700);
  }
}

function filesIn(directory: string): { name: string; isFile: boolean; path: string }[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).map((entry) => ({
    name: entry.name,
    isFile: entry.isFile(),
    path: join(directory, entry.name),
  }));
}
