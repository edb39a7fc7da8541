import { decode, encode, mapped, oneOf, opaque, opaqueV, optional, safeUint64, struct, text, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { replayStateCodec } from "@latchkey/transparency";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { WitnessError } from "./errors.ts";
import type { OriginState, Replayed } from "./step.ts";

/** Keeps what a witness signed, for each log. One process at a time has it open. */
export interface StateStore {
  /** All logs, each with the last checkpoint that was cosigned (a signed note; empty before the first). */
  load(): readonly { readonly state: OriginState; readonly checkpoint: Uint8Array }[];
  /**
   * Writes `next` where the stored state is still that of `previous` (undefined: none); on disk when it returns.
   * @throws WitnessError `state_unusable` when it could not be written, or the stored state is another one.
   */
  save(params: { previous: OriginState | undefined; next: OriginState; checkpoint: Uint8Array }): void;
  close(): void;
}

const format: Codec<2> = oneOf(uint16, [2]);
const hash = opaque(32);
const keysCodec: Codec<readonly [string, string]> = mapped(
  struct<{ previous: string; newest: string }>({ previous: text(512), newest: text(512) }),
  ([previous, newest]) => ({ previous, newest }),
  ({ previous, newest }) => [previous, newest],
);
const stateCodec: Codec<OriginState & { readonly format: 2; readonly ext: Uint8Array }> = struct({
  format,
  origin: text(300),
  configHash: hash,
  initialLogKey: text(512),
  size: safeUint64,
  root: hash,
  replayed: optional(struct<Replayed>({ state: replayStateCodec, root: hash, logKeys: keysCodec, configSeenMs: safeUint64 })),
  ext: opaqueV(4096),
});

/**
 * The state of the witness with this key (its log vkey) in the SQLite file `path`, made if `mayCreate`.
 * @throws WitnessError `state_in_use` or `state_unusable`
 */
export function openStateStore(params: { path: string; logKey: string; mayCreate: boolean }): StateStore {
  const { path, logKey } = params;
  let database: DatabaseSync;
  try {
    database = openDatabase(params);
  } catch (cause) {
    if (cause instanceof WitnessError) throw cause;
    if (isBusy(cause)) throw new WitnessError("state_in_use", `another witness is using ${path}: stop it first`, { cause });
    throw new WitnessError("state_unusable", `the state in ${path} cannot be opened`, { cause });
  }
  const owner = database.prepare("SELECT value FROM meta WHERE name = 'key'").get()?.["value"];
  if (owner !== logKey) {
    database.close();
    throw new WitnessError("state_unusable", `the state in ${path} belongs to another key`);
  }
  const insert = database.prepare("INSERT INTO logs (origin, size, root, state, checkpoint) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const update = database.prepare(
    "UPDATE logs SET size = ?, root = ?, state = ?, checkpoint = ? WHERE origin = ? AND size = ? AND root = ?",
  );
  return {
    load: () =>
      database
        .prepare("SELECT state, checkpoint FROM logs")
        .all()
        .map((row) => ({ state: decodeState(bytesOf(row["state"]), path), checkpoint: bytesOf(row["checkpoint"]) })),
    save({ previous, next, checkpoint }) {
      const state = encode(stateCodec, { ...next, format: 2, ext: new Uint8Array(0) });
      let changes: number | bigint;
      try {
        changes =
          previous === undefined
            ? insert.run(next.origin, next.size, next.root, state, checkpoint).changes
            : update.run(next.size, next.root, state, checkpoint, next.origin, previous.size, previous.root).changes;
      } catch (cause) {
        throw new WitnessError("state_unusable", `the state in ${path} cannot be written`, { cause });
      }
      if (Number(changes) !== 1) throw new WitnessError("state_unusable", `the state in ${path} is not the one that was read`);
    },
    close() {
      database.close();
    },
  };
}

function openDatabase({ path, logKey, mayCreate }: { path: string; logKey: string; mayCreate: boolean }): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // Exclusive: the lock of the file is held until the process ends, however it ends. FULL: every commit reaches the disk.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version === 0 && mayCreate) {
      database.exec(`
        CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
        CREATE TABLE logs (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, state BLOB NOT NULL, checkpoint BLOB NOT NULL) STRICT;
        PRAGMA user_version = 2;
      `);
      database.prepare("INSERT INTO meta (name, value) VALUES ('key', ?)").run(logKey);
    } else if (version !== 2) {
      throw new WitnessError(
        "state_unusable",
        `the state in ${path} is missing or of another version: a witness without it takes a new key`,
      );
    }
    database.exec("COMMIT");
    syncFolder(dirname(path));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Puts the names in a folder on disk. */
export function syncFolder(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function decodeState(bytes: Uint8Array, path: string): OriginState {
  try {
    const { format: _format, ext: _ext, ...state } = decode(stateCodec, bytes);
    return state;
  } catch (cause) {
    throw new WitnessError("state_unusable", `the state in ${path} is damaged`, { cause });
  }
}

function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY is 5 (sqlite.org/rescode.html).
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5;
}
