import { equalBytes } from "@latchkey/codec";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import type { InboxPart, PageLimits, StoredItem } from "../store.ts";
import type { SpentToken } from "../token-store.ts";
import type { NewestDay } from "./newest-day.ts";
import { maxSeq, refOf, rowId, seqOf, shortDigest } from "./row-ids.ts";
import type { Sql, Steps } from "./steps.ts";
import type { SpentTokens } from "./token-tables.ts";

interface Inbox {
  readonly id: number;
  readonly lastSeq: number;
  readonly items: number;
  readonly bytes: number;
  readonly strangerItems: number;
  readonly strangerBytes: number;
  readonly generation: number;
  readonly hash: Uint8Array | null;
}

/** An item without its bytes. */
interface ItemSize {
  readonly id: number;
  readonly size: number;
  readonly isStranger: number;
}

/** Items of one erasure in one transaction: each may be of many pages, which are overwritten. */
const erasedAtOnce = 200;

const itemSize = `id, length(blob) AS size, is_stranger AS "isStranger"`;

/** The inboxes. Every method runs inside the caller's transaction. */
export class InboxTables {
  readonly #sql: Sql;
  readonly #newestDay: NewestDay;
  readonly #spent: SpentTokens;

  constructor(sql: Sql, { newestDay, spent }: { newestDay: NewestDay; spent: SpentTokens }) {
    this.#sql = sql;
    this.#newestDay = newestDay;
    this.#spent = spent;
  }

  *postItem(params: {
    inboxId: Uint8Array;
    part: InboxPart;
    blob: Uint8Array;
    day: Day;
    maxItems: number;
    maxBytes: number;
    token?: SpentToken | undefined;
  }): Steps<{ kind: "stored"; seq: number; isNew: boolean } | Refused<"not_found" | "inbox_full" | "token_invalid">> {
    const inbox = yield* this.#load(params.inboxId);
    if (inbox === undefined) return { kind: "refused", code: "not_found" };
    const digest = rowId(inbox.id, shortDigest(sha256(params.blob)));
    const alike = yield* this.#sql.all<{ id: number; blob: Uint8Array }>("SELECT id, blob FROM inbox_items WHERE digest = ?", digest);
    const known = alike.find(({ blob }) => equalBytes(blob, params.blob));
    if (known !== undefined) return { kind: "stored", seq: seqOf(known.id), isNew: false };
    const isStranger = params.part === "strangers";
    const items = isStranger ? inbox.strangerItems : inbox.items - inbox.strangerItems;
    const bytes = isStranger ? inbox.strangerBytes : inbox.bytes - inbox.strangerBytes;
    const size = params.blob.length;
    if (items >= params.maxItems || bytes + size > params.maxBytes) return { kind: "refused", code: "inbox_full" };
    const seq = inbox.lastSeq + 1;
    const [strangerItems, strangerBytes] = isStranger ? [1, size] : [0, 0];
    if (seq > maxSeq) return { kind: "refused", code: "inbox_full" };
    if (!(yield* this.#spent.spend(params.token))) return { kind: "refused", code: "token_invalid" };
    const insert = "INSERT INTO inbox_items (id, day, digest, is_stranger, blob) VALUES (?, ?, ?, ?, ?)";
    yield* this.#sql.run(insert, rowId(inbox.id, seq), params.day, digest, strangerItems, params.blob);
    yield* this.#sql.run(
      `UPDATE inboxes SET last_seq = ?, items = items + 1, bytes = bytes + ?, stranger_items = stranger_items + ?,
         stranger_bytes = stranger_bytes + ? WHERE id = ?`,
      seq,
      size,
      strangerItems,
      strangerBytes,
      inbox.id,
    );
    yield* this.#newestDay.note(params.day);
    return { kind: "stored", seq, isNew: true };
  }

  *setCapability(params: {
    inboxId: Uint8Array;
    generation: number;
    hash: Uint8Array;
  }): Steps<{ kind: "stored"; generation: number } | Refused<"not_found">> {
    const { generation, hash } = params;
    const inbox = yield* this.#load(params.inboxId);
    if (inbox === undefined) return { kind: "refused", code: "not_found" };
    if (generation < inbox.generation) return { kind: "stored", generation: inbox.generation };
    yield* this.#sql.run("UPDATE inboxes SET capability_generation = ?, capability_hash = ? WHERE id = ?", generation, hash, inbox.id);
    return { kind: "stored", generation };
  }

  *capabilityHash(params: { inboxId: Uint8Array }): Steps<Uint8Array | undefined> {
    return (yield* this.#load(params.inboxId))?.hash ?? undefined;
  }

  *readItems(params: { inboxId: Uint8Array; afterSeq: number } & PageLimits): Steps<StoredItem[]> {
    const inbox = yield* this.#load(params.inboxId);
    if (inbox === undefined) return [];
    const after = rowId(inbox.id, Math.min(params.afterSeq, maxSeq));
    const sizes = yield* this.#sizes({ after, upTo: rowId(inbox.id, maxSeq), maxItems: params.maxItems });
    let bytes = 0;
    let upTo = after;
    for (const { id, size } of sizes) {
      bytes += size;
      if (upTo > after && bytes > params.maxBytes) break;
      upTo = id;
    }
    if (upTo === after) return [];
    const rows = yield* this.#sql.all<{ id: number; day: Day; isStranger: number; blob: Uint8Array }>(
      `SELECT id, day, is_stranger AS "isStranger", blob FROM inbox_items WHERE id > ? AND id <= ? ORDER BY id`,
      after,
      upTo,
    );
    return rows.map(({ id, day, isStranger, blob }) => ({ seq: seqOf(id), day, part: isStranger === 1 ? "strangers" : "contacts", blob }));
  }

  *lastItem(params: { inboxId: Uint8Array }): Steps<number> {
    return (yield* this.#load(params.inboxId))?.lastSeq ?? 0;
  }

  /** Erases the first items up to `uptoSeq`, as many as one transaction takes. Answers whether there may be more. */
  *eraseSome(params: { inboxId: Uint8Array; uptoSeq: number }): Steps<boolean> {
    const inbox = yield* this.#load(params.inboxId);
    if (inbox === undefined) return false;
    const upTo = rowId(inbox.id, Math.min(params.uptoSeq, inbox.lastSeq));
    const rows = yield* this.#sizes({ after: rowId(inbox.id, 0), upTo, maxItems: erasedAtOnce });
    const last = rows.at(-1);
    if (last === undefined) return false;
    yield* this.#sql.run("DELETE FROM inbox_items WHERE id > ? AND id <= ?", rowId(inbox.id, 0), last.id);
    yield* this.#discount(inbox.id, rows);
    return rows.length === erasedAtOnce;
  }

  *purgeItems(params: { beforeDay: Day; maxItems: number }): Steps<number> {
    const removed = yield* this.#purgeDropped(params.maxItems);
    const rows = yield* this.#sql.all<ItemSize>(
      `SELECT ${itemSize} FROM inbox_items WHERE day < ? ORDER BY day LIMIT ?`,
      params.beforeDay,
      params.maxItems - removed,
    );
    for (const row of rows) {
      yield* this.#sql.run("DELETE FROM inbox_items WHERE id = ?", row.id);
      yield* this.#discount(refOf(row.id), [row]);
    }
    return removed + rows.length;
  }

  /** Gives items of days that a wrong clock left a possible one. Answers how many, at most `maxItems`. */
  *correctDays({ today, lastDay, maxItems }: { today: Day; lastDay: Day; maxItems: number }): Steps<number> {
    const sql = "UPDATE inbox_items SET day = ? WHERE id IN (SELECT id FROM inbox_items WHERE day > ? LIMIT ?)";
    return yield* this.#sql.run(sql, today, lastDay, maxItems);
  }

  /** What lies in inboxes that are no more. */
  *#purgeDropped(maxItems: number): Steps<number> {
    let removed = 0;
    while (removed < maxItems) {
      const dropped = yield* this.#sql.get<{ id: number }>("SELECT id FROM dropped_inboxes LIMIT 1");
      if (dropped === undefined) break;
      const room = maxItems - removed;
      const count = yield* this.#sql.run(
        "DELETE FROM inbox_items WHERE id IN (SELECT id FROM inbox_items WHERE id > ? AND id <= ? LIMIT ?)",
        rowId(dropped.id, 0),
        rowId(dropped.id, maxSeq),
        room,
      );
      removed += count;
      if (count < room) yield* this.#sql.run("DELETE FROM dropped_inboxes WHERE id = ?", dropped.id);
    }
    return removed;
  }

  *#sizes({ after, upTo, maxItems }: { after: number; upTo: number; maxItems: number }): Steps<ItemSize[]> {
    const sql = `SELECT ${itemSize} FROM inbox_items WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`;
    return yield* this.#sql.all<ItemSize>(sql, after, upTo, maxItems);
  }

  /** These items lie in the inbox no more. */
  *#discount(inbox: number, rows: readonly ItemSize[]): Steps<void> {
    const sum = (of: (row: ItemSize) => number): number => rows.reduce((all, row) => all + of(row), 0);
    yield* this.#sql.run(
      `UPDATE inboxes SET items = items - ?, bytes = bytes - ?, stranger_items = stranger_items - ?,
         stranger_bytes = stranger_bytes - ? WHERE id = ?`,
      rows.length,
      sum(({ size }) => size),
      sum(({ isStranger }) => isStranger),
      sum(({ size, isStranger }) => size * isStranger),
      inbox,
    );
  }

  *#load(inboxId: Uint8Array): Steps<Inbox | undefined> {
    return yield* this.#sql.get<Inbox>(
      `SELECT id, last_seq AS "lastSeq", items, bytes, stranger_items AS "strangerItems", stranger_bytes AS "strangerBytes",
         capability_generation AS generation, capability_hash AS hash FROM inboxes WHERE inbox_id = ?`,
      inboxId,
    );
  }
}
