import type { StoreTransaction } from "../store/store.ts";

/** What is stored of reports and appeals. */
export const reportPrefix = "desk-report/";

/** Whether anything was reported here: then there is something to be brought, or to be asked about. */
export async function hasReports(tx: StoreTransaction): Promise<boolean> {
  return (await tx.scan({ prefix: reportPrefix, limit: 1 })).length > 0;
}
