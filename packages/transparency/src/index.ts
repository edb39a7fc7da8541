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
export type { VrfProver } from "./vrf/ecvrf.ts";
export { emptyRoot, leafHash, nodeHash } from "./log/hashes.ts";
export { verifyConsistency, verifyInclusion } from "./log/verify.ts";
export { newHashes, proveConsistency, proveInclusion, rootAt } from "./log/prove.ts";
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
