import { optional, struct, uint16, uint64, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { LeafIndex } from "../tree/tree-math.ts";
import { extensions, hash, hpkeCiphertext, identifier, leafIndex, proposalTypes, protocolVersion, publicKey } from "./basics.ts";
import type { Extension, HpkeCiphertextValue } from "./basics.ts";
import { limits } from "./limits.ts";
import { keyPackage, leafNode } from "./nodes.ts";
import type { KeyPackage, LeafNode } from "./nodes.ts";

/** What a resumption PSK is used for (RFC 9420 section 8.4). */
export type ResumptionPskUsage = { readonly kind: "application" } | { readonly kind: "reinit" } | { readonly kind: "branch" };

/** Which pre-shared key (RFC 9420 section 8.4). */
export type PreSharedKeySource =
  | { readonly kind: "external"; readonly pskId: Uint8Array }
  | { readonly kind: "resumption"; readonly usage: ResumptionPskUsage; readonly groupId: Uint8Array; readonly epoch: bigint };

/** `PreSharedKeyID`. */
export interface PreSharedKeyId {
  readonly source: PreSharedKeySource;
  readonly nonce: Uint8Array;
}

const nothing = struct<Record<never, never>>({});

const resumptionPskUsage = variant<ResumptionPskUsage>(uint8, { application: [1, nothing], reinit: [2, nothing], branch: [3, nothing] });

const preSharedKeySource = variant<PreSharedKeySource>(uint8, {
  external: [1, struct<{ pskId: Uint8Array }>({ pskId: identifier })],
  resumption: [
    2,
    struct<{ usage: ResumptionPskUsage; groupId: Uint8Array; epoch: bigint }>({
      usage: resumptionPskUsage,
      groupId: identifier,
      epoch: uint64,
    }),
  ],
});

/** `PreSharedKeyID`. */
export const preSharedKeyId: Codec<PreSharedKeyId> = struct<PreSharedKeyId>({ source: preSharedKeySource, nonce: identifier });

/** Adds a client (RFC 9420 section 12.1.1). */
export interface AddProposal {
  readonly kind: "add";
  readonly keyPackage: KeyPackage;
}
/** Replaces the sender's leaf (section 12.1.2). */
export interface UpdateProposal {
  readonly kind: "update";
  readonly leafNode: LeafNode;
}
/** Removes a member (section 12.1.3). */
export interface RemoveProposal {
  readonly kind: "remove";
  readonly removed: LeafIndex;
}
/** Mixes a pre-shared key into the key schedule (section 12.1.4). */
export interface PskProposal {
  readonly kind: "psk";
  readonly psk: PreSharedKeyId;
}
/** Ends the group in favour of another one (section 12.1.5). */
export interface ReInitProposal {
  readonly kind: "reinit";
  readonly groupId: Uint8Array;
  readonly version: 1;
  readonly cipherSuite: number;
  readonly extensions: readonly Extension[];
}
/** Lets a new member join by an external commit (section 12.1.6). */
export interface ExternalInitProposal {
  readonly kind: "external-init";
  readonly kemOutput: Uint8Array;
}
/** Replaces the group context's extensions (section 12.1.7). */
export interface GroupContextExtensionsProposal {
  readonly kind: "group-context-extensions";
  readonly extensions: readonly Extension[];
}

/** A proposed change (RFC 9420 section 12.1). */
export type Proposal =
  | AddProposal
  | UpdateProposal
  | RemoveProposal
  | PskProposal
  | ReInitProposal
  | ExternalInitProposal
  | GroupContextExtensionsProposal;

/** `Proposal`. */
export const proposal: Codec<Proposal> = variant<Proposal>(uint16, {
  add: [proposalTypes.add, struct<Omit<AddProposal, "kind">>({ keyPackage })],
  update: [proposalTypes.update, struct<Omit<UpdateProposal, "kind">>({ leafNode })],
  remove: [proposalTypes.remove, struct<Omit<RemoveProposal, "kind">>({ removed: leafIndex })],
  psk: [proposalTypes.psk, struct<Omit<PskProposal, "kind">>({ psk: preSharedKeyId })],
  reinit: [
    proposalTypes.reinit,
    struct<Omit<ReInitProposal, "kind">>({ groupId: identifier, version: protocolVersion, cipherSuite: uint16, extensions }),
  ],
  "external-init": [proposalTypes.externalInit, struct<Omit<ExternalInitProposal, "kind">>({ kemOutput: publicKey })],
  "group-context-extensions": [proposalTypes.groupContextExtensions, struct<Omit<GroupContextExtensionsProposal, "kind">>({ extensions })],
});

/** A proposal in full, or the hash that names one sent earlier (RFC 9420 section 12.4). */
export type ProposalOrRef =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "reference"; readonly reference: Uint8Array };

/** `ProposalOrRef`. */
export const proposalOrRef: Codec<ProposalOrRef> = variant<ProposalOrRef>(uint8, {
  proposal: [1, struct<{ proposal: Proposal }>({ proposal })],
  reference: [2, struct<{ reference: Uint8Array }>({ reference: hash })],
});

/** One node of an update path (RFC 9420 section 7.6): its new key, and its path secret for each node of the copath's resolution. */
export interface UpdatePathNode {
  readonly encryptionKey: Uint8Array;
  readonly encryptedPathSecrets: readonly HpkeCiphertextValue[];
}

/** `UpdatePath` (RFC 9420 section 7.6). */
export interface UpdatePath {
  readonly leafNode: LeafNode;
  /** Along the filtered direct path, from the leaf's side to the root. */
  readonly nodes: readonly UpdatePathNode[];
}

/** `UpdatePath`. */
export const updatePath: Codec<UpdatePath> = struct<UpdatePath>({
  leafNode,
  nodes: vector(
    struct<UpdatePathNode>({ encryptionKey: publicKey, encryptedPathSecrets: vector(hpkeCiphertext, { maxBytes: limits.messageBytes }) }),
    { maxBytes: limits.messageBytes, maxItems: 64 },
  ),
});

/** `Commit` (RFC 9420 section 12.4). */
export interface Commit {
  readonly proposals: readonly ProposalOrRef[];
  readonly path: UpdatePath | undefined;
}

/** `Commit`. */
export const commit: Codec<Commit> = struct<Commit>({
  proposals: vector(proposalOrRef, { maxBytes: limits.messageBytes }),
  path: optional(updatePath),
});
