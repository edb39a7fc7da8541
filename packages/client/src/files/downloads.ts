import { equalBytes, toBase64Url } from "@latchkey/codec";
import { fileChunkAt, fileChunkBytes, paddedFileBytes } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { damaged } from "../transport/blob-answers.ts";
import { dayOf, filePieceCount } from "./file-store.ts";
import type { FilePlace } from "./file-store.ts";
import { FileBroken, filePieceBytes, readSealedFile, sealedBytesOf } from "./reading.ts";
import { fetchPiece } from "./piece-request.ts";
import { createSlots } from "./slots.ts";

/** Pieces that are asked for at a time, of all files together. */
const piecesAtOnce = 3;

/** Where a file of a message is, and what reads it. */
export interface Wanted {
  readonly file: FilePart;
  readonly url: string;
  /** Another message named this blob before: nothing is kept of it for this one, and what is there is not touched. */
  readonly isOthers?: boolean | undefined;
}

/** Told of each piece that came. */
export type OnPiece = () => void;

/**
 * Brings files from their hosts, as ciphertext into the store of files. What is given out was verified: each chunk by its tag, and the whole by
 * its hash where all of it is asked for (spec X-23).
 */
export class Downloads {
  readonly #platform: Pick<Platform, "fetch" | "setTimer" | "random" | "nowMs">;
  readonly #place: () => Promise<FilePlace>;
  readonly #slots = createSlots(piecesAtOnce);

  constructor(platform: Pick<Platform, "fetch" | "setTimer" | "random" | "nowMs">, place: () => Promise<FilePlace>) {
    this.#platform = platform;
    this.#place = place;
  }

  /**
   * Fetches what is missing of a file, and verifies the whole. `take` is given each piece of the ciphertext; again where it is tried again.
   * @throws ClientError `file_gone`, `server_lied`, `storage_full`, and what may pass, with `canRetry`
   */
  async fetch(wanted: Wanted, signal: AbortSignal, onPiece: OnPiece, take?: (piece: Uint8Array, index: number) => void): Promise<void> {
    const { store, hash } = await this.#placeOf(wanted);
    const { id, totalBytes } = sizesOf(wanted);
    await store.begin(id, totalBytes, dayOf(this.#platform.nowMs()));
    for (let attempt = 1; ; attempt++) {
      const running = hash();
      const count = filePieceCount(totalBytes);
      const pieces = await this.#pieces(wanted, { signal, onPiece, through: count, mayBeFull: false });
      try {
        for (let index = 0; index < count; index++) {
          const piece = await pieces.take(index);
          running.update(piece);
          take?.(piece, index);
        }
      } finally {
        pieces.end();
      }
      if (equalBytes(running.digest(), wanted.file.hash)) break;
      await store.remove(id);
      if (attempt > 1 || [...pieces.taken.values()].every((origin) => origin === "host")) throw damaged();
      await store.begin(id, totalBytes, dayOf(this.#platform.nowMs()));
    }
  }

  /**
   * The bytes of a file from `from` up to, not including, `to`.
   * @throws ClientError as `fetch`; of a store that is full nothing: what is read is not kept then
   */
  async *read(
    wanted: Wanted,
    { from, to }: { readonly from: number; readonly to: number },
    signal: AbortSignal,
    onPiece: OnPiece,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const { store, hash } = await this.#placeOf(wanted);
    const { id, totalBytes } = sizesOf(wanted);
    const { file } = wanted;
    await store.begin(id, totalBytes, dayOf(this.#platform.nowMs())).catch(ignoreFull);
    const isWhole = from === 0 && to >= file.sizeBytes;
    const count = filePieceCount(totalBytes);
    const through = isWhole ? count : pieceAt(file.sizeBytes, Math.min(to, file.sizeBytes) - 1, "sealedTo") + 1;
    let at = from;
    for (;;) {
      const pieces = await this.#pieces(wanted, { signal, onPiece, through, mayBeFull: true });
      // Of a whole file the hash is made as it comes.
      const running = isWhole ? hash() : undefined;
      let next = 0;
      let last: Uint8Array<ArrayBuffer> | undefined;
      let isOpened = false;
      const hashed = async (index: number): Promise<Uint8Array> => {
        const piece = await pieces.take(index);
        if (index === next) {
          running?.update(piece);
          next++;
        }
        return piece;
      };
      try {
        // What was given out before something was fetched anew.
        while (running !== undefined && next < pieceAt(file.sizeBytes, at, "sealedFrom")) await hashed(next);
        for await (const part of readSealedFile(file, hashed, { from: at, to })) {
          if (last !== undefined) {
            yield last;
            at += last.length;
          }
          last = part;
        }
        isOpened = true;
        if (running !== undefined) {
          // What is behind the file, too; its end is not given out before.
          while (next < count) await hashed(next);
          if (!equalBytes(running.digest(), file.hash)) throw new FileBroken("the file has another hash");
        }
        if (last !== undefined) yield last;
        return;
      } catch (error) {
        if (!(error instanceof FileBroken)) throw error;
        // What lay here may have been damaged here, and is fetched anew; what came just now is somebody else's doing.
        const first = isOpened ? 0 : pieceAt(file.sizeBytes, at + (last?.length ?? 0), "sealedFrom");
        const suspects = [...pieces.taken].filter(([index]) => index >= first);
        for (const [index] of suspects) await store.drop(id, index);
        if (suspects.every(([, origin]) => origin === "host")) throw damaged();
      } finally {
        pieces.end();
      }
    }
  }

  async #placeOf({ isOthers }: Wanted): Promise<{ readonly store: Kept; readonly hash: FilePlace["hash"] }> {
    const place = await this.#place();
    return isOthers === true ? { ...place, store: nothingKept } : place;
  }

  /** The pieces of a file, in ascending order: from the store, else from the host, a few ahead of what is taken. */
  async #pieces(wanted: Wanted, { signal, onPiece, through, mayBeFull }: Taking): Promise<Pieces> {
    const { store } = await this.#placeOf(wanted);
    const { id, totalBytes } = sizesOf(wanted);
    const ender = new AbortController();
    const end = (): void => {
      signal.removeEventListener("abort", end);
      ender.abort();
    };
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    const coming = new Map<number, Promise<Uint8Array>>();
    const taken = new Map<number, "host" | "here">();
    const here = new Set<number>();
    const keep = async (index: number, bytes: Uint8Array): Promise<void> => {
      if (ender.signal.aborted) return;
      await store.put(id, index, bytes).catch((error: unknown) => {
        if (!mayBeFull) throw error;
        ignoreFull(error);
      });
      onPiece();
    };
    const bring = async (index: number): Promise<Uint8Array> => {
      const kept = await store.piece(id, index);
      if (kept !== undefined) {
        here.add(index);
        return kept;
      }
      return await this.#slots.run(async () => {
        const piece = await fetchPiece({ platform: this.#platform, url: wanted.url, totalBytes, signal: ender.signal, keep }, index);
        await keep(index, piece);
        return piece;
      });
    };
    return {
      taken,
      async take(index) {
        for (let ahead = index; ahead < Math.min(through, index + piecesAtOnce); ahead++) {
          if (coming.has(ahead) || taken.has(ahead)) continue;
          const piece = bring(ahead);
          piece.catch(() => undefined);
          coming.set(ahead, piece);
        }
        const piece = await (coming.get(index) ?? bring(index));
        coming.delete(index);
        taken.set(index, here.has(index) ? "here" : "host");
        return piece;
      },
      end,
    };
  }
}

type Kept = Pick<FilePlace["store"], "begin" | "piece" | "put" | "drop" | "remove">;
const nothing = (): Promise<undefined> => Promise.resolve(undefined);
const nothingKept: Kept = { begin: nothing, piece: nothing, put: nothing, drop: nothing, remove: nothing };

/** How pieces are taken: those before `through`. */
interface Taking {
  readonly signal: AbortSignal;
  readonly onPiece: OnPiece;
  readonly through: number;
  /** Where the store is full, what comes is read all the same. */
  readonly mayBeFull: boolean;
}

interface Pieces {
  take(index: number): Promise<Uint8Array>;
  /** Those that were, and whether they lay here before. */
  readonly taken: ReadonlyMap<number, "host" | "here">;
  /** Ends what is fetched ahead. */
  end(): void;
}

/** In which piece the chunk with this byte begins, or ends. */
function pieceAt(sizeBytes: number, byte: number, side: "sealedFrom" | "sealedTo"): number {
  const chunk = fileChunkAt(paddedFileBytes(sizeBytes), Math.floor(Math.max(0, byte) / fileChunkBytes));
  return Math.floor((side === "sealedFrom" ? chunk.sealedFrom : chunk.sealedTo - 1) / filePieceBytes);
}

function sizesOf({ file }: Wanted): { readonly id: string; readonly totalBytes: number } {
  return { id: toBase64Url(file.blobId), totalBytes: sealedBytesOf(file.sizeBytes) };
}

function ignoreFull(error: unknown): void {
  if (!(error instanceof ClientError) || error.code !== "storage_full") throw error;
}
