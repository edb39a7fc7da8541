import type { ApprovalRule } from "@latchkey/protocol/desk";
import type { Approval, ApproverRole } from "@latchkey/releases";
import type { Statements } from "../../../../store/sqlite/statements.ts";
import type { StoredRequest } from "../request-body.ts";
import type { Vault } from "./vault.ts";
import { waitedOn } from "./wait-meter.ts";

/**
 * What would go out for a request, or did, and who approved it. `wait_ms` is how much of a day one person has waited; `released_ms` says that
 * it went out, once. Manifest and files are sealed under the request and the desk's own key.
 */
export const packagesStep = `
  CREATE TABLE request_packages (
    request_number INTEGER PRIMARY KEY, digest BLOB NOT NULL, built_ms INTEGER NOT NULL, maker BLOB NOT NULL, accounts INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, manifest BLOB NOT NULL, rule TEXT, wait_ms INTEGER, wait_seen_ms INTEGER, released_ms INTEGER,
    released_by TEXT, approvals BLOB, signature BLOB
  ) STRICT;
  CREATE TABLE request_package_files (
    request_number INTEGER NOT NULL, name TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (request_number, name)
  ) STRICT;
  CREATE TABLE request_approvals (
    request_number INTEGER NOT NULL, number INTEGER NOT NULL, staff BLOB, who BLOB NOT NULL, role TEXT NOT NULL, at_ms INTEGER NOT NULL,
    credential TEXT NOT NULL, public_key BLOB NOT NULL, client_data BLOB NOT NULL, authenticator_data BLOB NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (request_number, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE request_outsiders (
    request_number INTEGER PRIMARY KEY, name BLOB NOT NULL, code_hash BLOB NOT NULL UNIQUE, until_ms INTEGER NOT NULL,
    is_used INTEGER NOT NULL DEFAULT 0
  ) STRICT`;

/** Of which other request the copies are that are in it; absent where none are. */
export const packageCopyStep = "ALTER TABLE request_packages ADD COLUMN copy_of INTEGER";

/** What is to go out. */
export interface NewPackage {
  readonly digest: Uint8Array;
  readonly manifest: Uint8Array;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly accounts: number;
  /** Who made it. */
  readonly maker: Uint8Array;
  readonly builtMs: number;
  /** The request for which the copies were kept that are in it, if it was another. */
  readonly copyOf: number | undefined;
}

/** A package as it is stored. */
export interface StoredPackage extends Omit<NewPackage, "files"> {
  readonly sizeBytes: number;
  readonly rule: ApprovalRule | undefined;
  /** How long one person has waited; absent where nobody does. */
  readonly waitedMs: number | undefined;
  readonly released:
    | { readonly atMs: number; readonly by: string; readonly approvals: Uint8Array; readonly signature: Uint8Array }
    | undefined;
}

/** An approval, and of which of the staff; absent of somebody outside. */
export interface StoredApproval extends Approval {
  readonly staffId: Uint8Array | undefined;
}

/** Somebody outside who was asked. */
export interface Outsider {
  readonly number: number;
  readonly name: string;
  readonly untilMs: number;
  /** Their link was used: it opens nothing any more. */
  readonly isUsed: boolean;
}

type Named = Pick<StoredRequest, "number" | "key">;

const packageColumns = `digest, built_ms AS builtMs, maker, accounts, copy_of AS copyOf, size_bytes AS sizeBytes, manifest, rule, wait_ms AS waitMs,
  released_ms AS releasedMs, released_by AS releasedBy, approvals, signature`;
interface PackageRow {
  readonly digest: Uint8Array;
  readonly builtMs: number;
  readonly maker: Uint8Array;
  readonly accounts: number;
  readonly copyOf: number | null;
  readonly sizeBytes: number;
  readonly manifest: Uint8Array;
  readonly rule: ApprovalRule | null;
  readonly waitMs: number | null;
  readonly releasedMs: number | null;
  readonly releasedBy: string | null;
  readonly approvals: Uint8Array | null;
  readonly signature: Uint8Array | null;
}

/** Packages and their approvals: every method runs inside the caller's transaction. */
export class PackageTable {
  readonly #sql: Statements;
  readonly #vault: Vault;

  constructor(sql: Statements, vault: Vault) {
    this.#sql = sql;
    this.#vault = vault;
  }

  /** Puts a package in place of the one before, which takes its approvals along. */
  put({ number, key }: Named, { digest, manifest, files, accounts, maker, builtMs, copyOf }: NewPackage): void {
    this.drop(number);
    const sizeBytes = [...files.values()].reduce((sum, bytes) => sum + bytes.length, manifest.length);
    this.#sql.run(
      `INSERT INTO request_packages (request_number, digest, built_ms, maker, accounts, copy_of, size_bytes, manifest)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      number,
      digest,
      builtMs,
      maker,
      accounts,
      copyOf ?? null,
      sizeBytes,
      this.#vault.seal(key, manifest),
    );
    for (const [name, bytes] of files) {
      const sql = "INSERT INTO request_package_files (request_number, name, bytes) VALUES (?, ?, ?)";
      this.#sql.run(sql, number, name, this.#vault.seal(key, bytes));
    }
  }

  get({ number, key }: Named): StoredPackage | undefined {
    const row = this.#sql.get<PackageRow>(`SELECT ${packageColumns} FROM request_packages WHERE request_number = ?`, number);
    if (row === undefined) return undefined;
    const { rule, copyOf, waitMs, releasedMs, releasedBy, approvals, signature, manifest, ...rest } = row;
    const isReleased = releasedMs !== null && releasedBy !== null && approvals !== null && signature !== null;
    return {
      ...rest,
      copyOf: copyOf ?? undefined,
      manifest: this.#vault.open(key, manifest),
      rule: rule ?? undefined,
      waitedMs: waitMs ?? undefined,
      released: isReleased ? { atMs: releasedMs, by: releasedBy, approvals, signature } : undefined,
    };
  }

  /** For which requests something is put together of another's copies, and did not go out. */
  madeOf(copyOf: number): readonly number[] {
    const sql = "SELECT request_number AS number FROM request_packages WHERE copy_of = ? AND released_ms IS NULL ORDER BY request_number";
    return this.#sql.all<{ number: number }>(sql, copyOf).map(({ number }) => number);
  }

  /** For which requests something went out that has copies of another. */
  releasedOf(copyOf: number): readonly number[] {
    const sql = "SELECT request_number AS number FROM request_packages WHERE copy_of = ? AND released_ms IS NOT NULL";
    return this.#sql.all<{ number: number }>(sql, copyOf).map(({ number }) => number);
  }

  /** Its files by name; none once they were erased. */
  files({ number, key }: Named): ReadonlyMap<string, Uint8Array> {
    const sql = "SELECT name, bytes FROM request_package_files WHERE request_number = ? ORDER BY name";
    const rows = this.#sql.all<{ name: string; bytes: Uint8Array }>(sql, number);
    return new Map(rows.map(({ name, bytes }) => [name, this.#vault.open(key, bytes)]));
  }

  file({ number, key }: Named, name: string): Uint8Array | undefined {
    const sql = "SELECT bytes FROM request_package_files WHERE request_number = ? AND name = ?";
    const row = this.#sql.get<{ bytes: Uint8Array }>(sql, number, name);
    return row === undefined ? undefined : this.#vault.open(key, row.bytes);
  }

  approvals({ number, key }: Named): readonly StoredApproval[] {
    type Row = Omit<Approval, "who" | "role" | "assertion"> & {
      staffId: Uint8Array | null;
      who: Uint8Array;
      role: ApproverRole;
      clientDataJson: Uint8Array;
      authenticatorData: Uint8Array;
      signature: Uint8Array;
    };
    const sql = `SELECT staff AS staffId, who, role, at_ms AS atMs, credential, public_key AS publicKey, client_data AS clientDataJson,
      authenticator_data AS authenticatorData, signature FROM request_approvals WHERE request_number = ? ORDER BY number`;
    return this.#sql
      .all<Row>(sql, number)
      .map(({ staffId, who, role, atMs, credential, publicKey, clientDataJson, authenticatorData, signature }) => ({
        staffId: staffId ?? undefined,
        who: new TextDecoder().decode(this.#vault.open(key, who)),
        role,
        atMs,
        credential,
        publicKey,
        assertion: { clientDataJson, authenticatorData, signature },
      }));
  }

  approve({ number, key }: Named, { staffId, who, role, atMs, credential, publicKey, assertion }: StoredApproval): void {
    this.#sql.run(
      `INSERT INTO request_approvals (request_number, number, staff, who, role, at_ms, credential, public_key, client_data, authenticator_data, signature)
       VALUES (?1, 1 + (SELECT count(*) FROM request_approvals WHERE request_number = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`,
      number,
      staffId ?? null,
      this.#vault.seal(key, new TextEncoder().encode(who)),
      role,
      atMs,
      credential,
      publicKey,
      assertion.clientDataJson,
      assertion.authenticatorData,
      assertion.signature,
    );
  }

  /** By what it is approved. */
  setRule(number: number, rule: ApprovalRule): void {
    this.#sql.run("UPDATE request_packages SET rule = ? WHERE request_number = ?", rule, number);
  }

  beginWait(number: number, nowMs: number): void {
    this.#sql.run("UPDATE request_packages SET wait_ms = 0, wait_seen_ms = ? WHERE request_number = ?", nowMs, number);
  }

  /** Lets all that wait have waited so much longer. @param nowMs by the guarded clock */
  waited(passedMs: number, nowMs: number): void {
    type Row = { number: number; waitedMs: number; seenMs: number };
    const sql = `SELECT request_number AS number, wait_ms AS waitedMs, wait_seen_ms AS seenMs FROM request_packages
      WHERE wait_ms IS NOT NULL AND released_ms IS NULL`;
    for (const { number, ...mark } of this.#sql.all<Row>(sql)) {
      const { waitedMs, seenMs } = waitedOn(mark, passedMs, nowMs);
      this.#sql.run("UPDATE request_packages SET wait_ms = ?, wait_seen_ms = ? WHERE request_number = ?", waitedMs, seenMs, number);
    }
  }

  /** Writes down that it went out. Answers whether it had not before. */
  release(number: number, released: NonNullable<StoredPackage["released"]>): boolean {
    const { changes } = this.#sql.run(
      "UPDATE request_packages SET released_ms = ?, released_by = ?, approvals = ?, signature = ? WHERE request_number = ? AND released_ms IS NULL",
      released.atMs,
      released.by,
      released.approvals,
      released.signature,
      number,
    );
    return Number(changes) === 1;
  }

  /** Names somebody outside, in place of whom was named before. */
  invite({ number, key }: Named, { name, codeHash, untilMs }: { name: string; codeHash: Uint8Array; untilMs: number }): void {
    this.#sql.run("DELETE FROM request_outsiders WHERE request_number = ?", number);
    const sql = "INSERT INTO request_outsiders (request_number, name, code_hash, until_ms) VALUES (?, ?, ?, ?)";
    this.#sql.run(sql, number, this.#vault.seal(key, new TextEncoder().encode(name)), codeHash, untilMs);
  }

  outsider({ number, key }: Named): Outsider | undefined {
    const sql = "SELECT name, until_ms AS untilMs, is_used AS isUsed FROM request_outsiders WHERE request_number = ?";
    const row = this.#sql.get<{ name: Uint8Array; untilMs: number; isUsed: number }>(sql, number);
    if (row === undefined) return undefined;
    return { number, name: new TextDecoder().decode(this.#vault.open(key, row.name)), untilMs: row.untilMs, isUsed: row.isUsed === 1 };
  }

  /** Whether this is the link of a request's newest invitation, used or not. */
  isNewestLink(number: number, codeHash: Uint8Array): boolean {
    const sql = "SELECT 1 AS found FROM request_outsiders WHERE request_number = ? AND code_hash = ?";
    return this.#sql.get(sql, number, codeHash) !== undefined;
  }

  /** Of which request a link that counts is. */
  ofCode(codeHash: Uint8Array, nowMs: number): number | undefined {
    const sql = "SELECT request_number AS number FROM request_outsiders WHERE code_hash = ? AND until_ms > ? AND is_used = 0";
    return this.#sql.get<{ number: number }>(sql, codeHash, nowMs)?.number;
  }

  /** Uses a link up. Answers whether it counted. */
  useCode(codeHash: Uint8Array, nowMs: number): boolean {
    const sql = "UPDATE request_outsiders SET is_used = 1 WHERE code_hash = ? AND until_ms > ? AND is_used = 0";
    return Number(this.#sql.run(sql, codeHash, nowMs).changes) === 1;
  }

  /** Erases what was given out, and keeps what it was: hashes, approvals, signature. */
  eraseFiles(number: number): void {
    this.#sql.run("DELETE FROM request_package_files WHERE request_number = ?", number);
  }

  /** Removes a package with its approvals and whoever was asked about it. */
  drop(number: number): void {
    for (const table of ["request_package_files", "request_approvals", "request_outsiders", "request_packages"]) {
      this.#sql.run(`DELETE FROM ${table} WHERE request_number = ?`, number);
    }
  }
}
