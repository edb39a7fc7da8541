import { ClientError } from "../errors.ts";
import { bytesOfPieces, filePieceLength } from "./file-store.ts";
import type { FileStore, StoredFile } from "./file-store.ts";

/** A store of files in memory, for tests. @param params.mostBytes it is full with so many */
export function createMemoryFileStore({
  mostBytes = Number.POSITIVE_INFINITY,
}: { readonly mostBytes?: number | undefined } = {}): FileStore {
  const files = new Map<string, { totalBytes: number; lastUsedDay: number; pieces: Map<number, Uint8Array<ArrayBuffer>> }>();
  const shown = (id: string): StoredFile | undefined => {
    const file = files.get(id);
    if (file === undefined) return undefined;
    const { totalBytes, lastUsedDay, pieces } = file;
    return { id, totalBytes, lastUsedDay, hereBytes: bytesOfPieces(totalBytes, [...pieces.keys()]) };
  };
  const list = (): StoredFile[] => [...files.keys()].map((id) => shown(id)).filter((file) => file !== undefined);
  return {
    get: async (id) => shown(id),
    list: async () => list(),
    async begin(id, totalBytes, day) {
      const known = files.get(id);
      files.set(id, { totalBytes, lastUsedDay: day, pieces: known?.totalBytes === totalBytes ? known.pieces : new Map() });
    },
    piece: async (id, index) => files.get(id)?.pieces.get(index)?.slice(),
    async put(id, index, bytes) {
      const file = files.get(id);
      if (file === undefined) return;
      if (bytes.length !== filePieceLength(file.totalBytes, index)) throw new RangeError("a piece of another length");
      const taken = list().reduce((sum, { hereBytes }) => sum + hereBytes, 0);
      if (taken + bytes.length > mostBytes) throw new ClientError("storage_full", "There is no space left on this device.");
      file.pieces.set(index, new Uint8Array(bytes));
    },
    async drop(id, index) {
      files.get(id)?.pieces.delete(index);
    },
    pieces: async (id) => [...(files.get(id)?.pieces.keys() ?? [])].toSorted((a, b) => a - b),
    sync: async () => undefined,
    async remove(id) {
      files.delete(id);
    },
    async erase() {
      files.clear();
    },
    close: async () => undefined,
  };
}
