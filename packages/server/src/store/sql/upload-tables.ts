import type { Day } from "../accounts.ts";
import type { StoredUpload, UploadProgress, UploadStage } from "../upload-store.ts";
import type { Sql, Steps } from "./steps.ts";

const stages: readonly UploadStage[] = ["coming", "whole", "ended"];
const coming = stages.indexOf("coming");
const ended = stages.indexOf("ended");

const found = `SELECT name, blob_id AS "blobId", size AS "sizeBytes", day, stage, taken AS "takenBytes", multipart, pieces, next_number AS "nextNumber" FROM uploads WHERE name = ?`;

/** The uploads whose bytes lie in a bucket. Every method runs inside the caller's transaction. */
export class UploadTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  *add({ name, blobId, sizeBytes, day }: { name: Uint8Array; blobId: Uint8Array; sizeBytes: number; day: Day }): Steps<void> {
    const sql =
      "INSERT INTO uploads (name, blob_id, size, day, stage, taken, writer, multipart, pieces, next_number) VALUES (?, ?, ?, ?, ?, 0, ?, '', ?, 1)";
    const nothing = new Uint8Array();
    yield* this.#sql.run(sql, name, blobId, sizeBytes, day, coming, nothing, nothing);
  }

  *find({ name }: { name: Uint8Array }): Steps<StoredUpload | undefined> {
    const row = yield* this.#sql.get<Omit<StoredUpload, "stage"> & { stage: number }>(found, name);
    return row === undefined ? undefined : { ...row, stage: stages[row.stage] ?? "ended" };
  }

  *claim({ name, writer, numbers }: { name: Uint8Array; writer: Uint8Array; numbers: number }): Steps<StoredUpload | undefined> {
    yield* this.#sql.run(
      "UPDATE uploads SET writer = ?, next_number = CASE WHEN stage = ? THEN next_number + ? ELSE next_number END WHERE name = ?",
      writer,
      coming,
      numbers,
      name,
    );
    return yield* this.find({ name });
  }

  *save(params: UploadProgress & { name: Uint8Array; writer: Uint8Array }): Steps<boolean> {
    const { name, writer, stage, takenBytes, multipart, pieces, nextNumber } = params;
    const sql = "UPDATE uploads SET stage = ?, taken = ?, multipart = ?, pieces = ?, next_number = ? WHERE name = ? AND writer = ?";
    return (yield* this.#sql.run(sql, stages.indexOf(stage), takenBytes, multipart, pieces, nextNumber, name, writer)) > 0;
  }

  *remove({ name, writer }: { name: Uint8Array; writer: Uint8Array }): Steps<boolean> {
    return (yield* this.#sql.run("DELETE FROM uploads WHERE name = ? AND writer = ?", name, writer)) > 0;
  }

  *over({ beforeDay, afterDay, maxItems }: { beforeDay: Day; afterDay: Day; maxItems: number }): Steps<Uint8Array[]> {
    const sql = "SELECT name FROM uploads WHERE day < ? OR day > ? OR stage = ? OR (stage <> ? AND next_number > 0) LIMIT ?";
    const rows = yield* this.#sql.all<{ name: Uint8Array }>(sql, beforeDay, afterDay, ended, coming, maxItems);
    return rows.map(({ name }) => name);
  }

  *totals(): Steps<{ uploads: number; uploadBytes: number }> {
    const sql = `SELECT count(*) AS uploads, CAST(coalesce(sum(taken), 0) AS bigint) AS "uploadBytes" FROM uploads WHERE stage = ?`;
    const row = yield* this.#sql.get<{ uploads: number; uploadBytes: number }>(sql, coming);
    return row ?? { uploads: 0, uploadBytes: 0 };
  }
}
