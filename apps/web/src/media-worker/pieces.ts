import { askForPiece } from "@latchkey/client/fetching";
import { filePieceAt, sealedBytesOf } from "@latchkey/client/files";
import type { PieceSource } from "@latchkey/client/files";
import type { FileAccess } from "@latchkey/client";

/** The host does not have it any more. */
export class FileGone extends Error {
  override readonly name = "FileGone";
}

/** Ciphertext that is kept on this device. */
export interface PieceStore {
  get(id: string, index: number): Promise<Uint8Array | undefined>;
  /** Keeps it where there is room; never rejects. */
  put(id: string, index: number, piece: Uint8Array<ArrayBuffer>, totalBytes: number): Promise<void>;
  /** Keeps it no more; never rejects. */
  drop(id: string, index: number): Promise<void>;
}

/** The pieces of a file. */
export interface Pieces {
  readonly take: PieceSource;
  /** One that does not open is kept nowhere, and fetched anew when it is asked for again. */
  forget(index: number): Promise<void>;
}

/** The same, which is only read for what is not to be kept. */
export function storeFor({ isKept }: Pick<FileAccess, "isKept">, store: PieceStore): PieceStore {
  return isKept ? store : { get: (id, index) => store.get(id, index), put: async () => undefined, drop: async () => undefined };
}

/** What fetching needs of its surroundings. */
export interface FetchWorld {
  readonly fetch: typeof fetch;
  wait(ms: number): Promise<void>;
  setTimer(delayMs: number, run: () => void): () => void;
  /** Pieces that were asked for last, of all files: a player asks for the beginning again and again. */
  readonly recent: Map<string, Promise<Uint8Array>>;
}

/** The browser's. */
export function browsersFetch(): FetchWorld {
  return {
    // Called as a method of another object, the browser's own would throw.
    fetch: (...params) => fetch(...params),
    wait: (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    setTimer(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    recent: new Map(),
  };
}

/** Pieces that are remembered. */
const mostRecent = 6;

const tries = 4;
const firstPauseMs = 500;
/** A request of the browser is answered to its end: what came of it is kept. */
const neverEnded = new AbortController().signal;

/**
 * The pieces of a file: those that are kept here, and the others from its host, which are kept from then on. What a host says while it cannot, or
 * does not want to (5xx, 429, 403), is tried again, and never that a file is gone.
 */
export function piecesOf(access: Pick<FileAccess, "id" | "url" | "sizeBytes">, store: PieceStore | undefined, world: FetchWorld): Pieces {
  const { id, url, sizeBytes } = access;
  const totalBytes = sealedBytesOf(sizeBytes);
  const load = async (index: number): Promise<Uint8Array> => {
    const { from, to } = filePieceAt(totalBytes, index);
    const kept = await store?.get(id, index).catch(() => undefined);
    if (kept?.length === to - from) return kept;
    const keep = async (at: number, piece: Uint8Array<ArrayBuffer>): Promise<void> => await store?.put(id, at, piece, totalBytes);
    const piece = await fetchPiece({ platform: world, url, totalBytes, keep }, index, world);
    await keep(index, piece);
    return piece;
  };
  const keyOf = (index: number): string => `${id} ${String(index)}`;
  const take: PieceSource = (index) => {
    const key = keyOf(index);
    const piece = world.recent.get(key) ?? load(index);
    world.recent.delete(key);
    world.recent.set(key, piece);
    // What failed is asked for again.
    piece.catch(() => world.recent.delete(key));
    for (const old of world.recent.keys()) {
      if (world.recent.size <= mostRecent) break;
      world.recent.delete(old);
    }
    return piece;
  };
  const forget = async (index: number): Promise<void> => {
    world.recent.delete(keyOf(index));
    await store?.drop(id, index);
  };
  return { take, forget };
}

/** Asks a few times: somebody waits for it, and can try again. */
async function fetchPiece(
  host: Omit<Parameters<typeof askForPiece>[0], "signal">,
  index: number,
  world: FetchWorld,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let count = 1; ; count++) {
    try {
      return await askForPiece({ ...host, signal: neverEnded }, index);
    } catch (error) {
      if (isGone(error)) throw new FileGone("the host does not have it", { cause: error });
      if (count === tries) throw error;
      await world.wait(firstPauseMs * 2 ** count);
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "server_refused" && "canRetry" in error && error.canRetry === false;
}
