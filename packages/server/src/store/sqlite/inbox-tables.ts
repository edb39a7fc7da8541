import { equalBytes } from "@latchkey/codec";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import type { InboxPart, PageLimits } from "../store.ts";
import type { NewestDay } from "./clock-tables.ts";
import { packItems } from "./packing.ts";
import type { ItemRow, Packed } from "./packing.ts";
import { maxSeq, refOf, rowId, seqOf, shortDigest } from "./row-ids.ts";
import type { SpentToken } from "../token-store.ts";
import type { SpentTokens } from "./token-tables.ts";

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

/** Items of one erasure in one transaction: each may be of many pages, which are overwritten. */
const erasedAtOnce = 200;

/** The inboxes in SQLite: every method runs inside the caller's transaction. */
export class InboxTables {
  readonly #newestDay: NewestDay;
  readonly #find: StatementSync;
  readonly #byDigest: StatementSync;
  readonly #insert: StatementSync;
  readonly #count: StatementSync;
  readonly #page: StatementSync;
  readonly #first: StatementSync;
  readonly #erase: StatementSync;
  readonly #discount: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;
  readonly #dropped: StatementSync;
  readonly #deleteDropped: StatementSync;
  readonly #forgetDropped: StatementSync;
  readonly #setCapability: StatementSync;

  readonly #spent: SpentTokens;

  constructor(database: DatabaseSync, { newestDay, spent }: { newestDay: NewestDay; spent: SpentTokens }) {
    this.#newestDay = newestDay;
    this.#spent = spent;
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#find = rows(
      `SELECT id, last_seq, items, bytes, stranger_items, stranger_bytes, capability_generation, capability_hash
       FROM inboxes WHERE inbox_id = ?`,
    );
    this.#byDigest = rows("SELECT id, blob FROM inbox_items WHERE digest = ?");
    this.#insert = rows("INSERT INTO inbox_items (id, day, digest, is_stranger, blob) VALUES (?, ?, ?, ?, ?)");
    this.#count = rows(
      `UPDATE inboxes SET last_seq = ?, items = items + 1, bytes = bytes + ?, stranger_items = stranger_items + ?,
       stranger_bytes = stranger_bytes + ? WHERE id = ?`,
    );
    this.#page = rows("SELECT id, day, is_stranger, blob FROM inbox_items WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
    this.#first = rows("SELECT id, length(blob), is_stranger FROM inbox_items WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
    this.#erase = rows("DELETE FROM inbox_items WHERE id > ? AND id <= ?");
    this.#oldest = rows("SELECT id, length(blob), is_stranger FROM inbox_items WHERE day < ? ORDER BY day LIMIT ?");
    this.#delete = rows("DELETE FROM inbox_items WHERE id = ?");
    this.#dropped = rows("SELECT id FROM dropped_inboxes LIMIT 1");
    this.#deleteDropped = rows("DELETE FROM inbox_items WHERE id IN (SELECT id FROM inbox_items WHERE id > ? AND id <= ? LIMIT ?)");
    this.#forgetDropped = rows("DELETE FROM dropped_inboxes WHERE id = ?");
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
    token?: SpentToken | undefined;
  }): { kind: "stored"; seq: number; isNew: boolean } | Refused<"not_found" | "inbox_full" | "token_invalid"> {
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return { kind: "refused", code: "not_found" };
    const digest = rowId(inbox.id, shortDigest(sha256(params.blob)));
    for (const [id, blob] of this.#byDigest.all(digest) as unknown as [number, Uint8Array][]) {
      if (equalBytes(blob, params.blob)) return { kind: "stored", seq: seqOf(id), isNew: false };
    }
    const isStranger = params.part === "strangers";
    const items = isStranger ? inbox.strangerItems : inbox.items - inbox.strangerItems;
    const bytes = isStranger ? inbox.strangerBytes : inbox.bytes - inbox.strangerBytes;
    const size = params.blob.length;
    if (items >= params.maxItems || bytes + size > params.maxBytes) return { kind: "refused", code: "inbox_full" };
    const seq = inbox.lastSeq + 1;
    const [strangerItems, strangerBytes] = isStranger ? [1, size] : [0, 0];
    if (seq > maxSeq) return { kind: "refused", code: "inbox_full" };
    if (!this.#spent.spend(params.token)) return { kind: "refused", code: "token_invalid" };
    this.#insert.run(rowId(inbox.id, seq), params.day, digest, strangerItems, params.blob);
    this.#count.run(seq, size, strangerItems, strangerBytes, inbox.id);
    this.#newestDay.note(params.day);
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
    for (const row of this.#page.iterate(
      rowId(inbox.id, params.afterSeq),
      rowId(inbox.id, maxSeq),
      params.maxItems,
    ) as Iterable<unknown> as Iterable<ItemRow>) {
      row[0] = seqOf(row[0]);
      bytes += row[3].length;
      if (rows.length > 0 && bytes > params.maxBytes) break;
      rows.push(row);
    }
    return packItems(rows);
  }

  lastItem(params: { inboxId: Uint8Array }): number {
    return this.#load(params.inboxId)?.lastSeq ?? 0;
  }

  /** Erases the first items up to `uptoSeq`, as many as one transaction takes. Answers whether there may be more. */
  eraseSome(params: { inboxId: Uint8Array; uptoSeq: number }): boolean {
    const inbox = this.#load(params.inboxId);
    if (inbox === undefined) return false;
    const uptoSeq = Math.min(params.uptoSeq, inbox.lastSeq);
    type Row = [id: number, size: number, isStranger: number];
    const rows = this.#first.all(rowId(inbox.id, 0), rowId(inbox.id, uptoSeq), erasedAtOnce) as unknown as Row[];
    const last = rows.at(-1);
    if (last === undefined) return false;
    this.#erase.run(rowId(inbox.id, 0), last[0]);
    const sum = (of: (size: number, isStranger: number) => number): number => rows.reduce((all, [, ...row]) => all + of(...row), 0);
    const size = sum((bytes) => bytes);
    const [strangerItems, strangerBytes] = [sum((_, isStranger) => isStranger), sum((bytes, isStranger) => bytes * isStranger)];
    this.#discount.run(rows.length, size, strangerItems, strangerBytes, inbox.id);
    return rows.length === erasedAtOnce;
  }

  purgeItems(params: { beforeDay: Day; maxItems: number }): number {
    let removed = this.#purgeDropped(params.maxItems);
    type Row = [id: number, size: number, isStranger: number];
    for (const [id, size, isStranger] of this.#oldest.all(params.beforeDay, params.maxItems - removed) as unknown as Row[]) {
      this.#delete.run(id);
      this.#discount.run(1, size, isStranger, isStranger * size, refOf(id));
      removed += 1;
    }
    return removed;
  }

  /** What lies in inboxes that are no more. */
  #purgeDropped(maxItems: number): number {
    let removed = 0;
    while (removed < maxItems) {
      const [inbox] = (this.#dropped.get() as [number] | undefined) ?? [];
      if (inbox === undefined) break;
      const room = maxItems - removed;
      const count = Number(this.#deleteDropped.run(rowId(inbox, 0), rowId(inbox, maxSeq), room).changes);
      removed += count;
      if (count < room) this.#forgetDropped.run(inbox);
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
