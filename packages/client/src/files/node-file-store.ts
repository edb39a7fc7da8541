import { createHash } from "node:crypto";
import { constants, mkdir, open, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { ClientError } from "../errors.ts";
import { createMutex } from "../store/mutex.ts";
import { bytesOfPieces, filePieceCount, filePieceLength } from "./file-store.ts";
import type { FileStore, RunningHash, StoredFile } from "./file-store.ts";
import { filePieceBytes } from "./reading.ts";

/*
 * Of each blob two files: ID, as large as its ciphertext and with holes where a piece is missing, and ID.map, which says what is not: its
 * size (uint64), the day of its last use (uint32), and a bit for each piece, the lowest first.
 */
const mapSuffix = ".map";
const headBytes = 12;
const idPattern = /^[\w-]{1,64}$/;
const readWrite = constants.O_RDWR | constants.O_CREAT;

interface PieceMap {
  readonly totalBytes: number;
  readonly lastUsedDay: number;
  readonly bits: Uint8Array;
}

/** A store of files in a folder, made if it is missing, readable by its owner only. One process has it open. */
export function openNodeFileStore(folder: string): FileStore {
  const mutex = createMutex();
  let making: Promise<void> | undefined;

  const make = (): Promise<void> => {
    making ??= makeFolder(folder);
    making.catch(() => {
      making = undefined;
    });
    return making;
  };
  const pathOf = (id: string): string => {
    if (!idPattern.test(id)) throw new RangeError("not an id of a file");
    return join(folder, id);
  };
  const loadMap = async (id: string): Promise<PieceMap | undefined> => {
    try {
      return decodeMap(await readFile(pathOf(id) + mapSuffix));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw storageError(error);
    }
  };
  const removeFile = async (id: string): Promise<void> => {
    // No file without its map, by which it is found.
    await rm(pathOf(id), { force: true });
    await rm(pathOf(id) + mapSuffix, { force: true });
  };
  /** One after the other: a map is read, changed and written. */
  const change = (run: () => Promise<void>): Promise<void> =>
    mutex.run(async () => {
      try {
        await make();
        await run();
      } catch (error) {
        throw storageError(error);
      }
    });
  // In its place: it is as long as before, and fits into one sector.
  const saveMap = (id: string, map: PieceMap, isDurable = false): Promise<void> =>
    withFile(pathOf(id) + mapSuffix, readWrite, async (file) => {
      await writeAll(file, encodeMap(map), 0);
      if (isDurable) await file.datasync();
    });

  return {
    async get(id) {
      const map = await loadMap(id);
      return map === undefined ? undefined : shown(id, map);
    },
    async list() {
      const found: StoredFile[] = [];
      for (const name of await namesIn(folder)) {
        const id = name.endsWith(mapSuffix) ? name.slice(0, -mapSuffix.length) : "";
        const map = idPattern.test(id) ? await loadMap(id) : undefined;
        if (map !== undefined) found.push(shown(id, map));
      }
      return found;
    },
    begin: (id, totalBytes, day) =>
      change(async () => {
        const known = await loadMap(id);
        if (known?.totalBytes === totalBytes) {
          await saveMap(id, { ...known, lastUsedDay: day });
          return;
        }
        await removeFile(id);
        await saveMap(id, { totalBytes, lastUsedDay: day, bits: new Uint8Array(mapBytes(totalBytes)) });
        await withFile(pathOf(id), readWrite, (file) => file.truncate(totalBytes));
      }),
    async piece(id, index) {
      const map = await loadMap(id);
      if (map === undefined || !hasPiece(map, index)) return undefined;
      const bytes = new Uint8Array(filePieceLength(map.totalBytes, index));
      try {
        const isWhole = await withFile(pathOf(id), "r", (file) => readAll(file, bytes, index * filePieceBytes));
        return isWhole ? bytes : undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw storageError(error);
      }
    },
    put: (id, index, bytes) =>
      change(async () => {
        const map = await loadMap(id);
        if (map === undefined) return;
        if (bytes.length !== filePieceLength(map.totalBytes, index)) throw new RangeError("a piece of another length");
        await withFile(pathOf(id), readWrite, (file) => writeAll(file, bytes, index * filePieceBytes));
        await saveMap(id, withPiece(map, index, true));
      }),
    drop: (id, index) =>
      change(async () => {
        const map = await loadMap(id);
        if (map !== undefined && hasPiece(map, index)) await saveMap(id, withPiece(map, index, false));
      }),
    async pieces(id) {
      const map = await loadMap(id);
      return map === undefined ? [] : piecesIn(map);
    },
    sync: (id) =>
      change(async () => {
        const map = await loadMap(id);
        if (map === undefined) return;
        await withFile(pathOf(id), readWrite, (file) => file.datasync());
        // After what it speaks of.
        await saveMap(id, map, true);
        await syncFolder(folder);
      }),
    remove: (id) => change(() => removeFile(id)),
    erase: () =>
      change(async () => {
        for (const name of await namesIn(folder))
          if (idPattern.test(name.replace(/\.map$/, ""))) await rm(join(folder, name), { force: true });
      }),
    close: () => mutex.idle(),
  };
}

/** SHA-256 of what comes in parts, by `node:crypto`. */
export function createNodeHash(): RunningHash {
  const hash = createHash("sha256");
  return { update: (bytes) => hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}

/** How many bytes more this user can write where a folder is; `undefined` where the system does not say. */
export async function nodeRoomBytes(folder: string): Promise<number | undefined> {
  const system = await statfs(folder).catch(() => undefined);
  return system === undefined ? undefined : system.bavail * system.bsize;
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // As of the profile itself: in a working copy it must not be published with it.
  await writeFile(join(folder, ".gitignore"), "*\n", { mode: 0o600, flag: "wx" }).catch(() => undefined);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw storageError(error);
  }
}

async function withFile<T>(path: string, flags: string | number, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, 0o600);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Whether the file has so much there. */
async function readAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folder, and writes its entries with the files.
  if (process.platform === "win32") return;
  await withFile(folder, "r", (directory) => directory.sync());
}

function decodeMap(stored: Uint8Array): PieceMap {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
  const totalBytes = stored.length < headBytes ? 0 : Number(view.getBigUint64(0));
  const bits = new Uint8Array(stored.subarray(headBytes));
  // Of what was cut off in the middle of writing nothing is here.
  if (totalBytes === 0 || bits.length !== mapBytes(totalBytes)) return { totalBytes: 0, lastUsedDay: 0, bits: new Uint8Array(0) };
  return { totalBytes, lastUsedDay: view.getUint32(8), bits };
}

function mapBytes(totalBytes: number): number {
  return Math.ceil(filePieceCount(totalBytes) / 8);
}

function encodeMap({ totalBytes, lastUsedDay, bits }: PieceMap): Uint8Array {
  const stored = new Uint8Array(headBytes + bits.length);
  const view = new DataView(stored.buffer);
  view.setBigUint64(0, BigInt(totalBytes));
  view.setUint32(8, lastUsedDay);
  stored.set(bits, headBytes);
  return stored;
}

function hasPiece({ bits }: PieceMap, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function withPiece(map: PieceMap, index: number, isHere: boolean): PieceMap {
  const bits = map.bits.slice();
  const [at, bit] = [index >> 3, 1 << (index & 7)];
  bits[at] = isHere ? (bits[at] ?? 0) | bit : (bits[at] ?? 0) & ~bit;
  return { ...map, bits };
}

function piecesIn(map: PieceMap): readonly number[] {
  return Array.from({ length: filePieceCount(map.totalBytes) }, (_, index) => index).filter((index) => hasPiece(map, index));
}

function shown(id: string, map: PieceMap): StoredFile {
  const { totalBytes, lastUsedDay } = map;
  return { id, totalBytes, lastUsedDay, hereBytes: bytesOfPieces(totalBytes, piecesIn(map)) };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

function storageError(error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof ClientError || typeof code !== "string" || !code.startsWith("E")) return error;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG")
    return new ClientError("storage_full", "There is no space left on this device. Nothing else is lost.", { cause: error });
  return new ClientError("storage_denied", "The profile cannot be written here.", { cause: error });
}
