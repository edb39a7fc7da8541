import { concatBytes } from "@latchkey/codec";
import type { StoreTransaction } from "./store.ts";

/** One step of the records' format. All steps to the newest format run in one transaction, so that none is ever half done. */
export interface Migration {
  /** The format that this step makes out of the one before. */
  readonly to: number;
  run(tx: StoreTransaction): Promise<void>;
}

/** The oldest format that is brought up to date; profiles of test versions before it are refused. */
export const oldestFormat = 7;

/** The format that this version writes: the number of the last migration, `oldestFormat` before the first. */
export const storeFormat = 11;

/** Numbered 8, 9 and so on; never changed once released. */
export const migrations: readonly Migration[] = [
  {
    to: 8,
    // A message that waits says until when it can be taken back: none of these can.
    async run(tx) {
      for (const [key, value] of await tx.scan({ prefix: "outgoing/" })) tx.put(key, concatBytes(value, new Uint8Array(8)));
    },
  },
  {
    to: 9,
    // A message that waits says which of its files are not at the host: none of these has any.
    async run(tx) {
      for (const [key, value] of await tx.scan({ prefix: "outgoing/" })) tx.put(key, concatBytes(value, new Uint8Array(1)));
    },
  },
  {
    to: 10,
    // What is to be seen once says since when it is here, and not when its time is over: of these that is not known yet. Some say so already.
    async run(tx) {
      for (const [key] of await tx.scan({ prefix: "once/" })) {
        const [, , conversationId = "", order] = key.split("/");
        if (order === undefined) continue;
        tx.delete(key);
        tx.put(`once/${conversationId}/${order}`, new Uint8Array(8));
      }
    },
  },
  {
    to: 11,
    // A backup of the history has a key for each of its parts: one of before is turned on again by its person.
    async run(tx) {
      for (const [key] of await tx.scan({ prefix: "history-backup/" })) tx.delete(key);
    },
  },
];
