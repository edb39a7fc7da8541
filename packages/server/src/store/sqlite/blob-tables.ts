import { equalBytes } from "@latchkey/codec";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Day } from "../accounts.ts";
import { randomId } from "./row-ids.ts";

/** The index of the blobs in SQLite: every method runs inside the caller's transaction. */
export class BlobTables {
  readonly #find: StatementSync;
  readonly #after: StatementSync;
  readonly #insert: StatementSync;
  readonly #extend: StatementSync;
  readonly #expired: StatementSync;
  readonly #delete: StatementSync;
  readonly #totals: StatementSync;
  readonly #count: StatementSync;

  constructor(database: DatabaseSync) {
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#find = rows("SELECT sha256, size FROM blobs WHERE blob_id = ?");
    this.#after = rows("SELECT blob_id, sha256, size FROM blobs WHERE blob_id > ? ORDER BY blob_id LIMIT ?");
    this.#insert = rows("INSERT INTO blobs (id, blob_id, sha256, size, expires_day) VALUES (?, ?, ?, ?, ?)");
    this.#extend = rows("UPDATE blobs SET expires_day = max(expires_day, ?) WHERE blob_id = ?");
    this.#expired = rows("SELECT id, blob_id, sha256, size FROM blobs WHERE refs = 0 AND expires_day < ? LIMIT ?");
    this.#delete = rows("DELETE FROM blobs WHERE id = ? AND refs = 0");
    this.#totals = rows("SELECT blobs, bytes FROM blob_totals");
    this.#count = rows("UPDATE blob_totals SET blobs = blobs + ?, bytes = bytes + ?");
  }

  addBlob(params: { blobId: Uint8Array; sha256: Uint8Array; sizeBytes: number; expiresDay: Day }): {
    kind: "added" | "same" | "different";
  } {
    const known = this.findBlob(params);
    if (known !== undefined) {
      if (known.sizeBytes !== params.sizeBytes || !equalBytes(known.sha256, params.sha256)) return { kind: "different" };
      this.#extend.run(params.expiresDay, params.blobId);
      return { kind: "same" };
    }
    this.#insert.run(randomId(), params.blobId, params.sha256, params.sizeBytes, params.expiresDay);
    this.#count.run(1, params.sizeBytes);
    return { kind: "added" };
  }

  findBlob(params: { blobId: Uint8Array }): { sha256: Uint8Array; sizeBytes: number } | undefined {
    const row = this.#find.get(params.blobId) as [Uint8Array, number] | undefined;
    return row === undefined ? undefined : { sha256: row[0], sizeBytes: row[1] };
  }

  listBlobs({ after = new Uint8Array(), maxItems }: { after?: Uint8Array; maxItems: number }): {
    blobId: Uint8Array;
    sha256: Uint8Array;
    sizeBytes: number;
  }[] {
    // The columns are those of the statement.
    const rows = this.#after.all(after, maxItems) as unknown as [Uint8Array, Uint8Array, number][];
    return rows.map(([blobId, sha256, sizeBytes]) => ({ blobId, sha256, sizeBytes }));
  }

  expireBlobs(params: { day: Day; maxItems: number }): { blobId: Uint8Array; sha256: Uint8Array }[] {
    // The columns are those of the statement.
    const rows = this.#expired.all(params.day, params.maxItems) as unknown as [number, Uint8Array, Uint8Array, number][];
    for (const [id] of rows) this.#delete.run(id);
    if (rows.length > 0) this.#count.run(-rows.length, -rows.reduce((sum, [, , , sizeBytes]) => sum + sizeBytes, 0));
    return rows.map(([, blobId, sha256]) => ({ blobId, sha256 }));
  }

  /** How many there are, and their bytes. */
  blobTotals(): { blobs: number; blobBytes: number } {
    const [blobs, blobBytes] = this.#totals.get() as unknown as [number, number];
    return { blobs, blobBytes };
  }
}
