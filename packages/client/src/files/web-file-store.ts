import { openDB } from "idb";
import type { DBSchema, IDBPDatabase, IDBPTransaction } from "idb";
import { ClientError } from "../errors.ts";
import { fileDatabase } from "./file-database.ts";
import { readingLock } from "./reading.ts";
import { bytesOfPieces, filePieceLength } from "./file-store.ts";
import type { FilePlace, FileStore, StoredFile } from "./file-store.ts";

/** Of each blob its pieces, by their numbers, and how large it is. */
interface Schema extends DBSchema {
  pieces: { key: [string, number]; value: ArrayBuffer };
  blobs: { key: string; value: { totalBytes: number; lastUsedDay: number } };
}

type Writing = IDBPTransaction<Schema, ["pieces", "blobs"], "readwrite">;

/** A store of files in IndexedDB, which is opened with its first use; several contexts may have it open. */
export function openWebFileStore(profile: string): FileStore {
  const name = fileDatabase(profile);
  let opening: Promise<IDBPDatabase<Schema>> | undefined;

  const open = (): Promise<IDBPDatabase<Schema>> => {
    opening ??= openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore("pieces");
        database.createObjectStore("blobs");
      },
      // Somebody erases the profile: nobody keeps them from it.
      blocking: (_current, _blocked, event) => {
        opening = undefined;
        // Of `versionchange` the target is the database.
        (event.target as IDBDatabase).close();
      },
      terminated() {
        opening = undefined;
      },
    });
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };

  const using = async <T>(use: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> => {
    try {
      return await use(await open());
    } catch (error) {
      throw storageError(error);
    }
  };

  /** In one transaction; `isDurable`: on the disk with all that was written before. */
  const write = (change: (transaction: Writing) => Promise<void>, isDurable = false): Promise<void> =>
    using(async (database) => {
      const transaction = database.transaction(["pieces", "blobs"], "readwrite", { durability: isDurable ? "strict" : "relaxed" });
      // Handled below; without this, an abort would count as unhandled while the steps before it are awaited.
      transaction.done.catch(() => undefined);
      try {
        await change(transaction);
        await transaction.done;
      } catch (error) {
        // Of a full disk the transaction knows; what it still had to do only that it was ended.
        throw transaction.error ?? error;
      }
    });

  const shown = async (database: IDBPDatabase<Schema>, id: string): Promise<StoredFile | undefined> => {
    const transaction = database.transaction(["pieces", "blobs"], "readonly");
    const blob = await transaction.objectStore("blobs").get(id);
    if (blob === undefined) return undefined;
    const keys = await transaction.objectStore("pieces").getAllKeys(piecesOf(id));
    const indexes = keys.map(([, index]) => index);
    return { id, ...blob, hereBytes: bytesOfPieces(blob.totalBytes, indexes) };
  };

  return {
    get: (id) => using((database) => shown(database, id)),
    list: () =>
      using(async (database) => {
        const transaction = database.transaction(["pieces", "blobs"], "readonly");
        const blobs = transaction.objectStore("blobs");
        const asked = [blobs.getAllKeys(), blobs.getAll(), transaction.objectStore("pieces").getAllKeys()] as const;
        const [ids, values, keys] = await Promise.all(asked);
        const pieces = Map.groupBy(keys, ([id]) => id);
        return ids.flatMap((id, at): readonly StoredFile[] => {
          const blob = values[at];
          const indexes = (pieces.get(id) ?? []).map(([, index]) => index);
          return blob === undefined ? [] : [{ id, ...blob, hereBytes: bytesOfPieces(blob.totalBytes, indexes) }];
        });
      }),
    begin: (id, totalBytes, day) =>
      write(async (transaction) => {
        const blobs = transaction.objectStore("blobs");
        const known = await blobs.get(id);
        if (known !== undefined && known.totalBytes !== totalBytes) await transaction.objectStore("pieces").delete(piecesOf(id));
        await blobs.put({ totalBytes, lastUsedDay: day }, id);
      }),
    piece: (id, index) =>
      using(async (database) => {
        const bytes = await database.get("pieces", [id, index]);
        return bytes === undefined ? undefined : new Uint8Array(bytes);
      }),
    put: (id, index, bytes) =>
      write(async (transaction) => {
        const blob = await transaction.objectStore("blobs").get(id);
        if (blob === undefined) return;
        if (bytes.length !== filePieceLength(blob.totalBytes, index)) throw new RangeError("a piece of another length");
        await transaction.objectStore("pieces").put(new Uint8Array(bytes).buffer, [id, index]);
      }),
    drop: (id, index) => using((database) => database.delete("pieces", [id, index])),
    pieces: (id) =>
      using(async (database) => {
        const keys = await database.getAllKeys("pieces", piecesOf(id));
        return keys.map(([, index]) => index);
      }),
    sync: (id) =>
      write(async (transaction) => {
        const blobs = transaction.objectStore("blobs");
        const blob = await blobs.get(id);
        if (blob !== undefined) await blobs.put(blob, id);
      }, true),
    remove: (id) =>
      write(async (transaction) => {
        await transaction.objectStore("pieces").delete(piecesOf(id));
        await transaction.objectStore("blobs").delete(id);
      }),
    erase: () =>
      write(async (transaction) => {
        await transaction.objectStore("pieces").clear();
        await transaction.objectStore("blobs").clear();
      }),
    async close() {
      const opened = await opening?.catch(() => undefined);
      opening = undefined;
      opened?.close();
    },
  };
}

/** What a browser knows of the room for files, and of who else reads them. */
export const webRoom: Required<Pick<FilePlace, "roomBytes" | "readElsewhere">> = {
  async roomBytes() {
    const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
    const { quota, usage } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
    return quota === undefined || usage === undefined ? undefined : quota - usage;
  },
  async readElsewhere() {
    const locks: Partial<LockManager> | undefined = globalThis.navigator?.locks;
    const { held = [] } = (await locks?.query?.().catch(() => undefined)) ?? {};
    const names = held.flatMap(({ name }) => (name?.startsWith(readingLock) === true ? [name.slice(readingLock.length)] : []));
    return new Set(names);
  },
};

/** All pieces of a blob. */
function piecesOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id, 0], [id, Number.POSITIVE_INFINITY]);
}

function storageError(error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  // A disk that is full before the quota is used up: Chromium could not write a piece, and says of its data that they are wrong.
  if (error.name === "QuotaExceededError" || error.name === "DataError")
    return new ClientError("storage_full", "The browser has no space left for this. Nothing else is lost.", { cause: error });
  return new ClientError("storage_denied", "The browser refused to store anything here.", { cause: error });
}
