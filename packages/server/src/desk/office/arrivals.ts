import { equalBytes } from "@latchkey/codec";
import type { AnnouncedAttachment, MailboxAt } from "@latchkey/protocol/reports";
import { maxAnswersReplyBytes, maxReportAnswers } from "@latchkey/protocol/reports";
import { finish } from "../../store/sql/steps.ts";
import { SpentTokens } from "../../store/sql/token-tables.ts";
import type { Statements } from "../../store/sqlite/statements.ts";
import type { SpentToken } from "../../store/token-store.ts";

/** Why something at the door is not taken. */
export type DoorRefusal = "malformed" | "conflict" | "not_found" | "token_invalid" | "storage_full";

/** A report that lies there sealed, with what has come of its attachments. */
export interface SealedArrival {
  readonly reportId: Uint8Array;
  readonly sealed: Uint8Array;
  readonly day: number;
  readonly files: readonly { readonly hash: Uint8Array; readonly bytes: Uint8Array }[];
}

/** How long the attachments of a report are waited for, milliseconds. */
const attachmentsMs = 3_600_000;
/** Days in which a report that is sent again is answered as the first time. */
const rememberedDays = 60;
/** Days for which answers lie there at least, and in any case as long as the case of their report. */
const answerDays = 250;
const maxTries = 5;
/** What an answer takes beside its bytes in a reply. */
const answerHeadBytes = 8;
/** Of a file `f`: its report was not opened yet. */
const isSealed = "EXISTS (SELECT 1 FROM arrivals WHERE report_id = f.report_id AND sealed IS NOT NULL)";

/** What comes in sealed, and answers: every method runs inside the caller's transaction. */
export class ArrivalTable {
  readonly #sql: Statements;
  readonly #spent: SpentTokens;

  constructor(sql: Statements) {
    this.#sql = sql;
    this.#spent = new SpentTokens(sql.shared);
  }

  /** What was answered to this report; "conflict" for another one under its id. */
  known(
    reportId: Uint8Array,
    hash: Uint8Array,
  ): { readonly receipt: Uint8Array; readonly missing: readonly Uint8Array[] } | "conflict" | undefined {
    type Row = { hash: Uint8Array; receipt: Uint8Array };
    const row = this.#sql.get<Row>("SELECT hash, receipt FROM arrivals WHERE report_id = ?", reportId);
    if (row === undefined) return undefined;
    return equalBytes(row.hash, hash) ? { receipt: row.receipt, missing: this.missing(reportId) } : "conflict";
  }

  /** Puts a report there, and spends its token. */
  add(params: {
    reportId: Uint8Array;
    hash: Uint8Array;
    sealed: Uint8Array;
    attachments: readonly AnnouncedAttachment[];
    receipt: Uint8Array;
    day: number;
    nowMs: number;
    spent: SpentToken | undefined;
  }): "added" | "token_invalid" {
    const { reportId, hash, sealed, attachments, receipt, day, nowMs, spent } = params;
    if (!finish(this.#spent.spend(spent))) return "token_invalid";
    const sql = "INSERT INTO arrivals (report_id, hash, day, arrived_ms, receipt, sealed) VALUES (?, ?, ?, ?, ?, ?)";
    this.#sql.run(sql, reportId, hash, day, nowMs, receipt, sealed);
    const addFile = "INSERT OR IGNORE INTO arrival_files (report_id, hash, size_bytes) VALUES (?, ?, ?)";
    for (const { hash: file, sizeBytes } of attachments) this.#sql.run(addFile, reportId, file, sizeBytes);
    return "added";
  }

  /** Puts an attachment to the reports that announced it, of this very size, and wait for it; answers whether any did. */
  addFile(hash: Uint8Array, bytes: Uint8Array): boolean {
    const found = this.#sql.get(`SELECT 1 FROM arrival_files f WHERE hash = ? AND size_bytes = ? AND ${isSealed}`, hash, bytes.length);
    const sql = `UPDATE arrival_files AS f SET bytes = ? WHERE hash = ? AND size_bytes = ? AND bytes IS NULL AND ${isSealed}`;
    this.#sql.run(sql, bytes, hash, bytes.length);
    return found !== undefined;
  }

  /** Bytes of an attachment that a report announced which was not opened yet; `undefined` where none is waited for. */
  sizeOf(hash: Uint8Array): number | undefined {
    const sql = `SELECT size_bytes AS size FROM arrival_files f WHERE hash = ? AND ${isSealed}`;
    return this.#sql.get<{ size: number }>(sql, hash)?.size;
  }

  /** One that can be opened: all of it is here, or the rest was waited for long enough. */
  next(nowMs: number, after: Uint8Array): SealedArrival | undefined {
    type Row = { reportId: Uint8Array; sealed: Uint8Array; day: number };
    const row = this.#sql.get<Row>(
      `SELECT report_id AS reportId, sealed, day FROM arrivals a
       WHERE sealed IS NOT NULL AND report_id > ? AND tries < ? AND (arrived_ms <= ? OR NOT EXISTS
         (SELECT 1 FROM arrival_files WHERE report_id = a.report_id AND bytes IS NULL))
       ORDER BY report_id LIMIT 1`,
      after,
      maxTries,
      nowMs - attachmentsMs,
    );
    if (row === undefined) return undefined;
    type File = { hash: Uint8Array; bytes: Uint8Array };
    const files = this.#sql.all<File>("SELECT hash, bytes FROM arrival_files WHERE report_id = ? AND bytes IS NOT NULL", row.reportId);
    return { ...row, files };
  }

  /** Counts that something failed at opening it, which is no fault of the report: a few times it is tried again. */
  failed(reportId: Uint8Array): void {
    this.#sql.run("UPDATE arrivals SET tries = tries + 1 WHERE report_id = ?", reportId);
  }

  /** Removes everything of a report but what it was answered, and which of its attachments never came. */
  opened(reportId: Uint8Array): void {
    this.#sql.run("UPDATE arrivals SET sealed = NULL WHERE report_id = ?", reportId);
    this.#sql.run("DELETE FROM arrival_files WHERE report_id = ? AND bytes IS NOT NULL", reportId);
  }

  /** Bytes that lie there sealed. What was only announced takes nobody's room. */
  sizeBytes(): number {
    const sql = `SELECT coalesce((SELECT sum(length(sealed)) FROM arrivals WHERE sealed IS NOT NULL), 0)
      + coalesce((SELECT sum(size_bytes) FROM arrival_files WHERE bytes IS NOT NULL), 0) AS size`;
    return this.#sql.get<{ size: number }>(sql)?.size ?? 0;
  }

  /** Adds an answer; of too many the last takes no further place. */
  addAnswer(mailbox: Uint8Array, sealed: Uint8Array, day: number): void {
    const number = this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM answers WHERE mailbox = ?", mailbox)?.n ?? 0;
    if (number >= maxReportAnswers) return;
    this.#sql.run("INSERT INTO answers (mailbox, number, sealed, last_day) VALUES (?, ?, ?, ?)", mailbox, number, sealed, day + answerDays);
  }

  /** What is in each mailbox from its number on, as far as it fits into one reply; nothing of one that nobody knows. */
  answers(mailboxes: readonly MailboxAt[]): readonly { readonly answers: readonly Uint8Array[] }[] {
    let left = maxAnswersReplyBytes - mailboxes.length * answerHeadBytes;
    return mailboxes.map(({ mailbox, from }) => {
      const sql = "SELECT sealed FROM answers WHERE mailbox = ? AND number >= ? ORDER BY number LIMIT ?";
      const found = this.#sql.all<{ sealed: Uint8Array }>(sql, mailbox, from, maxReportAnswers).map(({ sealed }) => sealed);
      const fitting = found.findIndex((sealed) => (left -= sealed.length + answerHeadBytes) < 0);
      return { answers: fitting === -1 ? found : found.slice(0, fitting) };
    });
  }

  /** Forgets what is over: receipts, answers, tokens, reports that could not be opened. */
  expire(today: number): void {
    this.#sql.run("DELETE FROM arrival_files WHERE report_id IN (SELECT report_id FROM arrivals WHERE day < ?)", today - rememberedDays);
    this.#sql.run("DELETE FROM arrivals WHERE day < ?", today - rememberedDays);
    // While a case is there its reporters may be told more, under the next number: none before it goes, so that none is given twice.
    this.#sql.run("DELETE FROM answers WHERE last_day < ? AND mailbox NOT IN (SELECT mailbox FROM case_reports)", today);
    finish(this.#spent.forget({ beforeDay: today - 1 }));
  }

  /** Hashes of the attachments that are not here yet, or never came: whoever lost the answer to one learns whether it is here. */
  missing(reportId: Uint8Array): readonly Uint8Array[] {
    const sql = "SELECT hash FROM arrival_files WHERE report_id = ? AND bytes IS NULL ORDER BY id";
    return this.#sql.all<{ hash: Uint8Array }>(sql, reportId).map(({ hash }) => hash);
  }
}
