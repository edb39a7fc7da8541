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
import type { Sql, Steps } from "./steps.ts";

/** Checkpoints kept behind the newest, for cosignatures that come late. */
const keptCheckpoints = 4;
const ed25519Seed = Buffer.from("302e020100300506032b657004220420", "hex");

/** An entry with its place. */
export interface PlacedEntry {
  readonly bytes: Uint8Array;
  readonly entry: LogEntry;
}

/** The directory's log (RFC 6962, C2SP tlog-tiles), inside the caller's transaction. Entries and hashes are only added. */
export class TreeTables {
  readonly #sql: Sql;
  /** Two at most: the log's key and the one before it. */
  readonly #keys = new Map<string, KeyObject>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Entries so far. */
  *size(): Steps<number> {
    return ((yield* this.#sql.get<{ last: number | null }>("SELECT max(position) AS last FROM directory_entries"))?.last ?? -1) + 1;
  }

  /** The entry at this index. @throws Error when there is none. */
  *entry(index: number): Steps<PlacedEntry> {
    const row = yield* this.#sql.get<{ entry: Uint8Array }>("SELECT entry FROM directory_entries WHERE position = ?", index);
    if (row === undefined) throw new Error("an entry of the directory's log is missing: the database is damaged");
    return { bytes: row.entry, entry: decode(logEntryCodec, row.entry) };
  }

  /** The bytes of an entry's transition; `undefined` for none. */
  *transition(index: number): Steps<Uint8Array | undefined> {
    const row = yield* this.#sql.get<{ transition: Uint8Array | null }>(
      "SELECT transition FROM directory_entries WHERE position = ?",
      index,
    );
    return row?.transition ?? undefined;
  }

  /** Appends an entry at index `size`. */
  *append(size: number, entry: Uint8Array, transition: Uint8Array | undefined): Steps<void> {
    yield* this.#sql.run("INSERT INTO directory_entries (position, entry, transition) VALUES (?, ?, ?)", size, entry, transition ?? null);
    let hash = leafHash(entry);
    for (let [level, index] = [0, size]; ; level++, index = (index - 1) / 2) {
      yield* this.#sql.run("INSERT INTO directory_hashes (level, position, hash) VALUES (?, ?, ?)", level, index, hash);
      if (index % 2 === 0) return;
      const [left = missingHash()] = yield* this.#fold([[{ level, index: index - 1 }]]);
      hash = nodeHash(left, hash);
    }
  }

  /** The root of the first `size` entries, 1 or more. */
  *root(size: number): Steps<Uint8Array> {
    const [root] = yield* this.#fold([completeSubtrees(size)]);
    if (root === undefined) throw new Error("an empty log has no root");
    return root;
  }

  *proveInclusion(index: number, size: number): Steps<readonly Uint8Array[]> {
    return yield* this.#fold(inclusionSubtrees(index, size));
  }

  /** Empty also where the asker's size is none, or larger than `to`. */
  *proveConsistency(from: number, to: number): Steps<readonly Uint8Array[]> {
    return from > to ? [] : yield* this.#fold(consistencySubtrees(from, to));
  }

  /** Signs the tree of `size` entries. Answers the note. */
  *sign(size: number, signer: LogSigner): Steps<string> {
    const text = encodeCheckpoint({ origin: signer.origin, size, root: yield* this.root(size), extensions: [] });
    return formatNote({ text, signatures: signer.keys.map((key) => this.#sign(text, key)) });
  }

  /** Keeps the checkpoint of this size. */
  *addCheckpoint(size: number, note: string, isServed: boolean): Steps<void> {
    const sql = `INSERT INTO directory_checkpoints (size, note, is_served) VALUES (?, ?, ?)
      ON CONFLICT (size) DO UPDATE SET note = excluded.note, is_served = excluded.is_served`;
    yield* this.#sql.run(sql, size, note, isServed ? 1 : 0);
    yield* this.#sql.run("DELETE FROM directory_checkpoints WHERE size < ? AND size < ?", size - keptCheckpoints, yield* this.servedSize());
    yield* this.#sql.run("DELETE FROM directory_cosignatures WHERE size NOT IN (SELECT size FROM directory_checkpoints)");
  }

  *servedSize(): Steps<number> {
    return (
      (yield* this.#sql.get<{ size: number | null }>("SELECT max(size) AS size FROM directory_checkpoints WHERE is_served = 1"))?.size ?? 0
    );
  }

  *serve(size: number): Steps<void> {
    yield* this.#sql.run("UPDATE directory_checkpoints SET is_served = 1 WHERE size = ?", size);
  }

  /** A checkpoint with all its cosignatures; `undefined` when it is not kept. */
  *checkpoint(size: number): Steps<(ServedCheckpoint & { readonly isServed: boolean }) | undefined> {
    const row = yield* this.#sql.get<{ note: string; is_served: number }>(
      "SELECT note, is_served FROM directory_checkpoints WHERE size = ?",
      size,
    );
    if (row === undefined) return undefined;
    const lines = yield* this.#sql.all<{ line: string }>("SELECT line FROM directory_cosignatures WHERE size = ? ORDER BY key_name", size);
    return { size, note: row.note + lines.map(({ line }) => line).join(""), isServed: row.is_served === 1 };
  }

  *addCosignatures(size: number, cosignatures: readonly StoredCosignature[]): Steps<void> {
    if ((yield* this.#sql.get("SELECT 1 FROM directory_checkpoints WHERE size = ?", size)) === undefined) return;
    for (const { keyName, keyId, line, timeMs } of cosignatures) {
      yield* this.#sql.run(
        `INSERT INTO directory_cosignatures (size, key_name, key_id, line, time_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (size, key_name, key_id) DO UPDATE SET line = excluded.line, time_ms = excluded.time_ms WHERE excluded.time_ms > directory_cosignatures.time_ms`,
        size,
        keyName,
        keyId,
        line,
        timeMs,
      );
    }
  }

  /** The newest checkpoint with more signatures of the log's own. */
  *resign(signer: LogSigner): Steps<void> {
    const row = yield* this.#sql.get<{ size: number; note: string }>(
      "SELECT size, note FROM directory_checkpoints ORDER BY size DESC LIMIT 1",
    );
    if (row === undefined) return;
    const { text } = parseNote(row.note);
    const note = formatNote({ text, signatures: signer.keys.map((key) => this.#sign(text, key)) });
    yield* this.#sql.run("UPDATE directory_checkpoints SET note = ? WHERE size = ?", note, row.size);
  }

  *hashTile(params: { level: number; index: number; width: number }): Steps<Uint8Array | undefined> {
    const hashes = yield* this.#sql.all<{ hash: Uint8Array }>(
      "SELECT hash FROM directory_hashes WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
      ...rangeOf(params),
    );
    return hashes.length < params.width ? undefined : concatBytes(...hashes.map(({ hash }) => hash));
  }

  *entryTile(params: { index: number; width: number }): Steps<Uint8Array | undefined> {
    const first = params.index * tileWidth;
    const rows = yield* this.#sql.all<{ entry: Uint8Array }>(
      "SELECT entry FROM directory_entries WHERE position >= ? AND position < ? ORDER BY position",
      first,
      first + params.width,
    );
    return rows.length < params.width ? undefined : encodeEntryBundle(rows.map(({ entry }) => entry));
  }

  /** The hashes that these subtrees come to, each list of them one, by one statement for all. */
  *#fold(parts: readonly (readonly SubtreeId[])[]): Steps<readonly Uint8Array[]> {
    const ids = parts.flat();
    if (ids.length === 0) return foldSubtrees(parts, () => missingHash());
    const places = ["(CAST(? AS BIGINT), CAST(? AS BIGINT))", ...ids.slice(1).map(() => "(?, ?)")];
    const rows = yield* this.#sql.all<{ level: number; position: number; hash: Uint8Array }>(
      `WITH ids (level, position) AS (VALUES ${places.join(", ")})
       SELECT h.level, h.position, h.hash FROM ids JOIN directory_hashes h ON h.level = ids.level AND h.position = ids.position`,
      ...ids.flatMap(({ level, index }) => [level, index]),
    );
    const hashes = new Map(rows.map(({ level, position, hash }) => [`${level}/${position}`, hash]));
    return foldSubtrees(parts, ({ level, index }) => hashes.get(`${level}/${index}`) ?? missingHash());
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

function missingHash(): never {
  throw new Error("a hash of the directory's log is missing: the database is damaged");
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
