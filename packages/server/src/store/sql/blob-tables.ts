import { equalBytes } from "@latchkey/codec";
import type { Day } from "../accounts.ts";
import { randomId } from "./row-ids.ts";
import type { Sql, Steps } from "./steps.ts";

interface BlobRow {
  readonly id: number;
  readonly blobId: Uint8Array;
  readonly sha256: Uint8Array;
  readonly sizeBytes: number;
}

/** The index of the blobs. Every method runs inside the caller's transaction. */
export class BlobTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  *addBlob(params: {
    blobId: Uint8Array;
    sha256: Uint8Array;
    sizeBytes: number;
    expiresDay: Day;
  }): Steps<{ kind: "added" | "same" | "different" | "leaving" }> {
    const { blobId, sha256, sizeBytes, expiresDay } = params;
    const known = yield* this.findBlob(params);
    if (known !== undefined) {
      if (known.sizeBytes !== sizeBytes || !equalBytes(known.sha256, sha256)) return { kind: "different" };
      yield* this.#sql.run("UPDATE blobs SET expires_day = ? WHERE blob_id = ? AND expires_day < ?", expiresDay, blobId, expiresDay);
      return { kind: "same" };
    }
    if (yield* this.#isLeaving(params)) return { kind: "leaving" };
    const sql = "INSERT INTO blobs (id, blob_id, sha256, size, expires_day) VALUES (?, ?, ?, ?, ?)";
    yield* this.#sql.run(sql, randomId(), blobId, sha256, sizeBytes, expiresDay);
    yield* this.#count(1, sizeBytes);
    return { kind: "added" };
  }

  *findBlob(params: { blobId: Uint8Array }): Steps<{ sha256: Uint8Array; sizeBytes: number } | undefined> {
    return yield* this.#sql.get(`SELECT sha256, size AS "sizeBytes" FROM blobs WHERE blob_id = ?`, params.blobId);
  }

  *listBlobs({
    after = new Uint8Array(),
    maxItems,
  }: {
    after?: Uint8Array;
    maxItems: number;
  }): Steps<{ blobId: Uint8Array; sha256: Uint8Array; sizeBytes: number }[]> {
    const sql = `SELECT blob_id AS "blobId", sha256, size AS "sizeBytes" FROM blobs WHERE blob_id > ? ORDER BY blob_id LIMIT ?`;
    return yield* this.#sql.all(sql, after, maxItems);
  }

  *expireBlobs({ day, maxItems }: { day: Day; maxItems: number }): Steps<{ blobId: Uint8Array; sha256: Uint8Array }[]> {
    const rows = yield* this.#sql.all<BlobRow>(
      `SELECT id, blob_id AS "blobId", sha256, size AS "sizeBytes" FROM blobs WHERE refs = 0 AND expires_day < ? LIMIT ?`,
      day,
      maxItems,
    );
    for (const { id, blobId, sha256 } of rows) {
      yield* this.#sql.run("DELETE FROM blobs WHERE id = ? AND refs = 0", id);
      yield* this.#leave(blobId, sha256, new Uint8Array());
    }
    if (rows.length > 0) yield* this.#count(-rows.length, -rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    return rows.map(({ blobId, sha256 }) => ({ blobId, sha256 }));
  }

  *leaveBytes({ blobId, sha256, taker }: { blobId: Uint8Array; sha256: Uint8Array; taker: Uint8Array }): Steps<boolean> {
    const known = yield* this.findBlob({ blobId });
    if (known !== undefined && equalBytes(known.sha256, sha256)) return false;
    yield* this.#leave(blobId, sha256, taker);
    return true;
  }

  *takeLeaving({ taker, maxItems }: { taker: Uint8Array; maxItems: number }): Steps<{ blobId: Uint8Array; sha256: Uint8Array }[]> {
    const sql = `SELECT blob_id AS "blobId", sha256 FROM leaving_blobs ORDER BY blob_id, sha256 LIMIT ?`;
    const leaving = yield* this.#sql.all<{ blobId: Uint8Array; sha256: Uint8Array }>(sql, maxItems);
    for (const { blobId, sha256 } of leaving) yield* this.#leave(blobId, sha256, taker);
    return leaving;
  }

  *dropLeft(params: { taker: Uint8Array; blobs: readonly { blobId: Uint8Array; sha256: Uint8Array }[] }): Steps<number> {
    let dropped = 0;
    for (const { blobId, sha256 } of params.blobs) {
      const sql = "DELETE FROM leaving_blobs WHERE blob_id = ? AND sha256 = ? AND taker = ?";
      dropped += yield* this.#sql.run(sql, blobId, sha256, params.taker);
    }
    return dropped;
  }

  *#leave(blobId: Uint8Array, sha256: Uint8Array, taker: Uint8Array): Steps<void> {
    const sql =
      "INSERT INTO leaving_blobs (blob_id, sha256, taker) VALUES (?, ?, ?) ON CONFLICT (blob_id, sha256) DO UPDATE SET taker = excluded.taker";
    yield* this.#sql.run(sql, blobId, sha256, taker);
  }

  *#isLeaving({ blobId, sha256 }: { blobId: Uint8Array; sha256: Uint8Array }): Steps<boolean> {
    const sql = "SELECT 1 FROM leaving_blobs WHERE blob_id = ? AND sha256 = ?";
    return (yield* this.#sql.get(sql, blobId, sha256)) !== undefined;
  }

  /** What no entry needs expires at the latest on this day. */
  *correctDays({ lastBlobDay }: { lastBlobDay: Day }): Steps<void> {
    yield* this.#sql.run("UPDATE blobs SET expires_day = ? WHERE refs = 0 AND expires_day > ?", lastBlobDay, lastBlobDay);
  }

  /** How many there are, and their bytes. */
  *blobTotals(): Steps<{ blobs: number; blobBytes: number }> {
    const row = yield* this.#sql.get<{ blobs: number; blobBytes: number }>(`SELECT blobs, bytes AS "blobBytes" FROM blob_totals`);
    return row ?? { blobs: 0, blobBytes: 0 };
  }

  *#count(blobs: number, bytes: number): Steps<void> {
    yield* this.#sql.run("UPDATE blob_totals SET blobs = blobs + ?, bytes = bytes + ?", blobs, bytes);
  }
}
