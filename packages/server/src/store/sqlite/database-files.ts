/**
 * The two databases of a data folder. What is known of logs and what is known of accounts lie in files of their own, each with a
 * journal of its own, so that no order of writing leads from one to the other (promise P1). No transaction spans both.
 */
export type DatabaseName = "accounts" | "logs";

/** Where each lies, in the data folder. */
export const databaseFile: Readonly<Record<DatabaseName, string>> = { accounts: "accounts.sqlite", logs: "logs.sqlite" };

/** Both files, in the order in which a copy takes them: what the public log says of the heads of logs is then in it. */
export const databaseFiles: readonly string[] = [databaseFile.logs, databaseFile.accounts];

/** What lies beside a database while it is open. */
export const journalSuffix = "-wal";

/** The single file of versions before the two: refused, never read. */
export const formerDatabaseFile = "latchkey.sqlite";
