import { equalBytes } from "@latchkey/codec";
import type { Day, Refused } from "../accounts.ts";
import type { KnockPage, LinkInbox, NewLinkInbox } from "../link-store.ts";
import type { SpentToken } from "../token-store.ts";
import type { Sql, Steps } from "./steps.ts";
import type { SpentTokens } from "./token-tables.ts";

/** Sequence numbers travel in 32 bits. */
const maxKnockSeq = 4_294_967_295;

/** The inboxes of join links, keyed by their random ids: no number tells which came first. Every method runs inside the caller's transaction. */
export class LinkTables {
  readonly #sql: Sql;

  readonly #spent: SpentTokens;

  constructor(sql: Sql, spent: SpentTokens) {
    this.#sql = sql;
    this.#spent = spent;
  }

  *openLinkInbox(
    params: NewLinkInbox & { maxLinks: number; day: Day; token?: SpentToken | undefined },
  ): Steps<{ kind: "stored"; isNew: boolean } | Refused<"log_exists" | "storage_full" | "token_invalid">> {
    const { linkId, readHash, key, lastDay, maxLinks, day, token } = params;
    const known = yield* this.linkInbox({ linkId, day });
    if (known !== undefined) {
      const isSame = equalBytes(known.readHash, readHash) && equalBytes(known.key, key);
      return isSame ? { kind: "stored", isNew: false } : { kind: "refused", code: "log_exists" };
    }
    const count = (yield* this.#sql.get<{ count: number }>("SELECT count(*) AS count FROM link_inboxes"))?.count ?? 0;
    if (count >= maxLinks) return { kind: "refused", code: "storage_full" };
    if (!(yield* this.#spent.spend(token))) return { kind: "refused", code: "token_invalid" };
    yield* this.closeLinkInbox({ linkId });
    yield* this.#sql.run(
      "INSERT INTO link_inboxes (link_id, read_hash, key, last_day) VALUES (?, ?, ?, ?)",
      linkId,
      readHash,
      key,
      lastDay,
    );
    return { kind: "stored", isNew: true };
  }

  *linkInbox({ linkId, day }: { linkId: Uint8Array; day: Day }): Steps<LinkInbox | undefined> {
    return yield* this.#sql.get<LinkInbox>(
      `SELECT read_hash AS "readHash", key FROM link_inboxes WHERE link_id = ? AND last_day >= ?`,
      linkId,
      day,
    );
  }

  *putKnock(params: {
    linkId: Uint8Array;
    blob: Uint8Array;
    day: Day;
    maxKnocks: number;
    token?: SpentToken | undefined;
  }): Steps<{ kind: "stored"; isNew: boolean } | Refused<"not_found" | "inbox_full" | "token_invalid">> {
    const { linkId, blob, day, maxKnocks, token } = params;
    const inbox = yield* this.#sql.get<{ lastSeq: number }>(
      `SELECT last_seq AS "lastSeq" FROM link_inboxes WHERE link_id = ? AND last_day >= ?`,
      linkId,
      day,
    );
    if (inbox === undefined) return { kind: "refused", code: "not_found" };
    const isKnown = (yield* this.#sql.get("SELECT 1 FROM knocks WHERE link_id = ? AND blob = ?", linkId, blob)) !== undefined;
    if (isKnown) return { kind: "stored", isNew: false };
    const count = (yield* this.#sql.get<{ count: number }>("SELECT count(*) AS count FROM knocks WHERE link_id = ?", linkId))?.count ?? 0;
    const seq = inbox.lastSeq + 1;
    if (count >= maxKnocks || seq > maxKnockSeq) return { kind: "refused", code: "inbox_full" };
    if (!(yield* this.#spent.spend(token))) return { kind: "refused", code: "token_invalid" };
    yield* this.#sql.run("INSERT INTO knocks (link_id, seq, blob) VALUES (?, ?, ?)", linkId, seq, blob);
    yield* this.#sql.run("UPDATE link_inboxes SET last_seq = ? WHERE link_id = ?", seq, linkId);
    return { kind: "stored", isNew: true };
  }

  *readKnocks({ linkId, afterSeq, maxItems }: { linkId: Uint8Array; afterSeq: number; maxItems: number }): Steps<KnockPage> {
    const knocks = yield* this.#sql.all<{ seq: number; blob: Uint8Array }>(
      "SELECT seq, blob FROM knocks WHERE link_id = ? AND seq > ? ORDER BY seq LIMIT ?",
      linkId,
      afterSeq,
      maxItems + 1,
    );
    return { knocks: knocks.slice(0, maxItems), isMore: knocks.length > maxItems };
  }

  *eraseKnocks({ linkId, seqs }: { linkId: Uint8Array; seqs: readonly number[] }): Steps<void> {
    for (const seq of seqs) yield* this.#sql.run("DELETE FROM knocks WHERE link_id = ? AND seq = ?", linkId, seq);
  }

  *closeLinkInbox({ linkId }: { linkId: Uint8Array }): Steps<void> {
    yield* this.#sql.run("DELETE FROM knocks WHERE link_id = ?", linkId);
    yield* this.#sql.run("DELETE FROM link_inboxes WHERE link_id = ?", linkId);
  }

  *purgeLinkInboxes({ day, lastDay, maxItems }: { day: Day; lastDay: Day; maxItems: number }): Steps<number> {
    // What a wrong clock let last longer.
    yield* this.#sql.run("UPDATE link_inboxes SET last_day = ? WHERE last_day > ?", lastDay, lastDay);
    const expired = yield* this.#sql.all<{ linkId: Uint8Array }>(
      `SELECT link_id AS "linkId" FROM link_inboxes WHERE last_day < ? LIMIT ?`,
      day,
      maxItems,
    );
    for (const link of expired) yield* this.closeLinkInbox(link);
    return expired.length;
  }
}
