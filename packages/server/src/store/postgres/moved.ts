import { ServerError } from "../../errors.ts";
import { movedAdvice, movedWords, told } from "./fault.ts";
import type { PostgresTransaction } from "./transaction.ts";

/** The setting by which a database says that no server may use it, and why not. */
export const movedSetting = "store-moved";

/** A move to it is not done, one from it ends just now, or what lay in it was moved to a data folder. */
export type Moved = "coming" | "leaving" | "gone";

/** What it says; `undefined` where a server may use it. @throws StoreError */
export async function readMoved(accounts: PostgresTransaction): Promise<Moved | undefined> {
  const { rows } = await accounts.query<{ value: Moved }>("SELECT value FROM settings WHERE name = $1", [movedSetting]);
  return rows[0]?.value;
}

/** For a server that starts. @throws ServerError `data_unusable` where it says so; StoreError */
export async function refuseMoved(accounts: PostgresTransaction): Promise<void> {
  if ((await readMoved(accounts)) !== undefined) throw new ServerError("data_unusable", movedAdvice);
}

/** For one that runs, and may have been cut off meanwhile. @throws StoreError `unavailable` where it says so, or cannot be asked */
export async function refuseMovedMeanwhile(accounts: PostgresTransaction): Promise<void> {
  if ((await readMoved(accounts)) !== undefined) throw told("unavailable", movedWords);
}
