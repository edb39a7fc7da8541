import { optional, struct, uint16, uint64, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { LeafIndex } from "../tree/tree-math.ts";
import { bulk, extensions, hash, hpkeCiphertext, identifier, leafIndex, mac, protocolVersion, signature } from "./basics.ts";
import type { Extension, HpkeCiphertextValue } from "./basics.ts";
import { limits } from "./limits.ts";
import { preSharedKeyId } from "./proposals.ts";
import type { PreSharedKeyId } from "./proposals.ts";

/** What all members of an epoch agree on (RFC 9420 section 8.1). */
export interface GroupContext {
  readonly version: 1;
  readonly cipherSuite: number;
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly treeHash: Uint8Array;
  readonly confirmedTranscriptHash: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** `GroupContext`. */
export const groupContext: Codec<GroupContext> = struct<GroupContext>({
  version: protocolVersion,
  cipherSuite: uint16,
  groupId: identifier,
  epoch: uint64,
  treeHash: hash,
  confirmedTranscriptHash: hash,
  extensions,
});

/** A group info without its signature: `GroupInfoTBS`. */
export interface GroupInfoContent {
  readonly groupContext: GroupContext;
  readonly extensions: readonly Extension[];
  readonly confirmationTag: Uint8Array;
  readonly signer: LeafIndex;
}

/** A signed description of an epoch (RFC 9420 section 12.4.3). */
export interface GroupInfo extends GroupInfoContent {
  readonly signature: Uint8Array;
}

const groupInfoFields: { readonly [K in keyof GroupInfoContent]-?: Codec<GroupInfoContent[K]> } = {
  groupContext,
  extensions,
  confirmationTag: mac,
  signer: leafIndex,
};

/** `GroupInfoTBS`. */
export const groupInfoTbs: Codec<GroupInfoContent> = struct<GroupInfoContent>(groupInfoFields);
/** `GroupInfo`. */
export const groupInfo: Codec<GroupInfo> = struct<GroupInfo>({ ...groupInfoFields, signature });

/** The secrets of one joiner (RFC 9420 section 12.4.3). */
export interface GroupSecrets {
  readonly joinerSecret: Uint8Array;
  readonly pathSecret: Uint8Array | undefined;
  readonly psks: readonly PreSharedKeyId[];
}

/** `GroupSecrets`. */
export const groupSecrets: Codec<GroupSecrets> = struct<GroupSecrets>({
  joinerSecret: hash,
  pathSecret: optional(hash),
  psks: vector(preSharedKeyId, { maxBytes: limits.messageBytes }),
});

/** `EncryptedGroupSecrets`. */
export interface EncryptedGroupSecrets {
  /** The KeyPackageRef of the joiner. */
  readonly newMember: Uint8Array;
  readonly encryptedGroupSecrets: HpkeCiphertextValue;
}

/** What lets new members into an epoch (RFC 9420 section 12.4.3.1). */
export interface Welcome {
  readonly cipherSuite: number;
  readonly secrets: readonly EncryptedGroupSecrets[];
  readonly encryptedGroupInfo: Uint8Array;
}

/** `Welcome`. */
export const welcome: Codec<Welcome> = struct<Welcome>({
  cipherSuite: uint16,
  secrets: vector(struct<EncryptedGroupSecrets>({ newMember: hash, encryptedGroupSecrets: hpkeCiphertext }), {
    maxBytes: limits.messageBytes,
  }),
  encryptedGroupInfo: bulk,
});
