import { sha256 } from "../hash.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { newEntry } from "./store-inputs.ts";

/** Operations that are with the store at a time. */
const atOnce = 1024;

/** Adds logs with one entry each to the store of a data folder on which no server runs. */
export async function fillStore(params: {
  directory: string;
  logIds: Iterable<Uint8Array>;
  access: Uint8Array;
  blob: () => Uint8Array;
  day: number;
}): Promise<void> {
  const { directory, access, blob, day } = params;
  const accessHash = sha256(access);
  const store = await openSqliteStore({ directory });
  let waiting: Promise<unknown>[] = [];
  for (const logId of params.logIds) {
    waiting.push(store.createLog({ logId, accessHash, day }).then(() => store.append(newEntry(logId, { blob: blob(), day }))));
    if (waiting.length < atOnce) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
  await store.close();
}
