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
 * (compose, retry, discard, take_back, change, leave, read, draft), what the engine found out (verified) and timers.
 *
 * Invariants:
 * - `chain` covers every entry up to `chain.seq`, each verified; nothing is processed out of order.
 * - Bytes that leave the device are in the stored state first; the secret that sealed them is gone from it (spec L-6).
 * - Nothing is sealed before the log was read to its end on this connection, so that an old copy of a profile finds its own
 *   later entries before it uses a generation twice.
 * - Nothing is sealed while a commit of one's own waits for its answer, while a leaf is unverified, while somebody who left or a
 *   device that left its account is still in the tree, before the person saw that an account was recovered (spec M-3, G-8, A-1), or
 *   while its author may take it back.
 * - `paused` never ends by itself (spec L-10); a `stalled` link always does, when the server serves the log again (spec E-3).
 */
import type { CipherSuite, CipherSuiteId, GroupState, KeyPair, RandomBytes } from "@latchkey/mls";
import type { BlobReference, Sha256 } from "@latchkey/protocol";
import type { Signatures } from "@latchkey/transparency";
import type { RosterLeaf, ConversationState } from "./state.ts";
import type { Effect } from "./effect.ts";

export type { Change, DeviceReference, Joiner, WantedChange } from "./change.ts";
export type { LeafVerdict, UnverifiedLeaf } from "./leaf-verdict.ts";
export type { Line, LineBody } from "../timeline/line.ts";
export type { PendingBlob, SealedEntry } from "./sealed.ts";
export type { Stranded } from "./contested.ts";
export type {
  Asked,
  AwayAccount,
  Chain,
  ClosedEpoch,
  ContinuationOffer,
  ConversationState,
  DepartedLeaf,
  EpochKeys,
  GoneMember,
  Invitation,
  Leaver,
  Link,
  Outgoing,
  PauseReason,
  Phase,
  Purpose,
  RecoveredAccount,
  Roster,
  RosterLeaf,
  RosterSettings,
  SealedMessage,
  StagedCommit,
} from "./state.ts";
export type { Input, TimerName } from "./input.ts";
export type { ChangeOutcome, Effect, WelcomePost } from "./effect.ts";

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
