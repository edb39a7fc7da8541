import { ServerError } from "../../errors.ts";
import type { PostgresDatabase } from "./database.ts";

/** The setting by which a database says that no server may use it, and why not. */
export const movedSetting = "store-moved";

/** A move to it is not done, or what lay in it was moved to a data folder. */
export type Moved = "coming" | "gone";

/** What it says; `undefined` where a server may use it. @throws StoreError */
export async function readMoved(accounts: PostgresDatabase): Promise<Moved | undefined> {
  const { rows } = await accounts.query<{ value: Moved }>("SELECT value FROM settings WHERE name = $1", [movedSetting]);
  return rows[0]?.value;
}

/** @throws ServerError `data_unusable` where it says so */
export async function refuseMoved(accounts: PostgresDatabase): Promise<void> {
  if ((await readMoved(accounts)) === undefined) return;
  throw new ServerError(
    "data_unusable",
    "What lay in the database was moved to a data folder, or a move to it has not ended: end that with latchkey migrate, or start the server on the folder.",
  );
}
