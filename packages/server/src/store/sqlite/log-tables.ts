import { compareBytes, equalBytes } from "@latchkey/codec";
import {
  closedEpochDays,
  entryKindNumbers,
  entryLeafOf,
  firstHead,
  maxComplaintEntryBytes,
  maxEpochComplaintBytes,
  maxEpochComplaints,
  maxLateComplaints,
  nextHead,
  splitEntry,
} from "@latchkey/protocol";
import type { NamedBlob } from "@latchkey/protocol";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { sha256 } from "../../hash.ts";
import { keyOf } from "../../keys.ts";
import type { Day, Refused } from "../accounts.ts";
import type { AppendAccepted, AppendRefusal, EpochInfo, LogPosition, NewEntry, PageLimits } from "../store.ts";
import type { ActiveHead, ActiveLog, LogHeadSource } from "../sql/log-head-source.ts";
import type { NewestDay } from "../sql/newest-day.ts";
import { maxSeq, randomRef, rowId, seqOf, shortDigest } from "../sql/row-ids.ts";
import { finish } from "../sql/steps.ts";
import type { Steps } from "../sql/steps.ts";
import type { SpentTokens } from "../sql/token-tables.ts";
import type { ActiveLogs } from "./active-logs.ts";
import { packEntries } from "./packing.ts";
import type { EntryRow, Packed } from "./packing.ts";
import { RecentEntries } from "./recent-entries.ts";
import type { EntryOfLog } from "./recent-slot.ts";
import type { SpentToken } from "../token-store.ts";

/** What is kept in memory of a log in use; thrown away when a transaction fails. */
interface LogState {
  /** Random: the entries of the log are numbered by it and their `seq`. */
  readonly ref: number;
  readonly id: Uint8Array;
  /** Last entry that was removed for its age, 0 for none, and the head there. */
  purgedSeq: number;
  purgedHead: Uint8Array | undefined;
  lastSeq: number;
  head: Uint8Array;
  /** Digests of the newest entries, one for each after `indexedSeq`: those of the ones before stand in the index. */
  recent: number[];
  indexedSeq: number;
  currentEpochId: number;
  readonly epochs: Map<number, EpochState>;
}

interface EpochState {
  /** Sequence number of the epoch's last commit, 0 for none. */
  lastCommitSeq: number;
  /** The first commit of the epoch, which closed it, and its day. */
  closed: { readonly seq: number; readonly day: Day } | undefined;
  /** What it took of them (spec L-16). */
  complaints: number;
  complaintBytes: number;
}

const maxLogsInMemory = 50_000;
const maxEpochsInMemory = 64;
/**
 * So many digests of a log go into the index together: a page of it is written once for several messages, and never for a log that has
 * few. The index is a place for each digest, and what is written to many places is what a message costs.
 */
const indexedAtOnce = 64;
const commit = entryKindNumbers.commit;

/** The logs in SQLite: every method runs inside the caller's transaction. */
export class LogTables implements LogHeadSource {
  /** The last entries of logs, which do not lie in `entries` yet. */
  readonly recent: RecentEntries;
  readonly #states = new Map<string, LogState>();
  readonly #active: ActiveLogs;
  readonly #newestDay: NewestDay;
  /** That stands in the database already. */
  #notedDay: Day | undefined;
  readonly #findLog: StatementSync;
  readonly #insertLog: StatementSync;
  readonly #lastEntry: StatementSync;
  readonly #epoch: StatementSync;
  readonly #newestEpoch: StatementSync;
  readonly #lastCommit: StatementSync;
  readonly #firstCommit: StatementSync;
  readonly #insertEpoch: StatementSync;
  readonly #countComplaint: StatementSync;
  readonly #indexed: StatementSync;
  readonly #index: StatementSync;
  readonly #setIndexed: StatementSync;
  readonly #unindex: StatementSync;
  readonly #digests: StatementSync;
  readonly #entry: StatementSync;
  readonly #page: StatementSync;
  readonly #findBlob: StatementSync;
  readonly #addRef: StatementSync;
  readonly #countRef: StatementSync;
  readonly #setOldest: StatementSync;
  readonly #oldLogs: StatementSync;
  readonly #oldEntries: StatementSync;
  readonly #deleteEntries: StatementSync;
  readonly #setPurged: StatementSync;
  readonly #entryBlobs: StatementSync;
  readonly #dropRef: StatementSync;
  readonly #deleteRefs: StatementSync;
  readonly #logById: StatementSync;

  readonly #spent: SpentTokens;

  constructor(database: DatabaseSync, parts: { active: ActiveLogs; newestDay: NewestDay; spent: SpentTokens }) {
    this.recent = new RecentEntries(database);
    this.#active = parts.active;
    this.#spent = parts.spent;
    this.#newestDay = parts.newestDay;
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#findLog = rows("SELECT id, purged_seq, purged_head, indexed_seq FROM logs WHERE log_id = ?");
    this.#insertLog = rows("INSERT INTO logs (id, log_id, created_day) VALUES (?, ?, ?)");
    this.#lastEntry = rows("SELECT id, head FROM entries WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT 1");
    this.#epoch = rows("SELECT access_hash, complaints, complaint_bytes FROM epochs WHERE log = ? AND epoch = ?");
    this.#newestEpoch = rows("SELECT max(epoch) FROM epochs WHERE log = ?");
    this.#lastCommit = rows("SELECT max(epoch) FROM epochs WHERE log = ? AND parent = ?");
    this.#firstCommit = rows("SELECT epoch, opened_day FROM epochs WHERE log = ? AND parent = ? ORDER BY epoch LIMIT 1");
    this.#countComplaint = rows("UPDATE epochs SET complaints = ?, complaint_bytes = ? WHERE log = ? AND epoch = ?");
    this.#insertEpoch = rows("INSERT INTO epochs (log, epoch, parent, access_hash, opened_day) VALUES (?, ?, ?, ?, ?)");
    this.#indexed = rows("SELECT seq FROM entry_digests WHERE digest = ?");
    this.#index = rows("INSERT INTO entry_digests (digest, seq) VALUES (?, ?)");
    this.#setIndexed = rows("UPDATE logs SET indexed_seq = ? WHERE id = ?");
    this.#unindex = rows("DELETE FROM entry_digests WHERE digest = ? AND seq = ?");
    this.#digests = rows("SELECT digest FROM entries WHERE id > ? AND id <= ? ORDER BY id");
    this.#entry = rows("SELECT epoch, kind, next_access_hash, head, blob FROM entries WHERE id = ?");
    this.#page = rows("SELECT id, epoch, kind, day, next_access_hash, blob FROM entries WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
    this.#findBlob = rows("SELECT id, sha256, size FROM blobs WHERE blob_id = ?");
    this.#addRef = rows("INSERT OR IGNORE INTO entry_blobs (entry, blob) VALUES (?, ?)");
    this.#countRef = rows("UPDATE blobs SET refs = refs + 1 WHERE id = ?");
    this.#setOldest = rows("UPDATE logs SET oldest_day = ? WHERE id = ?");
    this.#oldLogs = rows("SELECT id, log_id FROM logs WHERE oldest_day < ? ORDER BY oldest_day LIMIT ?");
    this.#oldEntries = rows("SELECT id, head, day, digest FROM entries WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
    this.#deleteEntries = rows("DELETE FROM entries WHERE id > ? AND id <= ?");
    this.#setPurged = rows("UPDATE logs SET purged_seq = ?, purged_head = ?, oldest_day = ? WHERE id = ?");
    this.#entryBlobs = rows("SELECT blob FROM entry_blobs WHERE entry > ? AND entry <= ?");
    this.#dropRef = rows("UPDATE blobs SET refs = refs - 1 WHERE id = ?");
    this.#deleteRefs = rows("DELETE FROM entry_blobs WHERE entry > ? AND entry <= ?");
    this.#logById = rows("SELECT purged_seq, purged_head FROM logs WHERE id = ?");
  }

  /** After a transaction that did not commit: what is in memory may be ahead of the database. */
  forget(): void {
    this.#states.clear();
    this.#active.forget();
    this.#notedDay = undefined;
  }

  /** After the day of what came last was set right: what comes next may be of the wrong one again. */
  forgetDay(): void {
    this.#notedDay = undefined;
  }

  /* oxlint-disable require-yield -- nothing has to travel */
  *takeActive(behind: Uint8Array, maxItems: number): Steps<{ readonly heads: readonly ActiveHead[]; readonly taken: number }> {
    const active = this.#active.take(behind, maxItems);
    const heads = active.flatMap(({ place, log }) => {
      const row = this.#logById.get(log) as [number, Uint8Array | null] | undefined;
      if (row === undefined) return [];
      const [seq, head] = this.#last(log) ?? row;
      return head === null ? [] : [{ place, log, seq, head }];
    });
    return { heads, taken: active.length };
  }

  *hasActive(): Steps<boolean> {
    return this.#active.hasAny();
  }

  *markActive(active: ActiveLog): Steps<void> {
    if (this.#last(active.log) !== undefined) this.#active.add(active);
  }
  /* oxlint-enable require-yield */

  createLog(params: {
    logId: Uint8Array;
    accessHash: Uint8Array;
    day: Day;
    token?: SpentToken | undefined;
  }): EpochInfo | Refused<"log_exists" | "token_invalid"> {
    const known = this.#load(params.logId);
    if (known === undefined) {
      if (!finish(this.#spent.spend(params.token))) return { kind: "refused", code: "token_invalid" };
      const ref = finish(randomRef((taken) => this.#isTaken(taken)));
      this.#insertLog.run(ref, params.logId, params.day);
      this.#insertEpoch.run(ref, 0, null, params.accessHash, params.day);
    } else {
      const row = this.#epoch.get(known.ref, 0) as [Uint8Array] | undefined;
      if (row === undefined || !equalBytes(row[0], params.accessHash)) return { kind: "refused", code: "log_exists" };
    }
    const info = this.readEpoch({ logId: params.logId, epochId: 0 });
    if (info.kind === "refused") throw new Error("a log has its epoch 0");
    return info;
  }

  readEpoch(params: { logId: Uint8Array; epochId: number }): EpochInfo | Refused<"unknown_log" | "unknown_epoch"> {
    const log = this.#load(params.logId);
    if (log === undefined) return { kind: "refused", code: "unknown_log" };
    const row = this.#epoch.get(log.ref, params.epochId) as [Uint8Array] | undefined;
    if (row === undefined) return { kind: "refused", code: "unknown_epoch" };
    return { kind: "epoch", accessHash: row[0], ...this.#position(log) };
  }

  /** Of its last entry; 0 for none, or an unknown log. */
  lastSeq(logId: Uint8Array): number {
    return this.#load(logId)?.lastSeq ?? 0;
  }

  append(entry: NewEntry): AppendAccepted | Refused<AppendRefusal> {
    const log = this.#load(entry.logId);
    if (log === undefined) return refused("unknown_log");
    const blobHash = sha256(entry.blob);
    const digest = shortDigest(blobHash);
    const known = this.#findKnown(log, entry, digest);
    if (known !== undefined) return known;
    const epoch = this.#loadEpoch(log, entry.epochId);
    if (epoch === undefined) return refused("unknown_epoch");
    if (!entry.hasAccess) return refused("wrong_access_key");
    if (entry.kind === "message" && epoch.lastCommitSeq > 0) return refused("stale");
    if (entry.kind === "commit" && epoch.lastCommitSeq > entry.afterSeq) return refused("conflict");
    const blobs = this.#findBlobs(splitEntry(entry.blob)?.blobs ?? []);
    if (blobs === undefined) return refused("unknown_blob");
    const complaintBytes = entry.kind === "complaint" ? sizeOf(entry.blob) : 0;
    const refusal = entry.kind === "complaint" ? this.#refusalOf(log, epoch, { sizeBytes: complaintBytes, day: entry.day }) : undefined;
    if (refusal !== undefined) return refused(refusal);

    const seq = log.lastSeq + 1;
    if (seq > maxSeq) return refused("rate_limited");
    const isCommit = entry.kind === "commit";
    const leaf = entryLeafOf(sha256, log.id, {
      seq,
      epochId: entry.epochId,
      kind: entry.kind,
      blobHash,
      nextAccessHash: entry.nextAccessHash,
    });
    const head = nextHead(sha256, log.head, leaf);
    const kind = entryKindNumbers[entry.kind];
    const hash = isCommit ? entry.nextAccessHash : null;
    const row = rowId(log.ref, seq);
    this.recent.add({ id: row, epoch: entry.epochId, kind, day: entry.day, digest, hash, head, blob: entry.blob });
    if (log.lastSeq === log.purgedSeq) this.#setOldest.run(entry.day, log.ref);
    for (const blob of blobs) {
      if (this.#addRef.run(row, blob).changes === 1) this.#countRef.run(blob);
    }
    if (isCommit) {
      // What was written while there was nothing to complain of takes no room from those who cannot follow it (spec L-16).
      if (epoch.closed === undefined && epoch.complaints > 0) {
        [epoch.complaints, epoch.complaintBytes] = [0, 0];
        this.#countComplaint.run(0, 0, log.ref, entry.epochId);
      }
      this.#insertEpoch.run(log.ref, seq, entry.epochId, entry.nextAccessHash, entry.day);
      epoch.lastCommitSeq = seq;
      epoch.closed ??= { seq, day: entry.day };
      log.currentEpochId = seq;
    }
    if (entry.kind === "complaint") {
      epoch.complaints += 1;
      epoch.complaintBytes += complaintBytes;
      this.#countComplaint.run(epoch.complaints, epoch.complaintBytes, log.ref, entry.epochId);
    }
    log.lastSeq = seq;
    log.head = head;
    log.recent.push(digest);
    if (log.recent.length >= indexedAtOnce) this.#indexRecent(log);
    this.#active.mark(log.ref, log.id);
    this.#noteDay(entry.day);
    return { kind: "accepted", seq, head, isNew: true };
  }

  readEntries(params: { logId: Uint8Array; afterSeq: number } & PageLimits): Packed {
    const log = this.#load(params.logId);
    const rows: EntryRow[] = [];
    if (log === undefined || params.afterSeq >= log.lastSeq) return packEntries(rows);
    let bytes = 0;
    // The columns are those of EntryRow.
    for (const row of this.#page.iterate(
      rowId(log.ref, params.afterSeq),
      rowId(log.ref, maxSeq),
      params.maxItems,
    ) as Iterable<unknown> as Iterable<EntryRow>) {
      row[0] = seqOf(row[0]);
      bytes += row[5].length;
      if (rows.length > 0 && bytes > params.maxBytes) break;
      rows.push(row);
    }
    if (rows.length < params.maxItems && bytes <= params.maxBytes) this.#addRecent(rows, bytes, log.ref, params);
    return packEntries(rows);
  }

  /** Goes on with entries that follow those of the table. */
  #addRecent(rows: EntryRow[], sizeBytes: number, ref: number, { afterSeq, maxItems, maxBytes }: { afterSeq: number } & PageLimits): void {
    let bytes = sizeBytes;
    for (const { id, epoch, kind, day, hash, blob } of this.recent.after(ref, rows.at(-1)?.[0] ?? afterSeq)) {
      bytes += blob.length;
      if (rows.length === maxItems || (rows.length > 0 && bytes > maxBytes)) return;
      rows.push([seqOf(id), epoch, kind, day, hash, blob]);
    }
  }

  purgeEntries(params: { beforeDay: Day; maxItems: number }): number {
    let removed = 0;
    for (const [ref, logId] of this.#oldLogs.all(params.beforeDay, params.maxItems) as unknown as [number, Uint8Array][]) {
      if (removed >= params.maxItems) break;
      removed += this.#purgeLog({ ref, logId, beforeDay: params.beforeDay, maxItems: params.maxItems - removed });
    }
    return removed;
  }

  /** Whether old entries are among those that do not lie in their table yet, from which alone they are removed. */
  hasRecentBefore(day: Day): boolean {
    return this.recent.hasDay((each) => each < day);
  }

  /** A log loses a prefix, up to the last entry of an old day: what came before it is as old, whatever a wrong clock said. */
  #purgeLog(params: { ref: number; logId: Uint8Array; beforeDay: Day; maxItems: number }): number {
    const { ref, beforeDay, maxItems } = params;
    // One more than are removed says what is the oldest then.
    const bounds = [rowId(ref, 0), rowId(ref, maxSeq)] as const;
    const rows = this.#oldEntries.all(...bounds, maxItems + 1) as unknown as [id: number, head: Uint8Array, day: Day, digest: number][];
    const count = Math.min(maxItems, rows.findLastIndex(([, , day]) => day < beforeDay) + 1);
    const oldestDay = rows[count]?.[2] ?? this.recent.first(ref)?.day ?? null;
    const last = rows[count - 1];
    if (last === undefined) {
      this.#setOldest.run(oldestDay, ref);
      return 0;
    }
    const [id, head] = last;
    const seq = seqOf(id);
    for (const [blob] of this.#entryBlobs.all(bounds[0], id) as unknown as [number][]) this.#dropRef.run(blob);
    this.#deleteRefs.run(bounds[0], id);
    this.#deleteEntries.run(bounds[0], id);
    for (const [purged, , , digest] of rows.slice(0, count)) this.#unindex.run(rowId(ref, digest), seqOf(purged));
    this.#setPurged.run(seq, head, oldestDay, ref);
    const state = this.#states.get(keyOf(params.logId));
    if (state === undefined) return count;
    [state.purgedSeq, state.purgedHead] = [seq, head];
    if (seq > state.indexedSeq) {
      state.recent = state.recent.slice(seq - state.indexedSeq);
      state.indexedSeq = seq;
    }
    return count;
  }

  #position(log: LogState): LogPosition {
    return {
      currentEpochId: log.currentEpochId,
      lastSeq: log.lastSeq,
      head: log.head,
      firstSeq: log.purgedSeq + 1,
      headBeforeFirst: log.purgedHead ?? firstHead(sha256, log.id),
    };
  }

  #load(logId: Uint8Array): LogState | undefined {
    const key = keyOf(logId);
    const cached = this.#states.get(key);
    if (cached !== undefined) return cached;
    const row = this.#findLog.get(logId) as [number, number, Uint8Array | null, number] | undefined;
    if (row === undefined) return undefined;
    const [ref, purgedSeq, purgedHead, indexedUpTo] = row;
    const id = logId.slice();
    const last = this.#last(ref);
    const indexedSeq = Math.max(indexedUpTo, purgedSeq);
    const placed = this.#digests.all(rowId(ref, indexedSeq), rowId(ref, maxSeq)) as unknown as [number][];
    const recent = [...this.recent.after(ref, indexedSeq)];
    const state: LogState = {
      ref,
      id,
      purgedSeq,
      purgedHead: purgedHead ?? undefined,
      lastSeq: last?.[0] ?? purgedSeq,
      recent: [...placed.map(([digest]) => digest), ...recent.map(({ digest }) => digest)],
      indexedSeq,
      head: last?.[1] ?? purgedHead ?? firstHead(sha256, id),
      currentEpochId: (this.#newestEpoch.get(ref) as [number | null] | undefined)?.[0] ?? 0,
      epochs: new Map(),
    };
    if (this.#states.size >= maxLogsInMemory) {
      const oldest = this.#states.keys().next();
      if (oldest.done !== true) this.#states.delete(oldest.value);
    }
    this.#states.set(key, state);
    return state;
  }

  /** The newest entry that is kept. */
  #last(ref: number): [seq: number, head: Uint8Array] | undefined {
    const recent = this.recent.last(ref);
    if (recent !== undefined) return [seqOf(recent.id), recent.head.slice()];
    const row = this.#lastEntry.get(rowId(ref, 0), rowId(ref, maxSeq)) as [number, Uint8Array] | undefined;
    return row === undefined ? undefined : [seqOf(row[0]), row[1]];
  }

  #loadEpoch(log: LogState, epochId: number): EpochState | undefined {
    const cached = log.epochs.get(epochId);
    if (cached !== undefined) return cached;
    const row = this.#epoch.get(log.ref, epochId) as [Uint8Array, number, number] | undefined;
    if (row === undefined) return undefined;
    const [lastCommit] = (this.#lastCommit.get(log.ref, epochId) as [number | null] | undefined) ?? [null];
    const first = this.#firstCommit.get(log.ref, epochId) as [number, Day] | undefined;
    const closed = first === undefined ? undefined : { seq: first[0], day: first[1] };
    const state: EpochState = { lastCommitSeq: lastCommit ?? 0, closed, complaints: row[1], complaintBytes: row[2] };
    if (log.epochs.size >= maxEpochsInMemory) log.epochs.clear();
    log.epochs.set(epochId, state);
    return state;
  }

  /** Why a complaint is refused, if it is: by the size of it, what the epoch took of them before, and how long ago it was closed (spec L-16). */
  #refusalOf(
    log: LogState,
    epoch: EpochState,
    { sizeBytes, day }: { readonly sizeBytes: number; readonly day: Day },
  ): AppendRefusal | undefined {
    if (sizeBytes > maxComplaintEntryBytes) return "too_large";
    const { closed, complaints, complaintBytes } = epoch;
    if (closed !== undefined && day - closed.day > closedEpochDays) {
      // Nobody can read any more what it would be about.
      if (complaints >= maxLateComplaints || closed.seq <= log.purgedSeq) return "stale";
    }
    const isFull = complaints >= maxEpochComplaints || complaintBytes + sizeBytes > maxEpochComplaintBytes;
    return isFull ? "rate_limited" : undefined;
  }

  /** A digest is a few bits of H(blob); what an entry's id is made of (spec L-6) is compared itself. */
  #findKnown(log: LogState, entry: NewEntry, digest: number): AppendAccepted | undefined {
    for (let index = log.recent.indexOf(digest); index !== -1; index = log.recent.indexOf(digest, index + 1)) {
      const known = this.#compare(log, entry, log.indexedSeq + 1 + index);
      if (known !== undefined) return known;
    }
    // Next to no log has more than it has recent ones.
    if (log.indexedSeq === log.purgedSeq) return undefined;
    for (const [seq] of this.#indexed.all(rowId(log.ref, digest)) as unknown as [number][]) {
      const known = this.#compare(log, entry, seq);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  #compare(log: LogState, entry: NewEntry, seq: number): AppendAccepted | undefined {
    const id = rowId(log.ref, seq);
    const found = this.recent.find(id);
    const row = found === undefined ? (this.#entry.get(id) as Row | undefined) : rowOf(found);
    if (row === undefined) return undefined;
    const [epoch, kind, hash, head, blob] = row;
    if (epoch !== entry.epochId || kind !== entryKindNumbers[entry.kind]) return undefined;
    if (kind === commit && (hash === null || !equalBytes(hash, entry.nextAccessHash))) return undefined;
    return compareBytes(blob, entry.blob) === 0 ? { kind: "accepted", seq, head, isNew: false } : undefined;
  }

  #noteDay(day: Day): void {
    if (day === this.#notedDay) return;
    finish(this.#newestDay.note(day));
    this.#notedDay = day;
  }

  // oxlint-disable-next-line require-yield -- nothing has to travel
  *#isTaken(ref: number): Steps<boolean> {
    return this.#logById.get(ref) !== undefined;
  }

  #indexRecent(log: LogState): void {
    for (const [index, digest] of log.recent.entries()) this.#index.run(rowId(log.ref, digest), log.indexedSeq + 1 + index);
    this.#setIndexed.run(log.lastSeq, log.ref);
    [log.recent, log.indexedSeq] = [[], log.lastSeq];
  }

  /** The rows of the blobs that an entry names; `undefined` where one is missing, or has other bytes than the entry says (spec L-15). */
  #findBlobs(blobs: readonly NamedBlob[]): number[] | undefined {
    const refs: number[] = [];
    for (const { blobId, hash, sizeBytes } of blobs) {
      const row = this.#findBlob.get(blobId) as [number, Uint8Array, number] | undefined;
      if (row === undefined || !equalBytes(row[1], hash) || row[2] !== sizeBytes) return undefined;
      refs.push(row[0]);
    }
    return refs;
  }
}

/** What of an entry tells whether it is the same, and its head: epoch, kind, next_access_hash, head, blob. */
type Row = [number, number, Uint8Array | null, Uint8Array, Uint8Array];

function rowOf({ epoch, kind, hash, head, blob }: EntryOfLog): Row {
  // What is answered is read after the slot may be in use again.
  return [epoch, kind, hash, head.slice(), blob];
}

/** What an entry takes up, with all that it names. */
function sizeOf(blob: Uint8Array): number {
  return (splitEntry(blob)?.blobs ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, blob.length);
}

function refused(code: AppendRefusal): Refused<AppendRefusal> {
  return { kind: "refused", code };
}
