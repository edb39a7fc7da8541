export { TransparencyError } from "./errors.ts";
export type { TransparencyErrorCode } from "./errors.ts";
export { ed25519Algorithm, nobleSignatures, signedContent } from "./signature.ts";
export type { SignatureLabel, Signatures } from "./signature.ts";
export {
  accountStateCodec,
  deviceCardCodec,
  deviceEntryCodec,
  devicePopCodec,
  signedCodec,
  usernameBindingCodec,
} from "./account/structures.ts";
export type { AccountState, DeviceCard, DeviceEntry, DevicePop, Signed, StateSigner, UsernameBinding } from "./account/structures.ts";
export {
  accountIdOf,
  deviceIdOf,
  deviceOf,
  signStructure,
  stateHashOf,
  verifyAccountChain,
  verifyAccountState,
  verifyByDevice,
  verifyDeviceCard,
  verifyUsernameBinding,
} from "./account/verify.ts";
export type { VerifiedAccount } from "./account/verify.ts";
export { nobleVrfProver, vrfOutputSizeBytes, vrfProofSizeBytes, vrfProofToHash, vrfProve, vrfPublicKey, vrfVerify } from "./vrf/ecvrf.ts";
export type { VrfProver, VrfVerifier } from "./vrf/ecvrf.ts";
export { emptyRoot, leafHash, nodeHash } from "./log/hashes.ts";
export { verifyConsistency, verifyInclusion } from "./log/verify.ts";
export { consistencySubtrees, foldSubtrees, inclusionSubtrees, newHashes, proveConsistency, proveInclusion, rootAt } from "./log/prove.ts";
export type { HashReader, SubtreeHash, SubtreeId } from "./log/prove.ts";
export { IncrementalTree } from "./log/incremental-tree.ts";
export {
  decodeEntryBundle,
  encodeEntryBundle,
  entriesTilePath,
  newTiles,
  parseTilePath,
  tileBytes,
  tileHashIds,
  tileHashReader,
  tileHeight,
  tilePath,
  tileWidth,
} from "./log/tiles.ts";
export type { Tile, TilePath } from "./log/tiles.ts";
export { chainOf, emptyHash, innerHash, isEmptyHash, leafNodeHash, mapNodeHash, maxDepth, memoryNodes, turnsRight } from "./map/nodes.ts";
export type { MapLeaf, MapNode, MemoryNodes, NodeReader } from "./map/nodes.ts";
export { findLeaf, mapProofCodec, proveIndex, verifyMapProof } from "./map/proof.ts";
export type { MapProof, MapTerminal } from "./map/proof.ts";
export {
  changesHashOf,
  decodeTransition,
  encodeTransition,
  maxTransitionLeaves,
  transitionCodec,
  transitionShape,
  verifyTransition,
} from "./map/transition.ts";
export type { Transition, TransitionLeaf } from "./map/transition.ts";
export { addSortedPart, emptySortedMap, finishSortedMap, proveInPart, sortedMapStateCodec } from "./map/sorted.ts";
export type { SortedMapState } from "./map/sorted.ts";
export { buildMap, updateMap } from "./map/update.ts";
export type { AddedNode, MapChange, MapUpdate } from "./map/update.ts";
export { accountLabel, commitmentOf, indexOf, labelInput, labelTypes, operatorLabel, usernameLabel } from "./directory/labels.ts";
export type { LabelType } from "./directory/labels.ts";
export {
  configChangeCodec,
  configHashOf,
  directoryConfigCodec,
  directoryOrigin,
  directoryProofCodec,
  gossipCodec,
  headsProofCodec,
  labelProofCodec,
  logEntryCodec,
  mapWitnessName,
  signedHeadCodec,
} from "./directory/structures.ts";
export type {
  ConfigChange,
  DirectoryConfig,
  DirectoryProof,
  Gossip,
  HeadsProof,
  LabelItem,
  LabelProof,
  LogEntry,
  SignedHead,
} from "./directory/structures.ts";
export { directoryViewCodec } from "./directory/view.ts";
export type { DirectoryView, PendingConfig } from "./directory/view.ts";
export { configNoticeMs, learnConfig } from "./directory/config.ts";
export { checkOlder, clockToleranceMs, cosignatureLifetimeMs, openConfigChange, openHead, peekHeadSize } from "./directory/head.ts";
export type { HeadResult, HeadWitnesses, OpenHeadParams } from "./directory/head.ts";
export { decodeDirectoryProof, decodeHeadsProof, headsIndex, verifyAbsence, verifyHeads, verifyLookup } from "./directory/lookup.ts";
export type { AbsenceResult, HeadParams, HeadsResult, KnownLabels, LabelState, LookupResult } from "./directory/lookup.ts";
export { verifyOperatorLabel } from "./directory/operator-labels.ts";
export type { OperatorResult } from "./directory/operator-labels.ts";
export { openedValues, verifyStanding } from "./directory/standing.ts";
export type { LogEvidence, StandingRecord } from "./directory/standing.ts";
export { evaluateQuorums, withoutImpliedCosignatures } from "./directory/quorum.ts";
export type { QuorumResult } from "./directory/quorum.ts";
export { decodeGossip, gossipOf, withLogSignatureOnly, verifyGossip } from "./directory/gossip.ts";
export type { HeardGossip } from "./directory/gossip.ts";
export { nextReplay, replay, replayRoot, replayStateCodec } from "./directory/replay.ts";
export type { ReplayItem, ReplayState, ReplayStep } from "./directory/replay.ts";
export { proveConsistencyByTiles, proveInclusionByTiles, readEntries, tileHashes } from "./directory/tile-reader.ts";
export type { FetchTile } from "./directory/tile-reader.ts";
export { createVerifier, formatVkey, isKeyName, noteKeyId, noteSignatureTypes, parseVkey } from "./note/vkey.ts";
export type { NoteSignatureType, Verifier } from "./note/vkey.ts";
export {
  addSignatures,
  cosignCheckpoint,
  formatNote,
  formatSignatureLine,
  maxNoteBytes,
  maxNoteSignatures,
  openNote,
  parseNote,
  parseSignatureLines,
  signNote,
  verifyNoteSignatures,
} from "./note/note.ts";
export type { Note, NoteSignature, VerifiedSignature } from "./note/note.ts";
export { encodeCheckpoint, parseCheckpoint } from "./note/checkpoint.ts";
export type { Checkpoint } from "./note/checkpoint.ts";
export { openCheckpoint, signCheckpoint } from "./note/open-checkpoint.ts";
export type { OpenedCheckpoint } from "./note/open-checkpoint.ts";
export { encodeRestoreStatement, openRestoreStatement } from "./note/restore-statement.ts";
export type { RestoreStatement } from "./note/restore-statement.ts";
export {
  encodeAddCheckpoint,
  encodeWitnessSize,
  judgeAddCheckpoint,
  parseAddCheckpoint,
  parseWitnessSize,
  witnessSizeContentType,
} from "./note/witness.ts";
export type { AddCheckpoint, AddCheckpointVerdict, CosignedHead } from "./note/witness.ts";
export { formatPolicy, isQuorumMet, parsePolicy, quorumSize, quorumTime, thresholdPolicy } from "./note/policy.ts";
export type { Policy, PolicyGroup, PolicyLog, PolicyWitness } from "./note/policy.ts";
