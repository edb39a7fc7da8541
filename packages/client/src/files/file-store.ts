import { filePieceAt, filePieceBytes } from "./reading.ts";

/** What is kept of a file. */
export interface StoredFile {
  /** Of its blob, base64url. */
  readonly id: string;
  /** Of its whole ciphertext. */
  readonly totalBytes: number;
  /** How much of that is here. */
  readonly hereBytes: number;
  /** The day on which it was last used, in days since 1970. */
  readonly lastUsedDay: number;
}

/**
 * Where the ciphertext of files is kept: of those that are to be sent, and of those that were fetched. Pieces come in any order, and each is
 * there as a whole or not at all, whatever ends this program; what is read may be damaged where the disk is, so that whoever reads verifies.
 * Several may use it at once, as a worker and a service worker do. No method but `erase` changes what another id has.
 */
export interface FileStore {
  /** What is kept under this id; `undefined` where nothing was begun. */
  get(id: string): Promise<StoredFile | undefined>;
  /** All that were begun, in any order. */
  list(): Promise<readonly StoredFile[]>;
  /**
   * Begins to keep a file, and says that it was used on this day; what is here of it stays. Where it was begun with another size, that goes.
   * @throws ClientError `storage_full`, `storage_denied`
   */
  begin(id: string, totalBytes: number, day: number): Promise<void>;
  /** A piece, as it was put; `undefined` where it is not here. The bytes belong to the caller. */
  piece(id: string, index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Keeps a piece; nothing where the file was not begun, or was removed meanwhile. It may be lost with the power until `sync`.
   * @throws RangeError for one of another length than its place has
   * @throws ClientError `storage_full`, `storage_denied`
   */
  put(id: string, index: number, bytes: Uint8Array): Promise<void>;
  /** Forgets one piece. */
  drop(id: string, index: number): Promise<void>;
  /** The pieces that are here, ascending. */
  pieces(id: string): Promise<readonly number[]>;
  /** Resolves once all that is here of this file outlives a power cut. @throws ClientError `storage_full`, `storage_denied` */
  sync(id: string): Promise<void>;
  /** Removes a file, with all of its pieces; one that is not here is no error. */
  remove(id: string): Promise<void>;
  /** Removes everything. */
  erase(): Promise<void>;
  /** Releases what is held. Idempotent. */
  close(): Promise<void>;
}

/** How many pieces so many bytes of ciphertext make. */
export function filePieceCount(totalBytes: number): number {
  return Math.ceil(totalBytes / filePieceBytes);
}

/** How many bytes a piece has. @throws RangeError where there is no such piece */
export function filePieceLength(totalBytes: number, index: number): number {
  if (!Number.isSafeInteger(index) || index < 0 || index >= filePieceCount(totalBytes)) throw new RangeError("no such piece");
  const { from, to } = filePieceAt(totalBytes, index);
  return to - from;
}

/** How many bytes these pieces have together. */
export function bytesOfPieces(totalBytes: number, indexes: readonly number[]): number {
  return indexes.reduce((sum, index) => sum + filePieceLength(totalBytes, index), 0);
}

/** The day of a time, in days since 1970. */
export function dayOf(nowMs: number): number {
  return Math.max(0, Math.floor(nowMs / 86_400_000));
}

/** SHA-256 of what comes in parts. */
export interface RunningHash {
  update(bytes: Uint8Array): unknown;
  /** Called once, at the end. */
  digest(): Uint8Array;
}

/** What files need of the platform: where they are kept, and how their hash is made as they come. */
export interface FilePlace {
  readonly store: FileStore;
  hash(): RunningHash;
  /** How many bytes more there is room for; `undefined` where that is not known. Absent where nobody knows. */
  roomBytes?(): Promise<number | undefined>;
  /** Which files others read now, as a service worker does; absent where nobody else does. */
  readElsewhere?(): Promise<ReadonlySet<string>>;
}
