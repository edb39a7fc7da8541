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
  read(): PieceReader;
  /** One that does not open is kept nowhere, and fetched anew when it is asked for again. */
  forget(index: number): Promise<void>;
}

/** Somebody who reads pieces one after the other. */
export interface PieceReader {
  readonly take: PieceSource;
  /** Reads no more: what is awaited rejects, and what was on its way to nobody else is not fetched any further. Idempotent. */
  end(): void;
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
  readonly recent: Map<string, ComingPiece>;
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
/** So long a piece still comes that nobody reads any more: a player that is sought asks for the same once more, some moments later. */
const graceMs = 250;

/**
 * The pieces of a file: those that are kept here, and the others from its host, which are kept from then on. What a host says while it cannot, or
 * does not want to (5xx, 429, 403), is tried again, and never that a file is gone.
 */
export function piecesOf(access: Pick<FileAccess, "id" | "url" | "sizeBytes">, store: PieceStore | undefined, world: FetchWorld): Pieces {
  const { id, url, sizeBytes } = access;
  const totalBytes = sealedBytesOf(sizeBytes);
  const load = async (index: number, { grew, isDropped, signal }: Coming): Promise<Uint8Array> => {
    const { from, to } = filePieceAt(totalBytes, index);
    const kept = await store?.get(id, index).catch(() => undefined);
    if (kept?.length === to - from) return kept;
    if (url === undefined) throw new FileGone("no host has it");
    const keep = async (at: number, piece: Uint8Array<ArrayBuffer>): Promise<void> => await store?.put(id, at, piece, totalBytes);
    const piece = await fetchPiece({ platform: world, url, totalBytes, keep, grew, signal }, index, world);
    if (!isDropped()) await keep(index, piece);
    return piece;
  };
  const keyOf = (index: number): string => `${id} ${String(index)}`;
  const pieceAt = (index: number): ComingPiece => {
    const key = keyOf(index);
    const letGo = (): void => {
      if (world.recent.get(key) === piece) world.recent.delete(key);
    };
    const known = world.recent.get(key);
    const piece: ComingPiece = known ?? comingPiece((coming) => load(index, coming), { world, letGo });
    world.recent.delete(key);
    world.recent.set(key, piece);
    for (const old of world.recent.keys()) {
      if (world.recent.size <= mostRecent) break;
      world.recent.delete(old);
    }
    return piece;
  };
  const read = (): PieceReader => {
    const used = new Map<number, ComingPiece>();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    ended.catch(() => undefined);
    const self = {};
    return {
      async take(index, through) {
        const piece = pieceAt(index);
        // What is before it was read: a large file is not held.
        for (const [at, before] of used) {
          if (at >= index) continue;
          before.leave(self);
          used.delete(at);
        }
        used.set(index, piece);
        return await Promise.race([ended, piece.take(self, through)]);
      },
      end() {
        reject(new Error("nobody reads it any more"));
        for (const piece of used.values()) piece.leave(self);
        used.clear();
      },
    };
  };
  const forget = async (index: number): Promise<void> => {
    const key = keyOf(index);
    world.recent.get(key)?.drop();
    world.recent.delete(key);
    await store?.drop(id, index);
  };
  return { read, forget };
}

/** A piece that is here, or on its way: its beginning is read before its end has come. */
export interface ComingPiece {
  /** So much of its beginning, or more. Rejects where the piece does not come. */
  take(reader: object, through: number): Promise<Uint8Array>;
  /** That reader needs it no more. */
  leave(reader: object): void;
  /** It is not to be kept once it is here. */
  drop(): void;
}

/** What brings a piece tells of it, and is told. */
interface Coming {
  grew(bytes: Uint8Array): void;
  isDropped(): boolean;
  readonly signal: AbortSignal;
}

function comingPiece(
  load: (coming: Coming) => Promise<Uint8Array>,
  {
    world,
    letGo,
  }: {
    readonly world: Pick<FetchWorld, "setTimer">;
    /** It does not come: whoever wants it asks again. */
    readonly letGo: () => void;
  },
): ComingPiece {
  let here: Uint8Array = new Uint8Array(0);
  let isDropped = false;
  let isSettled = false;
  const ender = new AbortController();
  const readers = new Set<object>();
  const waiting = new Set<{ readonly through: number; resolve(bytes: Uint8Array): void }>();
  const grew = (bytes: Uint8Array): void => {
    here = bytes;
    for (const one of waiting) if (bytes.length >= one.through) one.resolve(bytes);
  };
  const whole = load({ grew, isDropped: () => isDropped, signal: ender.signal }).finally(() => (isSettled = true));
  whole.catch(letGo);
  return {
    async take(reader, through) {
      readers.add(reader);
      if (here.length >= through) return here;
      const { promise, resolve } = Promise.withResolvers<Uint8Array>();
      const one = { through, resolve };
      waiting.add(one);
      return await Promise.race([promise, whole]).finally(() => waiting.delete(one));
    },
    leave(reader) {
      readers.delete(reader);
      if (isSettled || readers.size > 0) return;
      world.setTimer(graceMs, () => {
        if (isSettled || readers.size > 0) return;
        letGo();
        ender.abort();
      });
    },
    drop: () => (isDropped = true),
  };
}

/** Asks a few times: somebody waits for it, and can try again. */
async function fetchPiece(host: Parameters<typeof askForPiece>[0], index: number, world: FetchWorld): Promise<Uint8Array<ArrayBuffer>> {
  for (let count = 1; ; count++) {
    try {
      return await askForPiece(host, index);
    } catch (error) {
      if (isGone(error)) throw new FileGone("the host does not have it", { cause: error });
      if (count === tries || host.signal.aborted) throw error;
      await world.wait(firstPauseMs * 2 ** count);
      host.signal.throwIfAborted();
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "server_refused" && "canRetry" in error && error.canRetry === false;
}
