import { equalBytes } from "@latchkey/codec";
import {
  closedEpochDays,
  entryLeafOf,
  firstHead,
  maxComplaintEntryBytes,
  maxEpochComplaintBytes,
  maxEpochComplaints,
  maxLateComplaints,
  nextHead,
  splitEntry,
  zeroHash,
} from "@latchkey/protocol";
import type { NamedBlob } from "@latchkey/protocol";
import { sha256 } from "../../hash.ts";
import { keyOf } from "../../keys.ts";
import type { Day, Refused } from "../accounts.ts";
import { maxSeq, rowId } from "../sql/row-ids.ts";
import type { AppendAccepted, AppendRefusal, NewEntry } from "../store.ts";

/** An entry with what it is known by. */
export interface PreparedEntry {
  readonly entry: NewEntry;
  readonly blobHash: Uint8Array;
  /** 16 bytes of a hash over all that makes it the same entry (spec L-6), its log included. */
  readonly entryId: Uint8Array;
  /** Both ids as keys. */
  readonly logKey: string;
  readonly entryKey: string;
  readonly named: readonly NamedBlob[];
}

/** A log of a batch: as it was loaded, then as it is after what was appended. */
export interface BatchLog {
  readonly ref: number;
  /** Where it stood in the database. */
  readonly loadedSeq: number;
  readonly purgedSeq: number;
  lastSeq: number;
  /** `undefined` before the first entry. */
  head: Uint8Array | undefined;
  currentEpochId: number;
  /** The day of the entry that is now its first, where that is one of the batch. */
  oldestDay: Day | undefined;
  readonly epochs: Map<number, BatchEpoch>;
}

export interface BatchEpoch {
  /** Sequence number of the epoch's last commit, 0 for none. */
  lastCommitSeq: number;
  /** The first commit of the epoch, which closed it, and its day. */
  closed: { readonly seq: number; readonly day: Day } | undefined;
  /** What it took of them (spec L-16). */
  complaints: number;
  complaintBytes: number;
  isChanged: boolean;
  /** Of one that the batch opened. */
  readonly opened: { readonly parent: number; readonly accessHash: Uint8Array; readonly day: Day } | undefined;
}

export interface KnownEntry {
  readonly seq: number;
  readonly head: Uint8Array;
}

export interface BlobRow {
  readonly id: number;
  readonly sha256: Uint8Array;
  readonly size: number;
}

/** An entry to write. */
export interface AddedEntry {
  readonly id: number;
  readonly prepared: PreparedEntry;
  readonly head: Uint8Array;
  /** Rows of the blobs that it names, each once. */
  readonly blobs: ReadonlySet<number>;
}

const noBlobs: ReadonlySet<number> = new Set();

/** What an entry is known by, and what it names. */
export function prepareEntry(entry: NewEntry): PreparedEntry {
  const blobHash = sha256(entry.blob);
  const { epochId, kind } = entry;
  const nextAccessHash = kind === "commit" ? entry.nextAccessHash : zeroHash;
  // Its leaf at a number that no entry has.
  const entryId = entryLeafOf(sha256, entry.logId, { seq: 0, epochId, kind, blobHash, nextAccessHash }).subarray(0, 16);
  return { entry, blobHash, entryId, logKey: keyOf(entry.logId), entryKey: keyOf(entryId), named: splitEntry(entry.blob)?.blobs ?? [] };
}

/**
 * Entries that are appended together: decides about one after the other as if each were written before the next, from what was loaded of
 * their logs, epochs and blobs. Pure: what is to be written stands in `added`, in the logs and in their epochs.
 */
export class LogBatch {
  readonly added: AddedEntry[] = [];
  readonly #logs: ReadonlyMap<string, BatchLog>;
  readonly #known: Map<string, KnownEntry>;
  readonly #blobs: ReadonlyMap<string, BlobRow>;

  /** By the keys of their ids; of logs and epochs all that the entries name and that are there, which this changes. */
  constructor(loaded: { logs: ReadonlyMap<string, BatchLog>; known: Map<string, KnownEntry>; blobs: ReadonlyMap<string, BlobRow> }) {
    this.#logs = loaded.logs;
    this.#known = loaded.known;
    this.#blobs = loaded.blobs;
  }

  append(prepared: PreparedEntry): AppendAccepted | Refused<AppendRefusal> {
    const { entry } = prepared;
    const log = this.#logs.get(prepared.logKey);
    if (log === undefined) return refused("unknown_log");
    const known = this.#known.get(prepared.entryKey);
    if (known !== undefined) return { kind: "accepted", ...known, isNew: false };
    const epoch = log.epochs.get(entry.epochId);
    if (epoch === undefined) return refused("unknown_epoch");
    if (!entry.hasAccess) return refused("wrong_access_key");
    if (entry.kind === "message" && epoch.lastCommitSeq > 0) return refused("stale");
    if (entry.kind === "commit" && epoch.lastCommitSeq > entry.afterSeq) return refused("conflict");
    const blobs = this.#findBlobs(prepared.named);
    if (blobs === undefined) return refused("unknown_blob");
    const complaintBytes = entry.kind === "complaint" ? sizeOf(prepared) : 0;
    const refusal = entry.kind === "complaint" ? refusalOf(log, epoch, { sizeBytes: complaintBytes, day: entry.day }) : undefined;
    if (refusal !== undefined) return refused(refusal);
    if (log.lastSeq >= maxSeq) return refused("rate_limited");

    const accepted = this.#add(log, prepared, blobs);
    if (entry.kind === "commit") openEpoch(log, epoch, { seq: accepted.seq, entry });
    if (entry.kind === "complaint") {
      epoch.complaints += 1;
      epoch.complaintBytes += complaintBytes;
      epoch.isChanged = true;
    }
    return { kind: "accepted", ...accepted, isNew: true };
  }

  #add(log: BatchLog, prepared: PreparedEntry, blobs: ReadonlySet<number>): KnownEntry {
    const { entry, blobHash } = prepared;
    const { logId, epochId, kind, nextAccessHash } = entry;
    const seq = log.lastSeq + 1;
    const leaf = entryLeafOf(sha256, logId, { seq, epochId, kind, blobHash, nextAccessHash });
    const head = nextHead(sha256, log.head ?? firstHead(sha256, logId), leaf);
    if (log.lastSeq === log.purgedSeq) log.oldestDay = entry.day;
    [log.lastSeq, log.head] = [seq, head];
    this.added.push({ id: rowId(log.ref, seq), prepared, head, blobs });
    this.#known.set(prepared.entryKey, { seq, head });
    return { seq, head };
  }

  /** The rows of the blobs that an entry names; `undefined` where one is missing, or has other bytes than the entry says (spec L-15). */
  #findBlobs(named: readonly NamedBlob[]): ReadonlySet<number> | undefined {
    if (named.length === 0) return noBlobs;
    const rows = new Set<number>();
    for (const { blobId, hash, sizeBytes } of named) {
      const row = this.#blobs.get(keyOf(blobId));
      if (row === undefined || !equalBytes(row.sha256, hash) || row.size !== sizeBytes) return undefined;
      rows.add(row.id);
    }
    return rows;
  }
}

function openEpoch(log: BatchLog, parent: BatchEpoch, { seq, entry }: { seq: number; entry: NewEntry }): void {
  // What was written while there was nothing to complain of takes no room from those who cannot follow it (spec L-16).
  if (parent.closed === undefined) [parent.complaints, parent.complaintBytes] = [0, 0];
  parent.lastCommitSeq = seq;
  parent.closed ??= { seq, day: entry.day };
  parent.isChanged = true;
  log.currentEpochId = seq;
  const opened = { parent: entry.epochId, accessHash: entry.nextAccessHash, day: entry.day };
  log.epochs.set(seq, { lastCommitSeq: 0, closed: undefined, complaints: 0, complaintBytes: 0, isChanged: true, opened });
}

/** Why a complaint is refused, if it is: by the size of it, what the epoch took of them before, and how long ago it was closed (spec L-16). */
function refusalOf(
  log: BatchLog,
  { closed, complaints, complaintBytes }: BatchEpoch,
  { sizeBytes, day }: { readonly sizeBytes: number; readonly day: Day },
): AppendRefusal | undefined {
  if (sizeBytes > maxComplaintEntryBytes) return "too_large";
  if (closed !== undefined && day - closed.day > closedEpochDays) {
    // Nobody can read any more what it would be about.
    if (complaints >= maxLateComplaints || closed.seq <= log.purgedSeq) return "stale";
  }
  const isFull = complaints >= maxEpochComplaints || complaintBytes + sizeBytes > maxEpochComplaintBytes;
  return isFull ? "rate_limited" : undefined;
}

/** What an entry takes up, with all that it names. */
function sizeOf({ entry, named }: PreparedEntry): number {
  return named.reduce((sum, { sizeBytes }) => sum + sizeBytes, entry.blob.length);
}

function refused(code: AppendRefusal): Refused<AppendRefusal> {
  return { kind: "refused", code };
}
