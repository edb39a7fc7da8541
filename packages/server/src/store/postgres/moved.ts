import { ServerError } from "../../errors.ts";
import type { PostgresDatabase } from "./database.ts";

/** The setting by which a database says that no server may use it: a move to it is not done, or it was moved elsewhere. */
export const movedSetting = "store-moved";

/** Whether it says so. @throws StoreError */
export async function isMoved(accounts: PostgresDatabase): Promise<boolean> {
  const { rows } = await accounts.query("SELECT 1 FROM settings WHERE name = $1", [movedSetting]);
  return rows.length > 0;
}

/** @throws ServerError `data_unusable` where it says so */
export async function refuseMoved(accounts: PostgresDatabase): Promise<void> {
  if (!(await isMoved(accounts))) return;
  throw new ServerError(
    "data_unusable",
    "What lay in the database was moved to a data folder, or a move to it has not ended: end that with latchkey migrate, or start the server on the folder.",
  );
}
