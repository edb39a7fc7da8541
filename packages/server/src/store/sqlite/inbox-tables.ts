import { equalBytes } from "@latchkey/codec";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import type { InboxPart, PageLimits } from "../store.ts";
import { shortDigest } from "./log-tables.ts";
import { packItems } from "./packing.ts";
import type { ItemRow, Packed } from "./packing.ts";

interface Inbox {
  readonly id: number;
  readonly lastSeq: number;
  readonly items: number;
  readonly bytes: number;
  readonly strangerItems: number;
  readonly strangerBytes: number;
  readonly generation: number;
  readonly hash: Uint8Array | undefined;
}

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
  readonly #setCapability: StatementSync;

  constructor(database: DatabaseSync) {
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#find = rows(
      `SELECT id, last_seq, items, bytes, stranger_items, stranger_bytes, capability_generation, capability_hash
       FROM inboxes WHERE inbox_id = ?`,
    );
    this.#byDigest = rows("SELECT seq, blob FROM inbox_items WHERE inbox = ? AND digest = ?");
    this.#insert = rows("INSERT INTO inbox_items (inbox, seq, day, digest, blob, is_stranger) VALUES (?, ?, ?, ?, ?, ?)");
    this.#count = rows(
      `UPDATE inboxes SET last_seq = ?, items = items + 1, bytes = bytes + ?, stranger_items = stranger_items + ?,
       stranger_bytes = stranger_bytes + ? WHERE id = ?`,
    );
    this.#page = rows("SELECT seq, day, is_stranger, blob FROM inbox_items WHERE inbox = ? AND seq > ? ORDER BY seq LIMIT ?");
    this.#erased = rows(
      `SELECT count(*), coalesce(sum(length(blob)), 0), coalesce(sum(is_stranger), 0), coalesce(sum(is_stranger * length(blob)), 0)
       FROM inbox_items WHERE inbox = ? AND seq <= ?`,
    );
    this.#erase = rows("DELETE FROM inbox_items WHERE inbox = ? AND seq <= ?");
    this.#oldest = rows("SELECT id, inbox, day, length(blob), is_stranger FROM inbox_items ORDER BY id LIMIT ?");
    this.#delete = rows("DELETE FROM inbox_items WHERE id = ?");
    this.#setCapability = rows("UPDATE inboxes SET capability_generation = ?, capability_hash = ? WHERE id = ?");
    this.#discount = rows(
      `UPDATE inboxes SET items = items - ?, bytes = bytes - ?, stranger_items = stranger_items - ?,
       stranger_bytes = stranger_bytes - ? WHERE id = ?`,
    );
  }

  postItem(params: {
    inboxId: Uint8Array;
    part: InboxPart;
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
    const isStranger = params.part === "strangers";
    const items = isStranger ? inbox.strangerItems : inbox.items - inbox.strangerItems;
    const bytes = isStranger ? inbox.strangerBytes : inbox.bytes - inbox.strangerBytes;
    const size = params.blob.length;
    if (items >= params.maxItems || bytes + size > params.maxBytes) return { kind: "refused", code: "inbox_full" };
    const seq = inbox.lastSeq + 1;
    const [strangerItems, strangerBytes] = isStranger ? [1, size] : [0, 0];
    this.#insert.run(inbox.id, seq, params.day, digest, params.blob, strangerItems);
    this.#count.run(seq, size, strangerItems, strangerBytes, inbox.id);
    return { kind: "stored", seq, isNew: true };
  }

  setCapability(params: {
    inboxId: Uint8Array;
    generation: number;
    hash: Uint8Array;
  }): { kind: "stored"; generation: number } | Refused<"not_found"> {
    const { generation, hash } = params;
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return { kind: "refused", code: "not_found" };
    if (generation < inbox.generation) return { kind: "stored", generation: inbox.generation };
    this.#setCapability.run(generation, hash, inbox.id);
    return { kind: "stored", generation };
  }

  capabilityHash(params: { inboxId: Uint8Array }): Uint8Array | undefined {
    return this.#load(params.inboxId)?.hash;
  }

  readItems(params: { inboxId: Uint8Array; afterSeq: number } & PageLimits): Packed {
    const rows: ItemRow[] = [];
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return packItems(rows);
    let bytes = 0;
    // The columns are those of ItemRow.
    for (const row of this.#page.iterate(inbox.id, params.afterSeq, params.maxItems) as Iterable<unknown> as Iterable<ItemRow>) {
      bytes += row[3].length;
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
    const erased = this.#erased.get(inbox.id, params.uptoSeq) as unknown as [number, number, number, number];
    if (erased[0] === 0) return;
    this.#erase.run(inbox.id, params.uptoSeq);
    this.#discount.run(...erased, inbox.id);
  }

  purgeItems(params: { beforeDay: Day; maxItems: number }): number {
    let removed = 0;
    type Row = [id: number, inbox: number, day: number, size: number, isStranger: number];
    for (const [id, inbox, day, size, isStranger] of this.#oldest.all(params.maxItems) as unknown as Row[]) {
      // Rows stand in the order of arrival.
      if (day >= params.beforeDay) break;
      this.#delete.run(id);
      this.#discount.run(1, size, isStranger, isStranger * size, inbox);
      removed += 1;
    }
    return removed;
  }

  #load(inboxId: Uint8Array): Inbox | undefined {
    type Row = [number, number, number, number, number, number, number, Uint8Array | null];
    const row = this.#find.get(inboxId) as Row | undefined;
    if (row === undefined) return undefined;
    const [id, lastSeq, items, bytes, strangerItems, strangerBytes, generation, hash] = row;
    return { id, lastSeq, items, bytes, strangerItems, strangerBytes, generation, hash: hash ?? undefined };
  }
}
