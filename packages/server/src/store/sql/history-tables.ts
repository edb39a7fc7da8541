import { equalBytes } from "@latchkey/codec";
import { maxHistoryChunks } from "@latchkey/protocol";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import type { HeldChunk, HeldGeneration, StoredHistory } from "../history-store.ts";
import { maxSeq, randomRef, rowId, seqOf } from "./row-ids.ts";
import type { Sql, Steps } from "./steps.ts";

/** Chunks that go in the same transaction as what they belong to. */
const erasedAtOnce = 16;

interface Generation {
  readonly id: number;
  readonly bytes: number;
}

interface ManifestRow {
  readonly counter: number;
  readonly generation: number;
  readonly chunks: number;
  readonly day: Day;
  readonly manifest: Uint8Array;
}

/**
 * History backups in SQLite: every method runs inside the caller's transaction. A generation without an account was given up: its chunks are
 * erased in slices, and nothing says whose it was.
 */
export class HistoryTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  *manifest({ accountId }: { accountId: Uint8Array }): Steps<{ stored: StoredHistory | undefined; sizeBytes: number }> {
    const account = yield* this.#account(accountId);
    if (account === undefined) return { stored: undefined, sizeBytes: 0 };
    const row = yield* this.#manifest(account);
    const generation = row === undefined ? undefined : yield* this.#nameOf(row.generation);
    const stored = row === undefined || generation === undefined ? undefined : { ...row, generation };
    return { stored, sizeBytes: yield* this.#sizeOf(account) };
  }

  *chunk(params: { accountId: Uint8Array; generation: Uint8Array; number: number }): Steps<Uint8Array | undefined> {
    const account = yield* this.#account(params.accountId);
    const generation = account === undefined ? undefined : yield* this.#generation(account, params.generation);
    return generation === undefined || params.number > maxSeq ? undefined : yield* this.#chunk(generation.id, params.number);
  }

  *putChunk(params: {
    accountId: Uint8Array;
    generation: Uint8Array;
    number: number;
    chunk: Uint8Array;
    day: Day;
    maxBytes: number;
    maxStoredBytes: number;
  }): Steps<{ kind: "stored" | "purge_first" } | Refused<"not_found" | "conflict" | "too_large" | "storage_full">> {
    const { number, chunk } = params;
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    if (number >= maxHistoryChunks) return { kind: "refused", code: "too_large" };
    const known = yield* this.#generation(account, params.generation);
    const before = known === undefined ? undefined : yield* this.#chunk(known.id, number);
    if (before !== undefined && equalBytes(before, chunk)) return { kind: "stored" };
    const head = yield* this.#manifest(account);
    if (known !== undefined && head?.generation === known.id && number < head.chunks) return { kind: "refused", code: "conflict" };
    const added = chunk.length - (before?.length ?? 0);
    if ((known?.bytes ?? 0) + added > params.maxBytes) return { kind: "refused", code: "too_large" };
    const going = known === undefined ? yield* this.#sizeOfGoing(account, head?.generation) : 0;
    const all = (yield* this.#sizeOfAll()) - going + added;
    if (params.maxStoredBytes > 0 && all > params.maxStoredBytes) return { kind: "refused", code: "storage_full" };
    if (known === undefined) {
      // What was begun before this one, and came to nothing, goes first.
      yield* this.#giveUp(account, head?.generation);
      if (yield* this.#hasGivenUp()) return { kind: "purge_first" };
    }
    const id = known?.id ?? (yield* this.#begin(account, params.generation));
    yield* this.#sql.run(
      `INSERT INTO history_chunks (id, day, sha256, chunk) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET day = excluded.day, sha256 = excluded.sha256, chunk = excluded.chunk`,
      rowId(id, number),
      params.day,
      sha256(chunk),
      chunk,
    );
    yield* this.#sql.run("UPDATE history_generations SET bytes = bytes + ? WHERE id = ?", added, id);
    return { kind: "stored" };
  }

  *putManifest(
    params: StoredHistory & { accountId: Uint8Array; previous: number },
  ): Steps<{ kind: "stored" } | Refused<"not_found" | "conflict">> {
    const { previous, counter, chunks, day, manifest } = params;
    const account = yield* this.#account(params.accountId);
    if (account === undefined) return { kind: "refused", code: "not_found" };
    const head = yield* this.#manifest(account);
    if (head !== undefined && head.counter === counter && equalBytes(head.manifest, manifest)) return { kind: "stored" };
    if ((head?.counter ?? 0) !== previous || counter <= previous) return { kind: "refused", code: "conflict" };
    const generation = yield* this.#generation(account, params.generation);
    if (generation === undefined || (yield* this.#count(generation.id, chunks)) !== chunks) return { kind: "refused", code: "not_found" };
    yield* this.#sql.run(
      `INSERT INTO history_manifests (account, counter, generation, chunks, day, manifest) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (account) DO UPDATE SET counter = excluded.counter, generation = excluded.generation, chunks = excluded.chunks,
         day = excluded.day, manifest = excluded.manifest`,
      account,
      counter,
      generation.id,
      chunks,
      day,
      manifest,
    );
    yield* this.#giveUp(account, generation.id);
    return { kind: "stored" };
  }

  *erase({ accountId }: { accountId: Uint8Array }): Steps<void> {
    const account = yield* this.#account(accountId);
    if (account !== undefined) yield* this.eraseOf(account);
  }

  /** Gives up all that an account has. */
  *eraseOf(account: number): Steps<void> {
    yield* this.#sql.run("DELETE FROM history_manifests WHERE account = ?", account);
    yield* this.#giveUp(account, undefined);
  }

  *purge({ maxItems }: { maxItems: number }): Steps<number> {
    let removed = 0;
    while (removed < maxItems) {
      const dropped = yield* this.#sql.get<{ id: number }>("SELECT id FROM history_generations WHERE account IS NULL LIMIT 1");
      if (dropped === undefined) break;
      const room = maxItems - removed;
      const count = yield* this.#sql.run(
        "DELETE FROM history_chunks WHERE id IN (SELECT id FROM history_chunks WHERE id BETWEEN ? AND ? LIMIT ?)",
        rowId(dropped.id, 0),
        rowId(dropped.id, maxSeq),
        room,
      );
      removed += count;
      if (count < room) yield* this.#sql.run("DELETE FROM history_generations WHERE id = ?", dropped.id);
    }
    return removed;
  }

  /** What an account has, for the package of what is held (spec F-20). */
  *held(account: number): Steps<{
    stored: (Omit<StoredHistory, "generation"> & { readonly row: number }) | undefined;
    generations: HeldGeneration[];
  }> {
    const row = yield* this.#manifest(account);
    const stored =
      row === undefined
        ? undefined
        : { row: row.generation, counter: row.counter, chunks: row.chunks, day: row.day, manifest: row.manifest };
    const generations = yield* this.#sql.all<HeldGeneration>(
      `SELECT id AS row, generation, bytes AS "sizeBytes" FROM history_generations WHERE account = ? ORDER BY generation`,
      account,
    );
    return { stored, generations };
  }

  *heldChunks({ row, fromNumber, maxItems }: { row: number; fromNumber: number; maxItems: number }): Steps<HeldChunk[]> {
    return (yield* this.#sql.all<{ id: number; day: Day; sizeBytes: number; sha256: Uint8Array }>(
      `SELECT id, day, length(chunk) AS "sizeBytes", sha256 FROM history_chunks WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?`,
      rowId(row, Math.min(fromNumber, maxSeq)),
      rowId(row, maxSeq),
      maxItems,
    )).map(({ id, ...chunk }) => ({ number: seqOf(id), ...chunk }));
  }

  /** All but one generation of an account go: small ones at once, of larger ones nothing says from now on whose they were. */
  *#giveUp(account: number, kept: number | undefined): Steps<void> {
    const sql = "SELECT id FROM history_generations WHERE account = ? AND id IS DISTINCT FROM ?";
    for (const { id } of yield* this.#sql.all<{ id: number }>(sql, account, kept ?? null)) {
      if ((yield* this.#count(id, maxHistoryChunks)) > erasedAtOnce)
        yield* this.#sql.run("UPDATE history_generations SET account = NULL WHERE id = ?", id);
      else {
        yield* this.#sql.run("DELETE FROM history_chunks WHERE id BETWEEN ? AND ?", rowId(id, 0), rowId(id, maxSeq));
        yield* this.#sql.run("DELETE FROM history_generations WHERE id = ?", id);
      }
    }
  }

  *#begin(account: number, generation: Uint8Array): Steps<number> {
    const id = yield* randomRef((ref) => this.#isTaken(ref));
    yield* this.#sql.run("INSERT INTO history_generations (id, account, generation, bytes) VALUES (?, ?, ?, 0)", id, account, generation);
    return id;
  }

  *#isTaken(ref: number): Steps<boolean> {
    return (yield* this.#sql.get("SELECT 1 FROM history_generations WHERE id = ?", ref)) !== undefined;
  }

  *#account(accountId: Uint8Array): Steps<number | undefined> {
    return (yield* this.#sql.get<{ id: number }>("SELECT id FROM accounts WHERE account_id = ?", accountId))?.id;
  }

  *#manifest(account: number): Steps<ManifestRow | undefined> {
    return yield* this.#sql.get<ManifestRow>(
      "SELECT counter, generation, chunks, day, manifest FROM history_manifests WHERE account = ?",
      account,
    );
  }

  *#generation(account: number, generation: Uint8Array): Steps<Generation | undefined> {
    return yield* this.#sql.get<Generation>(
      "SELECT id, bytes FROM history_generations WHERE account = ? AND generation = ?",
      account,
      generation,
    );
  }

  *#nameOf(id: number): Steps<Uint8Array | undefined> {
    return (yield* this.#sql.get<{ generation: Uint8Array }>("SELECT generation FROM history_generations WHERE id = ?", id))?.generation;
  }

  *#chunk(generation: number, number: number): Steps<Uint8Array | undefined> {
    return (yield* this.#sql.get<{ chunk: Uint8Array }>("SELECT chunk FROM history_chunks WHERE id = ?", rowId(generation, number)))?.chunk;
  }

  *#count(generation: number, chunks: number): Steps<number> {
    const sql = "SELECT count(*) AS count FROM history_chunks WHERE id >= ? AND id < ?";
    return (yield* this.#sql.get<{ count: number }>(sql, rowId(generation, 0), rowId(generation, Math.min(chunks, maxSeq))))?.count ?? 0;
  }

  *#hasGivenUp(): Steps<boolean> {
    return (yield* this.#sql.get("SELECT 1 FROM history_generations WHERE account IS NULL LIMIT 1")) !== undefined;
  }

  /** What is erased before an account begins another generation: all but one of its own, and what was given up. */
  *#sizeOfGoing(account: number, kept: number | undefined): Steps<number> {
    const sql =
      "SELECT coalesce(sum(bytes), 0) AS bytes FROM history_generations WHERE account IS NULL OR (account = ? AND id IS DISTINCT FROM ?)";
    return (yield* this.#sql.get<{ bytes: number }>(sql, account, kept ?? null))?.bytes ?? 0;
  }

  /** With what was given up. */
  *#sizeOfAll(): Steps<number> {
    return (yield* this.#sql.get<{ bytes: number }>("SELECT coalesce(sum(bytes), 0) AS bytes FROM history_generations"))?.bytes ?? 0;
  }

  *#sizeOf(account: number): Steps<number> {
    const sql = "SELECT coalesce(sum(bytes), 0) AS bytes FROM history_generations WHERE account = ?";
    return (yield* this.#sql.get<{ bytes: number }>(sql, account))?.bytes ?? 0;
  }
}
