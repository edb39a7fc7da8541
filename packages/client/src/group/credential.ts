import { CodecError, decode, encode } from "@latchkey/codec";
import type { Credential } from "@latchkey/mls";
import { leafIdentityCodec } from "@latchkey/protocol";
import type { LeafIdentity } from "@latchkey/protocol";

/** Whose leaf it is: an account of a host, and its device. */
export type DeviceIdentity = Omit<LeafIdentity, "format">;

/** The credential of a device's leaves (spec M-1). */
export function credentialOf({ host, accountId, deviceId }: DeviceIdentity): Credential {
  return { kind: "basic", identity: encode(leafIdentityCodec, { format: 1, host, accountId, deviceId }) };
}

/** The identity in a leaf's credential (spec M-1). @throws CodecError when it is none of ours. */
export function identityOf(credential: Credential): LeafIdentity {
  if (credential.kind !== "basic") throw new CodecError("invalid", "not a basic credential");
  return decode(leafIdentityCodec, credential.identity);
}
