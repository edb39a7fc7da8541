import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { StoreSize } from "../store-load.ts";
import { databaseFiles, journalSuffix } from "./database-files.ts";

/** What the databases of a data folder take on disk: looks at the files. @throws the system's error where there is no such folder */
export async function storeSizeOf(directory: string): Promise<StoreSize> {
  const there = new Set(await readdir(directory));
  const sizes = async (names: readonly string[]): Promise<number> => {
    // It may be gone between the two.
    const each = names
      .filter((name) => there.has(name))
      .map((name) =>
        stat(join(directory, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      );
    return (await Promise.all(each)).reduce((sum, size) => sum + size, 0);
  };
  return {
    databaseBytes: await sizes(databaseFiles),
    journalBytes: await sizes(databaseFiles.map((name) => `${name}${journalSuffix}`)),
  };
}
