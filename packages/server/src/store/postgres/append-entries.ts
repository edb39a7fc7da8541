import { entryKindNumbers } from "@latchkey/protocol";
import { sha256 } from "../../hash.ts";
import { keyOf } from "../../keys.ts";
import type { Day, Refused } from "../accounts.ts";
import { seqOf } from "../sql/row-ids.ts";
import type { AppendAccepted, AppendRefusal, NewEntry } from "../store.ts";
import { openWeeks, weekOf } from "./entry-weeks.ts";
import { LogBatch, prepareEntry } from "./log-batch.ts";
import type { AddedEntry, BatchEpoch, BatchLog, BlobRow, KnownEntry, PreparedEntry } from "./log-batch.ts";
import type { PostgresTransaction } from "./transaction.ts";

/**
 * Every look-up by a list is a sub-select for each of its members that is limited to one row: above some rows the planner would read a
 * whole table to join it, and a limit leaves it the index. What is written is found so as well, and then by where it lies (`ctid`): one write
 * at a time moves nothing meanwhile. So whatever plan was made first is right for all batches, and is kept (`keepsPlans`).
 */
const statements = {
  load: `
    SELECT w.at, l.ref, l.last_seq AS "lastSeq", l.head, l.current_epoch AS "currentEpochId", l.purged_seq AS "purgedSeq",
      e.last_commit AS "lastCommitSeq", e.closed_seq AS "closedSeq", e.closed_day AS "closedDay", e.complaints,
      e.complaint_bytes AS "complaintBytes",
      (SELECT count(*) FROM unnest($3::bigint[]) week WHERE to_regclass('entries_' || week) IS NULL) AS "missingWeeks"
    FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS w (log_id, epoch, at)
    CROSS JOIN LATERAL (SELECT * FROM logs WHERE log_id = w.log_id LIMIT 1) l
    LEFT JOIN LATERAL (SELECT * FROM epochs WHERE log = l.ref AND epochs.epoch = w.epoch LIMIT 1) e ON true`,
  known: `
    SELECT e.entry_id AS "entryId", e.id, e.head FROM unnest($1::bytea[]) AS w (entry_id)
    CROSS JOIN LATERAL (SELECT entry_id, id, head FROM entries WHERE entry_id = w.entry_id LIMIT 1) e`,
  blobs: `
    SELECT b.id, b.blob_id AS "blobId", b.sha256, b.size FROM unnest($1::bytea[]) AS w (blob_id)
    CROSS JOIN LATERAL (SELECT * FROM blobs WHERE blob_id = w.blob_id LIMIT 1) b`,
  // The logs are written where they stand as they were loaded, or not at all.
  add: `
    WITH added AS (
      INSERT INTO entries (id, week, epoch, day, kind, entry_id, next_access_hash, head, blob)
      SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[])
    ), active AS (
      INSERT INTO active_logs (head_place, log) SELECT * FROM unnest($10::bytea[], $11::bigint[]) ON CONFLICT DO NOTHING
    ), newest AS (
      UPDATE newest_day SET day = $17 WHERE day <> $17
    )
    UPDATE logs SET last_seq = w.last_seq, head = w.head, current_epoch = w.current_epoch, oldest_day = COALESCE(w.oldest_day, logs.oldest_day)
    FROM unnest($11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[], $15::bigint[], $16::bigint[])
      AS w (ref, loaded_seq, last_seq, head, current_epoch, oldest_day)
    CROSS JOIN LATERAL (SELECT ctid AS place FROM logs WHERE ref = w.ref AND last_seq = w.loaded_seq LIMIT 1) l
    WHERE logs.ctid = l.place`,
  openEpochs: `
    INSERT INTO epochs (log, epoch, parent, access_hash, opened_day, last_commit, closed_seq, closed_day, complaints, complaint_bytes)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
      $9::bigint[], $10::bigint[])`,
  changeEpochs: `
    UPDATE epochs SET last_commit = w.last_commit, closed_seq = w.closed_seq, closed_day = w.closed_day, complaints = w.complaints,
      complaint_bytes = w.complaint_bytes
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
      AS w (log, epoch, last_commit, closed_seq, closed_day, complaints, complaint_bytes)
    CROSS JOIN LATERAL (SELECT ctid AS place FROM epochs WHERE log = w.log AND epochs.epoch = w.epoch LIMIT 1) e
    WHERE epochs.ctid = e.place`,
  referTo: `
    WITH refs AS (
      INSERT INTO entry_blobs (entry, blob) SELECT * FROM unnest($1::bigint[], $2::bigint[]) RETURNING blob
    ), counts AS (SELECT blob, count(*) AS refs FROM refs GROUP BY blob)
    UPDATE blobs SET refs = blobs.refs + counts.refs FROM counts
    CROSS JOIN LATERAL (SELECT ctid AS place FROM blobs WHERE id = counts.blob LIMIT 1) b
    WHERE blobs.ctid = b.place`,
};

interface LoadedRow
  extends Pick<BatchEpoch, "complaints" | "complaintBytes">, Pick<BatchLog, "ref" | "lastSeq" | "currentEpochId" | "purgedSeq"> {
  /** Which of those that were asked for, from 1. */
  readonly at: number;
  readonly head: Uint8Array | null;
  /** All that is of the epoch is null where there is none. */
  readonly lastCommitSeq: number | null;
  readonly closedSeq: number | null;
  readonly closedDay: Day | null;
  /** The same in all rows. */
  readonly missingWeeks: number;
}

/**
 * Appends entries as `LogStore.append` does one after the other, in as many statements whether they are one or a thousand. Inside a write,
 * alone as all writes are: what is decided stands on what was read here. @throws StoreError, and Error for a log that somebody else wrote to
 */
export async function appendBatch(
  tx: PostgresTransaction,
  entries: readonly NewEntry[],
): Promise<(AppendAccepted | Refused<AppendRefusal>)[]> {
  const prepared = entries.map(prepareEntry);
  const { logs, missingWeeks } = await loadLogs(tx, prepared);
  const batch = new LogBatch({ logs, known: await findKnown(tx, prepared), blobs: await findBlobs(tx, prepared) });
  const outcomes = prepared.map((entry) => batch.append(entry));
  if (batch.added.length === 0) return outcomes;
  const weekFor =
    missingWeeks === 0
      ? weekOf
      : await openWeeks(
          tx,
          batch.added.map(({ prepared }) => prepared.entry.day),
        );
  await write(tx, { added: batch.added, loaded: logs, weekFor });
  return outcomes;
}

/** The logs of the entries with the epochs that they name, by the keys of their ids; and how many of their weeks have no partition. */
async function loadLogs(
  tx: PostgresTransaction,
  prepared: readonly PreparedEntry[],
): Promise<{ logs: Map<string, BatchLog>; missingWeeks: number }> {
  const wanted = new Map<string, PreparedEntry>();
  for (const each of prepared) wanted.set(`${each.logKey}${each.entry.epochId}`, each);
  const asked = [...wanted.values()];
  const { rows } = await tx.query<LoadedRow>(statements.load, [
    asked.map(({ entry }) => entry.logId),
    asked.map(({ entry }) => entry.epochId),
    [...new Set(prepared.map(({ entry }) => weekOf(entry.day)))],
  ]);
  const logs = new Map<string, BatchLog>();
  for (const row of rows) {
    const each = asked[row.at - 1];
    if (each === undefined) continue;
    let log = logs.get(each.logKey);
    if (log === undefined) logs.set(each.logKey, (log = logOf(row)));
    if (row.lastCommitSeq !== null) log.epochs.set(each.entry.epochId, epochOf(row, row.lastCommitSeq));
  }
  return { logs, missingWeeks: rows[0]?.missingWeeks ?? 0 };
}

function logOf({ ref, lastSeq, head, currentEpochId, purgedSeq }: LoadedRow): BatchLog {
  return {
    ref,
    loadedSeq: lastSeq,
    purgedSeq,
    lastSeq,
    head: head ?? undefined,
    currentEpochId,
    oldestDay: undefined,
    epochs: new Map(),
  };
}

function epochOf({ closedSeq, closedDay, complaints, complaintBytes }: LoadedRow, lastCommitSeq: number): BatchEpoch {
  const closed = closedSeq === null || closedDay === null ? undefined : { seq: closedSeq, day: closedDay };
  return { lastCommitSeq, closed, complaints, complaintBytes, isChanged: false, opened: undefined };
}

async function findKnown(tx: PostgresTransaction, prepared: readonly PreparedEntry[]): Promise<Map<string, KnownEntry>> {
  const { rows } = await tx.query<{ entryId: Uint8Array; id: number; head: Uint8Array }>(statements.known, [
    prepared.map(({ entryId }) => entryId),
  ]);
  return new Map(rows.map(({ entryId, id, head }) => [keyOf(entryId), { seq: seqOf(id), head }]));
}

async function findBlobs(tx: PostgresTransaction, prepared: readonly PreparedEntry[]): Promise<Map<string, BlobRow>> {
  const blobIds = new Map(prepared.flatMap(({ named }) => named.map(({ blobId }) => [keyOf(blobId), blobId])));
  if (blobIds.size === 0) return new Map();
  const { rows } = await tx.query<BlobRow & { blobId: Uint8Array }>(statements.blobs, [[...blobIds.values()]]);
  return new Map(rows.map((row) => [keyOf(row.blobId), row]));
}

async function write(
  tx: PostgresTransaction,
  batch: { added: readonly AddedEntry[]; loaded: ReadonlyMap<string, BatchLog>; weekFor: (day: Day) => number },
): Promise<void> {
  const { added, loaded, weekFor } = batch;
  // By their numbers: in which order what came with this batch came into different logs is written nowhere.
  const sorted = added.toSorted((a, b) => a.id - b.id);
  const changed = new Map(sorted.map(({ prepared: { entry, logKey } }) => [logKey, entry.logId]));
  // Each was loaded, and these are as many.
  const logs = [...changed.keys()].map((key) => loaded.get(key) as BatchLog);
  const rows = sorted.map(({ prepared }) => prepared.entry);
  const { changes } = await tx.query(statements.add, [
    sorted.map(({ id }) => id),
    rows.map(({ day }) => weekFor(day)),
    rows.map(({ epochId }) => epochId),
    rows.map(({ day }) => day),
    rows.map(({ kind }) => entryKindNumbers[kind]),
    sorted.map(({ prepared }) => prepared.entryId),
    rows.map(({ kind, nextAccessHash }) => (kind === "commit" ? nextAccessHash : null)),
    sorted.map(({ head }) => head),
    rows.map(({ blob }) => blob),
    [...changed.values()].map(sha256),
    logs.map(({ ref }) => ref),
    logs.map(({ loadedSeq }) => loadedSeq),
    logs.map(({ lastSeq }) => lastSeq),
    logs.map(({ head }) => head ?? null),
    logs.map(({ currentEpochId }) => currentEpochId),
    logs.map(({ oldestDay }) => oldestDay ?? null),
    added.at(-1)?.prepared.entry.day ?? 0,
  ]);
  if (changes !== logs.length) throw new Error("a log was written to by somebody else meanwhile");
  await writeEpochs(tx, logs);
  await writeRefs(tx, added);
}

async function writeEpochs(tx: PostgresTransaction, logs: readonly BatchLog[]): Promise<void> {
  const epochs = logs.flatMap(({ ref, epochs }) =>
    [...epochs].filter(([, { isChanged, opened }]) => isChanged || opened !== undefined).map(([id, epoch]) => ({ log: ref, id, ...epoch })),
  );
  const changed = epochs.filter(({ opened }) => opened === undefined);
  const opened = epochs.flatMap(({ opened, ...epoch }) => (opened === undefined ? [] : [{ ...epoch, ...opened }]));
  const states = (list: readonly Pick<BatchEpoch, "lastCommitSeq" | "closed" | "complaints" | "complaintBytes">[]): (number | null)[][] => [
    list.map(({ lastCommitSeq }) => lastCommitSeq),
    list.map(({ closed }) => closed?.seq ?? null),
    list.map(({ closed }) => closed?.day ?? null),
    list.map(({ complaints }) => complaints),
    list.map(({ complaintBytes }) => complaintBytes),
  ];
  if (opened.length > 0) {
    await tx.query(statements.openEpochs, [
      opened.map(({ log }) => log),
      opened.map(({ id }) => id),
      opened.map(({ parent }) => parent),
      opened.map(({ accessHash }) => accessHash),
      opened.map(({ day }) => day),
      ...states(opened),
    ]);
  }
  if (changed.length > 0) {
    await tx.query(statements.changeEpochs, [changed.map(({ log }) => log), changed.map(({ id }) => id), ...states(changed)]);
  }
}

async function writeRefs(tx: PostgresTransaction, added: readonly AddedEntry[]): Promise<void> {
  const refs = added.flatMap(({ id, blobs }) => Array.from(blobs, (blob) => ({ id, blob })));
  if (refs.length > 0) await tx.query(statements.referTo, [refs.map(({ id }) => id), refs.map(({ blob }) => blob)]);
}
