export { MlsError } from "./errors.ts";
export type { MlsCheck, MlsErrorCode } from "./errors.ts";
export type { CipherSuite, CipherSuiteId, CryptoProvider, HpkeCiphertext, KeyPair, MaybePromise, RandomBytes } from "./crypto/suite.ts";
export { decryptWithLabel, encryptWithLabel, expandWithLabel, refHash, signWithLabel, verifyWithLabel } from "./crypto/labeled.ts";
export { extensionTypes, findExtension, lastResortExtensionType } from "./messages/basics.ts";
export type { Capabilities, Credential, Extension, ExternalSender, Lifetime, RequiredCapabilities } from "./messages/basics.ts";
export type { KeyPackage, LeafNode, LeafNodeSource } from "./messages/nodes.ts";
export type { PreSharedKeyId, Proposal } from "./messages/proposals.ts";
export { toLeafIndex } from "./tree/tree-math.ts";
export type { LeafIndex } from "./tree/tree-math.ts";
export {
  createKeyPackage,
  decodeKeyPackage,
  decodeKeyPackagePrivateKeys,
  encodeKeyPackagePrivateKeys,
  verifyKeyPackage,
} from "./group/key-packages.ts";
export { createGroup } from "./group/create-group.ts";
export { createExternalProposal, createProposal, externalSendersExtension } from "./group/create-proposal.ts";
export { createCommit } from "./group/create-commit.ts";
export { joinGroup } from "./group/join-group.ts";
export { createGroupInfo, joinByExternalCommit } from "./group/external.ts";
export { inspectWelcome } from "./group/inspect-welcome.ts";
export type { InspectedWelcome } from "./group/inspect-welcome.ts";
export { eraseKeyPackagePrivateKeys, eraseState } from "./group/erase.ts";
export { encryptApplicationMessage, nextGeneration } from "./group/application.ts";
export { inspectCommit, processMessage } from "./group/process-message.ts";
export { readMessageEvidence, verifyMessageEvidence } from "./group/evidence.ts";
export type { ProvenMessage } from "./group/evidence.ts";
export { decodeGroupState, encodeGroupState, encodeStateChanges } from "./group/persistence.ts";
export type { StateRecord } from "./secret-tree/records.ts";
export {
  cipherSuiteId,
  confirmedTranscriptHash,
  encodeRatchetTree,
  epoch,
  epochAuthenticator,
  exportSecret,
  groupContextExtensions,
  groupId,
  memberAt,
  members,
  ownLeafIndex,
  resumptionPsk,
  treeHash,
  unmergedLeafCount,
} from "./group/state.ts";
export type { Member } from "./group/member.ts";
export type { GroupState } from "./group/state.ts";
export type {
  CreateCommitParams,
  CreateGroupParams,
  CreateKeyPackageParams,
  CreateProposalParams,
  CreatedCommit,
  CreatedKeyPackage,
  CreatedProposal,
  EncryptParams,
  EncryptedMessage,
  ExternalJoinParams,
  ExternalProposalParams,
  InspectedCommit,
  JoinGroupParams,
  JoinedGroup,
  KeyPackagePrivateKeys,
  MessageEvidence,
  Processed,
  ProcessedApplication,
  ProcessedCommit,
  ProcessedProposal,
  ProcessedRemoval,
  ProcessParams,
  ProposalRequest,
  PskLookup,
  ReInitRequest,
} from "./group/types.ts";
