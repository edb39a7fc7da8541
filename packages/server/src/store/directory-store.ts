import type { Day, NewState, PublishRefusal, Refused } from "./accounts.ts";

/** A label of the directory's map with its place: made once, since neither ever changes. */
export interface NewLabel {
  readonly type: "username" | "account" | "operator";
  /** The name in UTF-8, or the account's id. */
  readonly value: Uint8Array;
  /** 32 bytes: where it stands in the map. */
  readonly index: Uint8Array;
  /** 80 bytes. */
  readonly vrfProof: Uint8Array;
}

/** A change of one account, with the labels that it may need. */
export interface AccountChange extends NewState {
  /**
   * Of the state that deletes the account: when it is served, everything else of the account is erased; a name that it does not
   * release itself is held until that day.
   */
  readonly deletion: { readonly reservedUntilDay: Day } | undefined;
  /** Of a new account: the hash of the invitation that it uses up one of; `undefined` where none is needed. */
  readonly invitation: Uint8Array | undefined;
  /** A new account is refused where there are as many; 0 for no bound. */
  readonly maxAccounts: number;
  /** Of the account and of the names that it binds or releases; those that are known already are passed over. */
  readonly labels: readonly NewLabel[];
}

/** A value that the operator publishes under a label of its own (spec D-8). */
export interface OperatorChange {
  /** Of type `operator`; its place is passed over where the label is known already. */
  readonly label: NewLabel;
  readonly value: Uint8Array;
}

/** The journal of the public record as the store knows it. */
export interface JournalNote {
  /** Its name, as in its header. */
  readonly journal: string;
  /** Entries that it had at least. */
  readonly size: number;
}

/** Makes checkpoints on the store's side, so that a tree and its signature are one write. */
export interface LogSigner {
  /** First line of every checkpoint. */
  readonly origin: string;
  readonly keys: readonly { readonly name: string; readonly keyId: number; /** 32 bytes. */ readonly secretKey: Uint8Array }[];
}

/** One step of the directory's log. */
export interface Publication {
  readonly changes: readonly AccountChange[];
  /** At most one for each label; the value that a label has already is passed over. */
  readonly operator?: readonly OperatorChange[];
  /** An encoded DirectoryConfig to log; nothing in most. */
  readonly config: Uint8Array;
  /** Whether the heads of logs are published too that `collectHeads` has collected, if it is done and there are any (spec L-11). */
  readonly withHeads: boolean;
  /** The entry is dated so, or a millisecond after the one before. */
  readonly nowMs: number;
  /**
   * Where that would be later than this, nothing is published: every reader would refuse it (spec D-2). Changes are refused `clock_off`;
   * those that are stored already are `known` all the same.
   */
  readonly latestMs?: number;
  readonly signer: LogSigner;
  /** Of the lease `publisher`: once somebody was given a later one nothing is published. Absent where nobody else can publish. */
  readonly term?: number;
  /** Whether the new head is served from now on; else `serveHead` does it. */
  readonly isServed: boolean;
  /** Whether a record of it waits for the journal, in the same transaction: `unjournaled` answers with it. */
  readonly isJournaled?: boolean;
  /** As a journal has it: the entry comes out the same, byte for byte, or nothing is published. */
  readonly replay?: Replay;
}

/** What was drawn, signed and collected when a publication was made first. */
export interface Replay {
  /** The encoded LogEntry. */
  readonly entry: Uint8Array;
  readonly note: string;
  /** 32 bytes each, of the values that it added, in their order. */
  readonly openings: readonly Uint8Array[];
}

/** What became of one change: `known` had been stored before, byte for byte. */
export type ChangeOutcome = { readonly kind: "published" | "known" } | Refused<PublishRefusal>;

/** What became of a publication. */
export interface PublicationResult {
  /** As many as `changes`; none where it was overtaken. */
  readonly outcomes: readonly ChangeOutcome[];
  /** Nothing was published since it would be dated too late: what the operator publishes is to be said again. */
  readonly isHeld?: boolean;
  /** Nothing was looked at, since another process publishes now: it is to be tried again in a turn of one's own. */
  readonly isOvertaken?: boolean;
  /** The new head; `undefined` where nothing was to be published. */
  readonly head: UnservedHead | undefined;
}

/** A head as its witnesses are asked about it. */
export interface UnservedHead {
  readonly size: number;
  /** The checkpoint with the log's own signatures, a C2SP signed note. */
  readonly note: string;
}

/** Where the directory stands. */
export interface DirectoryStatus {
  /** Entries in the log; 0 before the first. */
  readonly size: number;
  /** Size of the head that is served; 0 for none. */
  readonly servedSize: number;
  /** Log time of the newest entry. */
  readonly timestampMs: number;
  /** The config of entry 0, encoded; empty before it. */
  readonly firstConfig: Uint8Array;
  /** The newest config, and the index and log time of its entry. */
  readonly config: Uint8Array;
  readonly configIndex: number;
  readonly configTimestampMs: number;
  /** The config before it, encoded; empty before there was another. */
  readonly previousConfig: Uint8Array;
  /** Log time of the last publication of heads of logs; 0 for none. */
  readonly headsAtMs: number;
}

/** A cosignature of a checkpoint: verified before it is stored. */
export interface StoredCosignature {
  /** The witness's key: its name and id. */
  readonly keyName: string;
  readonly keyId: number;
  /** The signature line of the note, with its newline. */
  readonly line: string;
  readonly timeMs: number;
}

/** A checkpoint as it is served. */
export interface ServedCheckpoint {
  readonly size: number;
  /** The C2SP signed note with all its cosignatures. */
  readonly note: string;
}

/** Which account is looked up, and what the asker knows. */
export interface AccountQuery {
  readonly by: { readonly kind: "username"; readonly username: string } | { readonly kind: "account"; readonly accountId: Uint8Array };
  /** First version of the states to return. */
  readonly fromVersion: number;
  /** How many values of the labels the asker has verified; 0: the proof starts with the VRF proof and the first value. */
  readonly accountValues: number;
  readonly nameValues: number;
  /** Size of the tree that the asker has verified, 0 for none. */
  readonly knownSize: number;
  /** Bound of states, proofs of possession and bindings in one answer: beyond it come only the first states, and no proof. */
  readonly maxBytes: number;
}

/** What is asked about an operator's label, and what the asker knows. */
export interface OperatorQuery {
  /** As it would be placed, for one that never had a value. */
  readonly label: NewLabel;
  /** How many of its values the asker has verified. */
  readonly knownValues: number;
  readonly knownSize: number;
}

/** What an operator's label has at the served head: its newest value, none where it is known or was never there. */
export interface OperatorAnswer {
  readonly value: readonly Uint8Array[];
  readonly proof: Uint8Array;
}

/** The answer to a lookup, at the served head. */
export type LookupResult =
  | {
      readonly kind: "account";
      readonly states: readonly Uint8Array[];
      readonly pops: readonly Uint8Array[];
      readonly bindings: readonly Uint8Array[];
      /** DirectoryProof; empty while the states are only a part. */
      readonly proof: Uint8Array;
    }
  /** The name is not bound: its bindings up to the release, if it had any. */
  | { readonly kind: "absent"; readonly bindings: readonly Uint8Array[]; readonly proof: Uint8Array }
  /** No label of this name has been made: `proveAbsence` answers with one made for it. */
  | { readonly kind: "unlisted" }
  | Refused<"not_found">;

/**
 * The directory's log and map (spec section 40). A publication is one transaction: the accounts' rows, the map, the log, the
 * transition and the signed checkpoint are on disk together when it resolves, before anything of it is told to anybody; so there are
 * never two trees of one size. What was added is never changed. Lookups are answered from the *served* head.
 */
export interface DirectoryLogStore {
  directoryStatus(): Promise<DirectoryStatus>;
  /**
   * Applies what it can of the changes, in order, and adds one entry to the log unless nothing is to be published. Versions of
   * accounts are accepted by compare-and-swap (spec A-2); the same bytes as stored are a retry. @throws StoreError
   */
  publishDirectory(publication: Publication): Promise<PublicationResult>;
  /**
   * Collects heads of logs that were active since the last publication of heads, of at most `maxItems` logs at one call, so that other
   * work goes on between; each head as it is when it is taken. Called until it says that all are there, and then waits for their
   * publication. What was collected outlasts a restart. @throws StoreError
   */
  collectHeads(params: { maxItems: number }): Promise<{ readonly isComplete: boolean }>;
  /** The newest checkpoint with its cosignatures, served or not. `undefined` before the first. */
  newestCheckpoint(): Promise<(ServedCheckpoint & { readonly isServed: boolean }) | undefined>;
  /** Adds cosignatures to the checkpoint of this size; a newer one of the same key replaces it. Unknown sizes are passed over. */
  addCosignatures(params: { size: number; cosignatures: readonly StoredCosignature[] }): Promise<void>;
  /** Signs the newest checkpoint once more, with these keys: the same tree, another signature (spec D-2). */
  resignCheckpoint(params: { signer: LogSigner }): Promise<void>;
  /** Serves the head of this size, if it is larger than the served one, and erases what accounts deleted by then leave behind. */
  serveHead(params: { size: number }): Promise<void>;
  /** The served checkpoint; `undefined` before the first. */
  servedCheckpoint(): Promise<ServedCheckpoint | undefined>;

  lookup(query: AccountQuery): Promise<LookupResult>;
  /** The newest value that the operator published, with the DirectoryProof of its label. */
  lookupOperator(query: OperatorQuery): Promise<OperatorAnswer>;
  /** The newest value of an operator's label, served or not; `undefined` for none. */
  newestOperatorValue(params: { name: Uint8Array }): Promise<Uint8Array | undefined>;
  /** DirectoryProof that a label made for this occasion is not in the served map. */
  proveAbsence(params: { label: NewLabel; knownSize: number }): Promise<Uint8Array>;
  /**
   * DirectoryProof of each account and its name with all their values, as who publishes a state gets it; of a name's values that are
   * others' only the commitments. Empty for an account that the served head does not have.
   */
  proveAccounts(params: { accountIds: readonly Uint8Array[] }): Promise<Uint8Array[]>;
  /** HeadsProof of a log's head as last published (spec L-11); empty when none was since the log was last active. */
  proveLogHead(params: { logId: Uint8Array; knownSize: number }): Promise<Uint8Array>;
  /** RFC 6962 consistency between two sizes that the log has had; empty when it has not. */
  proveConsistency(params: { from: number; to: number }): Promise<Uint8Array[]>;

  /** The hashes of a tile (C2SP tlog-tiles) one after the other; `undefined` when the log has not as many. */
  hashTile(params: { level: number; index: number; width: number }): Promise<Uint8Array | undefined>;
  /** A bundle of entries; `undefined` when the log has not as many. */
  entryTile(params: { index: number; width: number }): Promise<Uint8Array | undefined>;
  /** The transition of an entry; `undefined` when there is no such entry or it changed nothing. */
  transition(params: { index: number }): Promise<Uint8Array | undefined>;
  /** The newest ConfigChange that leads to the config of this entry (spec D-2); `undefined` for none. */
  configChange(params: { index: number }): Promise<Uint8Array | undefined>;

  /** The encoded records of publications that wait for the journal, in order: their sizes follow one another. */
  unjournaled(): Promise<Uint8Array[]>;
  /** The journal of this name has the records up to this size: they are dropped here, and that is noted; `undefined` for no journal. */
  dropJournaled(params: { size: number; journal: string | undefined }): Promise<void>;
  /** The journal that was written last, and how far; `undefined` where there was none. */
  journalNote(): Promise<JournalNote | undefined>;
  /** The logs lack what the newest heads say, and the operator knows: a journal brought the public log further than them. */
  acceptLogsBehind(): Promise<void>;

  /** Whether the logs are older than the newest publication of their heads says: then they have lost what was acknowledged. */
  areLogsBehind(): Promise<boolean>;
}
