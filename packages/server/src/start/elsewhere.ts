import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ServerLimits, ServerOptions } from "../config.ts";
import { ServerError } from "../errors.ts";
import { replaceFile } from "../files.ts";

/** Says in a data folder that accounts, messages and the public record of its server lie in a database elsewhere. */
const markFile = "database";
const markText = "Accounts, messages and the public record of this server lie in a PostgreSQL: start it with --database.\n";

/** Whether a server ran on this folder whose databases lie elsewhere. */
export function liesElsewhere(directory: string): boolean {
  return existsSync(join(directory, markFile));
}

/** Has the folder say so from now on. @throws the system's error */
export function noteElsewhere(directory: string): void {
  if (!liesElsewhere(directory)) replaceFile(join(directory, markFile), markText);
}

/** They lie in the folder again. @throws the system's error */
export function noteHere(directory: string): void {
  rmSync(join(directory, markFile), { force: true });
}

/** Refuses what only works on databases in the data folder. @throws ServerError `invalid_options` with what to do instead */
export function checkBesideDatabase(options: ServerOptions, { maxDatabasePages }: ServerLimits): void {
  if (options.database === undefined) return;
  const refuse = (message: string): never => {
    throw new ServerError("invalid_options", message);
  };
  if (options.backups !== undefined)
    refuse("--backup-to copies the databases of a data folder, and with --database there are none: leave it out, and back PostgreSQL up.");
  if (options.journal !== undefined)
    refuse("--journal goes with backups of a data folder, and not with --database: leave it out; a synchronous standby has each change.");
  if (maxDatabasePages > 0)
    refuse(
      "maxDatabasePages bounds the databases of a data folder, and not --database: leave it out, and give PostgreSQL a disk of that size.",
    );
}

/** For a command that works on the databases of a data folder. @throws ServerError of this code where they lie elsewhere: `instead` says what to do */
export function requireHere(directory: string, code: "backup_failed" | "invalid_options", instead: string): void {
  if (!liesElsewhere(directory)) return;
  throw new ServerError(code, `Accounts and messages of the server of ${directory} lie in a PostgreSQL: ${instead}`);
}
