import { deleteDB, openDB } from "idb";
import type { DBSchema, IDBPDatabase } from "idb";
import { ClientError } from "../errors.ts";
import { createMutex } from "./mutex.ts";
import { checkKey, checkRange, Overlay, prefixEnd } from "./overlay.ts";
import type { ScanRange, Store } from "./store.ts";

interface Schema extends DBSchema {
  records: { key: string; value: Uint8Array };
  /** `owner`: a random token of the context that writes. */
  meta: { key: string; value: string };
}

const schemaVersion = 1;

/**
 * A store in IndexedDB. Writes are held in memory and applied in one IndexedDB transaction of strict durability when the
 * transaction ends, since IndexedDB commits by itself as soon as something else is awaited. One context at a time writes: whoever
 * opens it holds the profile's lock (`platform/profile-lock.ts`), and each commit checks an owner's token besides: of two that have it open
 * all the same, the one that came last.
 * @throws ClientError `storage_in_use` when another tab or worker has the profile, `storage_newer`, `storage_denied`
 */
export async function openIndexedDbStore(params: { name: string }): Promise<Store> {
  let lost = false;
  let opened: IDBPDatabase<Schema> | undefined;
  const owner = crypto.randomUUID();
  try {
    opened = await openDB<Schema>(params.name, schemaVersion, {
      upgrade(upgraded) {
        upgraded.createObjectStore("records");
        upgraded.createObjectStore("meta");
      },
      terminated() {
        lost = true;
      },
    });
    await opened.put("meta", owner, "owner");
  } catch (error) {
    opened?.close();
    throw storageError(error);
  }
  const database = opened;
  const mutex = createMutex();
  let closed = false;

  const commit = async (writes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> => {
    if (writes.size === 0) return;
    const transaction = database.transaction(["records", "meta"], "readwrite", { durability: "strict" });
    // Handled below; without this, an abort would count as unhandled while the steps before it are awaited.
    transaction.done.catch(() => undefined);
    if ((await transaction.objectStore("meta").get("owner")) !== owner) {
      transaction.abort();
      throw inUse();
    }
    const records = transaction.objectStore("records");
    for (const [key, value] of writes) void (value === undefined ? records.delete(key) : records.put(value, key)).catch(() => undefined);
    await transaction.done;
  };

  return {
    transact: (mode, run) =>
      mutex.run(async () => {
        if (closed) throw new ClientError("closed", "The store is closed.");
        if (lost) throw new ClientError("storage_denied", "The browser removed this profile's storage.");
        const overlay = new Overlay<Uint8Array>();
        const followers: (() => void)[] = [];
        const state = { open: true };
        const check = (writing: boolean): void => {
          if (!state.open) throw new TypeError("the transaction is over");
          if (writing && mode === "read") throw new TypeError("a read transaction writes nothing");
        };
        const write = (key: string, value: Uint8Array | undefined): void => {
          check(true);
          checkKey(key);
          overlay.writes.set(key, value?.slice());
        };
        try {
          const result = await run({
            async get(key) {
              check(false);
              checkKey(key);
              return overlay.writes.has(key) ? overlay.writes.get(key)?.slice() : database.get("records", key);
            },
            put: (key, value) => write(key, value),
            delete: (key) => write(key, undefined),
            eraseTraces: () => check(true),
            async scan(range) {
              check(false);
              checkRange(range, mode);
              const found = await overlay.scan(range, (inner) => scan(database, inner));
              return found.map(([key, value]) => [key, value.slice()]);
            },
            afterCommit(follow) {
              check(false);
              followers.push(follow);
            },
          });
          state.open = false;
          await commit(overlay.writes);
          for (const follow of followers) follow();
          return result;
        } catch (error) {
          throw storageError(error);
        } finally {
          state.open = false;
        }
      }),
    async close() {
      await mutex.idle();
      if (closed) return;
      closed = true;
      database.close();
    },
  };
}

/** Removes a profile's database. Waits until whoever has it open closed it. */
export async function deleteIndexedDbStore(name: string): Promise<void> {
  await deleteDB(name);
}

async function scan(database: IDBPDatabase<Schema>, range: ScanRange): Promise<[string, Uint8Array][]> {
  const found: [string, Uint8Array][] = [];
  if (range.limit === 0) return found;
  const { lower, upper } = bounds(range);
  if (lower !== undefined && upper !== undefined && lower.key >= upper) return found;
  const keyRange = keyRangeOf(lower, upper);
  const transaction = database.transaction("records", "readonly");
  const { limit = Infinity, maxBytes = Infinity } = range;
  if ((range.reverse === true && range.limit !== undefined) || range.maxBytes !== undefined) {
    let bytes = 0;
    let cursor = await transaction.store.openCursor(keyRange, range.reverse === true ? "prev" : "next");
    while (cursor !== null && found.length < limit && bytes < maxBytes) {
      found.push([cursor.key, cursor.value]);
      bytes += cursor.value.length;
      cursor = await cursor.continue();
    }
    return found;
  }
  const [keys, values] = await Promise.all([
    transaction.store.getAllKeys(keyRange, range.limit),
    transaction.store.getAll(keyRange, range.limit),
  ]);
  for (const [at, key] of keys.entries()) {
    const value = values[at];
    if (value !== undefined) found.push([key, value]);
  }
  if (range.reverse === true) found.reverse();
  return found;
}

function bounds(range: ScanRange): { lower: { key: string; open: boolean } | undefined; upper: string | undefined } {
  const lower =
    range.after === undefined ? (range.prefix === "" ? undefined : { key: range.prefix, open: false }) : { key: range.after, open: true };
  return { lower, upper: range.before ?? prefixEnd(range.prefix) };
}

function keyRangeOf(lower: { key: string; open: boolean } | undefined, upper: string | undefined): IDBKeyRange | null {
  if (lower !== undefined && upper !== undefined) return IDBKeyRange.bound(lower.key, upper, lower.open, true);
  if (lower !== undefined) return IDBKeyRange.lowerBound(lower.key, lower.open);
  return upper === undefined ? null : IDBKeyRange.upperBound(upper, true);
}

function inUse(): ClientError {
  return new ClientError("storage_in_use", "Another tab has this profile open. Use that one, or close it.");
}

function storageError(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  switch (error.name) {
    case "VersionError":
      return new ClientError("storage_newer", "This profile was written by a newer version of the app. Reload the page.", { cause: error });
    case "QuotaExceededError":
      return new ClientError("storage_denied", "The browser has no space left for this profile. Nothing was lost.", {
        cause: error,
        canRetry: true,
      });
    case "AbortError":
    case "TimeoutError":
      return inUse();
    default:
      return new ClientError("storage_denied", "The browser refused to store anything here.", { cause: error });
  }
}
