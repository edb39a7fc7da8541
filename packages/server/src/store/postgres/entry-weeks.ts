import type { Day } from "../accounts.ts";
import type { PostgresTransaction } from "./transaction.ts";

/**
 * Weeks that have a partition of their own: every statement about entries plans for each. A clock that runs wild makes no more of them; what
 * comes when there are as many lies in that of no week, number 0.
 */
const maxWeeks = 64;
/** How long it is waited for those who read, milliseconds: meanwhile all others wait. A backup reads for hours. */
const dropWaitMs = 250;
const daysOfWeek = 7;
const noWeek = 0;

/** The week of a day, as partitions are numbered. */
export function weekOf(day: Day): number {
  return Math.floor(day / daysOfWeek);
}

/**
 * Makes the partitions of these days that are not there; answers which one an entry of a day goes into. Nobody who reads is waited for, and
 * nobody waits. Inside a write, alone as all writes are.
 */
export async function openWeeks(tx: PostgresTransaction, days: Iterable<Day>): Promise<(day: Day) => number> {
  const wanted = [...new Set(Array.from(days, weekOf))];
  const there = await tx.query<{ week: number }>(
    "SELECT week FROM unnest($1::bigint[]) AS week WHERE to_regclass('entries_' || week) IS NOT NULL",
    [wanted],
  );
  const open = new Set(there.rows.map(({ week }) => week));
  const missing = wanted.filter((week) => !open.has(week));
  if (missing.length > 0) {
    const { length } = await weeks(tx);
    for (const week of missing.slice(0, Math.max(0, maxWeeks - length))) {
      // Attached and not made in its place, which would wait for all who read entries.
      await tx.query(`CREATE TABLE entries_${week} (LIKE entries INCLUDING STORAGE)`);
      await tx.query(`ALTER TABLE entries ATTACH PARTITION entries_${week} FOR VALUES FROM (${week}) TO (${week + 1})`);
      open.add(week);
    }
  }
  return (day) => (open.has(weekOf(day)) ? weekOf(day) : noWeek);
}

/**
 * Gives up the files of partitions that have lost all their entries: those of weeks that are over for everything that is kept, those behind
 * `lastDay`, and that of no week. What somebody reads for long stays until another time. At the end of a write: who reads entries waits for it.
 */
export async function dropEmptyWeeks(tx: PostgresTransaction, lastDay: Day = Infinity): Promise<void> {
  const oldest = await tx.query<{ day: Day | null }>("SELECT min(oldest_day) AS day FROM logs WHERE oldest_day IS NOT NULL");
  const firstDay = oldest.rows[0]?.day ?? Infinity;
  for (const { week, sizeBytes } of await weeks(tx)) {
    const [first, last] = [week * daysOfWeek, week * daysOfWeek + daysOfWeek - 1];
    if (week === noWeek ? sizeBytes === 0 : last >= firstDay && first <= lastDay) continue;
    const any = await tx.query(`SELECT id FROM entries_${week} ORDER BY id LIMIT 1`);
    if (any.rows.length > 0) continue;
    await tx.query(`DO $$ DECLARE before text := current_setting('lock_timeout'); BEGIN
        SET LOCAL lock_timeout = ${dropWaitMs};
        ${week === noWeek ? "TRUNCATE" : "DROP TABLE"} entries_${week};
        PERFORM set_config('lock_timeout', before, true);
      EXCEPTION WHEN lock_not_available THEN NULL;
      END $$`);
  }
}

async function weeks(tx: PostgresTransaction): Promise<{ week: number; sizeBytes: number }[]> {
  const { rows } = await tx.query<{ week: number; sizeBytes: number }>(
    `SELECT substr(relname::text, 9)::bigint AS week, pg_relation_size(oid) AS "sizeBytes"
     FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'entries'::regclass ORDER BY week`,
  );
  return [...rows];
}
