import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../files.ts";
import type { Store } from "../store/store.ts";

/** Where the list of suspended accounts is kept, with whom it is of: what was kept is on disk. */
export interface ListShelf {
  /** Whether other nodes may keep another one there meanwhile. */
  readonly isShared: boolean;
  read(): Promise<Uint8Array | undefined>;
  keep(bytes: Uint8Array): Promise<void>;
}

/** In the data folder. */
export function folderShelf(directory: string): ListShelf {
  const path = join(directory, "suspended-list");
  return {
    isShared: false,
    async read() {
      return existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined;
    },
    async keep(bytes) {
      replaceFile(path, bytes);
    },
  };
}

const setting = "suspended-list";

/** In a store that several nodes have, all of which give the list out. */
export function storeShelf(store: Pick<Store, "admin">): ListShelf {
  return {
    isShared: true,
    async read() {
      const value = (await store.admin.rules()).settings[setting];
      return value === undefined ? undefined : new Uint8Array(Buffer.from(value, "base64url"));
    },
    keep: (bytes) => store.admin.setSetting({ name: setting, value: Buffer.from(bytes).toString("base64url") }),
  };
}
