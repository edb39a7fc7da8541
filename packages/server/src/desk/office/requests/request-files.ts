import { requestLimits } from "@latchkey/protocol/desk";
import type { RequestFile } from "@latchkey/protocol/desk";
import { createHash, createHmac } from "node:crypto";
import { equalBytes, toHex } from "@latchkey/codec";
import { giveUp } from "../../../give-up.ts";
import type { Statements } from "../../../store/sqlite/statements.ts";
import { openOfCase, sealForCase } from "../case-key.ts";
import { DeskError } from "../desk-error.ts";
import { openText, sealText } from "./request-table.ts";
import type { StoredRequest } from "./request-body.ts";

const { partBytes } = requestLimits;
/** Bytes of all files of all requests. */
const maxBytes = 4 * 1024 * 1024 * 1024;
/** A file that did not come whole is forgotten after so long, with the room that it took. */
const unfinishedMs = 86_400_000;

interface Row {
  readonly number: number;
  readonly sizeBytes: number;
  readonly hereBytes: number;
  readonly atMs: number;
  readonly by: string;
  readonly sha256: Uint8Array | null;
  readonly name: Uint8Array;
}

const columns = "number, size_bytes AS sizeBytes, here_bytes AS hereBytes, at_ms AS atMs, by, sha256, name";

/**
 * Files of requests. Their size is said first and its room set aside; then their bytes come in parts, in order, each encrypted under a key
 * of its place, so that no part passes for another. Every method runs inside the caller's transaction.
 */
export class RequestFiles {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Sets room aside for a file. @throws DeskError `limit` */
  begin(to: StoredRequest, file: { name: string; mediaType: string; sizeBytes: number; by: string }, nowMs: number): number {
    const { name, mediaType, sizeBytes, by } = file;
    const files = this.#sql.all<Row>(`SELECT ${columns} FROM request_files WHERE request_number = ? ORDER BY number`, to.number);
    const ofRequest = files.reduce((sum, one) => sum + one.sizeBytes, 0);
    const ofAll = this.#sql.get<{ n: number }>("SELECT coalesce(sum(size_bytes), 0) AS n FROM request_files")?.n ?? 0;
    const isTooMuch =
      sizeBytes > requestLimits.fileBytes || ofRequest + sizeBytes > requestLimits.requestBytes || ofAll + sizeBytes > maxBytes;
    if (isTooMuch || files.length >= requestLimits.files) throw new DeskError("limit");
    const number = 1 + (files.at(-1)?.number ?? 0);
    this.#sql.run(
      "INSERT INTO request_files (request_number, number, size_bytes, here_bytes, at_ms, by, name) VALUES (?, ?, ?, 0, ?, ?, ?)",
      to.number,
      number,
      sizeBytes,
      nowMs,
      by,
      sealText(to.key, JSON.stringify({ name, mediaType })),
    );
    return number;
  }

  /**
   * Adds the bytes that come next; those that are here already are as good as added, for whoever lost the answer to them.
   * @returns SHA-256 of the file where these complete it
   * @throws DeskError `not_found`, `changed` for what belongs elsewhere or is other than what is here, `limit` for more than was said
   */
  append(to: StoredRequest, { file, fromByte, bytes }: { file: number; fromByte: number; bytes: Uint8Array }): Uint8Array | undefined {
    const row = this.#require(to.number, file);
    const part = fromByte / partBytes;
    if (fromByte > row.hereBytes || fromByte % partBytes !== 0) throw new DeskError("changed");
    if (fromByte < row.hereBytes) {
      if (!equalBytes(this.#part(to, file, part), bytes)) throw new DeskError("changed");
      return undefined;
    }
    const here = row.hereBytes + bytes.length;
    if (bytes.length === 0 || bytes.length > partBytes || here > row.sizeBytes) throw new DeskError("limit");
    if (bytes.length < partBytes && here !== row.sizeBytes) throw new DeskError("changed");
    const sealed = sealForCase(keyOfPart(to.key, file, part), bytes);
    this.#sql.run("INSERT INTO request_parts (request_number, file, part, bytes) VALUES (?, ?, ?, ?)", to.number, file, part, sealed);
    giveUp(sealed);
    const sha256 = here === row.sizeBytes ? this.#hash(to, file, part + 1) : undefined;
    const sql = "UPDATE request_files SET here_bytes = ?, sha256 = ? WHERE request_number = ? AND number = ?";
    this.#sql.run(sql, here, sha256 ?? null, to.number, file);
    return sha256;
  }

  /** A part of a file that is here whole, from 0. @throws DeskError `not_found` */
  part({ number, key }: StoredRequest, file: number, part: number): Uint8Array {
    if (this.#require(number, file).sha256 === null) throw new DeskError("not_found");
    return this.#part({ number, key }, file, part);
  }

  list({ number, key }: StoredRequest): readonly RequestFile[] {
    const rows = this.#sql.all<Row>(`SELECT ${columns} FROM request_files WHERE request_number = ? ORDER BY number`, number);
    return rows.map(({ sha256, name, ...row }) => ({
      ...row,
      // Written above.
      ...(JSON.parse(openText(key, name)) as { name: string; mediaType: string }),
      ...(sha256 === null ? {} : { sha256: toHex(sha256) }),
    }));
  }

  /** @throws DeskError `not_found` */
  remove(number: number, file: number): void {
    this.#require(number, file);
    this.#sql.run("DELETE FROM request_parts WHERE request_number = ? AND file = ?", number, file);
    this.#sql.run("DELETE FROM request_files WHERE request_number = ? AND number = ?", number, file);
  }

  /** Forgets those that never came whole. */
  tidy(nowMs: number): void {
    const rows = this.#sql.all<{ request: number; number: number }>(
      "SELECT request_number AS request, number FROM request_files WHERE sha256 IS NULL AND at_ms < ?",
      nowMs - unfinishedMs,
    );
    for (const { request, number } of rows) this.remove(request, number);
  }

  #require(request: number, file: number): Row {
    const row = this.#sql.get<Row>(`SELECT ${columns} FROM request_files WHERE request_number = ? AND number = ?`, request, file);
    if (row === undefined) throw new DeskError("not_found");
    return row;
  }

  #part({ number, key }: Pick<StoredRequest, "number" | "key">, file: number, part: number): Uint8Array {
    const sql = "SELECT bytes FROM request_parts WHERE request_number = ? AND file = ? AND part = ?";
    const row = this.#sql.get<{ bytes: Uint8Array }>(sql, number, file, part);
    if (row === undefined) throw new DeskError("not_found");
    const bytes = openOfCase(keyOfPart(key, file, part), row.bytes);
    giveUp(row.bytes);
    return bytes;
  }

  #hash(of: StoredRequest, file: number, parts: number): Uint8Array {
    const hash = createHash("sha256");
    for (let part = 0; part < parts; part += 1) {
      const bytes = this.#part(of, file, part);
      hash.update(bytes);
      giveUp(bytes);
    }
    return new Uint8Array(hash.digest());
  }
}

function keyOfPart(key: Uint8Array, file: number, part: number): Uint8Array {
  return new Uint8Array(
    createHmac("sha256", key)
      .update(`latchkey/desk/request-file/${String(file)}/${String(part)}`)
      .digest(),
  );
}
