import { crc32, deflateRawSync } from "node:zlib";
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

/** When everything is imported. */
export const importedAtMs: number = Date.UTC(2026, 10, 30);

/** The imports of a profile that has nothing yet. */
export interface ImportScene {
  readonly store: Store;
  readonly fileStore: FileStore;
  readonly imports: ImportCalls;
}

/** @param params.mostBytes the store of files is full with so many */
export function openImports(params: { readonly mostBytes?: number | undefined } = {}): ImportScene {
  let next = 0;
  const store = createMemoryStore();
  const fileStore = createMemoryFileStore(params);
  const place = { store: fileStore, hash: () => sha256.create() };
  // Of the world only this is asked for.
  const staging = new Staging({ platform: createNodePlatform() } as World, () => Promise.resolve(place));
  const imports = createImports({
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
  });
  return { store, fileStore, imports };
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

/** A file of an archive that says of it what it likes. */
export interface ToldFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly size?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** It says that it lies where this one does, from 0. */
  readonly liesAt?: number;
}

/** An archive with these files, packed unless another method is told. */
export function archiveOf(...files: readonly ToldFile[]): Uint8Array<ArrayBuffer> {
  const [places, locals, centrals]: [number[], Buffer[], Buffer[]] = [[], [], []];
  let at = 0;
  for (const file of files) {
    const { name, content, method = 8, flags = 0, crc = crc32(content), size = content.length, liesAt } = file;
    const packed = method === 0 ? Buffer.from(content) : deflateRawSync(content);
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(nameBytes.length, 26);
    places.push(at);
    const isOwn = liesAt === undefined;
    if (isOwn) locals.push(local, nameBytes, packed);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(nameBytes.length, 28);
    central.writeUInt32LE(isOwn ? at : (places[liesAt] ?? 0), 42);
    centrals.push(central, nameBytes);
    if (isOwn) at += 30 + nameBytes.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(
    centrals.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...locals, ...centrals, end]));
}
