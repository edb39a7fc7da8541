import { concatBytes, decode } from "@latchkey/codec";
import {
  consistencySubtrees,
  encodeCheckpoint,
  encodeEntryBundle,
  foldSubtrees,
  formatNote,
  inclusionSubtrees,
  leafHash,
  logEntryCodec,
  nodeHash,
  parseNote,
  tileHashIds,
  tileWidth,
} from "@latchkey/transparency";
import type { LogEntry, NoteSignature, SubtreeId } from "@latchkey/transparency";
import { createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { keyOf } from "../../keys.ts";
import type { LogSigner, ServedCheckpoint, StoredCosignature } from "../directory-store.ts";
import type { Statements } from "./statements.ts";

/** Checkpoints kept behind the newest, for cosignatures that come late. */
const keptCheckpoints = 4;
const ed25519Seed = Buffer.from("302e020100300506032b657004220420", "hex");

/** An entry with its place. */
export interface PlacedEntry {
  readonly bytes: Uint8Array;
  readonly entry: LogEntry;
}

/** The directory's log in SQLite (RFC 6962, C2SP tlog-tiles), inside the caller's transaction. Entries and hashes are only added. */
export class TreeTables {
  readonly #sql: Statements;
  /** Two at most: the log's key and the one before it. */
  readonly #keys = new Map<string, KeyObject>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Entries so far. */
  size(): number {
    return (this.#sql.get<{ last: number | null }>("SELECT max(position) AS last FROM directory_entries")?.last ?? -1) + 1;
  }

  /** The entry at this index. @throws Error when there is none. */
  entry(index: number): PlacedEntry {
    const row = this.#sql.get<{ entry: Uint8Array }>("SELECT entry FROM directory_entries WHERE position = ?", index);
    if (row === undefined) throw new Error("an entry of the directory's log is missing: the database is damaged");
    return { bytes: row.entry, entry: decode(logEntryCodec, row.entry) };
  }

  /** The bytes of an entry's transition; `undefined` for none. */
  transition(index: number): Uint8Array | undefined {
    const row = this.#sql.get<{ transition: Uint8Array | null }>("SELECT transition FROM directory_entries WHERE position = ?", index);
    return row?.transition ?? undefined;
  }

  /** Appends an entry at index `size`. */
  append(size: number, entry: Uint8Array, transition: Uint8Array | undefined): void {
    this.#sql.run("INSERT INTO directory_entries (position, entry, transition) VALUES (?, ?, ?)", size, entry, transition ?? null);
    let hash = leafHash(entry);
    for (let [level, index] = [0, size]; ; level++, index = (index - 1) / 2) {
      this.#sql.run("INSERT INTO directory_hashes (level, position, hash) VALUES (?, ?, ?)", level, index, hash);
      if (index % 2 === 0) return;
      hash = nodeHash(this.#hash({ level, index: index - 1 }), hash);
    }
  }

  /** The root of the first `size` entries, 1 or more. */
  root(size: number): Uint8Array {
    const [root] = foldSubtrees([completeSubtrees(size)], (id) => this.#hash(id));
    if (root === undefined) throw new Error("an empty log has no root");
    return root;
  }

  proveInclusion(index: number, size: number): readonly Uint8Array[] {
    return foldSubtrees(inclusionSubtrees(index, size), (id) => this.#hash(id));
  }

  /** Empty also where the asker's size is none, or larger than `to`. */
  proveConsistency(from: number, to: number): readonly Uint8Array[] {
    return from > to ? [] : foldSubtrees(consistencySubtrees(from, to), (id) => this.#hash(id));
  }

  /** Signs the tree of `size` entries. Answers the note. */
  sign(size: number, signer: LogSigner): string {
    const text = encodeCheckpoint({ origin: signer.origin, size, root: this.root(size), extensions: [] });
    return formatNote({ text, signatures: signer.keys.map((key) => this.#sign(text, key)) });
  }

  /** Keeps the checkpoint of this size. */
  addCheckpoint(size: number, note: string, isServed: boolean): void {
    const sql = "INSERT OR REPLACE INTO directory_checkpoints (size, note, is_served) VALUES (?, ?, ?)";
    this.#sql.run(sql, size, note, isServed ? 1 : 0);
    this.#sql.run("DELETE FROM directory_checkpoints WHERE size < ? AND size < ?", size - keptCheckpoints, this.servedSize());
    this.#sql.run("DELETE FROM directory_cosignatures WHERE size NOT IN (SELECT size FROM directory_checkpoints)");
  }

  servedSize(): number {
    return this.#sql.get<{ size: number | null }>("SELECT max(size) AS size FROM directory_checkpoints WHERE is_served = 1")?.size ?? 0;
  }

  serve(size: number): void {
    this.#sql.run("UPDATE directory_checkpoints SET is_served = 1 WHERE size = ?", size);
  }

  /** A checkpoint with all its cosignatures; `undefined` when it is not kept. */
  checkpoint(size: number): (ServedCheckpoint & { readonly isServed: boolean }) | undefined {
    const row = this.#sql.get<{ note: string; is_served: number }>(
      "SELECT note, is_served FROM directory_checkpoints WHERE size = ?",
      size,
    );
    if (row === undefined) return undefined;
    const lines = this.#sql.all<{ line: string }>("SELECT line FROM directory_cosignatures WHERE size = ? ORDER BY key_name", size);
    return { size, note: row.note + lines.map(({ line }) => line).join(""), isServed: row.is_served === 1 };
  }

  addCosignatures(size: number, cosignatures: readonly StoredCosignature[]): void {
    if (this.#sql.get("SELECT 1 FROM directory_checkpoints WHERE size = ?", size) === undefined) return;
    for (const { keyName, keyId, line, timeMs } of cosignatures) {
      this.#sql.run(
        `INSERT INTO directory_cosignatures (size, key_name, key_id, line, time_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET line = excluded.line, time_ms = excluded.time_ms WHERE excluded.time_ms > time_ms`,
        size,
        keyName,
        keyId,
        line,
        timeMs,
      );
    }
  }

  /** The newest checkpoint with more signatures of the log's own. */
  resign(signer: LogSigner): void {
    const row = this.#sql.get<{ size: number; note: string }>("SELECT size, note FROM directory_checkpoints ORDER BY size DESC LIMIT 1");
    if (row === undefined) return;
    const { text } = parseNote(row.note);
    const note = formatNote({ text, signatures: signer.keys.map((key) => this.#sign(text, key)) });
    this.#sql.run("UPDATE directory_checkpoints SET note = ? WHERE size = ?", note, row.size);
  }

  hashTile(params: { level: number; index: number; width: number }): Uint8Array | undefined {
    const hashes = this.#sql.all<{ hash: Uint8Array }>(
      "SELECT hash FROM directory_hashes WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
      ...rangeOf(params),
    );
    return hashes.length < params.width ? undefined : concatBytes(...hashes.map(({ hash }) => hash));
  }

  entryTile(params: { index: number; width: number }): Uint8Array | undefined {
    const first = params.index * tileWidth;
    const rows = this.#sql.all<{ entry: Uint8Array }>(
      "SELECT entry FROM directory_entries WHERE position >= ? AND position < ? ORDER BY position",
      first,
      first + params.width,
    );
    return rows.length < params.width ? undefined : encodeEntryBundle(rows.map(({ entry }) => entry));
  }

  #hash({ level, index }: SubtreeId): Uint8Array {
    const row = this.#sql.get<{ hash: Uint8Array }>("SELECT hash FROM directory_hashes WHERE level = ? AND position = ?", level, index);
    if (row === undefined) throw new Error("a hash of the directory's log is missing: the database is damaged");
    return row.hash;
  }

  #sign(text: string, key: LogSigner["keys"][number]): NoteSignature {
    const seed = keyOf(key.secretKey);
    let object = this.#keys.get(seed);
    if (object === undefined) {
      object = createPrivateKey({ key: Buffer.concat([ed25519Seed, key.secretKey]), format: "der", type: "pkcs8" });
      this.#keys.set(seed, object);
    }
    const signature = new Uint8Array(sign(null, Buffer.from(text), object));
    return { name: key.name, keyId: key.keyId, signature };
  }
}

/** The first id of a tile's hashes, and where they end. */
function rangeOf(tile: { level: number; index: number; width: number }): [level: number, first: number, end: number] {
  const [first] = tileHashIds(tile);
  if (first === undefined) throw new Error("a tile has a hash");
  return [first.level, first.index, first.index + tile.width];
}

/** The largest complete subtrees that make a tree of `size`, from the left. */
function completeSubtrees(size: number): SubtreeId[] {
  const ids: SubtreeId[] = [];
  let at = 0;
  while (at < size) {
    let level = 0;
    while (2 ** (level + 1) <= size - at) level++;
    ids.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return ids;
}
