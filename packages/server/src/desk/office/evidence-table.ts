import { keyOf } from "../../keys.ts";
import type { CaseAttachment, CaseItem, CaseReport, ClaimVerdict, ItemAuthor } from "@latchkey/protocol/desk";
import type { Statements } from "../../store/sqlite/statements.ts";
import { betterOf } from "./better-evidence.ts";
import type { ShownItem } from "./better-evidence.ts";
import { conversationMac, openOfCase, personMac, sealForCase } from "./case-key.ts";
import type { StoredCase } from "./cases.ts";
import type { NewEvidence, NewFile, NewItem, NewReport, Person } from "./evidence.ts";

/** Who brings evidence into a case. */
export type Side = "reporters" | "accused";

/** Messages and files of one case: what comes beyond them is counted in its report and not kept. Neither side takes the other's room. */
const share = {
  reporters: { case_items: 750, case_files: 30 },
  accused: { case_items: 250, case_files: 10 },
} as const;
/** Reports of one case that are shown with it. */
const maxShownReports = 100;

interface ItemRow {
  readonly number: number;
  readonly author: ItemAuthor;
  readonly role: CaseItem["role"];
  readonly about: number | null;
  readonly text: string | null;
  readonly saysAtMs: number | null;
  readonly gapBefore: number;
  readonly verdicts: string;
}

/** A reporter of a case: where they are answered, and whether they were told what was decided. */
export interface StoredReporter {
  readonly id: number;
  readonly caseNumber: number;
  readonly mailbox: Uint8Array;
  readonly replySecret: Uint8Array;
  readonly reportId: Uint8Array;
  readonly toldDay: number | undefined;
}

type ReporterRow = Omit<StoredReporter, "toldDay"> & { readonly toldDay: number | null };
const reporterColumns = "id, case_number AS caseNumber, mailbox, reply_secret AS replySecret, report_id AS reportId, told_day AS toldDay";

function readReporter({ toldDay, ...row }: ReporterRow): StoredReporter {
  return { ...row, toldDay: toldDay ?? undefined };
}

/** What is in a case: every method runs inside the caller's transaction. */
export class EvidenceTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** The cases that have one of these messages already. */
  casesWith(items: readonly NewItem[]): ReadonlySet<number> {
    const found = items.flatMap(({ identity }) =>
      this.#sql.all<{ number: number }>("SELECT case_number AS number FROM case_items WHERE identity = ?", identity),
    );
    return new Set(found.map(({ number }) => number));
  }

  /** Whether a case has something of this conversation. */
  hasConversation({ number, key }: StoredCase, conversation: Uint8Array): boolean {
    const mac = conversationMac(key, conversation);
    return this.#sql.get("SELECT 1 FROM case_conversations WHERE case_number = ? AND mac = ?", number, mac) !== undefined;
  }

  /** Whether all of these messages and files of reports fit into a case, whatever others put there. */
  hasRoom(number: number, { items, files }: { readonly items: readonly object[]; readonly files: readonly object[] }): boolean {
    return this.#room(number, "case_items", "reporters") >= items.length && this.#room(number, "case_files", "reporters") >= files.length;
  }

  #room(number: number, table: "case_items" | "case_files", side: Side): number {
    const sql = `SELECT count(*) AS n FROM ${table} WHERE case_number = ? AND side = ?`;
    return share[side][table] - (this.#sql.get<{ n: number }>(sql, number, side)?.n ?? 0);
  }

  /** Bytes that the evidence of all cases takes. */
  sizeBytes(): number {
    const sql = `SELECT coalesce((SELECT sum(length(bytes)) FROM case_files), 0)
      + coalesce((SELECT sum(length(contexts) + length(words) + length(verdicts)) FROM case_reports), 0)
      + coalesce((SELECT sum(coalesce(length(text), 0) + length(verdicts)) FROM case_items), 0) AS size`;
    return this.#sql.get<{ size: number }>(sql)?.size ?? 0;
  }

  /** Puts a report into a case. @param signer what stands for the account that signed it, wherever it did */
  addReport(to: StoredCase, report: NewReport, { day, signer }: { day: number; signer: Uint8Array | undefined }): void {
    if (report.reporter !== undefined) this.#label(to, report.reporter, "reporter");
    this.addEvidence(to, report, "reporters");
    this.#sql.run(
      `INSERT INTO case_reports (case_number, arrived_day, reason, words, reporter, verdicts, report_id, mailbox, reply_secret, contexts,
         signer)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      to.number,
      day,
      report.reason,
      report.words,
      report.reporter === undefined ? "nobody" : "account",
      JSON.stringify(report.verdicts),
      report.reportId,
      report.mailbox,
      report.replySecret,
      sealForCase(to.key, report.contexts),
      signer === undefined ? null : sealForCase(to.key, signer),
    );
  }

  /** Puts messages and files into a case, each once. Answers the numbers that the messages have there; 0 of one for which there is no room. */
  addEvidence(to: StoredCase, evidence: NewEvidence, side: Side): readonly number[] {
    const { conversation, items, files } = evidence;
    const mac = conversationMac(to.key, conversation);
    if (conversation.length > 0) this.#sql.run("INSERT OR IGNORE INTO case_conversations (case_number, mac) VALUES (?, ?)", to.number, mac);
    const numbers: number[] = [];
    for (const item of items) numbers.push(this.#addItem(to, item, side));
    // What changes a message may come before it.
    for (const [at, { about }] of items.entries()) {
      const target = about === undefined ? 0 : (numbers[about] ?? 0);
      const sql = "UPDATE case_items SET about = ? WHERE case_number = ? AND number = ? AND about IS NULL";
      if (target > 0) this.#sql.run(sql, target, to.number, numbers[at] ?? 0);
    }
    for (const file of files) this.#addFile(to, { ...file, item: numbers[file.item] ?? 0, side });
    return numbers;
  }

  /** The newest, with who signed them: of more the words say no more, and their number stands in the summary. */
  reports({ number, key }: StoredCase): readonly (CaseReport & { readonly signer: Uint8Array | undefined })[] {
    type Row = Omit<CaseReport, "verdicts"> & { verdicts: string; signer: Uint8Array | null };
    const rows = this.#sql.all<Row>(
      `SELECT signer, arrived_day AS arrivedDay, reason, words, reporter, verdicts FROM case_reports WHERE case_number = ?
       ORDER BY id DESC LIMIT ?`,
      number,
      maxShownReports,
    );
    return rows.toReversed().map((row) => ({
      ...row,
      verdicts: readVerdicts(row.verdicts),
      signer: row.signer === null ? undefined : openOfCase(key, row.signer),
    }));
  }

  items(number: number): readonly CaseItem[] {
    const files = this.files(number);
    const rows = this.#sql.all<ItemRow>(
      `SELECT number, author, role, about, text, says_at_ms AS saysAtMs, gap_before AS gapBefore, verdicts
       FROM case_items WHERE case_number = ? ORDER BY number`,
      number,
    );
    return rows.map(({ about, text, saysAtMs, verdicts, ...row }) => ({
      ...row,
      ...(about === null ? {} : { about }),
      ...(text === null ? {} : { text }),
      ...(saysAtMs === null ? {} : { saysAtMs }),
      verdicts: readVerdicts(verdicts),
      attachments: files.filter(({ item }) => item === row.number).map((file) => file.number),
    }));
  }

  files(number: number): readonly (CaseAttachment & { readonly item: number })[] {
    return this.#sql.all<CaseAttachment & { item: number }>(
      "SELECT number, item, media_type AS mediaType, size_bytes AS sizeBytes, verdict FROM case_files WHERE case_number = ? ORDER BY number",
      number,
    );
  }

  /** The bytes of a file. */
  file({ number: caseNumber, key }: StoredCase, number: number): Uint8Array | undefined {
    const sql = "SELECT bytes FROM case_files WHERE case_number = ? AND number = ?";
    const row = this.#sql.get<{ bytes: Uint8Array }>(sql, caseNumber, number);
    return row === undefined ? undefined : openOfCase(key, row.bytes);
  }

  /** Ids of the messages that are proved to be the accused's: what a decision rests on. */
  provedIds(number: number): readonly Uint8Array[] {
    return this.#sql
      .all<{ id: Uint8Array }>(
        `SELECT message_id AS id FROM case_items
         WHERE case_number = ? AND author = 'accused' AND role = 'reported' AND is_proved = 1 AND message_id <> zeroblob(32)
         ORDER BY number`,
        number,
      )
      .map(({ id }) => id);
  }

  /** The earliest time that a reported message says, in milliseconds. */
  earliestMs(number: number): number | undefined {
    const sql = "SELECT min(says_at_ms) AS atMs FROM case_items WHERE case_number = ? AND role = 'reported'";
    return this.#sql.get<{ atMs: number | null }>(sql, number)?.atMs ?? undefined;
  }

  reporters(number: number): readonly StoredReporter[] {
    const sql = `SELECT ${reporterColumns} FROM case_reports WHERE case_number = ? ORDER BY id`;
    return this.#sql.all<ReporterRow>(sql, number).map(readReporter);
  }

  /** What stands for the accounts that signed reports of a case, for each report. */
  signers({ number, key }: StoredCase): readonly Uint8Array[] {
    const sql = "SELECT signer FROM case_reports WHERE case_number = ? AND signer IS NOT NULL ORDER BY id";
    return this.#sql.all<{ signer: Uint8Array }>(sql, number).map(({ signer }) => openOfCase(key, signer));
  }

  /** The same of one report; `undefined` where nobody signed it. */
  signerOf({ key }: StoredCase, id: number): Uint8Array | undefined {
    const row = this.#sql.get<{ signer: Uint8Array | null }>("SELECT signer FROM case_reports WHERE id = ?", id);
    return row === undefined || row.signer === null ? undefined : openOfCase(key, row.signer);
  }

  /** One by its id. */
  reporter(id: number): StoredReporter | undefined {
    const row = this.#sql.get<ReporterRow>(`SELECT ${reporterColumns} FROM case_reports WHERE id = ?`, id);
    return row === undefined ? undefined : readReporter(row);
  }

  markTold(reporter: number, day: number): void {
    this.#sql.run("UPDATE case_reports SET told_day = ? WHERE id = ?", day, reporter);
  }

  /** Where a report went. */
  caseOfReport(reportId: Uint8Array): number | undefined {
    return this.#sql.get<{ number: number }>("SELECT case_number AS number FROM case_reports WHERE report_id = ?", reportId)?.number;
  }

  /** The report that is answered there. */
  reporterOf(mailbox: Uint8Array): { readonly id: number; readonly number: number } | undefined {
    const sql = "SELECT id, case_number AS number FROM case_reports WHERE mailbox = ?";
    return this.#sql.get<{ id: number; number: number }>(sql, mailbox);
  }

  /** Puts everything that a case has into another about the same account. */
  move(from: StoredCase, into: StoredCase): void {
    const numbers = new Map<number, number>();
    for (const item of this.items(from.number)) {
      const known = this.#sql.get<{ number: number }>(
        `SELECT number FROM case_items WHERE case_number = ? AND identity = (SELECT identity FROM case_items WHERE case_number = ? AND number = ?)`,
        into.number,
        from.number,
        item.number,
      );
      const number = known?.number ?? this.#nextItem(into.number);
      numbers.set(item.number, number);
      // People of one case are not those of the other: only who is the accused and who reported stays known.
      const author: ItemAuthor = item.author.startsWith("other-")
        ? `other-${100 * from.number + Number(item.author.slice(6))}`
        : item.author;
      if (known !== undefined) {
        const shown = this.#shown(from.number, item.number);
        if (shown !== undefined) this.#improve(into, number, { ...shown, author });
        if (item.role === "reported") this.#complain(into, number);
        continue;
      }
      this.#sql.run(
        `INSERT INTO case_items SELECT ?, ?, identity, message_id, ?, role, ?, text, says_at_ms, gap_before, verdicts, is_proved, side
         FROM case_items WHERE case_number = ? AND number = ?`,
        into.number,
        number,
        author,
        item.about === undefined ? null : (numbers.get(item.about) ?? null),
        from.number,
        item.number,
      );
    }
    for (const file of this.files(from.number)) {
      const bytes = this.file(from, file.number);
      // Nothing is merged once somebody could appeal.
      if (bytes !== undefined) this.#addFile(into, { ...file, bytes, item: numbers.get(file.item) ?? 0, side: "reporters" });
    }
    const sealed = this.#sql.all<{ id: number; contexts: Uint8Array; signer: Uint8Array | null }>(
      "SELECT id, contexts, signer FROM case_reports WHERE case_number = ?",
      from.number,
    );
    for (const { id, contexts, signer } of sealed) {
      const sql = "UPDATE case_reports SET case_number = ?, contexts = ?, signer = ? WHERE id = ?";
      const move = (bytes: Uint8Array): Uint8Array => sealForCase(into.key, openOfCase(from.key, bytes));
      this.#sql.run(sql, into.number, move(contexts), signer === null ? null : move(signer), id);
    }
  }

  #addItem(to: StoredCase, item: NewItem, side: Side): number {
    const sql = "SELECT number FROM case_items WHERE case_number = ? AND identity = ?";
    const known = this.#sql.get<{ number: number }>(sql, to.number, item.identity);
    if (known !== undefined) {
      const { text, saysAtMs, ...shown } = item;
      // Somebody may have shown it first so that it could not be proved.
      this.#improve(to, known.number, { ...shown, text, saysAtMs, author: this.#authorOf(to, item.author) });
      if (item.role === "reported") this.#complain(to, known.number);
      return known.number;
    }
    if (this.#room(to.number, "case_items", side) <= 0) return 0;
    const number = this.#nextItem(to.number);
    this.#sql.run(
      `INSERT INTO case_items
         (case_number, number, identity, message_id, author, role, text, says_at_ms, gap_before, verdicts, is_proved, side)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      to.number,
      number,
      item.identity,
      item.messageId,
      this.#authorOf(to, item.author),
      item.role,
      item.text ?? null,
      item.saysAtMs ?? null,
      item.gapBefore,
      JSON.stringify(item.verdicts),
      item.isProved ? 1 : 0,
      side,
    );
    return number;
  }

  /** Context in one report, complained of in another. */
  #complain(to: StoredCase, number: number): void {
    this.#sql.run("UPDATE case_items SET role = 'reported' WHERE case_number = ? AND number = ?", to.number, number);
  }

  #shown(caseNumber: number, number: number): ShownItem | undefined {
    type Row = Omit<ShownItem, "text" | "saysAtMs" | "verdicts" | "isProved"> & {
      text: string | null;
      saysAtMs: number | null;
      verdicts: string;
      isProved: number;
    };
    const row = this.#sql.get<Row>(
      `SELECT message_id AS messageId, author, text, says_at_ms AS saysAtMs, gap_before AS gapBefore, verdicts, is_proved AS isProved
       FROM case_items WHERE case_number = ? AND number = ?`,
      caseNumber,
      number,
    );
    if (row === undefined) return undefined;
    const { text, saysAtMs, verdicts, isProved, ...rest } = row;
    const told = { text: text ?? undefined, saysAtMs: saysAtMs ?? undefined };
    return { ...rest, ...told, verdicts: readVerdicts(verdicts), isProved: isProved === 1 };
  }

  /** The better proof takes the place of what a case shows of a message. */
  #improve(of: StoredCase, number: number, other: ShownItem): void {
    const known = this.#shown(of.number, number);
    if (known === undefined) return;
    const better = betterOf(known, other);
    this.#sql.run(
      `UPDATE case_items SET message_id = ?, author = ?, text = ?, says_at_ms = ?, gap_before = ?, verdicts = ?, is_proved = ?
       WHERE case_number = ? AND number = ?`,
      better.messageId,
      better.author,
      better.text ?? null,
      better.saysAtMs ?? null,
      better.gapBefore,
      JSON.stringify(better.verdicts),
      better.isProved ? 1 : 0,
      of.number,
      number,
    );
  }

  #addFile(to: StoredCase, { mediaType, bytes, verdict, item, side }: NewFile & { readonly side: Side }): void {
    const sql = "SELECT coalesce(max(number), 0) + 1 AS number FROM case_files WHERE case_number = ?";
    const number = this.#sql.get<{ number: number }>(sql, to.number)?.number ?? 1;
    if (this.#room(to.number, "case_files", side) <= 0 || item === 0) return;
    this.#sql.run(
      "INSERT INTO case_files (case_number, number, item, media_type, size_bytes, verdict, bytes, side) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      to.number,
      number,
      item,
      mediaType,
      bytes.length,
      verdict,
      sealForCase(to.key, bytes),
      side,
    );
  }

  #nextItem(number: number): number {
    const sql = "SELECT coalesce(max(number), 0) + 1 AS next FROM case_items WHERE case_number = ?";
    return this.#sql.get<{ next: number }>(sql, number)?.next ?? 1;
  }

  #authorOf(of: StoredCase, author: Person): ItemAuthor {
    const { accused } = of;
    if (keyOf(author.accountId) === keyOf(accused.accountId) && author.host === accused.host) return "accused";
    const mac = personMac(of.key, author);
    const known = this.#sql.get<{ label: ItemAuthor }>("SELECT label FROM case_people WHERE case_number = ? AND mac = ?", of.number, mac);
    if (known !== undefined) return known.label;
    const sql = "SELECT count(*) AS n FROM case_people WHERE case_number = ? AND label <> 'reporter'";
    const label: ItemAuthor = `other-${(this.#sql.get<{ n: number }>(sql, of.number)?.n ?? 0) + 1}`;
    this.#label(of, author, label);
    return label;
  }

  #label(of: StoredCase, person: Person, label: ItemAuthor): void {
    const sql = "INSERT OR IGNORE INTO case_people (case_number, mac, label) VALUES (?, ?, ?)";
    this.#sql.run(sql, of.number, personMac(of.key, person), label);
  }
}

function readVerdicts(text: string): readonly ClaimVerdict[] {
  // Written above.
  return JSON.parse(text) as ClaimVerdict[];
}
