import type { Day, Refused } from "./accounts.ts";

/** What an account has as its history backup (spec B-1). The bytes are the caller's. */
export interface StoredHistory {
  readonly counter: number;
  /** 16 bytes. */
  readonly generation: Uint8Array;
  /** Chunks of it that the manifest counts. */
  readonly chunks: number;
  readonly day: Day;
  readonly manifest: Uint8Array;
}

/** A writing of an account's history, without its chunks. */
export interface HeldGeneration {
  readonly row: number;
  readonly generation: Uint8Array;
  readonly sizeBytes: number;
}

/** A chunk, without its bytes. */
export interface HeldChunk {
  readonly number: number;
  readonly day: Day;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** History backups of accounts, which nobody here can read. Writes are atomic and durable when they resolve. */
export interface HistoryStore {
  /** `sizeBytes`: of all chunks of the account. */
  historyManifest(params: { accountId: Uint8Array }): Promise<{ readonly stored: StoredHistory | undefined; readonly sizeBytes: number }>;
  historyChunk(params: { accountId: Uint8Array; generation: Uint8Array; number: number }): Promise<Uint8Array | undefined>;
  /**
   * Stores a chunk. The same again changes nothing; another one in the place of one that the manifest counts is a conflict. An account has two
   * generations at most: that of its manifest and the one that was begun last. Before a generation begins, the one that was begun before is given
   * up, and nothing that was given up, by whomever, may be left: where it is, `purge_first`, and nothing was stored.
   */
  putHistoryChunk(params: {
    accountId: Uint8Array;
    generation: Uint8Array;
    number: number;
    chunk: Uint8Array;
    day: Day;
    /** Of all chunks of the generation. */
    maxBytes: number;
    /** Of all chunks that there are; 0 for no bound. */
    maxStoredBytes: number;
  }): Promise<{ kind: "stored" | "purge_first" } | Refused<"not_found" | "conflict" | "too_large" | "storage_full">>;
  /**
   * Compare-and-swap of the manifest; the very same again is no conflict. Chunks that it counts have to be there. Every other generation
   * is given up.
   */
  putHistoryManifest(
    params: StoredHistory & { accountId: Uint8Array; previous: number },
  ): Promise<{ kind: "stored" } | Refused<"not_found" | "conflict">>;
  /** Gives all of it up. */
  eraseHistory(params: { accountId: Uint8Array }): Promise<void>;
  /** Erases chunks of what was given up, at most `maxItems`, and overwrites them in a data folder (docs/cluster.md has PostgreSQL). Answers how many. */
  purgeHistory(params: { maxItems: number }): Promise<number>;
  /** Chunks of a generation from `fromNumber` on, in order, at most so many. */
  heldChunks(params: { row: number; fromNumber: number; maxItems: number }): Promise<readonly HeldChunk[]>;
}
