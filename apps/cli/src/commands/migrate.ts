import { databaseOf } from "../database-place.ts";
import { invalidOption } from "../errors.ts";
import { dataDirectoryOf, dataHelp, dataOptions, settingReader } from "../settings.ts";
import type { Command } from "./command.ts";

const toPostgres = "sqlite-to-postgres";
const toFolder = "postgres-to-sqlite";

/** `latchkey migrate`. */
export const migrateCommand: Command = {
  name: "migrate",
  usage: `migrate (${toPostgres} | ${toFolder}) [--data DIR] [--database URL]`,
  summary: "move a server's accounts, messages and public record to PostgreSQL, or back to its data folder",
  help: `${dataHelp}
  ${"--database URL".padEnd(24)} as for "latchkey serve"; LATCHKEY_DATABASE is the better place
  ${"--accounts-database URL".padEnd(24)} as for "latchkey serve"
  ${"--accept-loss yes".padEnd(24)} as for "latchkey serve"

No server may run on either. Everything is copied, then read once more on both sides and compared; only then may a server use it where it
lies now, and none where it lay: databases of the folder are renamed (*.moved) and may be removed once all is well. What broke off begins
anew when it is said again. Pictures and files stay where they are.`,
  options: { ...dataOptions, database: { type: "string" }, "accounts-database": { type: "string" }, "accept-loss": { type: "string" } },
  positionals: [1, 1],
  async run(context) {
    const { output, positionals } = context;
    const [direction = ""] = positionals;
    if (direction !== toPostgres && direction !== toFolder) throw invalidOption(`migrate takes ${toPostgres} or ${toFolder}`);
    const setting = settingReader(context);
    const database = databaseOf((flag) => setting(flag).at(-1));
    if (database === undefined) throw invalidOption("migrate needs the database: --database, or better the variable LATCHKEY_DATABASE");
    const options = { dataDirectory: dataDirectoryOf(context), database };
    const { moveToFolder, moveToPostgres } = await import("@latchkey/server");
    const { rows } = await (direction === toPostgres ? moveToPostgres(options) : moveToFolder(options));
    const where =
      direction === toPostgres ? "PostgreSQL: start the server with --database" : "the data folder: start the server without --database";
    output.result({ direction, rows }, `Moved ${rows.toLocaleString("en")} rows, and compared them. They lie in ${where}`);
  },
};
