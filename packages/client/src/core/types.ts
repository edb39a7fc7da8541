/**
 * The conversation machine: what one device knows of one group and its log. Values are immutable; `step` takes an input and
 * returns the next state with the effects that the engine carries out after it stored that state.
 *
 * ```
 *                    startConversation            WelcomeBundle
 *                           |                          |
 *                           v                          v
 *                       creating --(log exists)-->  active  <----------------------------+
 *                                                  |  |  |  `--(accepted)-- own commit --'
 *              own leaf removed by a commit        |  |  |
 *            +-------------------------------------+  |  +--- fork, unreadable or expired commit,
 *            v                                        |       misplaced message, restored profile
 *         removed            leave asked for: leaving-+                                 |
 *                                   |                                                 paused
 *                                   v (own `leave` is in the log)
 *                                  left          (direct only) active --(lower log id wins, L-12)--> superseded
 *
 *                                  any but left and removed --(gone on with elsewhere, M-9)--> continued
 *               removed, left, paused, never confirmed --(a Welcome that M-9 allows)--> active
 * ```
 *
 * Inputs: what the log connection says (opened, entry, sealed, accepted, refused, disconnected), what the person wants
 * (compose, retry, discard, change, leave, read, draft), what the engine found out (verified) and timers.
 *
 * Invariants:
 * - `chain` covers every entry up to `chain.seq`, each verified; nothing is processed out of order.
 * - Bytes that leave the device are in the stored state first; the secret that sealed them is gone from it (spec L-6).
 * - Nothing is sealed before the log was read to its end on this connection, so that an old copy of a profile finds its own
 *   later entries before it uses a generation twice.
 * - Nothing is sealed while a commit of one's own waits for its answer, while a leaf is unverified, while somebody who left or a
 *   device that left its account is still in the tree, or before the person saw that an account was recovered (spec M-3, G-8, A-1).
 * - `paused` never ends by itself (spec L-10); a `stalled` link always does, when the server serves the log again (spec E-3).
 */
import type { CipherSuite, CipherSuiteId, GroupState, KeyPair, LeafIndex, MessageEvidence, RandomBytes } from "@latchkey/mls";
import type {
  AppendSecret,
  BlobReference,
  EntryEvent,
  EpochAccess,
  GroupSettings,
  LatchkeyGroup,
  MessageStatus,
  Opened,
  ProofSource,
  SettingsOpening,
  SealedEvent,
  Sha256,
  SignedLeave,
  TreeSource,
  WireErrorCode,
} from "@latchkey/protocol";
import type { Signatures } from "@latchkey/transparency";
import type { ClientErrorCode } from "../api.ts";
import type { AwaitedHead, Doubt, OwnMark, Sight, Spoken } from "./said.ts";
import type { StallReason } from "./stall-reason.ts";
import type { Change, DeviceReference, Joiner, WantedChange } from "./change.ts";
import type { Renewal } from "./renewal.ts";
import type { Arrival, Ask, SkipTold, Stranded } from "./contested.ts";
import type { LeafVerdict, UnverifiedLeaf } from "./leaf-verdict.ts";
import type { LinkEvent } from "../join-links/book.ts";
import type { Line } from "../timeline/line.ts";
import type { Said } from "../timeline/said.ts";
import type { PastEffect } from "./past-effect.ts";
import type { SealedEntry } from "./sealed.ts";

/** Why a conversation is paused. */
export type PauseReason =
  | "left_behind" // a change that this device followed is void: all others but one cannot read it, and go on without it (G-6)
  | "unreadable_commit" // a change that this device cannot follow, for a day or between two (G-9)
  | "missed_commit" // changes expired on the server before this device read them (L-8)
  | "profile_restored" // own entries in the log that this profile does not know
  | "foreign_head"; // the public record names another head of this log (L-11)

export type Phase =
  | { readonly kind: "creating" }
  | { readonly kind: "active" }
  | { readonly kind: "leaving" }
  | { readonly kind: "removed" }
  | { readonly kind: "left" }
  | { readonly kind: "paused"; readonly reason: PauseReason }
  /** A second direct conversation with the same person: read-only, what is written goes to `by` (spec L-12). */
  | { readonly kind: "superseded"; readonly by: string }
  /** The person goes on in another conversation with the same people (spec M-9). */
  | { readonly kind: "continued"; readonly by: string };

/** The verified end of the log as this device knows it (spec section 10). */
export interface Chain {
  readonly seq: number;
  readonly head: Uint8Array;
}

/** The keys of an epoch (spec L-1, L-10). */
export interface EpochKeys {
  readonly epochId: number;
  readonly access: Uint8Array;
  readonly envelope: Uint8Array;
  /** Of the tags by which members say what they saw of the log. */
  readonly view: Uint8Array;
}

/** Keys of a closed epoch, kept 7 days for complaints (spec L-4), and the commit that closed it. */
export interface ClosedEpoch extends Omit<EpochKeys, "view"> {
  readonly closedAtMs: number;
  /** The commit's entry, and the account of its author. */
  readonly child: number;
  readonly childAuthor: Uint8Array;
  /** The members of the epoch that the commit kept or added again, a bit for each by its leaf now, and how many they were (spec G-6). */
  readonly kept: Uint8Array;
  readonly keptCount: number;
  /** Those of them who said nothing behind it yet: they may be unable to (spec E-26). */
  readonly unheard: Uint8Array;
  /** Those of them who said that they cannot follow it, and not yet that they arrived behind it, in the order of the log. */
  readonly stuck: readonly DeviceReference[];
  /** What was asked here by those who want to be let in: nobody is let in without end. */
  readonly asked: readonly Asked[];
  /** Those who said that they arrived: what they had said before counts no more, whoever shows it again. */
  readonly arrived: readonly DeviceReference[];
  /** Those of whom the commit kept who are in the group no more: what they say of it counts all the same. */
  readonly gone: readonly GoneMember[];
}

/** A device that was in an epoch, and the key by which it signs. */
export interface GoneMember extends DeviceReference {
  readonly signaturePublicKey: Uint8Array;
}

/** That a device asked to be let in, and H(its signed complaint). */
export interface Asked extends DeviceReference {
  readonly complaint: Uint8Array;
}

/** A message's exact bytes, with its place among the device's own. */
export interface SealedMessage extends SealedEntry {
  readonly own: OwnMark;
  readonly evidence: MessageEvidence;
}

/** `text`: a message of its own, of whatever kind; `change`: what is done to messages. */
export type Purpose = "text" | "change" | "profile" | "leave" | "sync" | "account" | "receipt" | "history" | "link";

/** A message of one's own that is not yet seen in the log. */
export interface Outgoing {
  readonly id: string;
  readonly order: number;
  readonly purpose: Purpose;
  /** Of a text what it says, of a profile the name that it tells, else "". */
  readonly text: string;
  readonly composedAtMs: number;
  /** MIMI content; nothing where it is made when it is sealed (`leave`), and what lies beside it of an `account`. */
  readonly content: Uint8Array;
  /** `rosterAdds` of the conversation when it was composed (attack A7). */
  readonly rosterAdds: number;
  readonly failure: ClientErrorCode | undefined;
  readonly sealed: SealedMessage | undefined;
  /** The link's `attempt` in which it was last sent; 0 for never. Not stored. */
  readonly sentIn: number;
  /** Set once the server acknowledged it; its entry follows in the stream. */
  readonly accepted: Chain | undefined;
}

/** A commit that waits for the server's answer, with everything that its acceptance sets off. */
export interface StagedCommit {
  readonly change: Change;
  readonly entry: SealedEntry;
  readonly nextAccessHash: Uint8Array;
  /** The last skipped commit of the epoch when it was made (spec L-5). */
  readonly afterSeq: number;
  readonly next: GroupState;
  readonly welcomes: readonly Uint8Array[];
  readonly tree: TreeSource | undefined;
  /** Records of all members for the joiners (spec D-5). */
  readonly proofs: ProofSource | undefined;
  /** The settings that it leaves, where it sets any. */
  readonly opening: SettingsOpening | undefined;
  /** As of a message. */
  readonly sentIn: number;
  readonly accepted: Chain | undefined;
}

/** A member's device. */
export interface RosterLeaf {
  readonly leafIndex: LeafIndex;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
  /** `accountId` as base64url. */
  readonly account: string;
}

/** What all members agree on of their group: of its context what members sign, the rest as its hashes say (spec M-1). */
export interface RosterSettings extends Pick<LatchkeyGroup, "host" | "conversationKind">, Omit<GroupSettings, "format" | "ext"> {}

/** The members of an epoch, by account and by leaf. */
export interface Roster {
  readonly leaves: ReadonlyMap<number, RosterLeaf>;
  /** Account (base64url) to its leaves. */
  readonly accounts: ReadonlyMap<string, readonly RosterLeaf[]>;
  readonly settings: RosterSettings;
  readonly own: RosterLeaf | undefined;
}

/** A device that said it leaves and is still in the tree as it was then (spec M-3). */
export interface Leaver {
  readonly leafIndex: LeafIndex;
  readonly accountId: Uint8Array;
  /** What it called its leaf, and how it proves to everybody that it said so. */
  readonly leaf: Uint8Array;
  readonly word: SignedLeave;
}

/** A device that its account no longer has and that is still in the tree (spec M-3). */
export interface DepartedLeaf extends DeviceReference {
  readonly leafIndex: LeafIndex;
}

/** An account that came back by its recovery phrase: nothing is sent until the person saw the line that says so (spec A-1). */
export interface RecoveredAccount {
  readonly accountId: Uint8Array;
  /** Place of that line. */
  readonly order: number;
}

/** A Welcome into a conversation that this device is out of: it waits for the person's word (spec M-9). */
export interface Invitation {
  /** Of the inbox item; names the stored Welcome. */
  readonly itemId: Uint8Array;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** Whether that account was in the conversation when this device last knew. */
  readonly wasMember: boolean;
  /** Accounts of the conversation, as this device last knew it, that are not where this leads. */
  readonly missing: readonly Uint8Array[];
  readonly atMs: number;
  /** Its key package is kept so long. */
  readonly notAfterMs: number;
}

/** A conversation that another member founded to go on with this one; the person may go there too. */
export interface ContinuationOffer {
  readonly id: string;
  readonly accountId: Uint8Array;
  /** Accounts of this one that are not in it. */
  readonly missing: readonly Uint8Array[];
}

/** An account that had no device in the group from the line `from` to the line `until`; 0: it is still away. */
export interface AwayAccount {
  readonly accountId: Uint8Array;
  readonly from: number;
  readonly until: number;
}

/** What is known of the connection; never stored. */
export interface Link {
  /** `opening`: create or open was sent; `following`: the stream runs; `stalled`: the server does not serve this log now. */
  readonly kind: "down" | "up" | "opening" | "following" | "stalled";
  /** Why it did not at the last try; stays until the log was read to its end again. */
  readonly stall: StallReason | undefined;
  /** Tries in a row that ended so. */
  readonly stalls: number;
  /** How long the server keeps entries, by the hello of this connection. */
  readonly retentionDays: number;
  /** The last entry when the epoch was opened: read up to it before anything is sealed. */
  readonly readUpTo: number;
  /** The head after it, by the server's word. */
  readonly headThere: Uint8Array | undefined;
  /** What proves to the others that a device left its account could not be had at the last try (spec M-2). */
  readonly cannotRemove: boolean;
  /** The epoch that was opened first on this connection, and the closed ones that were opened along with it. */
  readonly opened: { readonly epochId: number; readonly closed: readonly number[] } | undefined;
  /** Whether a commit that lets messages through again is planned. */
  readonly isUnblockPlanned: boolean;
  /** The `attempt` in which a complaint was last sent; 0 for none. */
  readonly complainedIn: number;
  /** Counts connections and new tries: what was sent in an earlier one is sent again. Never goes back. */
  readonly attempt: number;
}

/** One conversation as this device has it: a value, of which every step makes the next. */
export interface ConversationState {
  readonly id: string;
  readonly logId: Uint8Array;
  /** The MLS group that it was first joined with, and keeps (spec M-9); empty while only its history is known here. */
  readonly groupId: Uint8Array;
  readonly host: string;
  /** `devices`: the group of one account's devices, which tells them what the others did and is shown nowhere. */
  readonly kind: "direct" | "group" | "devices";
  readonly name: string;
  /** Account of the other person of a direct conversation; one's own in notes to oneself. */
  readonly peer: Uint8Array | undefined;
  readonly suiteId: CipherSuiteId;
  readonly phase: Phase;
  readonly chain: Chain;
  /** The entry after which this device reads: the commit that added it. */
  readonly joinedSeq: number;
  /** Whose word the head is at which it joined, until the server's said the same; `isTold`: it said another, and that was told. */
  readonly base: { readonly accountId: Uint8Array; readonly isTold: boolean } | undefined;
  /** The latest heads of the chain, ending with `chain`, for L-10. */
  readonly recentHeads: readonly Uint8Array[];
  readonly epoch: EpochKeys | undefined;
  /** Name, roles and what the conversation goes on with, and the salt of the hashes that the group has of them (spec M-1, M-9). */
  readonly opening: SettingsOpening;
  /** The newest application message of this device in the log (spec L-10). */
  readonly own: OwnMark;
  /** What stands for the newest application message of another device; zeros for none (spec L-10). */
  readonly seen: Uint8Array;
  /** The last commit of this epoch, which was skipped like all before it (spec G-3); 0 for none. */
  readonly lastCommitSeq: number;
  readonly skipsTold: readonly SkipTold[];
  readonly stranded: Stranded | undefined;
  readonly arrival: Arrival | undefined;
  /** Leaves of which a commit is void in this epoch: none of theirs counts in it (spec G-6). */
  readonly barred: readonly number[];
  /** One's own commits of this epoch that the server said it refuses: it may have them all the same (spec E-78). */
  readonly refused: readonly StagedCommit[];
  readonly asks: readonly Ask[];
  readonly closedEpochs: readonly ClosedEpoch[];
  readonly group: GroupState | undefined;
  readonly roster: Roster | undefined;
  /** Accounts in the group, for lists, when the group itself is not loaded. */
  readonly memberCount: number;
  readonly outgoing: readonly Outgoing[];
  readonly changes: readonly Change[];
  readonly staged: StagedCommit | undefined;
  readonly renewal: Renewal;
  readonly unverified: readonly UnverifiedLeaf[];
  readonly leavers: readonly Leaver[];
  readonly departed: readonly DepartedLeaf[];
  readonly recovered: readonly RecoveredAccount[];
  readonly sight: Sight;
  /** Entries of this epoch that expired before this device read them, and the last of them (spec L-8); 0 for none. */
  readonly expired: { readonly count: number; readonly through: number };
  /** Accounts whose devices all left their account, as after a recovery, until somebody lets them back (spec E-64); the newest last. */
  readonly away: readonly AwayAccount[];
  readonly doubts: readonly Doubt[];
  /** By leaf. */
  readonly spoken: ReadonlyMap<number, Spoken>;
  /** Entries of the log so far that this device could not read, or that had expired. */
  readonly unreadEntries: number;
  readonly awaited: AwaitedHead | undefined;
  /** The public record leaves this log out, though it was written to, and that was told (spec L-11). */
  readonly isLeftOut: boolean;
  /** When the copy was made from which the server says that it was restored, in milliseconds since 1970; while nothing shows that others read on here (spec D-7). */
  readonly restoredFromMs: number | undefined;
  /** Accounts that were in the group when this device's part in it ended. */
  readonly formerMembers: readonly Uint8Array[];
  /** Whose commit removed this device and added it again: its Welcome follows. */
  readonly readdedBy: Uint8Array | undefined;
  /** Who asks to let this device go on here; the person decides (spec M-9). */
  readonly invitations: readonly Invitation[];
  /** What names its latest epochs to a conversation that goes on with it (spec M-9), the newest last. */
  readonly continuity: readonly Uint8Array[];
  /** The conversation that this one goes on with: its history stands above. */
  readonly continuesId: string | undefined;
  /** Others who go on with this one elsewhere, the newest last. */
  readonly offers: readonly ContinuationOffer[];
  /** How often accounts were added by others (attack A7). */
  readonly rosterAdds: number;
  /** The mark of what this device, or another of its account, last told the group of its person (`profileMark`); "" for nothing. */
  readonly toldName: string;
  readonly nextLocal: number;
  readonly unread: number;
  readonly readThrough: number;
  readonly draft: string;
  readonly lastOrder: number;
  readonly updatedAtMs: number;
  readonly link: Link;
}

export type { Change, DeviceReference, Joiner, WantedChange } from "./change.ts";
export type { LeafVerdict, UnverifiedLeaf } from "./leaf-verdict.ts";
export type { Line, LineBody } from "../timeline/line.ts";
export type { PendingBlob, SealedEntry } from "./sealed.ts";
export type { Stranded } from "./contested.ts";
export type { StallReason } from "./stall-reason.ts";

export type TimerName = "retry" | "remove_leavers" | "self_update" | "renew" | "verify" | "unblock" | "complain" | "answer" | "give_up";

export type Input =
  /** `retentionDays`: by the server's hello. */
  | { readonly kind: "connected"; readonly retentionDays: number }
  /** `heardAtMs`: when the server last said anything on the connection. */
  | { readonly kind: "disconnected"; readonly heardAtMs: number }
  | { readonly kind: "opened"; readonly opened: Opened }
  /**
   * `external` is the envelope's content out of its blob, asked for by a `needs_blob` answer; `missing` when it is gone, `unreadable` when it is
   * there and does not open, for nobody.
   */
  | { readonly kind: "entry"; readonly event: EntryEvent; readonly external?: Uint8Array | "missing" | "unreadable" }
  | { readonly kind: "sealed"; readonly event: SealedEvent }
  /** This app could not take in an entry, for a reason of its own that the store has no part in (spec E-17). */
  | { readonly kind: "faulty"; readonly entry: Extract<Input, { readonly kind: "entry" | "sealed" }> }
  /** What came could not be stored. */
  | { readonly kind: "unkept" }
  /** A part of the next entry cannot be had from the server now. */
  | { readonly kind: "unavailable" }
  | { readonly kind: "accepted"; readonly entryId: Uint8Array; readonly seq: number; readonly head: Uint8Array }
  | {
      readonly kind: "refused";
      readonly request: "create" | "open" | "append" | "commit";
      readonly entryId: Uint8Array | undefined;
      readonly code: WireErrorCode;
      readonly retryAfterMs: number;
      /** What is told of a message until it is sent again, where the code is not what happened. */
      readonly failure?: ClientErrorCode | undefined;
    }
  | {
      readonly kind: "compose";
      readonly id: string;
      readonly purpose: Purpose;
      readonly text: string;
      readonly content: Uint8Array;
      /** The mark of what it tells of its author (`profileMark`), where it tells something new. */
      readonly told?: string | undefined;
      /** It waits for the person's word first. */
      readonly failure?: ClientErrorCode | undefined;
    }
  | { readonly kind: "retry"; readonly id: string }
  | { readonly kind: "discard"; readonly id: string }
  | { readonly kind: "change"; readonly change: WantedChange }
  | { readonly kind: "leave"; readonly id: string }
  | { readonly kind: "supersede"; readonly by: string }
  | { readonly kind: "verified"; readonly verdicts: readonly LeafVerdict[] }
  /** What is known of accounts changed: every leaf is judged anew. `recovered`: those that came back by their recovery phrase. */
  | { readonly kind: "accounts"; readonly recovered: readonly Uint8Array[] }
  /** One's own account changed: its states and their proof go to the group (spec D-5). */
  | { readonly kind: "announce"; readonly id: string; readonly displayName: string; readonly proofs: Uint8Array }
  /** The head of this log that the public record has; `missing` when it has none, though the log was written to (spec L-11). */
  | { readonly kind: "published_head"; readonly published: Chain | "missing" }
  /** The server says, signed by its log, that it was restored from a copy of then (spec D-7). */
  | { readonly kind: "server_restored"; readonly copiedMs: number }
  /** A member's device says that it was shown this part of the log: the heads after consecutive entries, `lastSeq` the last. */
  | { readonly kind: "fork_notice"; readonly device: DeviceReference; readonly lastSeq: number; readonly heads: readonly Uint8Array[] }
  /** A Welcome that waits for the person, or one that was dealt with, by its item (spec M-9). */
  | { readonly kind: "invited"; readonly invitation: Invitation }
  | { readonly kind: "uninvited"; readonly itemId: Uint8Array }
  /** Another member goes on elsewhere. */
  | { readonly kind: "offered"; readonly offer: ContinuationOffer }
  /** The person does not go where this account goes on. */
  | { readonly kind: "unoffered"; readonly accountId: Uint8Array }
  /** The person goes on elsewhere. */
  | { readonly kind: "continued"; readonly by: string }
  /** Another group takes the place of the conversation that this one goes on with. */
  | { readonly kind: "uncontinued" }
  | { readonly kind: "timer"; readonly name: TimerName }
  /** A key package that was made for a complaint, and the inbox for the Welcome (spec G-4). */
  | { readonly kind: "complain"; readonly keyPackage: Uint8Array; readonly inboxId: Uint8Array; readonly inboxKey: Uint8Array }
  | { readonly kind: "read"; readonly throughOrder: number; readonly unread: number }
  | { readonly kind: "history"; readonly saidAtMs: number } // From another device of one's own: when something was said last.
  /** `insteadOf`: only where this stands there still. */
  | { readonly kind: "draft"; readonly text: string; readonly insteadOf?: string };

/** A WelcomeBundle to put into a joiner's inbox (spec M-4). */
export interface WelcomePost {
  readonly joiner: Joiner;
  readonly seq: number;
  readonly head: Uint8Array;
  readonly epochId: number;
  readonly welcome: Uint8Array;
  readonly tree: TreeSource;
  readonly proofs: ProofSource;
  readonly opening: SettingsOpening;
}

export type ChangeOutcome = { readonly kind: "done" } | { readonly kind: "failed"; readonly code: ClientErrorCode };

export type Effect =
  | { readonly kind: "create"; readonly accessHash: Uint8Array }
  /** `closed`: epochs that are opened along with it (spec L-3). */
  | {
      readonly kind: "open";
      readonly epochId: number;
      readonly access: Uint8Array;
      readonly afterSeq: number;
      readonly closed: readonly EpochAccess[];
    }
  | { readonly kind: "append"; readonly entry: SealedEntry; readonly entryKind: "message" | "complaint" }
  /** A fresh key package for a complaint is needed; `complain` brings it. */
  | { readonly kind: "complain" }
  /** `afterSeq`: the last commit of the epoch that this device skipped (spec L-5). */
  | { readonly kind: "commit"; readonly entry: SealedEntry; readonly nextAccessHash: Uint8Array; readonly afterSeq: number }
  | { readonly kind: "close" }
  | { readonly kind: "post"; readonly post: WelcomePost }
  | { readonly kind: "line"; readonly line: Line }
  /** A member said something: what becomes of it, the timeline knows. */
  | { readonly kind: "content"; readonly said: Said }
  /** What proves who wrote the line at this place, in this epoch of the group. */
  | { readonly kind: "evidence"; readonly order: number; readonly epoch: number; readonly evidence: MessageEvidence }
  | PastEffect
  | { readonly kind: "named"; readonly accountId: Uint8Array; readonly displayName: string }
  /** What leads to somebody's picture; empty for none any more. */
  | { readonly kind: "pictured"; readonly accountId: Uint8Array; readonly picture: Uint8Array }
  /** The other person of a direct conversation, or another device of one's own there, told what lets into their inboxes (spec I-1). */
  | { readonly kind: "append_secret"; readonly accountId: Uint8Array; readonly appendSecret: AppendSecret }
  /** A member asks who has read a message of theirs (spec R-3). */
  | {
      readonly kind: "read_query";
      readonly accountId: Uint8Array;
      readonly messageId: Uint8Array;
      readonly claimedAtMs: number | undefined;
    }
  | { readonly kind: "receipt"; readonly order: number; readonly accountId: Uint8Array; readonly statuses: readonly MessageStatus[] }
  /** The log said something of the group's join links. */
  | { readonly kind: "join_link"; readonly event: LinkEvent }
  /** Another device of one's own account told this in the group of the devices; `placed`: this one did, and it stands in the log now. */
  | { readonly kind: "sync" | "placed"; readonly order: number; readonly payload: Uint8Array }
  /** `about` makes it one of a kind, with the code and the conversation; `reason` is for people. */
  | { readonly kind: "alarm"; readonly code: ClientErrorCode; readonly reason: string; readonly about: string }
  /** Somebody spoke of another log: the published head is to be looked at (spec L-10, L-11). */
  | { readonly kind: "ask_head" }
  /** The log is not the one that others see: they are told, as they cannot hear it there (spec L-11). */
  | { readonly kind: "tell_fork" }
  /** What a member's message says of its sender's own account and of the public record that its sender sees (spec L-10, D-4). */
  | {
      readonly kind: "said";
      readonly accountId: Uint8Array;
      readonly host: string;
      readonly accountVersion: number;
      readonly accountChain: Uint8Array;
      readonly gossip: Uint8Array;
    }
  /** A member showed states of accounts with their proofs (spec D-5). */
  | { readonly kind: "accounts"; readonly proofs: Uint8Array; readonly accountId: Uint8Array }
  | { readonly kind: "verify"; readonly leaves: readonly UnverifiedLeaf[]; readonly proofs: Uint8Array }
  | { readonly kind: "schedule"; readonly name: TimerName; readonly delayMs: number }
  /** A pending message is gone (discarded). */
  | { readonly kind: "dropped"; readonly message: Outgoing }
  /** A pending message is new or changed. */
  | { readonly kind: "outgoing"; readonly message: Outgoing }
  | { readonly kind: "change_outcome"; readonly id: string; readonly outcome: ChangeOutcome };

/** This device, as conversations need to know it. */
export interface Self {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly account: string;
  readonly signatureKeyPair: KeyPair;
  readonly accountVersion: number;
  readonly accountChain: Uint8Array;
}

/** What a step may use of the world: all of it given, none of it taken. */
export interface Context {
  readonly self: Self;
  readonly nowMs: number;
  readonly random: RandomBytes;
  readonly sha256: Sha256;
  suite(id: CipherSuiteId): CipherSuite;
  /** Whether a verified account state holds this key for this device. */
  vouched(leaf: RosterLeaf): boolean;
  /** Whether the device was in its account and is not any more, by a verified chain (spec M-3). */
  departed(leaf: RosterLeaf): boolean;
  /** The records of these accounts with their proofs, as far as they are at hand (spec D-5). */
  recordsOf(accountIds: readonly Uint8Array[]): Uint8Array;
  /** As `recordsOf`, with the log that they stand in: for members who must judge by them alike (spec M-2). */
  standingRecordsOf(accountIds: readonly Uint8Array[]): Uint8Array;
  /** H(DirectoryConfig) of the public log that this device knows of its host; 32 zeros before it has met it. */
  readonly directory: Uint8Array;
  readonly signatures: Signatures;
  /** An encoded Gossip of one's own host's record, or nothing (spec D-4). */
  readonly gossip: Uint8Array;
  /** Nothing is sealed in any conversation, such as while one's own account stands changed by somebody else (spec A-2). */
  readonly isHeld: boolean;
  /** The head after an entry that left `recentHeads`, from the store; `undefined` when it is not kept. */
  olderHead(seq: number): Promise<Uint8Array | undefined>;
}

/** The outcome of a step, or what it needs first: the same input again with that blob's content. `groups`: all states of the group on the way. */
export type StepResult =
  | {
      readonly kind: "next";
      readonly state: ConversationState;
      readonly effects: readonly Effect[];
      readonly groups: readonly GroupState[];
    }
  | { readonly kind: "needs_blob"; readonly reference: BlobReference };
