import type { StoreTransaction } from "./store.ts";

/** One step of the records' format. All steps to the newest format run in one transaction, so that none is ever half done. */
export interface Migration {
  /** The format that this step makes out of the one before. */
  readonly to: number;
  run(tx: StoreTransaction): Promise<void>;
}

/** The oldest format that is brought up to date; profiles of test versions before it are refused. */
export const oldestFormat = 6;

/** The format that this version writes: the number of the last migration, `oldestFormat` before the first. */
export const storeFormat = 6;

/** Numbered 7, 8 and so on; never changed once released. */
export const migrations: readonly Migration[] = [];
