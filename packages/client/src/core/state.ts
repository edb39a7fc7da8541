import type { CipherSuiteId, GroupState, LeafIndex, MessageEvidence } from "@latchkey/mls";
import type { GroupSettings, LatchkeyGroup, ProofSource, SettingsOpening, SignedLeave, TreeSource } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import type { AwaitedHead, Doubt, OwnMark, Sight, Spoken } from "./said.ts";
import type { StallReason } from "./stall-reason.ts";
import type { Change, DeviceReference } from "./change.ts";
import type { Renewal } from "./renewal.ts";
import type { Arrival, Ask, SkipTold, Stranded } from "./contested.ts";
import type { UnverifiedLeaf } from "./leaf-verdict.ts";
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
  /** Until then by this device's clock the person may take it back, and it is not sealed; 0 for not at all. */
  readonly undoUntilMs: number;
  /** Files of it that are not at the host yet, by the ids of their blobs in base64url: it is not sealed before they are (spec X-23). */
  readonly uploads: readonly string[];
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
  /** The `attempt` in which an entry was refused for now that is sent again with the next one; 0 for none. */
  readonly heldIn: number;
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
