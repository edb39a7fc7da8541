import { equalBytes } from "@latchkey/codec";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import type { PageLimits } from "../store.ts";
import { shortDigest } from "./log-tables.ts";
import { packItems } from "./packing.ts";
import type { ItemRow, Packed } from "./packing.ts";

/** The inboxes in SQLite: every method runs inside the caller's transaction. */
export class InboxTables {
  readonly #find: StatementSync;
  readonly #byDigest: StatementSync;
  readonly #insert: StatementSync;
  readonly #count: StatementSync;
  readonly #page: StatementSync;
  readonly #erased: StatementSync;
  readonly #erase: StatementSync;
  readonly #discount: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;

  constructor(database: DatabaseSync) {
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#find = rows("SELECT id, last_seq, items, bytes FROM inboxes WHERE inbox_id = ?");
    this.#byDigest = rows("SELECT seq, blob FROM inbox_items WHERE inbox = ? AND digest = ?");
    this.#insert = rows("INSERT INTO inbox_items (inbox, seq, day, digest, blob) VALUES (?, ?, ?, ?, ?)");
    this.#count = rows("UPDATE inboxes SET last_seq = ?, items = items + 1, bytes = bytes + ? WHERE id = ?");
    this.#page = rows("SELECT seq, day, blob FROM inbox_items WHERE inbox = ? AND seq > ? ORDER BY seq LIMIT ?");
    this.#erased = rows("SELECT count(*), coalesce(sum(length(blob)), 0) FROM inbox_items WHERE inbox = ? AND seq <= ?");
    this.#erase = rows("DELETE FROM inbox_items WHERE inbox = ? AND seq <= ?");
    this.#oldest = rows("SELECT id, inbox, day, length(blob) FROM inbox_items ORDER BY id LIMIT ?");
    this.#delete = rows("DELETE FROM inbox_items WHERE id = ?");
    this.#discount = rows("UPDATE inboxes SET items = items - ?, bytes = bytes - ? WHERE id = ?");
  }

  postItem(params: {
    inboxId: Uint8Array;
    blob: Uint8Array;
    day: Day;
    maxItems: number;
    maxBytes: number;
  }): { kind: "stored"; seq: number; isNew: boolean } | Refused<"not_found" | "inbox_full"> {
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return { kind: "refused", code: "not_found" };
    const digest = shortDigest(sha256(params.blob));
    for (const [seq, blob] of this.#byDigest.all(inbox.id, digest) as unknown as [number, Uint8Array][]) {
      if (equalBytes(blob, params.blob)) return { kind: "stored", seq, isNew: false };
    }
    if (inbox.items >= params.maxItems || inbox.bytes + params.blob.length > params.maxBytes) {
      return { kind: "refused", code: "inbox_full" };
    }
    const seq = inbox.lastSeq + 1;
    this.#insert.run(inbox.id, seq, params.day, digest, params.blob);
    this.#count.run(seq, params.blob.length, inbox.id);
    return { kind: "stored", seq, isNew: true };
  }

  readItems(params: { inboxId: Uint8Array; afterSeq: number } & PageLimits): Packed {
    const rows: ItemRow[] = [];
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return packItems(rows);
    let bytes = 0;
    // The columns are those of ItemRow.
    for (const row of this.#page.iterate(inbox.id, params.afterSeq, params.maxItems) as Iterable<unknown> as Iterable<ItemRow>) {
      bytes += row[2].length;
      if (rows.length > 0 && bytes > params.maxBytes) break;
      rows.push(row);
    }
    return packItems(rows);
  }

  lastItem(params: { inboxId: Uint8Array }): number {
    return this.#load(params.inboxId)?.lastSeq ?? 0;
  }

  eraseItems(params: { inboxId: Uint8Array; uptoSeq: number }): void {
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return;
    const [items, bytes] = this.#erased.get(inbox.id, params.uptoSeq) as unknown as [number, number];
    if (items === 0) return;
    this.#erase.run(inbox.id, params.uptoSeq);
    this.#discount.run(items, bytes, inbox.id);
  }

  purgeItems(params: { beforeDay: Day; maxItems: number }): number {
    let removed = 0;
    for (const [id, inbox, day, size] of this.#oldest.all(params.maxItems) as unknown as [number, number, number, number][]) {
      // Rows stand in the order of arrival.
      if (day >= params.beforeDay) break;
      this.#delete.run(id);
      this.#discount.run(1, size, inbox);
      removed += 1;
    }
    return removed;
  }

  #load(inboxId: Uint8Array): { id: number; lastSeq: number; items: number; bytes: number } | undefined {
    const row = this.#find.get(inboxId) as [number, number, number, number] | undefined;
    return row === undefined ? undefined : { id: row[0], lastSeq: row[1], items: row[2], bytes: row[3] };
  }
}
