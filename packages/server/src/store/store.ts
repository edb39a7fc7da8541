import type { EntryKind } from "@latchkey/protocol";
import type { Day, Refused } from "./accounts.ts";
import type { AccountHoldings, HeldState } from "./holdings.ts";
import type { AdminStore } from "./admin-store.ts";
import type { DirectoryLogStore } from "./directory-store.ts";
import type { HistoryStore } from "./history-store.ts";
import type { LeaseStore } from "./lease-store.ts";
import type { LinkStore } from "./link-store.ts";
import type { PassphraseStore } from "./passphrase-store.ts";
import type { SpentToken, TokenStore } from "./token-store.ts";
import type { UploadStore } from "./upload-store.ts";

// --- logs

/** An entry to append. Bytes are read before the call returns its promise to the caller's next turn and never changed. */
export interface NewEntry {
  readonly logId: Uint8Array;
  readonly epochId: number;
  readonly kind: EntryKind;
  /** H(access key of the child) of a commit, else 32 zeros. */
  readonly nextAccessHash: Uint8Array;
  /** What it names in the clear is kept as long as the entry, and has to be there (spec L-15). */
  readonly blob: Uint8Array;
  /** Of a commit: the last commit of its epoch that its author has seen (spec L-5). */
  readonly afterSeq: number;
  /** Whether the caller showed the access key of the epoch; a retry of a stored entry is answered without (spec L-6). */
  readonly hasAccess: boolean;
  readonly day: Day;
}

export type AppendRefusal =
  | "unknown_log"
  | "unknown_epoch"
  | "wrong_access_key"
  | "stale"
  | "conflict"
  | "unknown_blob"
  | "too_large"
  | "rate_limited";

/** `isNew` is false where the same entry had been stored before: then it is its first result. */
export interface AppendAccepted {
  readonly kind: "accepted";
  readonly seq: number;
  readonly head: Uint8Array;
  readonly isNew: boolean;
}

/** Where a log stands. */
export interface LogPosition {
  /** The epoch that the newest commit opened; whether it counts is for the members to tell (spec G-3). */
  readonly currentEpochId: number;
  /** 0 for none. */
  readonly lastSeq: number;
  readonly head: Uint8Array;
  /** First entry kept, `lastSeq + 1` when none is. */
  readonly firstSeq: number;
  readonly headBeforeFirst: Uint8Array;
}

/** The last number of a log or an inbox, or the version of an account, that somebody knows. */
export interface KnownEnd {
  readonly id: Uint8Array;
  readonly lastSeq: number;
}

/** The last number that there is, where it is a later one: `at` is the place in the list of what was known. */
export interface GrownEnd {
  readonly at: number;
  readonly lastSeq: number;
}

/** An epoch of a log, and where the log stands. */
export interface EpochInfo extends LogPosition {
  readonly kind: "epoch";
  readonly accessHash: Uint8Array;
}

/** An entry as stored. The bytes are the caller's. */
export interface StoredEntry {
  readonly seq: number;
  readonly epochId: number;
  readonly kind: EntryKind;
  readonly day: Day;
  readonly nextAccessHash: Uint8Array;
  readonly blob: Uint8Array;
}

/** Bounds of one read: it ends before the entry that would exceed one of them, but gives one where there is one. */
export interface PageLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/**
 * Logs of entries. Operations on one log take effect one after the other, in the order of the calls; their promises
 * settle in that order too. A fulfilled write is on disk (spec L-7).
 */
export interface LogStore {
  /** Creates a log with epoch 0, which spends the token. The same id and hash again: where it stands now. Atomic and durable when it resolves. */
  createLog(params: {
    logId: Uint8Array;
    accessHash: Uint8Array;
    day: Day;
    token?: SpentToken | undefined;
  }): Promise<EpochInfo | Refused<"log_exists" | "token_invalid">>;
  /** An epoch and the log's position, as of after every write called before. */
  readEpoch(params: { logId: Uint8Array; epochId: number }): Promise<EpochInfo | Refused<"unknown_log" | "unknown_epoch">>;
  /**
   * Appends an entry at the next sequence number; a commit opens its child epoch in the same transaction. A known
   * entry is answered before any other check. The store computes the head chain and checks L-4, L-5 and the bounds of an
   * epoch's complaints (L-16) in the write itself. Durable when it resolves. @throws StoreError
   */
  append(entry: NewEntry): Promise<AppendAccepted | Refused<AppendRefusal>>;
  /** Entries after `afterSeq`, ascending, from the first kept on; empty at the end or for an unknown log. */
  readEntries(params: { logId: Uint8Array; afterSeq: number } & PageLimits): Promise<StoredEntry[]>;
  /**
   * The same of several logs, a list for each in their order. The bounds are those of all together: what is beyond them is left out, and a log
   * whose list is empty may have more.
   */
  readEntriesOfLogs(params: { logs: readonly KnownEnd[] } & PageLimits): Promise<StoredEntry[][]>;
  /** Of these logs the ones with more entries than that, by their places in the list, ascending; a log that is unknown has none. */
  grownLogs(params: { known: readonly KnownEnd[] }): Promise<GrownEnd[]>;
  /**
   * Removes entries of days before `beforeDay`, oldest first, at most `maxItems`; a log keeps the head before its first
   * kept entry (spec L-8). Blobs that only they referred to become free to expire. Answers how many were removed.
   */
  purgeEntries(params: { beforeDay: Day; maxItems: number }): Promise<number>;
}

// --- inboxes

/** Whose room in an inbox an item takes: that of those who showed its capability, or that of everybody else (spec I-1). */
export type InboxPart = "contacts" | "strangers";

export interface StoredItem {
  readonly seq: number;
  readonly day: Day;
  readonly part: InboxPart;
  readonly blob: Uint8Array;
}

/** Inboxes are made by a device's card (DirectoryStore.putCard). Sequence numbers only grow, erasure included. */
export interface InboxStore {
  /** Stores an item, which spends the token; the same bytes again, while kept, are a retry: `isNew` false. The bounds are those of its part. Durable when it resolves. */
  postItem(params: {
    inboxId: Uint8Array;
    part: InboxPart;
    blob: Uint8Array;
    day: Day;
    maxItems: number;
    maxBytes: number;
    token?: SpentToken | undefined;
  }): Promise<{ kind: "stored"; seq: number; isNew: boolean } | Refused<"not_found" | "inbox_full" | "token_invalid">>;
  /** Sets what the capability of an inbox hashes to, unless its generation is a later one; answers the generation that it has then. Durable. */
  setCapability(params: {
    inboxId: Uint8Array;
    generation: number;
    hash: Uint8Array;
  }): Promise<{ kind: "stored"; generation: number } | Refused<"not_found">>;
  /** What the capability of an inbox hashes to; `undefined` where it has none. */
  capabilityHash(params: { inboxId: Uint8Array }): Promise<Uint8Array | undefined>;
  /** Items after `afterSeq`, ascending. */
  readItems(params: { inboxId: Uint8Array; afterSeq: number } & PageLimits): Promise<StoredItem[]>;
  /** The last sequence number given out, 0 for none. */
  lastItem(params: { inboxId: Uint8Array }): Promise<number>;
  /** Of these inboxes the ones that have given out later numbers than that, by their places in the list, ascending. */
  grownInboxes(params: { known: readonly KnownEnd[] }): Promise<GrownEnd[]>;
  /** Erases items up to `uptoSeq`, overwriting them. Durable when it resolves. */
  eraseItems(params: { inboxId: Uint8Array; uptoSeq: number }): Promise<void>;
  /** Erases items of days before `beforeDay`, oldest first, at most `maxItems`. Answers how many. */
  purgeItems(params: { beforeDay: Day; maxItems: number }): Promise<number>;
}

// --- accounts

export interface AccountHead {
  readonly version: number;
  /** The newest SignedAccountState. */
  readonly state: Uint8Array;
}

/** Accounts as they are now: names, cards and key packages. States come by publications. Writes are atomic and durable when they resolve. */
export interface DirectoryStore {
  /** The newest stored state, published or about to be. */
  accountHead(params: { accountId: Uint8Array }): Promise<AccountHead | undefined>;
  /** Of these accounts the ones whose newest stored state has a later version than `lastSeq`, by their places in the list, ascending. */
  grownAccounts(params: { known: readonly KnownEnd[] }): Promise<GrownEnd[]>;
  /** Whether a name is free for anybody on this day. */
  isNameFree(params: { username: string; day: Day }): Promise<boolean>;
  /** Sets a device's card and its inbox; another inbox than before erases the one before. */
  putCard(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    inboxId: Uint8Array;
    card: Uint8Array;
  }): Promise<{ kind: "stored" } | Refused<"not_found" | "not_allowed_here">>;
  /** The inbox of a device, `undefined` before its first card. */
  inboxOf(params: { accountId: Uint8Array; deviceId: Uint8Array }): Promise<Uint8Array | undefined>;
  /**
   * Adds one-time key packages, up to `maxOneTime` kept, or replaces the last-resort one. One published before is not
   * added again, not even after it was taken.
   */
  addKeyPackages(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    lastResort: boolean;
    notAfterDay: Day;
    keyPackages: readonly Uint8Array[];
    maxOneTime: number;
    day: Day;
  }): Promise<KeyPackageCounts | Refused<"not_found">>;
  countKeyPackages(params: { accountId: Uint8Array; deviceId: Uint8Array; day: Day }): Promise<KeyPackageCounts>;
  /** Takes a one-time key package, each given out once, which spends the token, else the last-resort one, or that one only; none past its day. */
  takeKeyPackage(params: {
    accountId: Uint8Array;
    deviceId: Uint8Array;
    day: Day;
    onlyLastResort?: boolean;
    token?: SpentToken | undefined;
  }): Promise<
    | { kind: "taken"; card: Uint8Array; keyPackage: Uint8Array; lastResort: boolean }
    | Refused<"not_found" | "no_key_package" | "token_invalid">
  >;
  /** A device's card; `undefined` where there is none. */
  card(params: { accountId: Uint8Array; deviceId: Uint8Array }): Promise<Uint8Array | undefined>;
  /** Removes key packages past their day, at most `maxItems`. Answers how many. */
  expireKeyPackages(params: { day: Day; maxItems: number }): Promise<number>;
  /** What is held about an account, as of one moment, but for its states and the bytes of its inboxes' items, which come in pages. */
  holdings(params: { accountId: Uint8Array }): Promise<AccountHoldings | undefined>;
  /** Its states from `fromVersion` on, in order: as many as come to `maxBytes`, one at least; none where there are no more. */
  heldStates(params: { accountId: Uint8Array; fromVersion: number; maxBytes: number }): Promise<readonly HeldState[]>;
}

export interface KeyPackageCounts {
  readonly kind: "counts";
  readonly oneTime: number;
  /** 0: there is none. */
  readonly lastResortNotAfterDay: Day;
}

// --- blobs

/** The bytes of a blob, or of what was one. */
export interface BlobBytes {
  readonly blobId: Uint8Array;
  readonly sha256: Uint8Array;
}

/** The index of the blobs, which lie outside the store. */
export interface BlobIndex {
  /**
   * Records a blob that is on disk; free to expire after `expiresDay` unless an entry refers to it. The same again is kept
   * as long as either says. Durable when it resolves. Nothing for one whose bytes are being removed: `leaving`.
   */
  addBlob(params: {
    blobId: Uint8Array;
    sha256: Uint8Array;
    sizeBytes: number;
    expiresDay: Day;
  }): Promise<{ kind: "added" | "same" | "different" | "leaving" }>;
  findBlob(params: { blobId: Uint8Array }): Promise<{ sha256: Uint8Array; sizeBytes: number } | undefined>;
  /** Forgets blobs past their day to which no entry refers, at most `maxItems`: their bytes are leaving then. */
  expireBlobs(params: { day: Day; maxItems: number }): Promise<BlobBytes[]>;
  /** Has bytes that are no blob's leave, taken by whoever calls (16 random bytes): none is made of them until they left. False where they are a blob's. */
  leaveBytes(params: BlobBytes & { taker: Uint8Array }): Promise<boolean>;
  /** Takes the removal of bytes that are leaving, at most `maxItems`, from whoever had it. */
  takeLeaving(params: { taker: Uint8Array; maxItems: number }): Promise<BlobBytes[]>;
  /** These are removed, where nobody else took them since. Answers how many that was. */
  dropLeft(params: { taker: Uint8Array; blobs: readonly BlobBytes[] }): Promise<number>;
  /** Those that are recorded, in the order of their ids, after this one or from the first, at most `maxItems`. */
  listBlobs(params: { after?: Uint8Array; maxItems: number }): Promise<{ blobId: Uint8Array; sha256: Uint8Array; sizeBytes: number }[]>;
  /** How many are recorded, and their bytes. */
  blobTotals(): Promise<{ readonly blobs: number; readonly blobBytes: number }>;
}

// --- days

/** The days of what is kept, which tell a wrong clock. */
export interface DayStore {
  /** The day of the entry or item that came last, 0 where none is kept. */
  newestDay(): Promise<Day>;
  /**
   * Gives entries and items of days after `lastDay`, which a wrong clock left, a possible day where they keep others from expiring;
   * blobs without an entry expire at the latest at `lastBlobDay`. Answers how many, at most about `maxItems`.
   */
  correctDays(params: { today: Day; lastDay: Day; lastBlobDay: Day; maxItems: number }): Promise<number>;
}

/**
 * All that the server keeps. One process opens it at a time, or several nodes do where it lies in a database elsewhere. Nothing in it joins an account to a log (promise P1): not a row, not a
 * number, and no order of writing once what came last is some seconds old, but in a database elsewhere that has both (docs/cluster.md). Every operation may throw StoreError; one that fails changes nothing of others.
 */
export interface Store
  extends
    LogStore,
    InboxStore,
    LinkStore,
    DirectoryStore,
    DirectoryLogStore,
    TokenStore,
    PassphraseStore,
    HistoryStore,
    BlobIndex,
    UploadStore,
    DayStore,
    LeaseStore {
  /** What the operator decides and asks. */
  readonly admin: AdminStore;
  /** Removes from the files what was erased before: until then its bytes may lie in a journal. Gives the room of it back. */
  scrub(): Promise<void>;
  /** Finishes what was called, then closes. */
  close(): Promise<void>;
  /** Settles when the store has stopped by itself; never before. */
  readonly failed: Promise<Error>;
}
