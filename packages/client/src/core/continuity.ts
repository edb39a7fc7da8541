import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { epochAuthenticator, groupId } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import type { Sha256 } from "@latchkey/protocol";

/** Epochs of which the name by which another conversation may go on with them is kept. */
const keptNames = 16;

/**
 * What names an epoch to those who were in it, and says nothing to anybody else: by it a new conversation says which one it goes on with
 * (spec M-9). H("latchkey/continues/1" || group_id || epoch_authenticator), 32 bytes.
 */
export function continuityOf(sha256: Sha256, group: GroupState): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/continues/1"), groupId(group), epochAuthenticator(group)));
}

/** The names that are kept once an epoch has begun, the newest last. */
export function withContinuity(known: readonly Uint8Array[], sha256: Sha256, group: GroupState): readonly Uint8Array[] {
  return [...known, continuityOf(sha256, group)].slice(-keptNames);
}

/** The names that are kept where a device goes on in another epoch than its own. */
export function namesOfBoth(before: readonly Uint8Array[], after: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...before, ...after].slice(-keptNames);
}
