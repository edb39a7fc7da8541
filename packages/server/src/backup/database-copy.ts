import { closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { databaseFile } from "../store/sqlite/database-files.ts";
import { settleRecent } from "../store/sqlite/recent-entries.ts";

/**
 * Copies databases that may be written meanwhile, each as it stood at one moment. VACUUM INTO reads one snapshot to its end, however
 * much is written meanwhile (the backup interface would begin anew with every write), and leaves behind what was erased. In the copy no
 * entry of a log waits for its place: those that do tell in what order they came.
 * Blocks the thread. @throws Error of the system or of SQLite
 */
export function copyDatabases(params: { from: string; to: string; files: readonly string[] }): void {
  for (const name of params.files) {
    const target = join(params.to, name);
    // Made here, so that nobody else can read it from the first byte on.
    closeSync(openSync(target, "wx", 0o600));
    const source = new DatabaseSync(join(params.from, name), { readOnly: true, timeout: 5000 });
    try {
      source.prepare("VACUUM INTO ?").run(target);
    } finally {
      source.close();
    }
    if (name === databaseFile.logs) settle(target);
    const file = openSync(target, "r+");
    fsyncSync(file);
    closeSync(file);
    if (statSync(target).size === 0) throw new Error("the copy of a database is empty");
  }
}

function settle(path: string): void {
  const copy = new DatabaseSync(path);
  try {
    settleRecent(copy);
  } finally {
    copy.close();
  }
}
