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
import type { ActiveLogs } from "./active-logs.ts";
import { packEntries } from "./packing.ts";
import type { EntryRow, Packed } from "./packing.ts";

/** What is kept in memory of a log in use; thrown away when a transaction fails. */
interface LogState {
  readonly ref: number;
  readonly id: Uint8Array;
  lastSeq: number;
  head: Uint8Array;
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

/** Where an active log stands, and its place in the map of heads. */
export interface ActiveHead {
  readonly place: Uint8Array;
  readonly seq: number;
  readonly head: Uint8Array;
}

const maxLogsInMemory = 50_000;
const maxEpochsInMemory = 64;
/** A read takes rows from the database in steps, so that one of large rows does not load far more than it returns. */
const commit = entryKindNumbers.commit;

/** The logs in SQLite: every method runs inside the caller's transaction. */
export class LogTables {
  readonly #states = new Map<string, LogState>();
  readonly #active: ActiveLogs;
  readonly #findLog: StatementSync;
  readonly #insertLog: StatementSync;
  readonly #lastEntry: StatementSync;
  readonly #epoch: StatementSync;
  readonly #newestEpoch: StatementSync;
  readonly #lastCommit: StatementSync;
  readonly #firstCommit: StatementSync;
  readonly #insertEpoch: StatementSync;
  readonly #countComplaint: StatementSync;
  readonly #byDigest: StatementSync;
  readonly #insertEntry: StatementSync;
  readonly #page: StatementSync;
  readonly #findBlob: StatementSync;
  readonly #addRef: StatementSync;
  readonly #countRef: StatementSync;
  readonly #oldest: StatementSync;
  readonly #deleteEntry: StatementSync;
  readonly #setPurged: StatementSync;
  readonly #entryBlobs: StatementSync;
  readonly #dropRef: StatementSync;
  readonly #deleteRefs: StatementSync;
  readonly #logById: StatementSync;

  constructor(database: DatabaseSync, active: ActiveLogs) {
    this.#active = active;
    const rows = (sql: string): StatementSync => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#findLog = rows("SELECT id, purged_seq, purged_head FROM logs WHERE log_id = ?");
    this.#insertLog = rows("INSERT INTO logs (log_id, created_day) VALUES (?, ?)");
    this.#lastEntry = rows("SELECT seq, head FROM entries WHERE log = ? ORDER BY seq DESC LIMIT 1");
    this.#epoch = rows("SELECT access_hash, complaints, complaint_bytes FROM epochs WHERE log = ? AND epoch = ?");
    this.#newestEpoch = rows("SELECT max(epoch) FROM epochs WHERE log = ?");
    this.#lastCommit = rows("SELECT max(epoch) FROM epochs WHERE log = ? AND parent = ?");
    this.#firstCommit = rows("SELECT epoch, opened_day FROM epochs WHERE log = ? AND parent = ? ORDER BY epoch LIMIT 1");
    this.#countComplaint = rows("UPDATE epochs SET complaints = ?, complaint_bytes = ? WHERE log = ? AND epoch = ?");
    this.#insertEpoch = rows("INSERT INTO epochs (log, epoch, parent, access_hash, opened_day) VALUES (?, ?, ?, ?, ?)");
    this.#byDigest = rows("SELECT seq, epoch, kind, next_access_hash, head, blob FROM entries WHERE log = ? AND digest = ?");
    this.#insertEntry = rows(
      "INSERT INTO entries (log, seq, epoch, kind, day, digest, next_access_hash, head, blob) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#page = rows("SELECT seq, epoch, kind, day, next_access_hash, blob FROM entries WHERE log = ? AND seq > ? ORDER BY seq LIMIT ?");
    this.#findBlob = rows("SELECT id, sha256, size FROM blobs WHERE blob_id = ?");
    this.#addRef = rows("INSERT OR IGNORE INTO entry_blobs (entry, blob) VALUES (?, ?)");
    this.#countRef = rows("UPDATE blobs SET refs = refs + 1 WHERE id = ?");
    this.#oldest = rows("SELECT id, log, seq, head, day FROM entries ORDER BY id LIMIT ?");
    this.#deleteEntry = rows("DELETE FROM entries WHERE id = ?");
    this.#setPurged = rows("UPDATE logs SET purged_seq = ?, purged_head = ? WHERE id = ?");
    this.#entryBlobs = rows("SELECT blob FROM entry_blobs WHERE entry = ?");
    this.#dropRef = rows("UPDATE blobs SET refs = refs - 1 WHERE id = ?");
    this.#deleteRefs = rows("DELETE FROM entry_blobs WHERE entry = ?");
    this.#logById = rows("SELECT purged_seq, purged_head FROM logs WHERE id = ?");
  }

  /** After a transaction that did not commit: what is in memory may be ahead of the database. */
  forget(): void {
    this.#states.clear();
    this.#active.forget();
  }

  /**
   * Takes logs with entries since their heads were last taken, and where they stand now, in the order of their places in the map of heads,
   * behind one of them. `taken` counts those without a head, too.
   */
  takeActive(behind: Uint8Array, maxItems: number): { readonly heads: readonly ActiveHead[]; readonly taken: number } {
    const active = this.#active.take(behind, maxItems);
    const heads = active.flatMap(({ place, log }) => {
      const row = this.#logById.get(log) as [number, Uint8Array | null] | undefined;
      if (row === undefined) return [];
      const last = this.#lastEntry.get(log) as [number, Uint8Array] | undefined;
      const [seq, head] = last ?? row;
      return head === null ? [] : [{ place, seq, head }];
    });
    return { heads, taken: active.length };
  }

  createLog(params: { logId: Uint8Array; accessHash: Uint8Array; day: Day }): EpochInfo | Refused<"log_exists"> {
    const known = this.#load(params.logId);
    if (known === undefined) {
      const ref = Number(this.#insertLog.run(params.logId, params.day).lastInsertRowid);
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
    const row = this.#insertEntry.run(log.ref, seq, entry.epochId, kind, entry.day, digest, hash, head, entry.blob);
    for (const blob of blobs) {
      if (this.#addRef.run(row.lastInsertRowid, blob).changes === 1) this.#countRef.run(blob);
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
    this.#active.mark(log.ref, log.id);
    return { kind: "accepted", seq, head, isNew: true };
  }

  readEntries(params: { logId: Uint8Array; afterSeq: number } & PageLimits): Packed {
    const log = this.#load(params.logId);
    const rows: EntryRow[] = [];
    if (log === undefined || params.afterSeq >= log.lastSeq) return packEntries(rows);
    let bytes = 0;
    // The columns are those of EntryRow.
    for (const row of this.#page.iterate(log.ref, params.afterSeq, params.maxItems) as Iterable<unknown> as Iterable<EntryRow>) {
      bytes += row[5].length;
      if (rows.length > 0 && bytes > params.maxBytes) break;
      rows.push(row);
    }
    return packEntries(rows);
  }

  purgeEntries(params: { beforeDay: Day; maxItems: number }): number {
    const rows = this.#oldest.all(params.maxItems) as unknown as [number, number, number, Uint8Array, number][];
    const purged = new Map<number, readonly [seq: number, head: Uint8Array]>();
    let removed = 0;
    for (const [id, log, seq, head, day] of rows) {
      // Rows stand in the order of arrival: the first young one ends the work, and each log loses a prefix.
      if (day >= params.beforeDay) break;
      for (const [blob] of this.#entryBlobs.all(id) as unknown as [number][]) this.#dropRef.run(blob);
      this.#deleteRefs.run(id);
      this.#deleteEntry.run(id);
      purged.set(log, [seq, head]);
      removed += 1;
    }
    for (const [log, [seq, head]] of purged) this.#setPurged.run(seq, head, log);
    return removed;
  }

  #position(log: LogState): LogPosition {
    const [, purgedSeq, purgedHead] = (this.#findLog.get(log.id) as [number, number, Uint8Array | null] | undefined) ?? [0, 0, null];
    return {
      currentEpochId: log.currentEpochId,
      lastSeq: log.lastSeq,
      head: log.head,
      firstSeq: purgedSeq + 1,
      headBeforeFirst: purgedHead ?? firstHead(sha256, log.id),
    };
  }

  #load(logId: Uint8Array): LogState | undefined {
    const key = keyOf(logId);
    const cached = this.#states.get(key);
    if (cached !== undefined) return cached;
    const row = this.#findLog.get(logId) as [number, number, Uint8Array | null] | undefined;
    if (row === undefined) return undefined;
    const [ref, purgedSeq, purgedHead] = row;
    const id = logId.slice();
    const last = this.#lastEntry.get(ref) as [number, Uint8Array] | undefined;
    const state: LogState = {
      ref,
      id,
      lastSeq: last?.[0] ?? purgedSeq,
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
      const [, purgedSeq] = (this.#findLog.get(log.id) as [number, number] | undefined) ?? [0, 0];
      if (complaints >= maxLateComplaints || closed.seq <= purgedSeq) return "stale";
    }
    const isFull = complaints >= maxEpochComplaints || complaintBytes + sizeBytes > maxEpochComplaintBytes;
    return isFull ? "rate_limited" : undefined;
  }

  /** The index holds 48 bits of H(blob); what an entry's id is made of (spec L-6) is compared itself. */
  #findKnown(log: LogState, entry: NewEntry, digest: number): AppendAccepted | undefined {
    type Row = [number, number, number, Uint8Array | null, Uint8Array, Uint8Array];
    for (const [seq, epoch, kind, hash, head, blob] of this.#byDigest.all(log.ref, digest) as unknown as Row[]) {
      if (epoch !== entry.epochId || kind !== entryKindNumbers[entry.kind]) continue;
      if (kind === commit && (hash === null || !equalBytes(hash, entry.nextAccessHash))) continue;
      if (compareBytes(blob, entry.blob) === 0) return { kind: "accepted", seq, head, isNew: false };
    }
    return undefined;
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

/** What an entry takes up, with all that it names. */
function sizeOf(blob: Uint8Array): number {
  return (splitEntry(blob)?.blobs ?? []).reduce((sum, { sizeBytes }) => sum + sizeBytes, blob.length);
}

function refused(code: AppendRefusal): Refused<AppendRefusal> {
  return { kind: "refused", code };
}

/** The first 48 bits of a hash as a number. */
export function shortDigest(hash: Uint8Array): number {
  let high = 0;
  for (let i = 0; i < 6; i++) high = high * 256 + (hash[i] ?? 0);
  return high;
}
