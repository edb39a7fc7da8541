import { IDBFactory } from "fake-indexeddb";

/** Everything of one object store. */
interface CopiedStore {
  readonly name: string;
  readonly entries: readonly (readonly [IDBValidKey, unknown])[];
}

/** Everything of one database. */
interface CopiedDatabase {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly CopiedStore[];
}

/** All databases of this origin, as whoever copies the browser's folder has them. */
export async function copyDatabases(): Promise<readonly CopiedDatabase[]> {
  const copies: CopiedDatabase[] = [];
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await answerOf(indexedDB.open(name));
    const stores: CopiedStore[] = [];
    for (const store of database.objectStoreNames) {
      const transaction = database.transaction(store);
      const [keys, values] = await Promise.all([
        answerOf(transaction.objectStore(store).getAllKeys()),
        answerOf(transaction.objectStore(store).getAll()),
      ]);
      stores.push({ name: store, entries: keys.map((key, at) => [key, values[at]] as const) });
    }
    copies.push({ name, version: database.version, stores });
    database.close();
  }
  return copies;
}

/** Another browser that has exactly these from now on. */
export async function putDatabases(copies: readonly CopiedDatabase[]): Promise<void> {
  globalThis.indexedDB = new IDBFactory();
  for (const { name, version, stores } of copies) {
    const opening = indexedDB.open(name, version);
    opening.addEventListener("upgradeneeded", () => {
      for (const store of stores) {
        const made = opening.result.createObjectStore(store.name);
        for (const [key, value] of store.entries) made.put(value, key);
      }
    });
    (await answerOf(opening)).close();
  }
}

/** Every value that is in the copies. */
export function valuesIn(copies: readonly CopiedDatabase[]): unknown[] {
  return copies.flatMap(({ stores }) => stores.flatMap(({ entries }) => entries.flat()));
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("not read")));
  });
}
