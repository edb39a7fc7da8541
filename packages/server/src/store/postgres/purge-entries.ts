import type { Day } from "../accounts.ts";
import { maxSeq, refOf, rowId, seqOf } from "../sql/row-ids.ts";
import { dropEmptyWeeks, openWeeks } from "./entry-weeks.ts";
import type { PostgresTransaction } from "./transaction.ts";

/** Logs whose first entries are looked at together. */
const logsAtOnce = 100;

const statements = {
  oldLogs: "SELECT ref FROM logs WHERE oldest_day < $1 ORDER BY oldest_day, ref LIMIT $2",
  firstEntries: `
    SELECT e.id, e.week, e.day FROM unnest($1::bigint[], $2::bigint[]) AS w (above, upto)
    CROSS JOIN LATERAL (SELECT id, week, day FROM entries WHERE id > w.above AND id <= w.upto ORDER BY id LIMIT $3) e`,
  cut: `
    UPDATE logs SET oldest_day = w.oldest_day, purged_seq = COALESCE(w.purged_seq, logs.purged_seq),
      purged_head = COALESCE((SELECT e.head FROM entries e WHERE e.id = w.last LIMIT 1), logs.purged_head)
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (ref, last, purged_seq, oldest_day)
    WHERE logs.ref = w.ref`,
  unrefer: `
    WITH gone AS (DELETE FROM entry_blobs WHERE entry = ANY($1::bigint[]) RETURNING blob),
      counts AS (SELECT blob, count(*) AS refs FROM gone GROUP BY blob)
    UPDATE blobs SET refs = blobs.refs - counts.refs FROM counts WHERE blobs.id = counts.blob`,
  remove: "DELETE FROM entries WHERE id = ANY($1::bigint[]) AND week = ANY($2::bigint[])",
  lateLogs: "SELECT ref FROM logs WHERE oldest_day > $1 ORDER BY oldest_day, ref LIMIT $2",
  nextInTime: `
    SELECT e.id, e.day FROM unnest($1::bigint[], $2::bigint[]) AS w (above, upto)
    CROSS JOIN LATERAL (SELECT id, day FROM entries WHERE id > w.above AND id <= w.upto AND day <= $3 ORDER BY id LIMIT 1) e`,
  late: `
    SELECT e.id, e.week FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS w (above, below, at)
    CROSS JOIN LATERAL (SELECT id, week FROM entries WHERE id > w.above AND id < w.below AND day > $3 ORDER BY id LIMIT $4) e
    ORDER BY w.at, e.id LIMIT $4`,
  setDays: `
    UPDATE entries SET day = w.day, week = w.week FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (id, old, day, week)
    WHERE entries.id = w.id AND entries.week = w.old`,
  setOldest: "UPDATE logs SET oldest_day = w.day FROM unnest($1::bigint[], $2::bigint[]) AS w (ref, day) WHERE logs.ref = w.ref",
  setNewest: "UPDATE newest_day SET day = $1 WHERE day > $2",
  setExpiry: "UPDATE blobs SET expires_day = $1 WHERE refs = 0 AND expires_day > $1",
};

interface FirstEntry {
  readonly id: number;
  readonly week: number;
  readonly day: Day;
}

/** What a log loses: entries from its first on, and the day of what is the first then. */
interface Cut {
  readonly ref: number;
  readonly entries: readonly FirstEntry[];
  readonly oldestDay: Day | undefined;
}

/**
 * As `LogStore.purgeEntries`; once it finds less than it may remove, partitions go that hold nothing any more. Inside a write, alone as all
 * writes are. @throws StoreError
 */
export async function purgeEntries(tx: PostgresTransaction, params: { beforeDay: Day; maxItems: number }): Promise<number> {
  const { beforeDay, maxItems } = params;
  const { rows } = await tx.query<{ ref: number }>(statements.oldLogs, [beforeDay, maxItems]);
  const refs = rows.map(({ ref }) => ref);
  const cuts: Cut[] = [];
  let room = maxItems;
  for (let at = 0; at < refs.length && room > 0; at += logsAtOnce) {
    const logs = refs.slice(at, at + logsAtOnce);
    // One more than are removed says what is the oldest then.
    const first = await firstEntries(tx, logs, room + 1);
    for (const ref of logs) {
      if (room === 0) break;
      const cut = cutOf(ref, first.get(ref)?.slice(0, room + 1) ?? [], { beforeDay, room });
      cuts.push(cut);
      room -= cut.entries.length;
    }
  }
  if (cuts.length > 0) await remove(tx, cuts);
  if (room > 0) await dropEmptyWeeks(tx);
  return maxItems - room;
}

/** A log loses a prefix, up to the last entry of an old day: what came before it is as old, whatever a wrong clock said. */
function cutOf(ref: number, first: readonly FirstEntry[], { beforeDay, room }: { beforeDay: Day; room: number }): Cut {
  const count = Math.min(room, first.findLastIndex(({ day }) => day < beforeDay) + 1);
  return { ref, entries: first.slice(0, count), oldestDay: first[count]?.day };
}

async function firstEntries(tx: PostgresTransaction, refs: readonly number[], maxItems: number): Promise<Map<number, FirstEntry[]>> {
  const { rows } = await tx.query<FirstEntry>(statements.firstEntries, [...bounds(refs), maxItems]);
  return Map.groupBy(rows, ({ id }) => refOf(id));
}

async function remove(tx: PostgresTransaction, cuts: readonly Cut[]): Promise<void> {
  const lasts = cuts.map(({ entries }) => entries.at(-1));
  await tx.query(statements.cut, [
    cuts.map(({ ref }) => ref),
    lasts.map((last) => last?.id ?? null),
    lasts.map((last) => (last === undefined ? null : seqOf(last.id))),
    cuts.map(({ oldestDay }) => oldestDay ?? null),
  ]);
  const removed = cuts.flatMap(({ entries }) => entries);
  if (removed.length === 0) return;
  const ids = removed.map(({ id }) => id);
  await tx.query(statements.unrefer, [ids]);
  await tx.query(statements.remove, [ids, [...new Set(removed.map(({ week }) => week))]]);
}

/**
 * The part of `DayStore.correctDays` that is about logs and blobs: gives the oldest entries of logs that are of days after `lastDay`, behind
 * which others wait for their expiry, the day of the next one that has a possible one, before which they came, else `today`. Answers how
 * many, at most `maxItems`. Inside a write, alone as all writes are. @throws StoreError
 */
export async function correctLogDays(
  tx: PostgresTransaction,
  params: { today: Day; lastDay: Day; lastBlobDay: Day; maxItems: number },
): Promise<number> {
  const { today, lastDay, lastBlobDay, maxItems } = params;
  await tx.query(statements.setNewest, [today, lastDay]);
  await tx.query(statements.setExpiry, [lastBlobDay]);
  const { rows } = await tx.query<{ ref: number }>(statements.lateLogs, [lastDay, maxItems]);
  const corrected = rows.length === 0 ? 0 : await correctLogs(tx, { refs: rows.map(({ ref }) => ref), today, lastDay, maxItems });
  if (corrected > 0) await dropEmptyWeeks(tx, lastDay);
  return corrected;
}

async function correctLogs(
  tx: PostgresTransaction,
  { refs, today, lastDay, maxItems }: { refs: readonly number[]; today: Day; lastDay: Day; maxItems: number },
): Promise<number> {
  const possible = await tx.query<{ id: number; day: Day }>(statements.nextInTime, [...bounds(refs), lastDay]);
  const next = new Map(possible.rows.map((row) => [refOf(row.id), row]));
  const dayFor = (ref: number): Day => next.get(ref)?.day ?? today;
  const late = await tx.query<{ id: number; week: number }>(statements.late, [
    refs.map((ref) => rowId(ref, 0)),
    refs.map((ref) => next.get(ref)?.id ?? rowId(ref + 1, 0)),
    lastDay,
    maxItems,
  ]);
  const days = late.rows.map(({ id }) => dayFor(refOf(id)));
  const weekFor = await openWeeks(tx, days);
  await tx.query(statements.setDays, [late.rows.map(({ id }) => id), late.rows.map(({ week }) => week), days, days.map(weekFor)]);
  const reached = [...new Set(late.rows.map(({ id }) => refOf(id)))];
  await tx.query(statements.setOldest, [reached, reached.map(dayFor)]);
  return late.rows.length;
}

/** Between which numbers the entries of these logs lie: the first bound is none of them. */
function bounds(refs: readonly number[]): [above: number[], upto: number[]] {
  return [refs.map((ref) => rowId(ref, 0)), refs.map((ref) => rowId(ref, maxSeq))];
}
