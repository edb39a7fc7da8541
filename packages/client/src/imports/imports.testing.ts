import { utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import type { ImportCalls } from "../api/imports.ts";
import type { World } from "../engine/world.ts";
import type { FileStore } from "../files/file-store.ts";
import { createMemoryFileStore } from "../files/memory-file-store.testing.ts";
import { readKept } from "../files/read-kept.ts";
import { Staging } from "../files/staging.ts";
import { createNodePlatform } from "../platform/node-platform.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { writeZip } from "../zip/write-zip.ts";
import type { ZipEntry } from "../zip/write-zip.ts";
import { createImports } from "./imports.ts";
import type { ImportsAccess } from "./imports.ts";

/** When everything is imported. */
export const importedAtMs: number = Date.UTC(2026, 10, 30);

/** The imports of a profile that has nothing yet. */
export interface ImportScene {
  readonly store: Store;
  readonly fileStore: FileStore;
  readonly imports: ImportCalls;
  /** What they have of their surroundings. */
  readonly access: ImportsAccess;
}

/** @param params.mostBytes the store of files is full with so many */
export function openImports(params: { readonly mostBytes?: number | undefined } = {}): ImportScene {
  let next = 0;
  const store = createMemoryStore();
  const fileStore = createMemoryFileStore(params);
  const place = { store: fileStore, hash: () => sha256.create() };
  // Of the world only this is asked for.
  const staging = new Staging({ platform: createNodePlatform() } as World, () => Promise.resolve(place));
  const access: ImportsAccess = {
    store,
    random: (size) => new Uint8Array(size).fill(next++),
    nowMs: () => importedAtMs,
    files: async () => ({
      readKept: (access) => readKept(fileStore, access),
      keep: (file, signal) => staging.keep(place, file, signal),
      async forgetKept(ids) {
        for (const id of ids) await fileStore.remove(id);
      },
    }),
  };
  return { store, fileStore, imports: createImports(access), access };
}

/** An archive as this app writes it. */
export async function zipOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Uint8Array<ArrayBuffer>> {
  async function* entries(): AsyncGenerator<ZipEntry> {
    for (const [name, content] of Object.entries(files)) {
      yield {
        name,
        modifiedMs: importedAtMs,
        content: (async function* () {
          yield await Promise.resolve(typeof content === "string" ? utf8Bytes(content) : content);
        })(),
      };
    }
  }
  const parts: Uint8Array[] = [];
  for await (const bytes of writeZip(entries())) parts.push(bytes);
  return new Uint8Array(Buffer.concat(parts));
}
