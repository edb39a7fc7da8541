import { equalBytes } from "@latchkey/codec";
import { firstHead, zeroHash } from "@latchkey/protocol";
import { sha256 } from "../../hash.ts";
import type { Day, Refused } from "../accounts.ts";
import { kindOf } from "../sqlite/packing.ts";
import { maxSeq, randomRef, rowId, seqOf } from "../sql/row-ids.ts";
import { finish } from "../sql/steps.ts";
import type { Steps } from "../sql/steps.ts";
import type { EpochInfo, PageLimits, StoredEntry } from "../store.ts";
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
  log: 'SELECT ref, last_seq AS "lastSeq" FROM logs WHERE log_id = $1',
  // The size of a blob is known without reading it.
  page: `
    SELECT id, epoch, kind, day, hash, blob FROM (
      SELECT *, sum(octet_length(blob)) OVER (ORDER BY id) AS bytes, row_number() OVER (ORDER BY id) AS number FROM (
        SELECT id, epoch, kind, day, next_access_hash AS hash, blob FROM entries WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3
      ) next
    ) counted WHERE number = 1 OR bytes <= $4 ORDER BY id`,
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

/** As `LogStore.readEntries`. @throws StoreError */
export async function readEntries(
  tx: PostgresTransaction,
  { logId, afterSeq, maxItems, maxBytes }: { logId: Uint8Array; afterSeq: number } & PageLimits,
): Promise<StoredEntry[]> {
  const [log] = (await tx.query<{ ref: number; lastSeq: number }>(statements.log, [logId])).rows;
  if (log === undefined || afterSeq >= log.lastSeq) return [];
  const bounds = [rowId(log.ref, afterSeq), rowId(log.ref, maxSeq)];
  const { rows } = await tx.query<PageRow>(statements.page, [...bounds, maxItems, maxBytes]);
  return rows.map(({ id, epoch, kind, day, hash, blob }) => ({
    seq: seqOf(id),
    epochId: epoch,
    kind: kindOf(kind),
    day,
    nextAccessHash: hash ?? zeroHash,
    blob,
  }));
}

// oxlint-disable-next-line require-yield -- who is refused tries another one
function* free(): Steps<boolean> {
  return false;
}
