import { equalBytes } from "@latchkey/codec";
import { firstHead, zeroHash } from "@latchkey/protocol";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import { kindOf } from "../sqlite/packing.ts";
import { randomRef, rowId, seqOf } from "../sql/row-ids.ts";
import { finish } from "../sql/steps.ts";
import type { Steps } from "../sql/steps.ts";
import type { EpochInfo, KnownEnd, PageLimits, StoredEntry } from "../store.ts";
import type { SpentToken } from "../token-store.ts";
import type { PostgresTransaction } from "./transaction.ts";

const statements = {
  epoch: `
    SELECT l.last_seq AS "lastSeq", l.head, l.current_epoch AS "currentEpochId", l.purged_seq AS "purgedSeq", l.purged_head AS "purgedHead",
      e.access_hash AS "accessHash"
    FROM logs l LEFT JOIN epochs e ON e.log = l.ref AND e.epoch = $2 WHERE l.log_id = $1`,
  spend: "INSERT INTO spent_tokens (nonce, day) VALUES ($1, $2) ON CONFLICT DO NOTHING",
  createLog: "INSERT INTO logs (ref, log_id, created_day) VALUES ($1, $2, $3) ON CONFLICT (ref) DO NOTHING",
  createEpoch: "INSERT INTO epochs (log, epoch, access_hash, opened_day) VALUES ($1, 0, $2, $3)",
  // The size of a blob is known without reading it.
  page: `
    SELECT at, id, epoch, kind, day, hash, blob FROM (
      SELECT *, sum(octet_length(blob)) OVER (ORDER BY at, id) AS bytes, row_number() OVER (ORDER BY at, id) AS number FROM (
        SELECT w.at, e.* FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS w (log_id, after_seq, at)
        CROSS JOIN LATERAL (SELECT ref * $3 AS first FROM logs WHERE log_id = w.log_id LIMIT 1) l
        CROSS JOIN LATERAL (
          SELECT id, epoch, kind, day, next_access_hash AS hash, blob FROM entries
          WHERE id > l.first + w.after_seq AND id < l.first + $3 ORDER BY id LIMIT $4
        ) e
      ) next
    ) counted WHERE number <= $4 AND (number = 1 OR bytes <= $5) ORDER BY at, id`,
};

interface EpochRow {
  readonly lastSeq: number;
  readonly head: Uint8Array | null;
  readonly currentEpochId: number;
  readonly purgedSeq: number;
  readonly purgedHead: Uint8Array | null;
  readonly accessHash: Uint8Array | null;
}

interface PageRow {
  /** Which of the logs that were asked for, from 1. */
  readonly at: number;
  readonly id: number;
  readonly epoch: number;
  readonly kind: number;
  readonly day: Day;
  readonly hash: Uint8Array | null;
  readonly blob: Uint8Array;
}

/** As `LogStore.createLog`. Inside a write, alone as all writes are. @throws StoreError */
export async function createLog(
  tx: PostgresTransaction,
  params: { logId: Uint8Array; accessHash: Uint8Array; day: Day; token?: SpentToken | undefined },
): Promise<EpochInfo | Refused<"log_exists" | "token_invalid">> {
  const { logId, accessHash, day, token } = params;
  const known = await readEpoch(tx, { logId, epochId: 0 });
  if (known.kind === "epoch" && equalBytes(known.accessHash, accessHash)) return known;
  if (known.kind === "epoch" || known.code !== "unknown_log") return { kind: "refused", code: "log_exists" };
  if (token !== undefined && (await tx.query(statements.spend, [token.nonce, token.day])).changes === 0) {
    return { kind: "refused", code: "token_invalid" };
  }
  let ref: number;
  do ref = finish(randomRef(free));
  while ((await tx.query(statements.createLog, [ref, logId, day])).changes === 0);
  await tx.query(statements.createEpoch, [ref, accessHash, day]);
  const head = firstHead(sha256, logId);
  return { kind: "epoch", accessHash, currentEpochId: 0, lastSeq: 0, head, firstSeq: 1, headBeforeFirst: head };
}

/** As `LogStore.readEpoch`, of what was committed before it was called. One statement. @throws StoreError */
export async function readEpoch(
  tx: PostgresTransaction,
  { logId, epochId }: { logId: Uint8Array; epochId: number },
): Promise<EpochInfo | Refused<"unknown_log" | "unknown_epoch">> {
  const [row] = (await tx.query<EpochRow>(statements.epoch, [logId, epochId])).rows;
  if (row === undefined) return { kind: "refused", code: "unknown_log" };
  const { accessHash, currentEpochId, lastSeq, purgedSeq } = row;
  if (accessHash === null) return { kind: "refused", code: "unknown_epoch" };
  const headBeforeFirst = row.purgedHead ?? firstHead(sha256, logId);
  const head = row.head ?? headBeforeFirst;
  return { kind: "epoch", accessHash, currentEpochId, lastSeq, head, firstSeq: purgedSeq + 1, headBeforeFirst };
}

/** As `LogStore.readEntriesOfLogs`. One statement. @throws StoreError */
export async function readEntriesOfLogs(
  tx: PostgresTransaction,
  { logs, maxItems, maxBytes }: { logs: readonly KnownEnd[] } & PageLimits,
): Promise<StoredEntry[][]> {
  const after = [logs.map(({ id }) => id), logs.map(({ lastSeq }) => lastSeq)];
  const { rows } = await tx.query<PageRow>(statements.page, [...after, rowId(1, 0), maxItems, maxBytes]);
  const lists: StoredEntry[][] = logs.map(() => []);
  for (const { at, id, epoch, kind, day, hash, blob } of rows)
    lists[at - 1]?.push({ seq: seqOf(id), epochId: epoch, kind: kindOf(kind), day, nextAccessHash: hash ?? zeroHash, blob });
  return lists;
}

// oxlint-disable-next-line require-yield -- who is refused tries another one
function* free(): Steps<boolean> {
  return false;
}
