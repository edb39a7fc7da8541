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
