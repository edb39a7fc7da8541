import { CodecError, decode, equalBytes, toHex } from "@latchkey/codec";
import { entryKindNumbers, entryLeafOf, firstHead, nextHead, zeroHash } from "@latchkey/protocol";
import type { EntryKind } from "@latchkey/protocol";
import {
  IncrementalTree,
  directoryConfigCodec,
  emptyRoot,
  leafHash,
  logEntryCodec,
  openCheckpoint,
  parseVkey,
} from "@latchkey/transparency";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { nodeSignatures } from "../directory/signatures.ts";
import { sha256 } from "../hash.ts";
import { maxSeq, rowId, seqOf } from "../store/sql/row-ids.ts";
import type { Manifest } from "./manifest.ts";

/** Entries of logs whose chains are computed again: those of some logs, drawn at random, unless there are fewer. */
const checkedEntries = 50_000;

const kinds = new Map<number, EntryKind>(Object.entries(entryKindNumbers).map(([kind, number]) => [number, kind as EntryKind]));

/** What a copy of the databases says of itself; `fault` in words, where it is not whole. */
export type CopyReport =
  | { readonly kind: "whole"; readonly record: Manifest["record"] }
  | { readonly kind: "damaged"; readonly fault: string };

/** Opens copied databases and looks whether they are whole: their pages, the chains of logs, and the public record with its signature. */
export async function checkCopy(folder: string, files: readonly string[]): Promise<CopyReport> {
  let record: Manifest["record"] = { origin: "", first: "", size: 0, root: toHex(emptyRoot()) };
  for (const name of files) {
    const database = new DatabaseSync(join(folder, name), { readOnly: true });
    try {
      const [first] = database.prepare("PRAGMA integrity_check(1)").all();
      if (first?.["integrity_check"] !== "ok") return { kind: "damaged", fault: `${name} has damaged pages` };
      if (hasTable(database, "entries") && !areChainsWhole(database)) {
        return { kind: "damaged", fault: `${name} has an entry of a log that does not follow the one before it` };
      }
      if (!hasTable(database, "directory_entries")) continue;
      const found = await readRecord(database);
      if (found === undefined) return { kind: "damaged", fault: `${name} has a public record that its key did not sign` };
      record = found;
    } finally {
      database.close();
    }
  }
  return { kind: "whole", record };
}

function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

interface LogRow {
  readonly id: number;
  readonly log_id: Uint8Array;
  readonly purged_seq: number;
  readonly purged_head: Uint8Array | null;
}

interface EntryRow {
  readonly id: number;
  readonly epoch: number;
  readonly kind: number;
  readonly next_access_hash: Uint8Array | null;
  readonly head: Uint8Array;
  readonly blob: Uint8Array;
}

function areChainsWhole(database: DatabaseSync): boolean {
  const entries = database.prepare(
    "SELECT id, epoch, kind, next_access_hash, head, blob FROM entries WHERE id > ? AND id <= ? ORDER BY id",
  );
  let left = checkedEntries;
  // The columns are those of the row types.
  const logs = database.prepare("SELECT id, log_id, purged_seq, purged_head FROM logs ORDER BY random()").iterate() as Iterable<unknown>;
  for (const log of logs as Iterable<LogRow>) {
    let head = log.purged_head ?? firstHead(sha256, log.log_id);
    let seq = log.purged_seq;
    for (const row of entries.iterate(rowId(log.id, 0), rowId(log.id, maxSeq)) as Iterable<unknown> as Iterable<EntryRow>) {
      seq += 1;
      const kind = kinds.get(row.kind);
      if (kind === undefined || seqOf(row.id) !== seq) return false;
      const leaf = entryLeafOf(sha256, log.log_id, {
        seq,
        epochId: row.epoch,
        kind,
        blobHash: sha256(row.blob),
        nextAccessHash: row.next_access_hash ?? zeroHash,
      });
      head = nextHead(sha256, head, leaf);
      if (!equalBytes(head, row.head)) return false;
      left -= 1;
    }
    if (left <= 0) break;
  }
  return true;
}

/** The public record computed again from its entries; `undefined` where that is not what its key signed. */
async function readRecord(database: DatabaseSync): Promise<Manifest["record"] | undefined> {
  try {
    return await signedRecord(database);
  } catch (error) {
    // An entry that does not decode is one that nobody signed.
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

async function signedRecord(database: DatabaseSync): Promise<Manifest["record"] | undefined> {
  const tree = new IncrementalTree();
  const keys = new Set<string>();
  let [origin, first] = ["", ""];
  const rows = database.prepare("SELECT entry FROM directory_entries ORDER BY position").iterate() as Iterable<unknown>;
  for (const { entry } of rows as Iterable<{ readonly entry: Uint8Array }>) {
    const leaf = leafHash(entry);
    if (tree.size === 0) first = toHex(leaf);
    tree.append(leaf);
    const { config } = decode(logEntryCodec, entry);
    if (config.length === 0) continue;
    const decoded = decode(directoryConfigCodec, config);
    origin = decoded.origin;
    keys.add(decoded.logKey);
  }
  const record = { origin, first, size: tree.size, root: toHex(tree.root()) };
  if (tree.size === 0) return record;
  const newest = database.prepare("SELECT note FROM directory_checkpoints WHERE size = ?").get(tree.size);
  if (newest === undefined) return undefined;
  for (const key of keys) {
    try {
      const { checkpoint } = await openCheckpoint({
        note: String(newest["note"]),
        origin,
        log: parseVkey(key),
        witnesses: [],
        signatures: nodeSignatures,
      });
      if (checkpoint.size === tree.size && equalBytes(checkpoint.root, tree.root())) return record;
    } catch {
      // Another of the record's keys may have signed it.
    }
  }
  return undefined;
}
