import type { CipherSuite, KeyPair, MaybePromise, RandomBytes } from "../crypto/suite.ts";
import type { Capabilities, Credential, Extension, Lifetime } from "../messages/basics.ts";
import type { KeyPackage, LeafNode } from "../messages/nodes.ts";
import type {
  AddProposal,
  GroupContextExtensionsProposal,
  PreSharedKeyId,
  Proposal,
  PskProposal,
  RemoveProposal,
} from "../messages/proposals.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { Member } from "./member.ts";
import type { GroupState } from "./state.ts";

/** The secrets behind a key package: kept by its owner until the package was used or expired, then erased. */
export interface KeyPackagePrivateKeys {
  readonly initSecretKey: Uint8Array;
  readonly leafSecretKey: Uint8Array;
  readonly signatureSecretKey: Uint8Array;
}

/** What `createKeyPackage` needs. Times are seconds since 1970. */
export interface CreateKeyPackageParams {
  readonly suite: CipherSuite;
  readonly credential: Credential;
  readonly signatureKeyPair: KeyPair;
  readonly lifetime: Lifetime;
  /** What this client supports; the types of `leafExtensions` and `extensions` are added by themselves. */
  readonly capabilities?: Capabilities;
  readonly leafExtensions?: readonly Extension[];
  readonly extensions?: readonly Extension[];
  readonly random: RandomBytes;
}

/** A key package, its encodings and its secrets. */
export interface CreatedKeyPackage {
  readonly keyPackage: KeyPackage;
  /** The `MLSMessage` to publish. */
  readonly message: Uint8Array;
  /** The `KeyPackageRef` that a Welcome names it by. */
  readonly reference: Uint8Array;
  readonly privateKeys: KeyPackagePrivateKeys;
}

/** What `createGroup` needs. */
export interface CreateGroupParams {
  readonly suite: CipherSuite;
  readonly groupId: Uint8Array;
  readonly credential: Credential;
  readonly signatureKeyPair: KeyPair;
  readonly lifetime: Lifetime;
  /** The types of `extensions` and `leafExtensions` are added by themselves. */
  readonly capabilities?: Capabilities;
  /** The group context's extensions. */
  readonly extensions?: readonly Extension[];
  readonly leafExtensions?: readonly Extension[];
  readonly random: RandomBytes;
}

/** The group that is to follow one which a ReInit ended (RFC 9420 section 12.1.5). */
export interface ReInitRequest {
  readonly groupId: Uint8Array;
  readonly cipherSuite: number;
  readonly extensions: readonly Extension[];
}

/** Finds a pre-shared key that the caller holds; undefined when it does not. */
export type PskLookup = (id: PreSharedKeyId) => Uint8Array | undefined;

/** What `createCommit` needs. */
export interface CreateCommitParams {
  readonly adds?: readonly KeyPackage[];
  readonly removes?: readonly LeafIndex[];
  readonly groupContextExtensions?: readonly Extension[];
  /** Pre-shared keys to mix in, with the lookup that yields them. */
  readonly psks?: readonly PreSharedKeyId[];
  readonly psk?: PskLookup;
  /** Ends the group in favour of another one: the only change of its commit (RFC 9420 section 11.2). Any member may then make that group. */
  readonly reInit?: ReInitRequest;
  /**
   * In the first commit of a new group: ties it to another one, whose state at its last epoch this is. "reinit" when a ReInit ended that
   * one and this has the parameters it asked for, "branch" for a group of some of its members (RFC 9420 sections 11.2 and 11.3).
   */
  readonly successorOf?: { readonly state: GroupState; readonly usage: "reinit" | "branch" };
  /** Proposals sent by themselves in this epoch, to be committed by reference: of others, or one's own but for updates. */
  readonly references?: readonly Uint8Array[];
  /** `authenticated_data` of the message: authenticated, not encrypted by MLS. */
  readonly authenticatedData: Uint8Array;
  readonly random: RandomBytes;
  /** The clock by which the lifetimes of added key packages are judged. */
  readonly nowSeconds: bigint;
  /** "always" (the default) heals the group with each commit; "auto" leaves the path out when only members are added. */
  readonly path?: "always" | "auto";
  /** Puts the ratchet tree into the Welcome; otherwise hand `encodeRatchetTree(next)` to the joiners. */
  readonly treeInWelcome?: boolean;
}

/** A change to propose. "update" renews the sender's own leaf. */
export type ProposalRequest =
  | AddProposal
  | RemoveProposal
  | PskProposal
  | GroupContextExtensionsProposal
  | ({ readonly kind: "reinit" } & ReInitRequest)
  | { readonly kind: "update" };

/** What `createProposal` needs. */
export interface CreateProposalParams {
  readonly request: ProposalRequest;
  /** "public-message" by default; a "private-message" hides it from the delivery service. */
  readonly wireFormat?: "public-message" | "private-message";
  readonly authenticatedData: Uint8Array;
  readonly random: RandomBytes;
  /** The clock by which the lifetime of an added key package is judged. */
  readonly nowSeconds: bigint;
}

/** A proposal sent by itself. */
export interface CreatedProposal {
  /** The `MLSMessage` to send. */
  readonly message: Uint8Array;
  /** The state that knows the proposal; one's own is not processed again. */
  readonly next: GroupState;
  readonly reference: Uint8Array;
}

/** What `createExternalProposal` needs. */
export interface ExternalProposalParams {
  readonly suite: CipherSuite;
  readonly groupId: Uint8Array;
  /** The group's epoch at this moment: a proposal is of one epoch. */
  readonly epoch: bigint;
  /** Somebody who asks to be added, or an entry of the group's external_senders extension. */
  readonly from:
    | { readonly kind: "new-member"; readonly keyPackage: KeyPackage; readonly signatureSecretKey: Uint8Array }
    | {
        readonly kind: "external";
        readonly senderIndex: number;
        readonly signatureSecretKey: Uint8Array;
        readonly proposal: ProposalRequest;
      };
  readonly authenticatedData: Uint8Array;
}

/** A commit that nobody has accepted yet. The caller keeps the old state until the delivery service took `message`. */
export interface CreatedCommit {
  /** The `MLSMessage` (a `PublicMessage`) to send. */
  readonly message: Uint8Array;
  /** The state to adopt once the message was accepted; one's own commit is not processed again. */
  readonly next: GroupState;
  /** One `MLSMessage` (a `Welcome`) for each added key package, in the order of `adds`, then of `references`. */
  readonly welcomes: readonly Uint8Array[];
}

/** What `joinGroup` needs. */
export interface JoinGroupParams {
  readonly suite: CipherSuite;
  /** The `MLSMessage` holding a `Welcome`. */
  readonly welcome: Uint8Array;
  readonly keyPackage: KeyPackage;
  readonly privateKeys: KeyPackagePrivateKeys;
  /** The encoding of the ratchet tree, unless the Welcome holds it. */
  readonly ratchetTree?: Uint8Array;
  readonly psk?: PskLookup;
  /**
   * The group that the new one says it follows, at its last epoch, and what its ReInit asked for. Without it, Welcomes of groups that
   * succeed another one are refused.
   */
  readonly predecessor?: { readonly state: GroupState; readonly reInit?: ReInitRequest };
  /** When given, leaves that still carry their key package's lifetime must be within it. */
  readonly nowSeconds?: bigint;
}

/** A group just joined. */
export interface JoinedGroup {
  readonly state: GroupState;
  /** The member whose signature vouches for the Welcome. */
  readonly welcomeSigner: LeafIndex;
}

/** What `encryptApplicationMessage` needs. */
export interface EncryptParams {
  readonly plaintext: Uint8Array;
  readonly authenticatedData: Uint8Array;
  readonly random: RandomBytes;
  /** Zero bytes inside the encryption, to hide the length. 0 by default. */
  readonly paddingBytes?: number;
}

/** An encrypted application message and the state whose secret it consumed: store the state before sending. */
export interface EncryptedMessage {
  readonly state: GroupState;
  /** The `MLSMessage` (a `PrivateMessage`). */
  readonly message: Uint8Array;
  readonly generation: number;
  /** As others get it with the message. */
  readonly evidence: MessageEvidence;
}

/** What `joinByExternalCommit` needs. */
export interface ExternalJoinParams {
  readonly suite: CipherSuite;
  /** The `MLSMessage` holding a `GroupInfo` with external_pub, from somebody whom the caller trusts to name the right group. */
  readonly groupInfo: Uint8Array;
  /** The encoding of the ratchet tree, unless the group info holds it. */
  readonly ratchetTree?: Uint8Array;
  readonly credential: Credential;
  readonly signatureKeyPair: KeyPair;
  readonly lifetime: Lifetime;
  readonly capabilities?: Capabilities;
  readonly leafExtensions?: readonly Extension[];
  /** One's own former leaf, to be removed by the same commit. */
  readonly replaces?: LeafIndex;
  readonly psks?: readonly PreSharedKeyId[];
  readonly psk?: PskLookup;
  readonly authenticatedData: Uint8Array;
  readonly random: RandomBytes;
}

/** How `processMessage` judges. */
export interface ProcessParams {
  /** When given, the lifetimes of added key packages are checked against it; a failure is of check `policy`. */
  readonly nowSeconds?: bigint;
  /** Asked about every added member after the public check; a refusal is a throw, and is passed on unchanged. */
  readonly acceptAdd?: (leaf: LeafNode, keyPackage: KeyPackage) => MaybePromise<void>;
  readonly psk?: PskLookup;
  /**
   * Messages of this epoch that the caller knows to be gone for good: a sender may be so many generations further ahead than the window
   * of 1,000 allows. The keys of those outside the window are not kept.
   */
  readonly lostMessages?: number;
  /** Take members' proposals sent by themselves, for commits that refer to them. Refused by default. */
  readonly allowProposals?: boolean;
  /** Take proposals of external senders whom the group names, and of those who ask to be added. Refused by default. */
  readonly allowExternalProposals?: boolean;
  /** Take commits by which somebody adds themself. Refused by default. */
  readonly allowExternalCommits?: boolean;
}

/** Proof of who wrote an application message: `SignWithLabel(., "FramedContentTBS", content || context)`. */
export interface MessageEvidence {
  /** Version, wire format and FramedContent, as signed: with the authenticated data and the plaintext. */
  readonly content: Uint8Array;
  /** The GroupContext, the same for all messages of an epoch. */
  readonly context: Uint8Array;
  readonly signature: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
}

/** An application message of a member. */
export interface ProcessedApplication {
  readonly kind: "application";
  readonly state: GroupState;
  readonly sender: LeafIndex;
  readonly authenticatedData: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly epoch: bigint;
  readonly generation: number;
  readonly evidence: MessageEvidence;
}

/** A commit of another member: `state` is the new epoch. */
export interface ProcessedCommit {
  readonly kind: "commit";
  readonly state: GroupState;
  /** The committer (of an external commit: its new leaf). */
  readonly sender: LeafIndex;
  readonly authenticatedData: Uint8Array;
  readonly added: readonly Member[];
  /** As they were before. */
  readonly removed: readonly Member[];
  /** Leaves whose content changed: the committer's, and those of Update proposals. */
  readonly updated: readonly LeafIndex[];
  /** What the group is to become, when this commit ended it. */
  readonly reInit: ReInitRequest | undefined;
}

/** A commit that removed this member: there is no next state. */
export interface ProcessedRemoval {
  readonly kind: "removed";
  readonly sender: LeafIndex;
  readonly authenticatedData: Uint8Array;
}

/** A proposal by itself, kept in `state` until its epoch ends. Only with `allowProposals` or `allowExternalProposals`. */
export interface ProcessedProposal {
  readonly kind: "proposal";
  readonly state: GroupState;
  /** Somebody outside is an external sender of the group, or one who asks to be added. */
  readonly from: "member" | "external" | "new-member";
  /** Of a member. */
  readonly sender: LeafIndex | undefined;
  readonly authenticatedData: Uint8Array;
  /** For `references` of `createCommit`. */
  readonly reference: Uint8Array;
  /** What is proposed; a commit could hold it. */
  readonly proposal: Proposal;
}

/** What a message was. */
export type Processed = ProcessedApplication | ProcessedCommit | ProcessedRemoval | ProcessedProposal;

/** What a commit would do, known from its public part. */
export interface InspectedCommit {
  readonly sender: LeafIndex;
  readonly authenticatedData: Uint8Array;
  /** The type of each of its proposals, by value or by reference, in their order. */
  readonly proposals: readonly Proposal["kind"][];
  /** The members of the epoch that it would open, the committer's leaf as its path leaves it. */
  readonly members: readonly Member[];
  readonly adds: readonly { readonly leafIndex: LeafIndex; readonly keyPackage: KeyPackage }[];
  /** As they are now. */
  readonly removes: readonly Member[];
  readonly updates: readonly LeafIndex[];
  readonly groupContextExtensions: readonly Extension[] | undefined;
  readonly hasPath: boolean;
}
