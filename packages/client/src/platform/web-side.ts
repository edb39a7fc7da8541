import { deleteDB, openDB } from "idb";
import type { DBSchema, IDBPDatabase } from "idb";
import { ClientError } from "../errors.ts";
import { fileDatabase } from "../files/file-database.ts";

/** What stands in `numbers`. */
export interface SideNumbers {
  /** The count that tells an old copy. */
  readonly generation: number;
  /** Which of a profile's two databases of records counts. */
  readonly records: number;
  /** 1 while the other one may exist: it is a copy that was not finished, or one that does not count any more. */
  readonly beside: number;
  /** 1 from the moment at which everything of the profile is to go, and cannot be opened any more. */
  readonly erasing: number;
  /** Wrong passphrases in a row. */
  readonly tries: number;
  /** When the last one was tried, in milliseconds since 1970. */
  readonly triedMs: number;
}

/** Kept beside the profile's records, in a database of its own. */
export interface SideSchema extends DBSchema {
  /** `device`: the key of the records, where no lock is on. It cannot be exported. */
  keys: { key: string; value: CryptoKey };
  numbers: { key: keyof SideNumbers; value: number };
  /** `lock`: where one is on (`lock/lock-record.ts`). */
  lock: { key: string; value: Uint8Array };
}

/** The database beside a profile's records. */
export type Side = IDBPDatabase<SideSchema>;

const sideVersion = 2;

/** Opens it, and makes it where it is missing. @throws ClientError `storage_newer` */
export async function openSide(profile: string): Promise<Side> {
  try {
    return await openDB<SideSchema>(sideName(profile), sideVersion, {
      upgrade(database, before) {
        if (before < 1) {
          database.createObjectStore("keys");
          database.createObjectStore("numbers");
        }
        database.createObjectStore("lock");
      },
      // Somebody erases the profile: nobody keeps them from it.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "VersionError")
      throw new ClientError("storage_newer", "This profile was written by a newer version of the app. Reload the page.", { cause: error });
    throw error;
  }
}

/** One of the two databases that a profile's records may lie in: they change places when the key does. */
export function recordsName(profile: string, slot: number): string {
  return slot === 0 ? `latchkey/${profile}` : `latchkey/${profile}/b`;
}

/** The one that does not count. */
export function otherSlot(slot: number): number {
  return slot === 0 ? 1 : 0;
}

/**
 * Makes a database that has nothing to say, before records are copied; deleted after the old ones are, it has Chromium write its files anew (LevelDB
 * keeps what was deleted in the same few megabytes of writing until what lies around it is merged once more).
 */
export async function openSpace(profile: string): Promise<void> {
  const database = await openDB(spaceName(profile), 1, { upgrade: (made) => void made.createObjectStore("space") });
  try {
    await database.put("space", new Uint8Array(64), "space");
  } finally {
    database.close();
  }
}

/** Deletes the records that do not count, and what was made beside them. */
export async function deleteRecords(profile: string, slot: number): Promise<void> {
  await deleteDB(recordsName(profile, slot));
  await deleteDB(spaceName(profile));
}

/** From now on nothing of the profile opens, whatever ends this program: what is left is removed with the next opening. */
export async function markErased(side: Side): Promise<void> {
  const transaction = side.transaction(["keys", "numbers", "lock"], "readwrite", { durability: "strict" });
  await Promise.all([
    transaction.objectStore("keys").clear(),
    transaction.objectStore("lock").clear(),
    transaction.objectStore("numbers").put(1, "erasing"),
    transaction.done,
  ]);
}

/** Removes all databases of a profile that nobody has open, the one that says so last. */
export async function removeDatabases(profile: string): Promise<void> {
  await deleteDB(recordsName(profile, 0));
  await deleteRecords(profile, 1);
  await deleteDB(fileDatabase(profile));
  await deleteDB(sideName(profile));
}

function spaceName(profile: string): string {
  return `latchkey-space/${profile}`;
}

function sideName(profile: string): string {
  return `latchkey-side/${profile}`;
}
